"""Whole calls with a secured side, plan by plan and packet by packet: the short way held against the long one, and what
must be true whatever happens."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.plan import Carries, Hold, Latch, Learning, Protection, Route, Selector, Socket
from ngdaemon.media.stream import Stream
from ngdaemon.srtp.context import Inbound, Outbound, Refused
from tests.media.judge import keys
from tests.media.rig import ALICE, BOB, STRANGER, A, B, Rig
from tests.support import packets
from tests.support.packets import rtp

KEYS = (keys(1), keys(2))
"""What Alice may send with."""
OURS = (keys(3), keys(4))
MOVED = Endpoint(ALICE.address, 4444)
C = SocketId(2)
MID = (b"\x30a\x00\x00", b"\x30b\x00\x00")
SELECTORS = (
    Selector(b"a", 3, frozenset((1,)), frozenset((0,))),
    Selector(b"b", 3, frozenset(), frozenset((101,))),
)
CLEAR = st.one_of(
    st.builds(
        rtp,
        st.integers(0, 6) | st.integers(65530, 65542) | st.integers(0, 65535),
        ssrc=st.integers(1, 2),
        payload_type=st.sampled_from((0, 101)),
        extension=st.sampled_from((None, *MID)),
        payload=st.binary(min_size=16, max_size=24).map(lambda tail: b"CLEAR" + tail),
    ),
    st.sampled_from((packets.receiver_report(1), packets.sender_report(2), packets.transport_feedback(1, 2))),
)
SOURCES = st.sampled_from((ALICE, ALICE, ALICE, MOVED, STRANGER))
HERS = st.tuples(
    st.just("hers"), CLEAR, SOURCES, st.sampled_from((0, 0, 0, 1)), st.sampled_from(("", "", "", "bad", "two"))
)
RUN = st.tuples(st.just("run"), st.integers(0, 60), st.integers(1, 2), st.integers(1, 8), st.integers(0, 1))
HIS = st.tuples(st.just("his"), CLEAR, st.just(BOB), st.just(0), st.just(""))
RAW = st.tuples(
    st.just("raw"),
    CLEAR | st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: b"\x80" + tail),
    SOURCES,
    st.just(0),
    st.just(""),
)
PLAN = st.tuples(
    st.just("plan"),
    st.builds(
        Latch,
        st.sampled_from(Learning),
        st.just(frozenset((ALICE.address,))),
        st.integers(1, 2),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none() | st.just(frozenset((ALICE,))),
    ),
    st.builds(
        Protection,
        st.sampled_from(((), KEYS[:1], KEYS[1:], KEYS)),
        st.sampled_from((None, *OURS)),
        st.none() | st.just(Hold()) | st.just(Hold(frozenset((ALICE,)))),
        st.booleans(),
    ),
    st.sampled_from(("plain", "plain", "bundle", "strip", "mirror", "both")),
    st.sampled_from((0.0, 0.5, 3.0)),
)
STEPS = st.lists(st.one_of(HERS, RUN, RUN, HIS, RAW, PLAN), max_size=30)
ROUTES = {
    "plain": (Route(A, B, Carries.RTP), Route(A, B, Carries.RTCP)),
    "bundle": tuple(
        Route(A, sink, carries, selector=selector)
        for sink, selector in zip((B, C), SELECTORS, strict=False)
        for carries in (Carries.RTP, Carries.RTCP)
    ),
    "strip": (Route(A, B, Carries.RTP, dropped=frozenset((101,))), Route(A, B, Carries.RTCP, drop_feedback=True)),
    "mirror": (Route(A, B, Carries.RTP, mirror=True), Route(A, B, Carries.RTCP, mirror=True)),
    "both": (Route(A, B, Carries.RTP), Route(A, C, Carries.RTP)),
}
Step = tuple[object, ...]


class Story:
    """A call that is played."""

    def __init__(self) -> None:
        self.rig = Rig()
        for _ in range(3):
            self.rig.open()
        self.alice = [Outbound(item) for item in KEYS]
        self.arrived = 0
        self.plans: list[Protection] = []
        self.plan(Latch(Learning.IMMEDIATE, frozenset((ALICE.address,)), 1), Protection(KEYS, OURS[0]), "plain")

    def plan(self, latch: Latch, protection: Protection, routes: str) -> None:
        self.plans.append(protection)
        anyone = Latch(plausible=None)
        self.rig.apply(
            [
                Socket(A, ALICE, latch, muxed=True, protection=protection),
                Socket(B, BOB, anyone, muxed=True),
                Socket(C, BOB, anyone, muxed=True),
            ],
            (*ROUTES[routes], Route(B, A, Carries.RTP), Route(B, A, Carries.RTCP)),
        )

    def protect(self, clear: bytes, key: int) -> bytes | None:
        try:
            return self.alice[key].rtcp(clear) if 192 <= clear[1] <= 223 else self.alice[key].rtp(clear)
        except Refused:
            return None

    def arrive(self, socket: SocketId, data: bytes, source: Endpoint) -> None:
        self.arrived += 1
        self.rig.receive(socket, data, source)

    def play(self, steps: Sequence[Step]) -> "Story":
        for step in steps:
            getattr(self, "_" + str(step[0]))(*step[1:])
        return self

    def _plan(self, latch: Latch, protection: Protection, routes: str, pause: float) -> None:
        self.rig.clock.advance(pause)
        self.plan(latch, protection, routes)

    def _hers(self, clear: bytes, source: Endpoint, key: int, fate: str) -> None:
        data = self.protect(clear, key)
        if data is not None:
            if fate == "bad":
                data = data[:-1] + bytes((data[-1] ^ 1,))
            for _ in range(2 if fate == "two" else 1):
                self.arrive(A, data, source)

    def _run(self, start: int, ssrc: int, count: int, key: int) -> None:
        for number in range(start, start + count):
            self._hers(rtp(number, ssrc=ssrc, payload=b"CLEAR" + bytes(20)), ALICE, key, "")

    def _his(self, clear: bytes, source: Endpoint, key: int, fate: str) -> None:
        before = len(self.rig.sent)
        self.arrive(B, clear, source)
        for sent in self.rig.sent[before:]:
            assert sent.socket == A
            assert self.plans[-1].send is not None
            assert b"CLEAR" not in sent.data
            assert sent.data != clear

    def _raw(self, data: bytes, source: Endpoint, key: int, fate: str) -> None:
        before = len(self.rig.sent)
        self.arrive(A, data, source)
        assert self.rig.sent[before:] == []

    def counted(self) -> list[object]:
        return list(self.rig.pipeline.counters(CallId("call")).values())


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_the_short_way_leads_where_the_long_way_does_s07(steps: list[Step]) -> None:
    """S07, MBX-04: nor does a clear octet leave the secured port, or come in there, in any of these stories."""
    short = Story().play(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "_shorten", lambda *_: None)
        long = Story().play(steps)
    assert short.rig.sent == long.rig.sent
    assert short.rig.events() == long.rig.events()
    assert short.counted() == long.counted()


@settings(deadline=None)
@given(STEPS)
def test_no_packet_is_lost_from_the_count(steps: list[Step]) -> None:
    """Once nothing waits any more each packet was received, dropped and counted, or punted."""
    story = Story().play(steps)
    story.plan(Latch(), Protection(), "plain")
    counted = story.rig.pipeline.counters(CallId("call")).values()
    punted = sum(type(event).__name__ == "Punted" for event in story.rig.events())
    assert sum(item.packets_in + item.errors_in for item in counted) + punted == story.arrived
    assert all(item.unauthenticated + item.replayed <= item.errors_in for item in counted)
    assert sum(item.packets_out for item in counted) == len(story.rig.sent)
    assert all(sent.to != STRANGER for sent in story.rig.sent)


@settings(deadline=None)
@given(STEPS)
def test_what_leaves_can_be_read_with_the_key_of_the_plan_alone(steps: list[Step]) -> None:
    story = Story().play(steps)
    readers = [Inbound(item) for item in OURS]
    for sent in story.rig.sent:
        if sent.socket != A:
            continue
        rtcp = 192 <= sent.data[1] <= 223
        read = 0
        for reader in readers:
            try:
                reader.rtcp(sent.data) if rtcp else reader.rtp(sent.data)
                read += 1
            except Refused:
                pass
        assert read == 1
