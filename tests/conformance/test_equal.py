"""Random stories of two calls, played to both packet paths: they agree on every octet, event and counter."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.media.plan import Carries, Hold, Latch, Learning, Plan, Protection, Route, Selector, Socket
from ngdaemon.srtp.context import Outbound, Refused
from ngdaemon.srtp.keys import Keys
from tests.media.judge import keys
from tests.support import packets
from tests.support.native import LEFT_OUT
from tests.support.packets import rtp

if LEFT_OUT:
    pytest.skip(LEFT_OUT, allow_module_level=True)

from tests.conformance.life import Life
from tests.conformance.pair import CALLS, Pair

PORTS = tuple(SocketId(number) for number in range(1, 7))
FIRST, SECOND = PORTS[:4], PORTS[4:]
"""Of either call. The last one of each is IPv6."""
OWN = {number: Endpoint("2001:db8::1" if number in (4, 6) else "192.0.2.1", 30000 + number) for number in PORTS}
ALICE, BOB, CAROL = Endpoint("198.51.100.1", 4000), Endpoint("203.0.113.1", 5000), Endpoint("2001:db8::a", 4000)
GONE = Endpoint("203.0.113.9", 9)
"""The system refuses to send there."""
HOME = {number: (BOB, ALICE, BOB, CAROL)[number % 4] for number in PORTS}
"""Whom each port faces when nothing is out of the way."""
SOURCES = (ALICE, BOB, CAROL, Endpoint(ALICE.address, 4444), Endpoint("198.51.100.2", ALICE.port))
SPELLED = (*SOURCES, GONE, Endpoint("2001:DB8:0::A", 4000), Endpoint("phone.example.com", 4000), *OWN.values())
KEYS: tuple[Keys, ...] = (
    keys(1),
    keys(2),
    keys(3, "AEAD_AES_128_GCM"),
    keys(4, "AES_CM_128_HMAC_SHA1_32")._replace(mki=b"\x07", encrypted=False),
    keys(5, "AEAD_AES_256_GCM")._replace(rtcp_encrypted=False),
    keys(6, "AES_256_CM_HMAC_SHA1_80")._replace(kdr=2, window=64),
    keys(7, "NULL_HMAC_SHA1_80"),
)
MIDS = (b"\x30a\x00\x00", b"\x30b\x00\x00", b"\x10a\x00\x00", b"\x31ab\x00", b"\x3f\x00\x00\x00")
SELECTORS = (
    Selector(b"a", 3, frozenset((1,)), frozenset((0,))),
    Selector(b"b", 3, frozenset(), frozenset((101,))),
    Selector(b"ab", 3, frozenset((2,)), frozenset((300,))),
)

# what is said

SSRCS = st.integers(1, 3)
SEQUENCES = st.integers(0, 6) | st.integers(65530, 65540) | st.integers(0, 65535)
BLOCKS = st.lists(st.builds(lambda ssrc, highest: packets.block(ssrc, highest=highest), SSRCS, SEQUENCES), max_size=2)
RTP = st.builds(
    rtp,
    SEQUENCES,
    ssrc=SSRCS,
    payload_type=st.sampled_from((0, 0, 8, 101)),
    payload=st.binary(max_size=20),
    marker=st.booleans(),
    csrcs=st.sampled_from(((), (), (7,), (7, 8))),
    extension=st.sampled_from((None, None, *MIDS)),
    padding=st.sampled_from((0, 0, 0, 4)),
)
REPORTS = st.one_of(
    st.builds(packets.receiver_report, SSRCS, BLOCKS),
    st.builds(packets.sender_report, SSRCS, BLOCKS),
    st.builds(packets.description, SSRCS),
    st.builds(packets.goodbye, SSRCS, st.sampled_from((b"", b"bye"))),
    st.builds(packets.application, SSRCS),
    st.builds(packets.transport_feedback, SSRCS, SSRCS),
    st.builds(packets.payload_feedback, SSRCS, SSRCS),
)
MEDIA = RTP | st.lists(REPORTS, min_size=1, max_size=3).map(b"".join)
OTHER = st.one_of(
    st.builds(lambda data, length: data[: length % (len(data) + 1)], MEDIA, st.integers(0, 200)),
    st.builds(lambda first, tail: bytes((first,)) + tail, st.integers(0, 255), st.binary(max_size=40)),
    st.sampled_from((b"", b"\x00\x01\x00\x00" + bytes(16), b"\x16\xfe\xfd" + bytes(20), b"\x10\x00\x00\x01ZRTP")),
)


# what is planned


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual one in half of the cases, so that packets pass at all."""
    return st.sampled_from((usual,) * len(others) + others)


