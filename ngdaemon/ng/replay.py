"""The cookie cache: a request that is sent again gets the same bytes back (ng-protocol.md §1.6).

Proxies resend a datagram whose reply is late or lost, and running it again would do the work twice: take other ports,
raise a session version. The key is the cookie alone, as in rtpengine.
"""

LIFETIME = 30.0
"""Seconds that a generation takes replies in. It is kept for as long again: a reply lives 30 to 60 seconds."""

_ENTRY_OVERHEAD = 160
"""Octets that an entry takes besides its cookie and reply."""


class ReplayCache:
    """Replies by cookie, in two generations, together at most `max_replies` and about `max_octets`.

    When the younger generation is full, which is at half of either limit, it takes the place of the elder one early:
    so under pressure the oldest replies are given up first, and at least half of what the limits allow is kept.
    """

    def __init__(self, max_replies: int = 200_000, max_octets: int = 128 * 2**20) -> None:
        self._max_replies = max_replies // 2
        self._max_octets = max_octets // 2
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._octets = 0
        self._since = float("-inf")

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def lookup(self, cookie: bytes, now: float) -> bytes | None:
        """The reply to an earlier request; None for a new cookie."""
        self._age(now)
        return self._young.get(cookie) or self._old.get(cookie)

    def finish(self, cookie: bytes, reply: bytes, now: float) -> None:
        """Keep a reply."""
        self._age(now)
        size = len(cookie) + len(reply) + _ENTRY_OVERHEAD
        if len(self._young) >= self._max_replies or self._octets + size > self._max_octets:
            self._begin_generation(now)
        if size <= self._max_octets and self._max_replies:
            self._young[cookie] = reply
            self._octets += size

    def _age(self, now: float) -> None:
        """Give up what is too old."""
        age = now - self._since
        if age >= 2 * LIFETIME:
            self._young = {}
            self._begin_generation(now)
        elif age >= LIFETIME:
            self._begin_generation(self._since + LIFETIME)

    def _begin_generation(self, since: float) -> None:
        """The young one grows old, and the old one is given up."""
        self._old, self._young = self._young, {}
        self._octets = 0
        self._since = since
