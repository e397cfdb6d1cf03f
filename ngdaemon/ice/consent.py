"""Consent: the peer says again and again that it wants what we send (RFC 7675)."""

from enum import Enum

from ngdaemon.base.sources import Rng
from ngdaemon.ice.checklist import Check

INTERVAL = 5.0
"""Seconds between two checks, times 0.8 to 1.2 (TIM-06)."""
EXPIRY = 30.0
"""Seconds without an answer after which nothing may be sent any more (TIM-06)."""
KEEPALIVE = 15.0
"""Seconds of silence after which a lite agent, that checks nothing, keeps the path open (ICE-11, TIM-07)."""


class Due(Enum):
    """What the time has come for."""

    NOTHING = "nothing"
    CHECK = "a consent check"
    EXPIRED = "the end: consent is lost"


class Consent:
    """The consent for the pair that one component sends on.

    Each check is a new transaction and is sent once; any of them that is answered in time renews the consent. What was
    lost stays lost, whatever is answered later: only an ICE restart brings new consent (CONS-01).
    """

    __slots__ = ("_outstanding", "_rng", "lost", "next_check", "pair")

    def __init__(self, pair: Check, rng: Rng) -> None:
        self._rng = rng
        self._outstanding: set[bytes] = set()
        self.pair = pair
        self.lost = False
        self.next_check = pair.confirmed + self._interval()

    def _interval(self) -> float:
        """4 to 6 seconds."""
        return INTERVAL * (0.8 + self._rng.below(401) / 1000)

    @property
    def expires(self) -> float:
        return self.pair.confirmed + EXPIRY

    @property
    def next_due(self) -> float | None:
        return None if self.lost else min(self.next_check, self.expires)

    def move(self, pair: Check) -> None:
        """Send on another pair, that a check has just found to work."""
        self._outstanding.clear()
        self.pair = pair
        self.next_check = pair.confirmed + self._interval()

    def due(self, now: float) -> Due:
        if self.lost:
            return Due.NOTHING
        if now >= self.expires:
            self.lose()
            return Due.EXPIRED
        return Due.CHECK if now >= self.next_check else Due.NOTHING

    def lose(self) -> None:
        """It is over: expired, or refused by the peer (CONS-02)."""
        self.lost = True
        self._outstanding.clear()

    def sent(self, transaction: bytes, now: float) -> None:
        """A check with that id leaves now."""
        self._outstanding.add(transaction)
        self.next_check = now + self._interval()

    def expects(self, transaction: bytes) -> bool:
        return transaction in self._outstanding

    def renewed(self, now: float) -> None:
        """A check was answered; what was sent before it needs no answer any more."""
        self.pair.confirmed = now
        self._outstanding.clear()
