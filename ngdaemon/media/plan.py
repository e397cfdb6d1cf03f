"""The plan: the desired forwarding of one call, as a graph of sockets (nodes) and routes (edges).

Plans are plain data, valid by construction, and say everything that a forwarder must know. Control states the whole
plan of a call again whenever something changed; the forwarder finds out what that means for the packets (the contract
is in `forwarder.py`). Two forwarders that are given equal plans have nothing to disagree about.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ngdaemon.base.choice import Choice
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.srtp.keys import Keys

PLAN_VERSION = 2
"""Raised whenever a plan comes to say something that an older native forwarder would not understand."""


class Learning(Enum):
    """How a peer's real address is found out (ng-protocol.md §5.1), always inside `Latch.plausible`."""

    OFF = "off"
    """The signalled endpoint only; it counts as confirmed at once."""
    IMMEDIATE = "immediate"
    """The first plausible packet confirms its source."""
    DELAYED = "delayed"
    """For `LEARNING_WINDOW` each new plausible source is used at once; the first packet after it confirms."""
    HEURISTIC = "heuristic"
    """As DELAYED, but sources are ranked by how much of the signalled endpoint they share, and only one that fits as
    well as the best so far is used: (0) address and port, which confirms at once, (1) address, (2) port, (3) neither.
    After `LEARNING_WINDOW` only a better one takes its place; else the best one is confirmed."""


LEARNING_WINDOW = 3.0
"""Seconds after a signalling event in which learning stays open (ng-protocol.md §5.1)."""


class Latch(NamedTuple):
    """The rule by which a socket accepts packets and learns where its peer really is (design.md §5).

    A source is *plausible* when its address is in `plausible`, or is that of the signalled endpoint. Packets from other
    sources are dropped and counted as strangers, always: before the peer's SDP is known as well as after, so that with
    nothing signalled and nothing plausible a socket accepts nothing. A plausible source whose SDP is not known yet (or
    that must not be sent to) is relayed but teaches nothing. None as `plausible` lifts the rule: every source will do,
    because an operator asked for it.

    What is learned lasts as long as `generation` and the signalled endpoint; after a new generation with the same
    endpoint the old peer is still sent to until another one is learned.
    """

    learning: Learning = Learning.HEURISTIC
    plausible: frozenset[str] | None = frozenset()
    """Numeric addresses, in any spelling."""
    generation: int = 0
    """A number that changes with each offer/answer exchange: learning starts anew, for `LEARNING_WINDOW` seconds."""
    strict: bool = False
    """After confirmation packets from another source are dropped (`strict-source`); during heuristic learning those
    from a source that fits less than the best one so far."""
    handover: bool = False
    """After confirmation another plausible source becomes the peer at once (`media-handover`); wins over `strict`.
    Without effect when learning is off."""
    asymmetric: bool = False
    """What was learned is reported and checked against, but never used as destination (`asymmetric`)."""
    sources: frozenset[Endpoint] | None = None
    """The only endpoints that packets are accepted from, where something better than an address vouches for them (ICE,
    a DTLS handshake): all else is a stranger, whatever `plausible` says. Nothing is learned. None lifts the rule."""


class Hold(NamedTuple):
    """Which packets wait at a socket whose receive keys are awaited, to be taken in once there are keys (MBX-06).

    The newest `HELD_PACKETS` of each of at most `HELD_SOURCES` SSRCs of an address, for `HELD_SECONDS`; RTCP counts as
    one SSRC more. Of too many addresses the one with the fewest packets has to go, of too many octets the oldest ones
    of the address with the most: whoever floods a port keeps no other out.
    """

    sources: frozenset[Endpoint] | None = None
    """Only from these; None for all that the latch lets pass, and for all whatever while nothing is signalled."""


HELD_PACKETS = 64
HELD_SOURCES = 4
HELD_SECONDS = 1.0
HELD_ADDRESSES = 64
"""At one port."""
HELD_OCTETS = 1 << 18
"""At one port."""


