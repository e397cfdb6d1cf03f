"""How often something may be done: checks that are started, replies to strangers."""

TA = 0.05
"""Seconds between two checks that an agent starts (RFC 8445 §14.2, TIM-07)."""
TA_HOST = 0.005
"""Seconds between two checks that the whole host starts."""


class Pacer:
    """Lets one check start every `interval` seconds. One may be shared, and one may stand behind another.

    A daemon keeps one `Pacer(TA_HOST)` for all, and gives each agent a `Pacer(TA, behind=that one)` (ICE-07).
    """

    __slots__ = ("_behind", "_free_at", "_interval")

    def __init__(self, interval: float = TA, behind: "Pacer | None" = None) -> None:
        self._interval = interval
        self._behind = behind
        self._free_at = float("-inf")

    @property
    def free_at(self) -> float:
        """When the next check may start."""
        return self._free_at if self._behind is None else max(self._free_at, self._behind.free_at)

    def take(self, now: float) -> bool:
        """Whether a check may start now; if so, it counts as started."""
        if now < self.free_at:
            return False
        self._free_at = now + self._interval
        if self._behind is not None:
            self._behind.take(now)
        return True


class RateCap:
    """A bucket of tokens: `burst` at once, then `rate` a second (S21)."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more is within the rate; if so, it counts."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
