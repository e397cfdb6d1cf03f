"""The way of one source to a secured port: what comes clear along a route is numbered, protected and sent."""

from collections.abc import Callable

from ngdaemon.base.ids import SocketId
from ngdaemon.media.counting import CYCLE
from ngdaemon.media.departure import Departure
from ngdaemon.media.numbering import Numbering, Track
from ngdaemon.rtp.packet import FIXED
from ngdaemon.srtp.context import Outbound, Refused
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.window import SMALLEST

_unpack = FIXED.unpack_from
_LAST = CYCLE - 1


class Sender:
    """What is sent with one key: its SRTP state and its numbers, for all sockets of a call."""

    __slots__ = ("numbering", "outbound", "pierced")

    def __init__(self, keys: Keys, outbound: Outbound) -> None:
        self.outbound = outbound
        self.numbering = Numbering(max(keys.window, SMALLEST))
        self.pierced = 0
        """Packets that opened a way through a NAT."""


class Lane:
    """From one source to one secured port. A packet leaves protected or not at all."""

    __slots__ = ("_departure", "_numbering", "_protect", "_protect_rtcp", "_source", "_tracks")

    def __init__(self, source: SocketId, departure: Departure, sender: Sender | None) -> None:
        """`sender` is None while keys are awaited."""
        self._source = source
        self._departure = departure
        self._protect: Callable[[bytes], bytes] | None = None
        self._protect_rtcp: Callable[[bytes], bytes] | None = None
        self._tracks: dict[int, Track] = {}
        self._numbering: Numbering | None = None
        if sender is not None:
            self._protect, self._protect_rtcp = sender.outbound.rtp, sender.outbound.rtcp
            self._numbering = sender.numbering
            self._tracks = sender.numbering.tracks(source)

    def rtp(self, data: bytes, now: float) -> None:
        """Send an RTP packet. Never raises."""
        departure, protect = self._departure, self._protect
        address = departure.peer
        if address is None:
            return
        if protect is None:
            departure.withheld += 1
            return
        if address in departure.own and not departure.passes(data, now):
            departure.errors_out += 1
            return
        _, _, sequence, _, ssrc = _unpack(data)
        track = self._tracks.get(ssrc)
        if track is not None and sequence == track.following and sequence != _LAST and track.owns:
            track.following = sequence + 1  # the usual packet: the next one of its source
        else:
            assert self._numbering is not None
            track = self._numbering.place(self._source, ssrc, sequence)
            if track is None:
                departure.errors_out += 1
                return
        try:
            protected = protect(numbered(data, sequence + track.shift) if track.shift else data)
        except Refused as refused:
            self._again(data, track, refused.replayed)
            return
        departure.emit(protected, address)

    def rtcp(self, data: bytes, now: float) -> None:
        """Send an RTCP packet. Never raises."""
        departure, protect = self._departure, self._protect_rtcp
        address = departure.peer
        if address is None:
            return
        if protect is None:
            departure.withheld += 1
            return
        if address in departure.own and not departure.passes(data, now):
            departure.errors_out += 1
            return
        try:
            protected = protect(data)
        except Refused:
            departure.errors_out += 1
            return
        departure.emit(protected, address)

    def _again(self, data: bytes, track: Track, repeated: bool) -> None:
        """A packet was refused: drop it, unless it and those before it show that its source numbers anew."""
        departure, numbering, protect = self._departure, self._numbering, self._protect
        sequence = _unpack(data)[2]
        address = departure.peer
        if repeated and address and protect and numbering and numbering.repeated(track, sequence):
            try:
                protected = protect(numbered(data, sequence + track.shift))
            except Refused:
                departure.errors_out += 1
                return
            departure.emit(protected, address)
            return
        departure.errors_out += 1


def numbered(data: bytes, sequence: int) -> bytes:
    """The RTP packet with another (extended) sequence number."""
    return b"%b%b%b" % (data[:2], (sequence % CYCLE).to_bytes(2, "big"), data[4:])
