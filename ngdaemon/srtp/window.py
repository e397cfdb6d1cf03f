"""Which packet indices were used: the replay list of a receiver, the memory of a sender (RFC 3711 §3.3)."""

SMALLEST, LARGEST = 64, 1 << 15
"""Packets: RFC 3711 §3.3.2 has the least, and no sequence number tells of more than half a cycle."""

HALF = 1 << 15
CYCLE = 1 << 16
"""Sequence numbers, after which the rollover counter goes up."""

USED = -1
EARLY = -2
"""What `Window.place` says of sequence numbers that are not to be used."""


def estimate(highest: int, sequence: int) -> int:
    """The packet index (48 bits: rollover counter and sequence number) that a sequence number most likely stands for.

    `highest` is the highest index so far (RFC 3711 §3.3.1, appendix A). Negative when the packet would be from before
    the first cycle.
    """
    index = (highest & ~0xFFFF) | sequence
    ahead = index - highest
    if ahead > HALF:
        return index - CYCLE
    if ahead < -HALF:
        return index + CYCLE
    return index


class Window:
    """The highest index and which of those behind it were used; what is further behind counts as used."""

    __slots__ = ("_bits", "_size", "highest", "seen")

    def __init__(self, size: int, highest: int = -1, seen: int = 0) -> None:
        self._size = min(max(size, SMALLEST), LARGEST)
        self._bits = (1 << self._size) - 1
        self.highest = highest
        """-1 for none."""
        self.seen = seen & self._bits
        """Bit n tells of the index n below the highest."""

    def place(self, sequence: int) -> int:
        """The index that a sequence number stands for, as `estimate` says.

        `USED` when that index was used, `EARLY` when it would be from before the first cycle.
        """
        ahead = sequence - self.highest & 0xFFFF
        if 0 < ahead < HALF:
            return self.highest + ahead
        index = estimate(self.highest, sequence)
        if index < 0:
            return sequence if self.highest < 0 else EARLY
        return USED if self.used(index) else index

    def used(self, index: int) -> bool:
        """Whether the index was used, or is too old to know."""
        behind = self.highest - index
        if behind < 0:
            return False
        return behind >= self._size or bool(self.seen >> behind & 1)

    def use(self, index: int) -> None:
        """Remember an index that was not used."""
        ahead = index - self.highest
        if ahead == 1 and self.seen == self._bits:
            # the usual packet: nothing is missing, so nothing changes but the end
            self.highest = index
            return
        if ahead > 0:
            self.highest = index
            # a first packet, or a jump out of the window, leaves nothing to shift
            seen = (self.seen << ahead | 1) & self._bits if ahead < self._size else 1
        else:
            seen = self.seen | 1 << -ahead
        self.seen = self._bits if seen == self._bits else seen  # one and the same number is quick to compare

    def close(self) -> None:
        """Take everything up to the highest index as used."""
        if self.highest >= 0:
            self.seen = self._bits
