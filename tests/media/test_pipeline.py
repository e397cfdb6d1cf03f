"""Plans put into force, and the short way through a stream held against the long one."""

import gc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.latching import Address
from ngdaemon.media.pipeline import Pipeline
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from ngdaemon.media.stream import Stream
from tests.media.rig import (
    A_RTCP,
    ALICE,
    ALICE_RTCP,
    B_RTCP,
    BOB,
    ROUTES,
    STRANGER,
    A,
    B,
    Rig,
    Sent,
    plain_call,
    sockets,
)
from tests.support import packets
from tests.support.packets import rtp

OTHER = CallId("another call")


class TestApply:
    def test_a_port_is_silent_until_a_plan_names_it(self) -> None:
        rig = Rig()
        number = rig.open()
        assert rig.receive(number, rtp(), ALICE) == []
        assert rig.count(number).errors_in == 0

    def test_what_is_not_named_is_closed(self) -> None:
        rig = plain_call()
        assert rig.apply(sockets()[:2]) == [B, B_RTCP]
        assert set(rig.pipeline.counters(CallId("call"))) == {A, A_RTCP}
        assert [stream.id for stream in rig.pipeline.streams(CallId("call"))] == [A, A_RTCP]

    def test_an_empty_plan_ends_the_call(self) -> None:
        rig = plain_call()
        assert rig.apply([]) == [A, A_RTCP, B, B_RTCP]
        assert rig.pipeline.counters(CallId("call")) == {}
        assert rig.apply([]) == []

    def test_a_call_that_ended_is_freed_without_a_collection(self) -> None:
        call, pipeline = CallId("call"), Pipeline()
        for number in (A, B):
            pipeline.open(call, number, Endpoint("192.0.2.1", 20000 + number), lambda data, to: len(data))
        pipeline.apply(call, Plan(tuple(Socket(number, BOB, Latch()) for number in (A, B)), ROUTES[:1]), 0.0)
        gc.collect()
        pipeline.apply(call, Plan(), 1.0)
        assert gc.collect() == 0

    def test_the_same_plan_again_changes_nothing(self) -> None:
        rig = plain_call(Latch(Learning.DELAYED))
        moved = Endpoint(ALICE.address, 9)
        rig.receive(A, rtp(1), moved)
        rig.clock.advance(2.0)
        assert rig.apply(sockets(Latch(Learning.DELAYED)), ROUTES) == []
        rig.clock.advance(1.0)
        rig.receive(A, rtp(2), moved)
        assert rig.learned() == [(moved, False), (moved, True)]
        assert rig.count(A).packets_in == 2

    def test_counters_outlast_new_generations(self) -> None:
        rig = plain_call()
        rig.receive(A, rtp(1), ALICE)
        before = rig.count(A)
        rig.apply(sockets(Latch(generation=7)), ROUTES)
        assert rig.count(A)._replace(confirmed=True) == before
        rig.receive(A, rtp(2), ALICE)
        assert rig.count(A).packets_in == 2

    def test_routes_change_between_two_packets(self) -> None:
        rig = plain_call()
        rig.receive(A, rtp(1), ALICE)
        rig.apply(sockets(), ())
        assert rig.receive(A, rtp(2), ALICE) == []
        rig.apply(sockets(), (Route(A, B_RTCP, Carries.RTP),))
        assert [item.socket for item in rig.receive(A, rtp(3), ALICE)] == [B_RTCP]

    def test_sockets_of_others_are_passed_over(self) -> None:
        rig = plain_call()
        foreign = rig.open(OTHER)
        planned = [*sockets(), Socket(foreign, BOB), Socket(SocketId(99), BOB)]
        routes = (*ROUTES, Route(A, foreign, Carries.RTP), Route(SocketId(99), A, Carries.RTP))
        assert rig.apply(planned, routes) == []
        assert rig.receive(A, rtp(1), ALICE) == [Sent(B, rtp(1), BOB)]
        assert not rig.streams[foreign].is_planned

    def test_a_plan_for_a_call_without_ports_does_nothing(self) -> None:
        assert Rig().apply(sockets(), ROUTES, OTHER) == []

    def test_only_ports_that_no_plan_has_named_can_be_closed_alone(self) -> None:
        rig = plain_call()
        extra = rig.open()
        assert rig.pipeline.close(extra)
        assert not rig.pipeline.close(extra)
        assert not rig.pipeline.close(A)
        assert rig.receive(A, rtp(), ALICE) != []

    @pytest.mark.parametrize(
        "plan",
        [
            (Socket(A, None), Socket(A, None)),
            (Socket(B, None),),
        ],
    )
    def test_a_plan_is_valid_or_does_not_exist(self, plan: tuple[Socket, ...]) -> None:
        with pytest.raises(ValueError, match="plan"):
            Plan(plan, (Route(A, B, Carries.RTP),))


class TestSend:
    def test_control_sends_from_a_port_to_wherever_it_wants(self) -> None:
        rig = plain_call()
        rig.pipeline.send(A, b"\x01", STRANGER)
        assert rig.sent == [Sent(A, b"\x01", STRANGER)]
        assert (rig.count(A).packets_out, rig.count(A).bytes_out) == (1, 1)

    def test_what_cannot_be_sent_is_counted_or_left(self) -> None:
        rig = plain_call()
        rig.refuse.add(STRANGER)
        rig.pipeline.send(A, b"\x01", STRANGER)
        rig.pipeline.send(A, b"\x01", Endpoint("sip.example.com", 5))
        rig.pipeline.send(SocketId(99), b"\x01", STRANGER)
        assert rig.sent == []
        assert rig.count(A).errors_out == 1

    def test_octets_are_summed_over_all_calls_that_were(self) -> None:
        rig = plain_call()
        rig.receive(A, rtp(1), ALICE)
        rig.receive(B, rtp(1), BOB)
        assert rig.pipeline.octets() == 344
        rig.apply([])
        assert rig.pipeline.octets() == 344


