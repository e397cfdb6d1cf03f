"""What each synchronisation source sent to a socket: packets, octets, losses by sequence number (RFC 3550 A.1, A.3)."""

from ngdaemon.media.forwarder import MAX_SOURCES, SsrcCounters

MAX_DROPOUT = 3000
"""Sequence numbers that may be missing at once; a longer way forward is a new numbering (RFC 3550 A.1)."""
MAX_MISORDER = 100
"""How far behind the newest packet one may come and still be an old one (RFC 3550 A.1)."""
CYCLE = 1 << 16
NO_SEQUENCE = -1


class SourceCounter:
    """The counters of one source. `sequence`, `timestamp` and `kind` are those of its newest packet."""

    __slots__ = (
        "_cycles",
        "_first",
        "_jumped",
        "_lost",
        "_settled",
        "bytes",
        "kind",
        "packets",
        "sequence",
        "timestamp",
    )

    def __init__(self, sequence: int) -> None:
        self.packets = 0
        self.bytes = 0
        self.timestamp = 0
        self.sequence = (sequence - 1) % CYCLE
        self.kind = 0
        """Second octet: marker and payload type."""
        self._cycles = -CYCLE if sequence == 0 else 0
        self._first = sequence
        """Extended sequence number at which the present numbering began."""
        self._jumped = NO_SEQUENCE
        """The sequence number that would confirm a new numbering."""
        self._lost = 0
        """In former numberings."""
        self._settled = 0
        """Packets in former numberings."""

    def count(self, sequence: int, timestamp: int, kind: int, length: int) -> None:
        """Take in a packet, in whatever order it came."""
        self.packets += 1
        self.bytes += length
        ahead = (sequence - self.sequence) % CYCLE
        if 0 < ahead < MAX_DROPOUT:
            if sequence < self.sequence:
                self._cycles += CYCLE
        elif ahead == 0 or ahead > CYCLE - MAX_MISORDER:
            return
        elif sequence != self._jumped:
            self._jumped = (sequence + 1) % CYCLE
            return
        else:
            self._renumber(sequence)
        self.sequence, self.timestamp, self.kind = sequence, timestamp, kind

    def _renumber(self, sequence: int) -> None:
        """Two packets in a row agree that the sender has begun to number anew: the first of them was counted before."""
        self.packets -= 2
        self._lost = self._loss()
        self._settled = self.packets
        self.packets += 2
        self._first = sequence - 1
        self._cycles = 0
        self._jumped = NO_SEQUENCE

    def _loss(self) -> int:
        expected = self._cycles + self.sequence - self._first + 1
        return self._lost + max(0, expected - (self.packets - self._settled))

    def report(self, ssrc: int) -> SsrcCounters:
        """The counters so far."""
        return SsrcCounters(
            ssrc, self.packets, self.bytes, self.timestamp, self.sequence, self.kind & 0x7F, self._loss()
        )


class Sources:
    """The sources that sent to one socket, in order of appearance; the oldest gives way when there are too many."""

    __slots__ = ("by_ssrc", "bytes", "packets")

    def __init__(self) -> None:
        self.by_ssrc: dict[int, SourceCounter] = {}
        self.packets = 0
        """Of sources that gave way."""
        self.bytes = 0

    def of(self, ssrc: int, sequence: int) -> SourceCounter:
        """The counter of a source; a new one expects that sequence number."""
        counter = self.by_ssrc.get(ssrc)
        if counter is None:
            if len(self.by_ssrc) == MAX_SOURCES:
                oldest = self.by_ssrc.pop(next(iter(self.by_ssrc)))
                self.packets += oldest.packets
                self.bytes += oldest.bytes
            counter = self.by_ssrc[ssrc] = SourceCounter(sequence)
        return counter

    def totals(self) -> tuple[int, int]:
        """Packets and octets of all sources, also of those that gave way."""
        packets, octets = self.packets, self.bytes
        for counter in self.by_ssrc.values():
            packets += counter.packets
            octets += counter.bytes
        return packets, octets

    def report(self) -> tuple[SsrcCounters, ...]:
        return tuple(counter.report(ssrc) for ssrc, counter in self.by_ssrc.items())
