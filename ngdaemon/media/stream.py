"""One open port in operation: what becomes of a datagram that arrives, sentence by sentence as in `forwarder.py`.

No sockets here: a stream is given a function that sends a datagram from its port, and arrivals are handed to `receive`
with their source and the time. The portable forwarder is this with real sockets.

Most packets of a stream are alike: RTP (or bytes) from the peer that was learned, to one sink. For them there is a
short way: in `receive` for clear packets, in `_receive_secured` for SRTP. It is taken only where the long way, which
alone decides, found with an earlier packet that all of this kind from this source are treated so (`_shorten`); a new
plan or a new peer makes the way long again.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import WireError
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.contexts import Contexts
from ngdaemon.media.counting import SourceCounter, Sources
from ngdaemon.media.departure import Departure, Transmit
from ngdaemon.media.filters import changes, passing
from ngdaemon.media.forwarder import Learned, Punted, SocketCounters, Stranger, Tapped
from ngdaemon.media.gate import PROTECTED, Gate
from ngdaemon.media.lane import Lane, Sender, numbered
from ngdaemon.media.latching import Address, Latching, Verdict
from ngdaemon.media.links import Deliver, Line, Link, Links
from ngdaemon.media.plan import Carries, Protection, Selector, Socket
from ngdaemon.media.surroundings import Surroundings
from ngdaemon.rtp import rtcp
from ngdaemon.rtp.demux import RTCP_FIRST, RTCP_LAST, RTP_LENGTH, Kind, classify
from ngdaemon.rtp.packet import EMPTY, EXTENSION_BIT, FIXED, PLAIN, VERSION, header_length
from ngdaemon.srtp.context import Inbound, Refused

FOLLOWS = {Kind.RTP: Carries.RTP, Kind.ZRTP: Carries.RTP, Kind.RTCP: Carries.RTCP}
PUNTED = (Kind.STUN, Kind.DTLS, Kind.TURN)
MAX_WAYS = 16
"""SSRCs with a short way through a secured port."""

_unpack = FIXED.unpack_from
_PLAIN = PLAIN
_NOBODY = SourceCounter(0)
_NO_LINKS = Links()


def _nowhere(data: bytes, now: float) -> None:
    """Where packets go before there are routes."""


class Way(NamedTuple):
    """The short way of one SSRC through a secured port."""

    unprotect: Callable[[bytes], bytes]
    deliver: Deliver
    media: Selector | None
    """In a BUNDLE what the SSRC belongs to, unless a packet says otherwise."""


class Stream:
    """A port that faces one peer."""

    __slots__ = (
        "_around",
        "_contexts",
        "_current",
        "_deliver",
        "_gate",
        "_heard",
        "_latching",
        "_least",
        "_links",
        "_other_bytes",
        "_other_packets",
        "_planned",
        "_restated",
        "_secured",
        "_sources",
        "_ssrc",
        "_stranger",
        "_told",
        "_trusted",
        "_vouched",
        "_ways",
        "call",
        "errors_in",
        "id",
        "last_packet",
        "local",
        "out",
        "receivers",
        "sender",
        "strangers",
    )

    def __init__(
        self, call: CallId, number: SocketId, local: Address, transmit: Transmit, around: Surroundings
    ) -> None:
        self.call = call
        self.id = number
        self.local = local
        self.out = Departure(transmit, around.own)
        self.errors_in = self.strangers = 0
        """Without what the gate refused."""
        self.last_packet: float | None = None
        self.receivers: tuple[Inbound, ...] = ()
        self.sender: Sender | None = None
        """What is sent with; None while keys are awaited, and for a clear port."""
        self._around = around
        self._contexts: Contexts | None = None
        self._planned: Socket | None = None
        self._restated = False
        """It is planned otherwise than when it was given its routes."""
        self._latching: Latching | None = None
        self._links = _NO_LINKS
        self._heard = False
        """A packet of the peer was accepted since its endpoint was signalled."""
        self._stranger: Address | None = None
        """The newest one."""
        self._told = False
        """Control knows of a stranger of this generation."""
        self._sources = Sources()
        self._other_packets = self._other_bytes = 0
        """Received and not RTP; RTP is counted by its sources."""
        self._secured = False
        self._gate: Gate | None = None
        """Of a port that is or was secured."""
        # the short ways
        self._trusted: Address | None = None
        self._least = RTP_LENGTH
        """Octets of the shortest packet that may take it; 0 for anything whatever (`relay_only`)."""
        self._deliver: Deliver = _nowhere
        self._ssrc = -1
        self._current = _NOBODY
        self._vouched: Address | None = None
        self._ways: dict[int, Way] = {}

    # arrivals

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take in a datagram. Never raises."""
        if source == self._trusted and len(data) >= self._least:
            if not self._least:
                self._other_packets += 1
                self._other_bytes += len(data)
                self.last_packet = now
                self._deliver(data, now)
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
                self._deliver(data, now)
                return
        if self._secured:
            self._receive_secured(data, source, now)
        else:
            self._receive(data, source, now)

    def _receive_secured(self, data: bytes, source: Address, now: float) -> None:
        """The short way of SRTP."""
        if source != self._vouched or len(data) < RTP_LENGTH:
            self._receive(data, source, now)
            return
        first, kind, sequence, timestamp, ssrc = _unpack(data)
        way = self._ways.get(ssrc)
        if way is None or first >> 6 != VERSION or RTCP_FIRST <= kind <= RTCP_LAST:
            self._receive(data, source, now)
            return
        try:
            clear = way.unprotect(data)
        except Refused:
            self._receive(data, source, now)  # another key may do; if not it is counted there
            return
        current = self._sources.by_ssrc.get(ssrc)
        if current is None or (first != _PLAIN and not self._is_usual(way, clear, first)):
            self._take(clear, data, Kind.RTP, source, now)
            return
        if sequence == current.sequence + 1:
            current.packets += 1
            current.bytes += len(data)
            current.sequence = sequence
            current.timestamp = timestamp
            current.kind = kind
        else:
            current.count(sequence, timestamp, kind, len(data))
        self.last_packet = now
        way.deliver(clear, now)

    def _is_usual(self, way: Way, clear: bytes, first: int) -> bool:
        """Whether a packet with more than the least header may go on along the short way."""
        if header_length(clear) > len(clear):
            return False
        bundle = self._links.bundle
        return bundle is None or not first & EXTENSION_BIT or bundle.of_rtp(clear) == way.media

    def _receive(self, data: bytes, source: Address, now: float) -> None:
        """The long way."""
        planned, latching = self._planned, self._latching
        if planned is None or latching is None:
            return
        kind = Kind.UNKNOWN
        if not planned.relay_only:
            kind = classify(data)
            if kind in PUNTED:
                self._punt(data, source, now)
                return
            if kind not in FOLLOWS or (kind is Kind.RTP and header_length(data) > len(data)):
                self._drop(source, now)
                return
        verdict = latching.check(source)
        clear: bytes | None = data
        if self._gate is not None and self._secured:
            if self._gate.waits and self._keeps(self._gate, data, kind, source, now):
                return
            if verdict is Verdict.ACCEPTED:
                clear = self._gate.open(data, kind, source, now)
        if verdict is not Verdict.ACCEPTED:
            self._drop(source, now)
        elif clear is not None:
            self._take(clear, data, kind, source, now)

    def _keeps(self, gate: Gate, data: bytes, kind: Kind, source: Address, now: float) -> bool:
        """Whether a packet waits for keys now."""
        assert self._planned is not None
        assert self._latching is not None
        fits = self._planned.signalled is None or self._latching.check(source) is Verdict.ACCEPTED
        if kind in PROTECTED and gate.is_held(source, fits):
            gate.keep(data, kind, source, now)
            return True
        return False

    def _take(self, data: bytes, wire: bytes, kind: Kind, source: Address, now: float) -> None:
        """Count, learn from and forward a packet that may come in: `data`, which was `wire` when it came."""
        planned, latching = self._planned, self._latching
        if planned is None or latching is None or (kind is Kind.RTP and header_length(data) > len(data)):
            self.errors_in += 1
            return
        if kind is Kind.RTCP and self._contexts is not None:
            data = self._contexts.put_back(data, self.sender)
        links = self._links.of(data, kind, FOLLOWS.get(kind, Carries.ANY), self.sender)
        stripped = b""
        if kind is Kind.RTCP and any(link.route.drop_feedback for link in links):
            try:
                stripped = rtcp.without_feedback(data)
            except WireError:
                self._drop(source, now)
                return
        verdict = latching.judge(source, _teaches(planned, kind), now)
        self._accept(wire, kind, now, learned=verdict is Verdict.LEARNED)
        if kind is Kind.RTP or planned.relay_only:
            self._shorten(data, source, links)
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
            self._trusted = self._vouched = None
            self._report_peer()
        if learned or not self._heard:
            self._heard = True
            self._readdress()

    def _count_rtp(self, data: bytes) -> None:
        _, kind, sequence, timestamp, ssrc = _unpack(data)
        self._ssrc, self._current = ssrc, self._sources.of(ssrc, sequence)
        self._current.count(sequence, timestamp, kind, len(data))

    def _shorten(self, data: bytes, source: Address, links: list[Link]) -> None:
        """Let such packets take the short way, if they are always accepted, teach nothing, and have one sink."""
        assert self._latching is not None
        if len(links) != 1 or not self._latching.is_settled(source):
            return
        route, deliver, bundled = links[0].route, links[0].deliver, self._links.bundle is not None
        if route.mirror or changes(route) or (bundled and route.selector is None):
            return
        if not self._secured:
            if not bundled:
                self._trusted, self._deliver = source, deliver
            return
        assert self._gate is not None
        ssrc = _unpack(data)[4]
        inbound = self._gate.bound_to(ssrc)
        if inbound is not None:
            if source != self._vouched or len(self._ways) >= MAX_WAYS:
                self._ways.clear()
            self._vouched = source
            self._ways[ssrc] = Way(inbound.rtp, deliver, route.selector)

    def _forward(self, data: bytes, kind: Kind, stripped: bytes, links: list[Link], now: float) -> None:
        if any(link.route.mirror for link in links):
            carries = links[0].route.carries
            self._around.report(Tapped(self.call, self.id, carries, bytes(data), now))
        for route, sink, deliver in links:
            passed: bytes | None = data
            if route.drop_feedback and kind is Kind.RTCP:
                passed = stripped or None
            elif kind is Kind.RTP:
                passed = passing(route, data)
            if passed is None:
                continue
            if kind is Kind.ZRTP:
                sink.send(passed, now)  # which lets nothing out of a secured port
            else:
                deliver(passed, now)

    def _report_peer(self) -> None:
        latching = self._latching
        if latching is not None and latching.learned is not None:
            peer = Endpoint(latching.learned[0], latching.learned[1])
            self._around.report(Learned(self.call, self.id, peer, latching.confirmed))

    # plans

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
        """Send a packet that carries nothing."""
        if not self._secured:
            self.out.send(EMPTY, now)
            return
        sequence = 0
        if self.sender is not None:
            sequence = self.sender.pierced
            self.sender.pierced += 1
        Lane(self.id, self.out, self.sender).rtp(numbered(EMPTY, sequence), now)

    @property
    def holds(self) -> bool:
        """Whether packets may wait for keys here."""
        return self._secured and self._gate is not None and self._gate.holds

    def expire(self, now: float) -> None:
        """Give up what waited too long for keys."""
        if self._gate is not None:
            self._gate.expire(now)

    def release(self, now: float) -> None:
        """Take in what waited for the keys that are there now."""
        if self._gate is not None:
            for held in self._gate.release(now):
                self.receive(held.data, held.source, now)

    def restate(self, planned: Socket, now: float, contexts: Contexts | None = None) -> None:
        """Be as planned from now on. `contexts` is the SRTP state of the call; a secured port needs it."""
        if planned == self._planned and contexts is self._contexts:
            return
        latching = self._latching
        if latching is None:
            self._latching = Latching(planned.signalled, planned.latch, now)
        else:
            before = latching.signalled
            latching.restate(planned.signalled, planned.latch, now)
            self._heard = self._heard and latching.signalled == before
        if self._planned is None or planned.latch.generation != self._planned.latch.generation:
            self._told = False
        self._planned, self._restated = planned, True
        self._secure(planned.protection, contexts)
        self._least = 0 if planned.relay_only else RTP_LENGTH
        self._readdress()

    def _secure(self, protection: Protection | None, contexts: Contexts | None) -> None:
        """Protect from now on, or do not."""
        self._secured, self._contexts = protection is not None, contexts
        if protection is None or contexts is None:
            self.receivers, self.sender = (), None
        else:
            self.receivers = contexts.receivers(protection, self.receivers)
            self.sender = contexts.sender(protection, self.sender)
        if self._gate is None and self._secured:
            self._gate = Gate()
        if self._gate is not None:
            self._gate.restate(self.receivers, protection.hold if protection is not None else None)

    def link(self, lines: Sequence[Line]) -> None:
        """Forward along these routes from now on: after `restate`. The same as before change nothing."""
        if self._restated or lines != self._links.lines:
            self._restated = False
            self._links = Links(lines, self._links)
            self._lengthen()

    def retire(self) -> None:
        """Lead nowhere any more: what a call leaves behind is freed without a collector."""
        self._links = _NO_LINKS
        self._lengthen()

    def _lengthen(self) -> None:
        """Forget the short ways."""
        self._trusted = self._vouched = None
        self._deliver = _nowhere
        if self._ways:
            self._ways.clear()

    def _readdress(self) -> None:
        """Work out where to send to."""
        planned, latching = self._planned, self._latching
        address: Address | None = None
        if planned is not None and latching is not None and (self._heard or not planned.nat_wait):
            address = latching.destination
            if address is not None and len(address) == 4 and not address[3]:
                address = address[:2]
        self.out.direct(address, secured=self._secured)

    # counters

    @property
    def refused(self) -> int:
        """Packets that were dropped on arrival, for whatever reason."""
        gate = self._gate
        return self.errors_in + (gate.unauthenticated + gate.replayed if gate is not None else 0)

    def counters(self) -> SocketCounters:
        """What passed so far."""
        packets, octets = self._sources.totals()
        latching, out, gate = self._latching, self.out, self._gate
        peer = latching.destination if latching is not None else None
        return SocketCounters(
            packets + self._other_packets,
            octets + self._other_bytes,
            self.refused,
            out.packets_out,
            out.bytes_out,
            out.errors_out,
            self.strangers,
            self.last_packet,
            Endpoint(peer[0], peer[1]) if peer is not None else None,
            latching.confirmed if latching is not None else False,
            self._sources.report(),
            Endpoint(self._stranger[0], self._stranger[1]) if self._stranger is not None else None,
            gate.unauthenticated if gate is not None else 0,
            gate.replayed if gate is not None else 0,
            out.withheld,
        )


def _teaches(planned: Socket, kind: Kind) -> bool:
    """Whether peers are learned from packets of this kind at this socket."""
    if planned.relay_only:
        return True
    if kind is Kind.RTCP:
        return planned.rtcp or planned.muxed
    return kind is Kind.RTP and not planned.rtcp
