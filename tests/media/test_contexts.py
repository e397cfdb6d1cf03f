"""SRTP state of a call: shared by equal keys, lasting as long as plans have them, never shared between calls."""

import gc
from collections.abc import Callable

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.media.contexts import MAX_RETIRED, Contexts
from ngdaemon.media.pipeline import Pipeline
from ngdaemon.media.plan import Carries, Hold, Latch, Plan, Protection, Route, Selector, Socket
from ngdaemon.media.stream import Stream
from ngdaemon.srtp.context import Inbound, Outbound
from tests.media.judge import Far, keys
from tests.media.rig import ALICE, BOB, A, B, Rig, Sent
from tests.media.secured import HERS, LATCH, OURS, ROUTES, SecuredCall, secured_call
from tests.support.packets import rtp


def test_a_change_of_port_is_no_new_start() -> None:
    """A new pair of ICE: rollover counters, replay windows and indices go with the keys."""
    call = secured_call()
    for number in (65534, 65535, 65536):
        assert call.say(rtp(number)) != []
        assert call.hears(rtp(number)) != []
    replayed = call.alice.rtp(rtp(65537))
    call.rig.receive(A, replayed, ALICE)
    elsewhere = call.rig.open()
    a, b = call.sockets()
    moved = [a._replace(id=elsewhere), b]
    call.rig.apply([a, *moved], (Route(elsewhere, B, Carries.RTP), Route(B, elsewhere, Carries.RTP)))
    call.rig.apply(moved, (Route(elsewhere, B, Carries.RTP), Route(B, elsewhere, Carries.RTP)))
    assert call.rig.receive(elsewhere, replayed, ALICE) == []
    assert call.rig.count(elsewhere).replayed == 1
    packet = call.alice.rtp(rtp(65538))
    assert call.rig.receive(elsewhere, packet, ALICE) == [Sent(B, rtp(65538), BOB)]
    [sent] = call.rig.receive(B, rtp(65537), BOB)
    assert (sent.socket, call.alice.open_rtp(sent.data)) == (elsewhere, rtp(65537))


def test_the_same_plan_again_changes_nothing() -> None:
    call = secured_call()
    for number in range(65530, 65545):
        call.plan()
        assert call.say(rtp(number)) == [Sent(B, rtp(number), BOB)]
        assert call.hears(rtp(number)) == [rtp(number)]


def test_rtp_and_rtcp_ports_with_equal_keys_share_them() -> None:
    """SDES without mux."""
    call = secured_call()
    a, b = call.sockets()
    number = call.rig.open()
    rtcp = a._replace(id=number, muxed=False, rtcp=True, signalled=Endpoint(ALICE.address, 4001))
    call.rig.apply([a, rtcp, b], ROUTES)
    [first], [second] = call.rig.streams[A].receivers, call.rig.streams[number].receivers
    assert first is second
    assert call.rig.streams[A].sender is call.rig.streams[number].sender is not None


def test_calls_do_not_share_state() -> None:
    call, other = secured_call(), CallId("another call")
    number = call.rig.open(other)
    call.rig.apply([Socket(number, ALICE, LATCH, protection=call.protection)], (), other)
    assert call.rig.streams[number].sender is not call.rig.streams[A].sender


def _without_keys(call: SecuredCall) -> None:
    """Fax for a while."""
    a, b = call.sockets()
    call.rig.apply([a._replace(protection=None, relay_only=True), b._replace(relay_only=True)])


def _with_other_keys(call: SecuredCall) -> None:
    before = call.protection
    for seed in (5, 6):
        call.plan(receive=(keys(seed),))
    call.protection = before