LATCHES = st.builds(
    Latch,
    mostly(Learning.HEURISTIC, *Learning),
    mostly(None, frozenset(), frozenset((ALICE.address, BOB.address)), frozenset(("2001:DB8::A", "192.0.2.1", "x"))),
    st.integers(1, 2),
    mostly(False, True),
    mostly(False, True),
    mostly(False, True),
    mostly(None, frozenset((ALICE, BOB)), frozenset((SPELLED[6],))),
)
PROTECTIONS = st.builds(
    Protection,
    st.lists(st.sampled_from(KEYS), max_size=3, unique=True).map(tuple),
    mostly(KEYS[0], None, *KEYS[1:4]),
    st.sampled_from((None, Hold(), Hold(frozenset((ALICE, SPELLED[6]))))),
    st.booleans(),
)


def sockets(number: SocketId) -> st.SearchStrategy[Socket]:
    return st.builds(
        Socket,
        st.just(number),
        mostly(HOME[number], None, *SPELLED),
        LATCHES,
        mostly(None, 184),
        muxed=st.booleans(),
        rtcp=mostly(False, False, True),
        relay_only=mostly(False, False, False, True),
        nat_wait=mostly(False, False, True),
        pierce=mostly(False, False, True),
        protection=mostly(None, *(None,) * 3) | PROTECTIONS,
    )


def routes(source: SocketId, numbers: tuple[SocketId, ...]) -> st.SearchStrategy[list[Route]]:
    return st.lists(
        st.builds(
            Route,
            st.just(source),
            st.sampled_from(numbers),
            mostly(Carries.RTP, *Carries),
            st.booleans(),
            mostly(None, frozenset((0, 8)), frozenset((101, 300))),
            mostly(frozenset(), frozenset((101,))),
            mostly((), ((0, 0xFF),), ((0, 0xD5), (8, 1), (400, 2))),
            mostly(False, False, True),
            mostly(None, *SELECTORS),
        ),
        max_size=3,
    )


@st.composite
def plans(draw: st.DrawFn, numbers: tuple[SocketId, ...]) -> Plan:
    """Of some of these ports; routes lead between ports that are named."""
    named = [number for number in numbers if draw(mostly(True, True, True, False))]
    drawn = [draw(sockets(number)) for number in named]
    usual = [Route(a, b, carries) for a, b in zip(named, [*named[1:], *named[:1]], strict=True) for carries in Carries]
    odd = [route for number in named for route in draw(routes(number, tuple(named)))]
    return Plan(tuple(drawn), tuple(usual if draw(st.booleans()) else odd))


def usual(protection: Protection) -> Plan:
    """Each port of the first call leads to the next one; the first of them is secured."""
    nexts = (*FIRST[1:], FIRST[0])
    return Plan(
        tuple(
            Socket(
                number,
                HOME[number],
                Latch(plausible=None),
                muxed=True,
                protection=protection if number == FIRST[0] else None,
            )
            for number in FIRST
        ),
        tuple(Route(a, b, carries) for a, b in zip(FIRST, nexts, strict=True) for carries in Carries),
    )


# what happens