SOURCES: Sequence[Address] = (ALICE, Endpoint(ALICE.address, 9), BOB, ALICE_RTCP, STRANGER)
ARRIVALS = st.one_of(
    st.builds(
        rtp,
        st.integers(0, 6) | st.integers(65530, 65535),
        ssrc=st.integers(1, 2),
        payload_type=st.sampled_from((0, 101)),
        csrcs=st.sampled_from(((), (7,))),
        extension=st.sampled_from((None, b"abcd")),
        payload=st.binary(max_size=4),
    ),
    st.sampled_from((packets.receiver_report(1), packets.transport_feedback(1, 2), packets.goodbye(1))),
    st.binary(max_size=30),
    st.binary(max_size=30).map(lambda data: b"\x80" + data),
)
RULES = st.builds(
    Latch,
    st.sampled_from(Learning),
    st.just(frozenset((ALICE.address, BOB.address))),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.just(frozenset((ALICE,))),
)
ROUTINGS = st.lists(
    st.sampled_from(
        (
            *ROUTES,
            Route(A, B_RTCP, Carries.RTCP, drop_feedback=True),
            Route(A, A_RTCP, Carries.RTP),
            Route(A, B, Carries.RTP, mirror=True),
            Route(A, B, Carries.RTP, dropped=frozenset((101,))),
            Route(A, B, Carries.ANY),
        )
    ),
    max_size=4,
    unique=True,
)
MEDIA = st.tuples(
    st.just(A),
    st.builds(rtp, st.integers(0, 6), payload_type=st.sampled_from((0, 101)), payload=st.just(b"")),
    st.sampled_from(SOURCES[:2]),
    st.sampled_from((0.0, 1.0)),
)
"""What the short way is for."""
STEPS = st.lists(
    st.one_of(
        MEDIA,
        MEDIA,
        st.tuples(
            st.sampled_from((A, A, A, A_RTCP, B)), ARRIVALS, st.sampled_from(SOURCES), st.sampled_from((0.0, 1.0))
        ),
        st.tuples(RULES, ROUTINGS, st.booleans(), st.booleans()),
    ),
    max_size=40,
)


def play(steps: Sequence[tuple[object, ...]]) -> Rig:
    """A call through plans and packets as they come."""
    rig = plain_call()
    for step in steps:
        if isinstance(step[0], Latch):
            _, routes, relay_only, muxed = step
            assert isinstance(routes, list)
            planned = sockets(step[0])
            planned[0] = planned[0]._replace(latch=step[0], relay_only=bool(relay_only), muxed=bool(muxed))
            rig.apply(planned, routes)
        else:
            number, data, source, pause = step
            assert isinstance(number, int)
            assert isinstance(data, bytes)
            assert isinstance(source, tuple)
            assert isinstance(pause, float)
            rig.receive(SocketId(number), data, source)
            rig.clock.advance(pause)
    return rig


@settings(max_examples=200)
@given(STEPS)
def test_the_short_way_leads_where_the_long_way_does(steps: list[tuple[object, ...]]) -> None:
    """Everything that can be seen is the same when each packet is made to take the long way."""
    short = play(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "_shorten", lambda *_: None)
        long = play(steps)
    assert short.sent == long.sent
    assert short.events() == long.events()
    assert short.pipeline.counters(CallId("call")) == long.pipeline.counters(CallId("call"))


@given(STEPS)
def test_no_packet_is_lost_from_the_count(steps: list[tuple[object, ...]]) -> None:
    rig = play(steps)
    arrived = sum(1 for step in steps if not isinstance(step[0], Latch))
    counted = rig.pipeline.counters(CallId("call")).values()
    punted = sum(type(event).__name__ == "Punted" for event in rig.events())
    assert sum(item.packets_in + item.errors_in for item in counted) + punted == arrived
    assert sum(item.packets_out for item in counted) == len(rig.sent)
    assert all(item.to != STRANGER for item in rig.sent)


def test_the_short_way_is_taken() -> None:
    """Or the tests above compare nothing."""
    rig = plain_call()
    rig.receive(A, rtp(1), ALICE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "_receive", lambda *_: pytest.fail("the long way"))
        assert rig.receive(A, rtp(2), ALICE) == [Sent(B, rtp(2), BOB)]
        assert rig.receive(A, rtp(3, csrcs=[1], extension=b"abcd"), ALICE) != []
        assert rig.receive(A, rtp(9, ssrc=5), ALICE) != []


def test_bytes_take_the_short_way_too() -> None:
    rig = plain_call()
    rig.apply([item._replace(relay_only=True) for item in sockets()], (Route(A, B, Carries.ANY),))
    rig.receive(A, b"x", ALICE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "_receive", lambda *_: pytest.fail("the long way"))
        for data in (b"", b"\x00", rtp(1)):
            assert rig.receive(A, data, ALICE) == [Sent(B, data, BOB)]
