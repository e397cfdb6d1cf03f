"""The checks of the peer that were heard already: whoever repeats an overheard one elsewhere gets nothing by it."""

from array import array
from bisect import bisect_left

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId

Source = tuple[SocketId, Endpoint]
"""Our port, and where the check came from."""

RETRANSMISSION = 60.0
"""Seconds in which a check may come again: RFC 8489 §6.2.1 takes 39.5 with the least RTO."""
MAX_RECENT = 512
"""Checks that may come again."""
MAX_OLD = 16384
"""Older ones, of which eight octets each are kept: 11 hours of a browser that checks every 2.5 seconds."""


class Seen:
    """The transactions of the peer for as long as the credentials hold that they were made with.

    Nothing is ever forgotten, for a check stays authentic as long as the credentials do. When there is no room for more
    the session is closed to sources that it does not know: a restart of ICE, with other credentials, begins anew.
    """

    __slots__ = ("_old", "_recent")

    def __init__(self) -> None:
        self._recent: dict[bytes, tuple[Source, float]] = {}
        self._old = array("Q")

    def admits(self, transaction: bytes, source: Source, now: float, *, is_known: bool) -> bool:
        """Take in that a check came from there: whether it is new, or is sent again by whoever sent it first.

        `is_known` says whether the source has shown itself before by a check of its own.
        """
        self._age(now)
        found = self._recent.get(transaction)
        if found is not None:
            return found[0] == source
        if self._is_old(transaction) or (len(self._old) >= MAX_OLD and not is_known):
            return False
        self._recent[transaction] = (source, now)
        return True

    def _age(self, now: float) -> None:
        """What cannot be a retransmission any more is kept in less room."""
        while self._recent:
            transaction = next(iter(self._recent))
            if now - self._recent[transaction][1] < RETRANSMISSION and len(self._recent) < MAX_RECENT:
                return
            del self._recent[transaction]
            if len(self._old) < MAX_OLD:
                number = _number(transaction)
                self._old.insert(bisect_left(self._old, number), number)

    def _is_old(self, transaction: bytes) -> bool:
        number = _number(transaction)
        at = bisect_left(self._old, number)
        return at < len(self._old) and self._old[at] == number


def _number(transaction: bytes) -> int:
    """64 bits that tell an id from thousands of others, however it was made; a peer cannot find two with the same."""
    return hash(transaction) & (1 << 64) - 1
