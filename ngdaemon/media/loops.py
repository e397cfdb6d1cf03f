"""Loop protection: a datagram that is sent to one of our own sockets is sent there once (security case S14)."""

MEMORY = 1.0
"""Seconds for which a datagram is remembered at least, unless more than MAX_REMEMBERED come in that time."""
MAX_REMEMBERED = 1024


class LoopGuard:
    """Remembers what a socket sent to sockets of ours. Two calls that are chained through us pass; loops do not."""

    __slots__ = ("_before", "_recent", "_since")

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._before: set[int] = set()
        self._since = 0.0

    def passes(self, data: bytes, now: float) -> bool:
        """Whether the datagram was not sent of late; it is remembered."""
        if now - self._since >= MEMORY or len(self._recent) >= MAX_REMEMBERED:
            self._before = self._recent if now - self._since < 2 * MEMORY else set()
            self._recent, self._since = set(), now
        mark = hash(data)
        if mark in self._recent or mark in self._before:
            return False
        self._recent.add(mark)
        return True
