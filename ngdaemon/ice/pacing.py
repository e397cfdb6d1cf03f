"""How often something may be done: checks that are started, replies to strangers."""

TA = 0.05
"""Seconds between two checks that an agent starts (RFC 8445 §14.2, TIM-07)."""
TA_HOST = 0.005
"""Seconds between two checks that the whole host starts."""
STALE = 1.0
"""Seconds after which a moment that was booked and not used is given up."""


class HostPacer:
    """Gives out the moments at which the agents of a host may start their checks, `interval` apart."""

    __slots__ = ("_interval", "_next")

    def __init__(self, interval: float = TA_HOST) -> None:
        self._interval = interval
        self._next = float("-inf")

    def book(self, now: float) -> float:
        """The next moment that is free: now, or later."""
        moment = max(now, self._next)
        self._next = moment + self._interval
        return moment


class Pacer:
    """Lets an agent start a check every `interval` seconds, and not before a moment that the host has free.

    A daemon keeps one `HostPacer` and gives each agent a `Pacer(host=that one)` (ICE-07). An agent books one moment at
    a time, so that waiting costs it one timer, however many others wait.
    """

    __slots__ = ("_booked", "_free_at", "_host", "_interval")

    def __init__(self, interval: float = TA, host: HostPacer | None = None) -> None:
        self._interval = interval
        self._host = host
        self._free_at = float("-inf")
        self._booked: float | None = None

    @property
    def free_at(self) -> float:
        """When the next check may start, as far as it is known."""
        return self._free_at if self._booked is None else max(self._free_at, self._booked)

    def take(self, now: float) -> bool:
        """Whether a check may start now; if so, it counts as started. Otherwise ask again at `free_at`."""
        if now < self._free_at:
            return False
        if self._host is not None:
            if self._booked is None or now - self._booked > STALE:
                self._booked = self._host.book(now)
            if now < self._booked:
                return False
        self._booked = None
        self._free_at = now + self._interval
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
