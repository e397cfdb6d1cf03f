"""How often a stranger may begin: a cookie shows that it is where it says, not that it means well.

Each handshake costs a millisecond and a line in the log. Counted by address, so that one host cannot keep another out.
"""

STARTS = 8
WINDOW = 10.0
"""An address that nobody vouches for begins at most so many handshakes in so many seconds with a component."""

MAX_ADDRESSES = 64
"""Addresses that are remembered; of more the one that is known longest is forgotten."""


class Admission:
    """Counts the starts of each address."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, int]] = {}
        """Address → start of its window, starts in it."""

    def permits(self, address: str, now: float) -> bool:
        """Count another start; whether it may be."""
        since, count = self._begun.get(address, (now, 0))
        if now - since >= WINDOW:
            since, count = now, 0
        if address not in self._begun and len(self._begun) >= MAX_ADDRESSES:
            del self._begun[next(iter(self._begun))]
        self._begun[address] = since, count + 1
        return count < STARTS
