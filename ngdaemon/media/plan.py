"""The plan: the desired forwarding of one call, as a graph of sockets (nodes) and routes (edges).

Plans are plain data, valid by construction, and say everything that a forwarder must know. Control states the whole
plan of a call again whenever something changed; the forwarder finds out what that means for the packets (the contract
is in `forwarder.py`). Two forwarders that are given equal plans have nothing to disagree about.
"""

from dataclasses import dataclass
from enum import Enum

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId

PLAN_VERSION = 1
"""Raised whenever a plan comes to say something that an older native forwarder would not understand."""


class Learning(Enum):
    """How a peer's real address is found out (ng-protocol.md §5.1), always inside `Latch.plausible`."""

    OFF = "off"
    """The signalled endpoint only."""
    IMMEDIATE = "immediate"
    """The first plausible packet confirms its source."""
    DELAYED = "delayed"
    """For `LEARNING_WINDOW` each new plausible source is used at once; the first packet after it confirms."""
    HEURISTIC = "heuristic"
    """As DELAYED, but sources are ranked by how much of the signalled endpoint they share; the best one stays."""


LEARNING_WINDOW = 3.0
"""Seconds after a signalling event in which learning stays open (ng-protocol.md §5.1)."""


@dataclass(frozen=True, slots=True)
class Latch:
    """The rule by which a socket accepts packets and learns where its peer really is (design.md §5).

    A source is *plausible* when its address is in `plausible`. Only plausible sources are learned and, once a peer is
    signalled, only packets from plausible sources or from the peer itself are relayed; all others are dropped and
    counted as strangers. None as `plausible` lifts the rule (an operator asked for it).
    """

    learning: Learning = Learning.HEURISTIC
    plausible: frozenset[str] | None = frozenset()
    generation: int = 0
    """A number that changes with each offer/answer exchange: learning starts anew, for `LEARNING_WINDOW` seconds."""
    strict: bool = False
    """After confirmation packets from another source are dropped (`strict-source`)."""
    handover: bool = False
    """After confirmation another plausible source becomes the peer at once (`media-handover`)."""
    asymmetric: bool = False
    """What was learned is reported but never used as destination (`asymmetric`)."""


@dataclass(frozen=True, slots=True)
class Socket:
    """A bound local port, facing one peer."""

    id: SocketId
    signalled: Endpoint | None
    """Where the peer's SDP says that it receives; None while unknown, and for a peer that must not be sent to."""
    latch: Latch = Latch()
    tos: int | None = None
    """TOS/traffic class octet of what is sent; None leaves the system's."""
    muxed: bool = False
    """The peer's RTP and RTCP both arrive here (RFC 5761)."""
    relay_only: bool = False
    """The bytes are not RTP (T.38, BFCP, …): nothing is parsed, every datagram follows the ANY routes."""
    nat_wait: bool = False
    """Nothing is sent to the peer before its first packet was accepted (`NAT-wait`)."""
    pierce: bool = False
    """An empty RTP packet is sent to the signalled endpoint every second until the peer sends (`pierce-NAT`)."""


class Carries(Enum):
    """Which packets follow a route."""

    RTP = "RTP"
    RTCP = "RTCP"
    ANY = "any"
    """Whatever arrives at a `relay_only` socket."""


@dataclass(frozen=True, slots=True)
class Route:
    """A directed edge: packets of this kind that are accepted at `source` leave from `sink` to its peer."""

    source: SocketId
    sink: SocketId
    carries: Carries
    drop_feedback: bool = False
    """RTCP only: take RTPFB and PSFB out of compound packets, for a peer without AVPF (ng-protocol.md §5.3)."""
    mirror: bool = False
    """Report a copy of each packet as a `Tapped` event."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The desired forwarding of one call. An empty plan ends it."""

    sockets: tuple[Socket, ...] = ()
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        ids = {socket.id for socket in self.sockets}
        if len(ids) != len(self.sockets):
            raise ValueError("a plan names a socket twice")
        for route in self.routes:
            if route.source not in ids or route.sink not in ids:
                raise ValueError(f"route {route.source} → {route.sink} leads to a socket that is not in the plan")
