"""One open port in operation: what becomes of a datagram that arrives, sentence by sentence as in `forwarder.py`.

No sockets here: a stream is given a function that sends a datagram from its port, and arrivals are handed to `receive`
with their source and the time. The portable forwarder is this with real sockets.

Most packets of a stream are alike: RTP (or bytes) from the peer that was learned, to one sink. For them there is a
short way through `receive`. It is taken only where the long way, which alone decides, found with an earlier packet that
all of this kind from this source are treated so (`_shorten`); a new plan or a new peer makes the way long again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import WireError
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.counting import SourceCounter, Sources
from ngdaemon.media.filters import changes, passing
from ngdaemon.media.forwarder import MAX_EVENTS, Event, Learned, Punted, SocketCounters, Stranger, Tapped
from ngdaemon.media.latching import Address, Latching, Verdict
from ngdaemon.media.loops import LoopGuard
from ngdaemon.media.plan import Carries, Route, Socket
from ngdaemon.rtp import rtcp
from ngdaemon.rtp.demux import RTCP_FIRST, RTCP_LAST, RTP_LENGTH, Kind, classify
from ngdaemon.rtp.packet import EMPTY, FIXED, PLAIN, VERSION, header_length

Transmit = Callable[[bytes, Address], object]
"""Sends a datagram from a port. Raises OSError."""

FOLLOWS = {Kind.RTP: Carries.RTP, Kind.ZRTP: Carries.RTP, Kind.RTCP: Carries.RTCP}
PUNTED = (Kind.STUN, Kind.DTLS, Kind.TURN)

_unpack = FIXED.unpack_from
_PLAIN = PLAIN
_NOBODY = SourceCounter(0)


class Surroundings:
    """What all streams have in common."""

    __slots__ = ("events", "own")

    def __init__(self) -> None:
        self.own: set[Address] = set()
        """Where all open ports are."""
        self.events: deque[Event] = deque()

    def report(self, event: Event) -> bool:
        """Keep an event for control; False when there is no room."""
        if len(self.events) >= MAX_EVENTS:
            return False
        self.events.append(event)
        return True

    def drain(self) -> Sequence[Event]:
        events = tuple(self.events)
        self.events.clear()
        return events


class Link(NamedTuple):
    """A route, with the stream that it leads to."""

    route: Route
    sink: "Stream"


class Stream:
    """A port that faces one peer."""

    __slots__ = (
        "_around",
        "_current",
        "_guard",
        "_heard",
        "_latching",
        "_least",
        "_links",
        "_other_bytes",
        "_other_packets",
        "_own",
        "_planned",
        "_sink",
        "_sources",
        "_ssrc",
        "_stranger",
        "_told",
        "_transmit",
        "_trusted",
        "address",
        "bytes_out",
        "call",
        "errors_in",
        "errors_out",
        "id",
        "last_packet",
        "local",
        "packets_out",
        "strangers",
    )

    def __init__(
        self, call: CallId, number: SocketId, local: Address, transmit: Transmit, around: Surroundings
    ) -> None:
        self.call = call
        self.id = number
        self.local = local
        self.address: Address | None = None
        """Where packets to the peer go; None when nothing may be sent to it."""
        self.errors_in = self.errors_out = self.strangers = 0
        self.packets_out = self.bytes_out = 0
        self.last_packet: float | None = None
        self._around = around
        self._own = around.own
        self._transmit = transmit
        self._planned: Socket | None = None
        self._latching: Latching | None = None
        self._links: tuple[Link, ...] = ()
        self._heard = False
        """A packet of the peer was accepted since its endpoint was signalled."""
        self._stranger: Address | None = None
        """The newest one."""
        self._told = False
        """Control knows of a stranger of this generation."""
        self._guard: LoopGuard | None = None
        self._sources: Sources | None = None
        self._other_packets = self._other_bytes = 0
        """Received and not RTP; RTP is counted by its sources."""
        # the short way
        self._trusted: Address | None = None
        self._least = RTP_LENGTH
        """Octets of the shortest packet that may take it; 0 for anything whatever (`relay_only`)."""
        self._sink: Stream = self
        self._ssrc = -1
        self._current = _NOBODY

    # arrivals

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take in a datagram. Never raises."""
        if source == self._trusted and len(data) >= self._least:
            if not self._least:
                self._other_packets += 1
                self._other_bytes += len(data)
                self.last_packet = now
                self._sink.send(data, now)
                return
            first, kind, sequence, timestamp, ssrc = _unpack(data)
            if (kind < RTCP_FIRST or kind > RTCP_LAST) and (
                first == _PLAIN or (first >> 6 == VERSION and header_length(data) <= len(data))
            ):
                current = self._current
                if ssrc == self._ssrc and sequence == current.sequence + 1:
                    current.packets += 1
                    current.bytes += len(data)
                    current.sequence = sequence
                    current.timestamp = timestamp
                    current.kind = kind
                else:
                    self._count_rtp(data)
                self.last_packet = now
                self._sink.send(data, now)
                return
        self._receive(data, source, now)

    def _receive(self, data: bytes, source: Address, now: float) -> None:
        """The long way."""
        planned, latching = self._planned, self._latching
        if planned is None or latching is None:
            return
        kind, carries = Kind.UNKNOWN, Carries.ANY
        if not planned.relay_only:
            kind = classify(data)
            if kind in PUNTED:
                self._punt(data, source, now)
                return
            if kind not in FOLLOWS or (kind is Kind.RTP and header_length(data) > len(data)):
                self._drop(source, now)
                return
            carries = FOLLOWS[kind]
        links = [link for link in self._links if link.route.carries is carries]
        stripped = b""
        if kind is Kind.RTCP and any(link.route.drop_feedback for link in links):
            try:
                stripped = rtcp.without_feedback(data)
            except WireError:
                self._drop(source, now)
                return
        verdict = latching.judge(source, _teaches(planned, kind), now)
        if verdict is Verdict.STRANGER or verdict is Verdict.REFUSED:
            self._drop(source, now)
            return
        self._accept(data, kind, now, learned=verdict is Verdict.LEARNED)
        if kind is Kind.RTP or planned.relay_only:
            self._shorten(source, links)
        self._forward(data, kind, stripped, links, now)

    def _punt(self, data: bytes, source: Address, now: float) -> None:
        event = Punted(self.call, self.id, Endpoint(source[0], source[1]), bytes(data), now)
        if not self._around.report(event):
            self.errors_in += 1

    def _drop(self, source: Address, now: float) -> None:
        self.errors_in += 1
        if self._latching is None or self._latching.is_plausible(source):
            return
        self.strangers += 1
        self._stranger = source
        if not self._told:
            stranger = Stranger(self.call, self.id, Endpoint(source[0], source[1]), now)
            self._told = self._around.report(stranger)

    def _accept(self, data: bytes, kind: Kind, now: float, *, learned: bool) -> None:
        """Count a packet, and make use of what it taught."""
        self.last_packet = now
        if kind is Kind.RTP:
            self._count_rtp(data)
        else:
            self._other_packets += 1
            self._other_bytes += len(data)
        if learned:
            self._trusted = None
            self._report_peer()
        if learned or not self._heard:
            self._heard = True
            self._readdress()

    def _count_rtp(self, data: bytes) -> None:
        _, kind, sequence, timestamp, ssrc = _unpack(data)
        if self._sources is None:
            self._sources = Sources()
        self._ssrc, self._current = ssrc, self._sources.of(ssrc, sequence)
        self._current.count(sequence, timestamp, kind, len(data))

    def _shorten(self, source: Address, links: list[Link]) -> None:
        """Let such packets take the short way, if they are always accepted, teach nothing, and have one sink."""
        assert self._latching is not None
        if len(links) != 1:
            return
        route, sink = links[0]
        if not route.mirror and not changes(route) and self._latching.is_settled(source):
            self._trusted, self._sink = source, sink

    def _forward(self, data: bytes, kind: Kind, stripped: bytes, links: list[Link], now: float) -> None:
        if any(link.route.mirror for link in links):
            carries = links[0].route.carries
            self._around.report(Tapped(self.call, self.id, carries, bytes(data), now))
        for route, sink in links:
            passed: bytes | None = data
            if route.drop_feedback and kind is Kind.RTCP:
                passed = stripped or None
            elif kind is Kind.RTP:
                passed = passing(route, data)
            if passed is not None:
                sink.send(passed, now)

    def _report_peer(self) -> None:
        latching = self._latching
        if latching is not None and latching.learned is not None:
            peer = Endpoint(latching.learned[0], latching.learned[1])
            self._around.report(Learned(self.call, self.id, peer, latching.confirmed))

    # departures

    def send(self, data: bytes, now: float) -> None:
        """Send a packet to the peer, if it may be sent to. Never raises."""
        address = self.address
        if address is None:
            return
        if address in self._own and not self._passes(data, now):
            self.errors_out += 1
            return
        try:
            self._transmit(data, address)
        except OSError:
            self.errors_out += 1
            return
        self.packets_out += 1
        self.bytes_out += len(data)

    def send_to(self, data: bytes, to: Address) -> None:
        """Send a datagram of control's to wherever it wants. Never raises."""
        try:
            self._transmit(data, to)
        except OSError:
            self.errors_out += 1
            return
        self.packets_out += 1
        self.bytes_out += len(data)

    def _passes(self, data: bytes, now: float) -> bool:
        if self._guard is None:
            self._guard = LoopGuard()
        return self._guard.passes(data, now)

    @property
    def is_planned(self) -> bool:
        """Whether a plan has named it."""
        return self._planned is not None

    @property
    def pierces(self) -> bool:
        """Whether the way from the peer to us has to be opened by packets of ours."""
        planned = self._planned
        return planned is not None and planned.pierce and not planned.relay_only and not self._heard

    def pierce(self, now: float) -> None:
        self.send(EMPTY, now)

    # plans

    def restate(self, planned: Socket, now: float) -> None:
        """Be as planned from now on."""
        latching = self._latching
        if latching is None:
            self._latching = Latching(planned.signalled, planned.latch, now)
        else:
            before = latching.signalled
            latching.restate(planned.signalled, planned.latch, now)
            self._heard = self._heard and latching.signalled == before
        if self._planned is None or planned.latch.generation != self._planned.latch.generation:
            self._told = False
        self._planned = planned
        self._least = 0 if planned.relay_only else RTP_LENGTH
        self._readdress()

    def link(self, links: tuple[Link, ...]) -> None:
        """Forward along these routes from now on."""
        self._links = links
        self._trusted, self._sink = None, self

    def retire(self) -> None:
        """Lead nowhere any more, not even to itself: what a call leaves behind is freed without a collector."""
        self._links, self._trusted = (), None
        del self._sink

    def _readdress(self) -> None:
        """Work out where to send to."""
        planned, latching = self._planned, self._latching
        if planned is None or latching is None or (planned.nat_wait and not self._heard):
            self.address = None
            return
        address = latching.destination
        if address is not None and len(address) == 4 and not address[3]:
            address = address[:2]
        self.address = address

    # counters

    def counters(self) -> SocketCounters:
        """What passed so far."""
        packets, octets = self._other_packets, self._other_bytes
        sources, latching = self._sources, self._latching
        if sources is not None:
            rtp_packets, rtp_octets = sources.totals()
            packets += rtp_packets
            octets += rtp_octets
        peer = latching.destination if latching is not None else None
        return SocketCounters(
            packets,
            octets,
            self.errors_in,
            self.packets_out,
            self.bytes_out,
            self.errors_out,
            self.strangers,
            self.last_packet,
            Endpoint(peer[0], peer[1]) if peer is not None else None,
            latching.confirmed if latching is not None else False,
            sources.report() if sources is not None else (),
            Endpoint(self._stranger[0], self._stranger[1]) if self._stranger is not None else None,
        )


def _teaches(planned: Socket, kind: Kind) -> bool:
    """Whether peers are learned from packets of this kind at this socket."""
    if planned.relay_only:
        return True
    if kind is Kind.RTCP:
        return planned.rtcp or planned.muxed
    return kind is Kind.RTP and not planned.rtcp