@pytest.mark.parametrize("meanwhile", [_without_keys, _with_other_keys])
def test_what_was_received_with_a_key_that_comes_back_is_remembered(meanwhile: Callable[[SecuredCall], None]) -> None:
    """SDES-11, SRTP-03: a phone that goes on with its key and rollover counter is heard, and nobody can replay it."""
    call = secured_call()
    for number in (65535, 65536):
        assert call.say(rtp(number)) == [Sent(B, rtp(number), BOB)]
    overheard = call.alice.rtp(rtp(65537))
    call.rig.receive(A, overheard, ALICE)
    meanwhile(call)
    call.plan()
    assert call.rig.receive(A, overheard, ALICE) == []
    assert call.rig.count(A).replayed == 1
    assert call.say(rtp(65538)) == [Sent(B, rtp(65538), BOB)]


def test_keys_leave_with_the_call() -> None:
    call = secured_call()
    call.rig.apply([])
    assert call.rig.pipeline.counters(CallId("call")) == {}


def test_what_was_sent_with_a_key_that_comes_back_is_remembered_s15() -> None:
    """S15: media is taken out of a call, and put in again with the same key."""
    call = secured_call()
    first = call.rig.receive(B, rtp(1), BOB)
    a, b = call.sockets()
    call.rig.apply([a._replace(protection=None), b], ROUTES)
    call.plan()
    assert call.rig.receive(B, rtp(1, payload=b"other"), BOB) == []
    assert len(first) == len(call.rig.receive(B, rtp(2), BOB)) == 1


def test_few_keys_are_remembered() -> None:
    contexts = Contexts()
    protections = [Protection((), keys(seed)) for seed in range(3 * MAX_RETIRED)]
    senders = []
    for protection in protections:
        senders.append(contexts.sender(protection, None))
        contexts.keep(Plan((Socket(A, None, Latch(), protection=protection),)))
    contexts.keep(Plan())
    again = [
        contexts.sender(protection, None) is sender for protection, sender in zip(protections, senders, strict=True)
    ]
    assert again == [False] * 2 * MAX_RETIRED + [True] * MAX_RETIRED


def test_awaited_keys_make_nothing() -> None:
    rig = Rig()
    rig.open()
    rig.apply([Socket(A, ALICE, LATCH, protection=Protection())])
    assert (rig.streams[A].receivers, rig.streams[A].sender) == ((), None)


def test_equal_keys_for_both_directions_do_not_share() -> None:
    call = secured_call()
    call.plan(receive=(OURS,), send=OURS)
    echo = Far(OURS, OURS)
    assert call.rig.receive(A, echo.rtp(rtp(1)), ALICE) == [Sent(B, rtp(1), BOB)]
    [sent] = call.rig.receive(B, rtp(1, ssrc=5), BOB)
    assert echo.open_rtp(sent.data) == rtp(1, ssrc=5)


def test_a_secured_call_that_ended_is_freed_without_a_collection() -> None:
    """Its keys too (GATE-05)."""
    pipeline, call = Pipeline(), CallId("call")
    far, packets = Far(HERS, OURS), [rtp(number) for number in range(3)]
    streams = [
        pipeline.open(call, number, Endpoint("192.0.2.1", 20000 + number), lambda data, to: None) for number in (A, B)
    ]
    pipeline.apply(call, Plan((Socket(A, ALICE, LATCH, protection=Protection(hold=Hold())), Socket(B, BOB))), 0.0)
    streams[0].receive(far.rtp(packets[0]), ALICE, 0.1)
    routes = (Route(A, B, Carries.RTP, selector=Selector(ssrcs=frozenset((0x1234,)))), Route(B, A, Carries.RTP))
    secured = Socket(A, ALICE, LATCH, protection=Protection((HERS,), OURS))
    pipeline.apply(call, Plan((secured, Socket(B, BOB)), routes), 0.2)
    for packet in packets[1:]:
        streams[0].receive(far.rtp(packet), ALICE, 0.3)
        streams[1].receive(packet, BOB, 0.3)
    assert pipeline.counters(call)[A].packets_in == 3
    kinds = (Inbound, Outbound, Stream)
    del streams
    gc.collect()
    before = sum(isinstance(item, kinds) for item in gc.get_objects())
    pipeline.apply(call, Plan(), 1.0)
    assert gc.collect() == 0
    assert sum(isinstance(item, kinds) for item in gc.get_objects()) == before - 4
