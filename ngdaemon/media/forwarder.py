"""What carries packets: the interface of forwarders, what they report, and their contract.

1.  `apply` states the whole call, is idempotent, and takes effect between two packets; an empty plan ends the call.
2.  A socket that is bound but no longer named is closed. What is unchanged keeps its state: the learned peer while the
    latch's generation and the signalled endpoint stay, counters always; counters never go back.
3.  The first octet decides (RFC 7983), and RTP and RTCP are told apart by the packet type (RFC 5761 §4): RTP, RTCP and
    ZRTP follow the routes. STUN, DTLS and TURN channel data are reported as `Punted`, whoever sent them; what is of no
    class, or too short for its class, is dropped and counted. On a `relay_only` socket nothing of this is looked at.
4.  The forwarder learns peers by the latch it was given and reports each change once, as `Learned`.
5.  Packets of one socket leave in the order in which they came. Under overload the newest is dropped and counted;
    nothing blocks and nothing grows.
6.  A packet that has no route, or whose sinks have nobody to send to, is dropped without being an error: it counts as
    received.
7.  No input of the network raises: what cannot be handled is dropped and counted in `errors_in`.
8.  A socket error (unreachable, no buffer space) is counted in `errors_out` of the sending side and ends nothing.
9.  A packet that is sent to one of the forwarder's own sockets (of any call) is sent there once: when the same datagram
    comes by again within a second it is dropped and counted in `errors_out`, so that no loop of calls goes round.
10. The first datagram of a socket that is dropped because its source is not plausible is reported, as `Stranger`; the
    next one not before the latch's generation has changed. The newest of them is among the counters.
11. At a socket with a `Protection` what arrives is authenticated, then decrypted, and only then counted, learned from
    and routed; what leaves is protected. A packet that fails is dropped and counted, and changes nothing else: no
    latch, no rollover counter, no time of the last packet. Nothing clear comes in, and nothing leaves, not even the
    packet of `pierce`, while keys are awaited. DTLS and STUN are punted as ever.
12. Equal keys at sockets of one call share one state, also when they come back after plans without them. An index is
    never used twice with one key and SSRC: a second source behind an SSRC is renumbered, a repeated packet dropped.
13. While receive keys are awaited and the plan has a `Hold`, media is kept within its bounds. When keys come it is
    taken in, in order, as if it had arrived then; when they do not, it is forgotten.
14. Routes with a `Selector` are those of a BUNDLE: a packet follows the routes of the one media that it belongs to.
15. When the first packets at a socket with receive keys all fail to authenticate, that is reported, as `Unreadable`:
    once for each set of receive keys, and not after one has authenticated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.plan import Carries, Plan


@dataclass(frozen=True, slots=True)
class Learned:
    """A peer was found at another endpoint than before, or learning is over until the next generation (`confirmed`)."""

    call: CallId
    socket: SocketId
    peer: Endpoint
    confirmed: bool


class Punted(NamedTuple):
    """A datagram that is neither media nor garbage (STUN, DTLS, TURN), for control. It is not counted as received."""

    call: CallId
    socket: SocketId
    source: Endpoint
    data: bytes
    at: float


class Tapped(NamedTuple):
    """A copy of a packet that followed a route with `mirror`, as it was received."""

    call: CallId
    socket: SocketId
    carries: Carries
    packet: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Stranger:
    """A datagram was dropped because its source is not plausible: the first one since the generation changed."""

    call: CallId
    socket: SocketId
    source: Endpoint
    at: float


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The first `packets` that a socket received since it has its receive keys were all dropped: none authenticated."""

    call: CallId
    socket: SocketId
    source: Endpoint
    """Of the newest one."""
    packets: int
    at: float


Event = Learned | Punted | Tapped | Stranger | Unreadable


class SsrcCounters(NamedTuple):
    """What one synchronisation source sent to a socket."""

    ssrc: int
    packets: int
    bytes: int
    """UDP payload octets."""
    last_timestamp: int
    """Of the newest packet, by sequence number; so are the next two."""
    last_sequence: int
    payload_type: int
    lost: int
    """Sequence numbers never seen (RFC 3550 A.3: expected minus received, not below 0)."""


class SocketCounters(NamedTuple):
    """What passed a socket since it was bound. Packets and UDP payload octets."""

    packets_in: int = 0
    bytes_in: int = 0
    errors_in: int = 0
    """Packets that were dropped on arrival: strangers, refused sources, malformed, of no known kind, and those for
    which the socket's buffer had no room. They are not in `packets_in`."""
    packets_out: int = 0
    bytes_out: int = 0
    errors_out: int = 0
    strangers: int = 0
    """Those of `errors_in` that came from an implausible source."""
    last_packet: float | None = None
    """Monotonic time of the newest accepted packet."""
    peer: Endpoint | None = None
    """Where packets go now: learned, or signalled."""
    confirmed: bool = False
    """Learning is over (until the next generation)."""
    sources: tuple[SsrcCounters, ...] = ()
    """By SSRC, in order of appearance, RTP only. At most `MAX_SOURCES`: the oldest gives way."""
    stranger: Endpoint | None = None
    """Where the newest of the `strangers` was."""
    unauthenticated: int = 0
    """Those of `errors_in` that failed to authenticate, or came in clear to a secured socket (GATE-03)."""
    replayed: int = 0
    """Those of `errors_in` that had been received before, or were too old to know (SRTP-03)."""
    withheld: int = 0
    """Packets for a secured peer that did not leave because keys are awaited (MBX-07), and ZRTP, which cannot be
    protected. They are no errors: that gate is shut."""
    control_packets: int = 0
    """Those of `packets_out` that were given to `send` (STUN, DTLS)."""
    control_bytes: int = 0
    unkeyed: int = 0
    """Those of `unauthenticated` that came while keys were awaited, and did not or could not wait."""


MAX_SOURCES = 16
MAX_EVENTS = 4096
"""Events that wait for `drain`. What comes while there is no room is lost; a datagram that should have been punted is
then counted in `errors_in`."""


class Forwarder(Protocol):
    """Carries the packets of all calls. `portable` (Twisted) and `native` (Rust) implement it."""

    def bind(self, call: CallId, local: Endpoint) -> SocketId:
        """Open a UDP port. It stays silent until a plan names it, and is closed by the first plan that does not.

        Raises PortUnavailable.
        """
        ...

    def unbind(self, socket: SocketId) -> None:
        """Close a socket that no plan has named yet; another one is left alone."""
        ...

    def apply(self, call: CallId, plan: Plan) -> None:
        """Make this the forwarding of the call. Never fails: sockets that are not the call's are passed over."""
        ...

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        """Send a datagram as it is (STUN, DTLS)."""
        ...

    def drain(self) -> Sequence[Event]:
        """Events since the last call, oldest first."""
        ...

    def counters(self, call: CallId) -> dict[SocketId, SocketCounters]:
        """Counters of the bound sockets of a call; empty for an unknown call."""
        ...