NUMBERS = mostly(FIRST[0], *PORTS)
ANYONE = st.sampled_from((None, *SOURCES, *OWN.values()))
"""None for whom the port faces."""
PHONES = mostly(0, None, *range(len(KEYS)))
"""What a packet is protected with; None for nothing."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), plans(FIRST)),
        st.tuples(st.just("plan"), plans(SECOND)),
        st.tuples(st.just("plan"), st.builds(usual, PROTECTIONS)),
        st.tuples(st.just("talk"), NUMBERS, SEQUENCES, SSRCS, st.integers(2, 12), PHONES),
        st.tuples(st.just("say"), NUMBERS, MEDIA, PHONES, mostly(None, *SOURCES), mostly(False, False, False, True)),
        st.tuples(st.just("arrive"), NUMBERS, MEDIA | OTHER, ANYONE),
        st.tuples(st.just("again"), NUMBERS, st.integers(0, 50), ANYONE),
        st.tuples(st.just("back"), st.integers(0, 50)),
        st.tuples(st.just("wait"), st.sampled_from((0.1, 0.5, 1.0, 3.0, 3.5))),
        st.tuples(st.just("miss"), NUMBERS, st.integers(1, 3)),
        st.tuples(st.just("open"), st.integers(100, 200)),
        st.tuples(st.just("close"), st.integers(1, 12)),
    ),
    max_size=40,
)
Step = tuple[object, ...]


class Story:
    """Two calls, from their first ports on."""

    def __init__(self) -> None:
        self.pair = Pair()
        for number in PORTS:
            assert self.pair.open(CALLS[number in SECOND], OWN[number]) == number
        self.pair.refuse(GONE)
        self.phones = [Outbound(item) for item in KEYS]
        self.arrived: list[bytes] = []

    def play(self, steps: list[Step]) -> None:
        for name, *values in steps:
            getattr(self, f"_{name}")(*values)
        for call in CALLS:
            self.pair.apply(call, Plan())

    def _plan(self, plan: Plan) -> None:
        self.pair.apply(CALLS[any(socket.id in SECOND for socket in plan.sockets)], plan)

    def _arrive(self, number: SocketId, data: bytes, source: Endpoint | None) -> None:
        self.arrived.append(data)
        self.pair.receive(number, data, source or HOME[number])

    def _say(
        self, number: SocketId, clear: bytes, phone: int | None, source: Endpoint | None = None, spoilt: bool = False
    ) -> None:
        data = clear
        if phone is not None:
            speaks = self.phones[phone]
            try:
                data = speaks.rtcp(clear) if 192 <= clear[1] <= 223 else speaks.rtp(clear)
            except Refused:
                return
        self._arrive(number, data[:-1] + bytes((data[-1] ^ 1,)) if spoilt else data, source)

    def _talk(self, number: SocketId, start: int, ssrc: int, count: int, phone: int | None) -> None:
        """As phones do most of the time."""
        for sequence in range(start, start + count):
            self._say(number, rtp(sequence, ssrc=ssrc, payload=b"x" * 20), phone)

    def _again(self, number: SocketId, which: int, source: Endpoint | None) -> None:
        """A datagram comes once more, perhaps to another port."""
        if self.arrived:
            self._arrive(number, self.arrived[which % len(self.arrived)], source)

    def _back(self, which: int) -> None:
        """What was sent to a port of ours arrives there."""
        ours = {local: number for number, local in self.pair.local.items()}
        looped = [item for item in self.pair.sent if item.to in ours]
        if looped:
            item = looped[which % len(looped)]
            self.pair.receive(ours[item.to], item.data, self.pair.local[item.socket])

    def _wait(self, seconds: float) -> None:
        self.pair.wait(seconds)

    def _miss(self, number: SocketId, packets: int) -> None:
        self.pair.miss(number, packets)

    def _open(self, port: int) -> None:
        self.pair.open(CALLS[0], Endpoint("192.0.2.7", port))

    def _close(self, number: int) -> None:
        self.pair.close(SocketId(number))


@settings(max_examples=int(os.environ.get("STORIES", "200")), deadline=None)
@given(STEPS)
def test_both_do_the_same(steps: list[Step]) -> None:
    Story().play(steps)


@pytest.mark.parametrize("seed", range(int(os.environ.get("STORIES", "200")) // 10))
def test_both_do_the_same_in_long_calls(seed: int) -> None:
    Life(seed).live(300)
