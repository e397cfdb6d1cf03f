"""How often something may be done: checks that are started, replies to strangers."""

TA = 0.05
"""Seconds between two checks that an agent starts (RFC 8445 §14.2, TIM-07)."""
TA_HOST = 0.005
"""Seconds between two checks that the whole host starts."""
STALE = 1.0
"""Seconds after which a moment that was booked and not used is given up."""
AHEAD, FIRST_AHEAD = 1.0, 4.0
"""Checks of an agent, each second and at the beginning, that go ahead of what other agents try by rote."""


class Booking:
    """A moment of the host's for the check of one agent."""

    __slots__ = ("_delay", "_host", "_moment", "ahead")

    def __init__(self, host: "HostPacer", moment: float, *, ahead: bool) -> None:
        self._host = host
        self._moment = moment
        self._delay = host.delay
        self.ahead = ahead

    @property
    def moment(self) -> float:
        """When it is; later than before when others went ahead."""
        return self._moment if self.ahead else self._moment + self._host.delay - self._delay


class HostPacer:
    """Gives out the moments at which the agents of a host may start their checks, `interval` apart.

    There are two queues, so that new calls do not wait for what old ones try in vain: a moment that is booked `ahead`
    delays all others that are waited for.
    """

    __slots__ = ("_ahead", "_interval", "_next", "delay")

    def __init__(self, interval: float = TA_HOST) -> None:
        self._interval = interval
        self._ahead = float("-inf")
        """The first moment that may be booked ahead."""
        self._next = float("-inf")
        """The first moment behind all others."""
        self.delay = 0.0
        """Seconds by which whatever is not ahead was put off, all in all."""

    def book(self, now: float, *, ahead: bool = False) -> Booking:
        """The next moment that is free: now, or later."""
        moment = max(now, self._ahead if ahead else self._next)
        booking = Booking(self, moment, ahead=ahead)
        if ahead:
            self._ahead = moment + self._interval
            self.delay += self._interval
        self._next = max(self._next, moment) + self._interval
        return booking

    def started(self, now: float) -> None:
        """A check has started."""
        self._ahead = max(self._ahead, now + self._interval)


class Pacer:
    """Lets an agent start a check every `interval` seconds, and not before a moment that the host has free.

    A daemon keeps one `HostPacer` and gives each agent a `Pacer(host=that one)` (ICE-07). An agent books one moment at
    a time, so that waiting costs it one timer, however many others wait.
    """

    __slots__ = ("_booked", "_credit", "_free_at", "_host", "_interval")

    def __init__(self, interval: float = TA, host: HostPacer | None = None) -> None:
        self._interval = interval
        self._host = host
        self._free_at = float("-inf")
        self._booked: Booking | None = None
        self._credit = RateCap(AHEAD, FIRST_AHEAD, 0.0)

    @property
    def free_at(self) -> float:
        """When the next check may start, as far as it is known."""
        return self._free_at if self._booked is None else max(self._free_at, self._booked.moment)

    def take(self, now: float, *, ahead: bool = False) -> bool:
        """Whether a check may start now; if so, it counts as started. Otherwise ask again at `free_at`.

        `ahead` says that the check is worth more than others: it is the first, or the peer checks there, too.
        """
        if now < self._free_at:
            return False
        if self._host is not None:
            if now < self._book(self._host, now, ahead=ahead).moment:
                return False
            self._host.started(now)
        self._booked = None
        self._free_at = now + self._interval
        return True

    def _book(self, host: HostPacer, now: float, *, ahead: bool) -> Booking:
        """The moment that is waited for; another one if it has passed, or may be ahead of it."""
        booked = self._booked
        if booked is None or now - booked.moment > STALE or (ahead and not booked.ahead and now < booked.moment):
            ahead = ahead and self._credit.take(now)
            if booked is None or ahead or now - booked.moment > STALE:
                booked = self._booked = host.book(now, ahead=ahead)
        return booked


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