class Protection(NamedTuple):
    """SRTP at a socket: what arrives is authenticated and decrypted, what leaves is protected.

    Nothing clear is ever accepted at a socket that has a protection, and nothing leaves it in clear (contract 11).
    Sockets of a call with equal keys share their state (rollover counters, replay windows, indices sent): that is how a
    pair of ICE, a port or a BUNDLE changes without a new start.
    """

    receive: tuple[Keys, ...] = ()
    """Tried in this order for an SSRC that no key is bound to yet: old and new key around a re-offer, the answers of a
    fork. Empty while awaited."""
    send: Keys | None = None
    """None while awaited: nothing leaves."""
    hold: Hold | None = None
    """What waits while `receive` is empty; None for nothing. Dropped when the plan takes `hold` away without keys."""
    low_start: bool = False
    """SSRCs that start above 2^15 are renumbered, RTCP to match (SRTP-04): for peers that bind SSRCs late (SDES)."""


class Socket(NamedTuple):
    """A bound local port, facing one peer."""

    id: SocketId
    signalled: Endpoint | None
    """Where the peer's SDP says that it receives; None while unknown, and for a peer that must not be sent to."""
    latch: Latch = Latch()
    tos: int | None = None
    """TOS/traffic class octet of what is sent; None leaves the system's."""
    muxed: bool = False
    """The peer's RTP and RTCP both arrive here (RFC 5761), and both teach."""
    rtcp: bool = False
    """Only the peer's RTCP arrives here: RTCP teaches, RTP does not. On sockets that are neither it is RTP that
    teaches; stray RTCP is relayed only (ng-protocol.md §5.1)."""
    relay_only: bool = False
    """The bytes are not RTP (T.38, BFCP, …): nothing is parsed, every datagram teaches and follows the ANY routes."""
    nat_wait: bool = False
    """Nothing is sent to the peer before a packet of its was accepted since the endpoint was signalled (`NAT-wait`)."""
    pierce: bool = False
    """An empty RTP packet is sent to the signalled endpoint every second until the peer sends (`pierce-NAT`)."""
    protection: Protection | None = None
    """None for clear media."""


class Carries(Choice):
    """Which packets follow a route."""

    RTP = "RTP"
    """ZRTP too, which plain phones speak with each other beside RTP (RFC 6189)."""
    RTCP = "RTCP"
    ANY = "any"
    """Whatever arrives at a `relay_only` socket."""


class Selector(NamedTuple):
    """Which packets of a BUNDLE transport belong to one of its medias (RFC 8843 §9.2).

    The first of these that says something decides, and binds the SSRC: the MID header extension, the SSRC if it is
    signalled or bound, the payload type if no other media of the group has it. RTCP follows its sender's SSRC, and
    where that is bound to no media the SSRC that it is about; with neither it follows the first route.
    """

    mid: bytes = b""
    """The value of the MID header extension (RFC 9143 §15)."""
    extension: int = 0
    """The number of that extension in the peer's packets; 0 for none."""
    ssrcs: frozenset[int] = frozenset()
    """Signalled by `a=ssrc`."""
    payload_types: frozenset[int] = frozenset()
    """Those that no other media of the group has."""


class Route(NamedTuple):
    """A directed edge: packets of this kind that are accepted at `source` leave from `sink` to its peer."""

    source: SocketId
    sink: SocketId
    carries: Carries
    drop_feedback: bool = False
    """RTCP only: take RTPFB and PSFB out of compound packets, for a peer without AVPF (ng-protocol.md §5.3)."""
    only: frozenset[int] | None = None
    """RTP only: payload types that pass; None for all. Others are received and counted, and go nowhere."""
    dropped: frozenset[int] = frozenset()
    """RTP only: payload types that do not pass (blocked DTMF)."""
    silenced: tuple[tuple[int, int], ...] = ()
    """RTP only: payload type and the octet that replaces each octet of its payload (silence)."""
    mirror: bool = False
    """Report a copy of each packet as a `Tapped` event: one, however many routes the packet follows, and also while the
    peer of the sink cannot be sent to."""
    selector: Selector | None = None
    """Only packets of this media of a BUNDLE follow the route; None for all."""


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
