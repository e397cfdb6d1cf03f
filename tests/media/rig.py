"""A pipeline with ports that write down what they send: two legs, A and B, each with an RTP and an RTCP port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import Event, Learned, SocketCounters
from ngdaemon.media.latching import Address
from ngdaemon.media.pipeline import Pipeline
from ngdaemon.media.plan import Carries, Latch, Plan, Route, Socket
from ngdaemon.media.stream import Stream
from tests.support.clock import Clock

CALL = CallId("call")
LOCAL = "192.0.2.1"
ALICE = Endpoint("198.51.100.1", 4000)
ALICE_RTCP = Endpoint("198.51.100.1", 4001)
BOB = Endpoint("203.0.113.1", 5000)
BOB_RTCP = Endpoint("203.0.113.1", 5001)
STRANGER = Endpoint("192.0.2.66", 6666)


@dataclass(frozen=True, slots=True)
class Sent:
    """A datagram that left a port."""

    socket: SocketId
    data: bytes
    to: Address


@dataclass
class Rig:
    """Ports are numbered from 1, at LOCAL and 30000 plus their number."""

    clock: Clock = field(default_factory=Clock)
    pipeline: Pipeline = field(default_factory=Pipeline)
    sent: list[Sent] = field(default_factory=list)
    streams: dict[SocketId, Stream] = field(default_factory=dict)
    refuse: set[Address] = field(default_factory=set)
    """Where the system refuses to send to."""

    def open(self, call: CallId = CALL, address: str = LOCAL) -> SocketId:
        number = SocketId(len(self.streams) + 1)
        local = Endpoint(address, 30000 + number)
        self.streams[number] = self.pipeline.open(call, number, local, self._sender(number))
        return number

    def _sender(self, number: SocketId) -> Callable[[bytes, Address], object]:
        def transmit(data: bytes, to: Address) -> None:
            if to in self.refuse:
                raise ConnectionRefusedError
            self.sent.append(Sent(number, data, to))

        return transmit

    def local(self, socket: SocketId) -> Endpoint:
        return Endpoint(LOCAL, 30000 + socket)

    def apply(self, sockets: Sequence[Socket], routes: Sequence[Route] = (), call: CallId = CALL) -> list[SocketId]:
        return self.pipeline.apply(call, Plan(tuple(sockets), tuple(routes)), self.clock.now)

    def receive(self, socket: SocketId, data: bytes, source: Address) -> list[Sent]:
        """Have a datagram arrive: what left because of it."""
        before = len(self.sent)
        self.streams[socket].receive(data, source, self.clock.now)
        return self.sent[before:]

    def count(self, socket: SocketId, call: CallId = CALL) -> SocketCounters:
        return self.pipeline.counters(call)[socket]

    def events(self) -> list[Event]:
        return list(self.pipeline.drain())

    def learned(self) -> list[tuple[Endpoint, bool]]:
        """The peers that were reported since the last look, each with whether it was confirmed."""
        return [(item.peer, item.confirmed) for item in self.events() if isinstance(item, Learned)]


A, A_RTCP, B, B_RTCP = SocketId(1), SocketId(2), SocketId(3), SocketId(4)
ROUTES = (
    Route(A, B, Carries.RTP),
    Route(B, A, Carries.RTP),
    Route(A_RTCP, B_RTCP, Carries.RTCP),
    Route(B_RTCP, A_RTCP, Carries.RTCP),
)


def sockets(latch: Latch | None = None) -> list[Socket]:
    """The four sockets of a plain call; `latch` is A's, with what is plausible filled in."""
    a_latch = (latch or Latch())._replace(plausible=frozenset((ALICE.address,)))
    b_latch = Latch(plausible=frozenset((BOB.address,)))
    return [
        Socket(A, ALICE, a_latch),
        Socket(A_RTCP, ALICE_RTCP, a_latch, rtcp=True),
        Socket(B, BOB, b_latch),
        Socket(B_RTCP, BOB_RTCP, b_latch, rtcp=True),
    ]


def plain_call(latch: Latch | None = None, routes: Sequence[Route] = ROUTES) -> Rig:
    """A call that was answered."""
    rig = Rig()
    for _ in range(4):
        rig.open()
    rig.apply(sockets(latch), routes)
    return rig
