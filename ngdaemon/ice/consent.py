"""Consent: the peer says again and again that it wants what we send (RFC 7675)."""

from collections.abc import Callable

from ngdaemon.base.deadline import earliest
from ngdaemon.base.sources import Rng
from ngdaemon.ice.checklist import Check

INTERVAL = 5.0
"""Seconds between two checks, times 0.8 to 1.2 (TIM-06)."""
EXPIRY = 30.0
"""Seconds without an answer after which nothing may be sent any more (TIM-06)."""
KEEPALIVE = 15.0
"""Seconds after which a lite agent, that checks nothing, says something to keep the path open (ICE-11, TIM-07)."""

Send = Callable[[Check], bytes]
"""Sends a check of that pair, once; returns the transaction id."""


class Consent:
    """The consent for the pair that one component sends on.

    Each check is a new transaction and is sent once; any of them that is answered in time renews the consent. What was
    lost stays lost, whatever is answered later: only an ICE restart brings new consent (CONS-01).
    """

    __slots__ = ("_next", "_outstanding", "_rng", "check", "lost")

    def __init__(self, check: Check, rng: Rng) -> None:
        self._rng = rng
        self._outstanding: set[bytes] = set()
        self.lost = False
        self.check = check
        self._next = check.confirmed + self._interval()

    def _interval(self) -> float:
        """4 to 6 seconds."""
        return INTERVAL * (0.8 + self._rng.below(401) / 1000)

    @property
    def due(self) -> float | None:
        """When there is something to do."""
        return None if self.lost else min(self._next, self.check.confirmed + EXPIRY)

    def move(self, check: Check) -> None:
        """Send on another pair, that was found to work."""
        self._outstanding.clear()
        self.check = check
        self._next = check.confirmed + self._interval()

    def expects(self, transaction: bytes) -> bool:
        return transaction in self._outstanding

    def renewed(self, now: float) -> None:
        """A check was answered; those sent before it need no answer any more."""
        self.check.confirmed = now
        self._outstanding.clear()

    def lose(self) -> None:
        """It is over: expired, or refused by the peer (CONS-02)."""
        self.lost = True
        self._outstanding.clear()

    def run(self, send: Send, now: float) -> bool:
        """Do what the time has come for; True when consent was lost by it."""
        if self.lost:
            return False
        if now >= self.check.confirmed + EXPIRY:
            self.lose()
            return True
        if now >= self._next:
            self._outstanding.add(send(self.check))
            self._next = now + self._interval()
        return False


class Watch:
    """Consent of a full agent, keepalives of a lite one, for each component that sends."""

    def __init__(self, rng: Rng, *, lite: bool) -> None:
        self._rng = rng
        self._lite = lite
        self._consents: dict[int, Consent] = {}
        self._kept: dict[int, tuple[Check, float]] = {}
        self._revoked: set[int] = set()

    def follow(self, check: Check, now: float) -> None:
        """The component of this pair sends on it from now on. It does not bring lost consent back."""
        component = check.component
        if component in self._revoked:
            return
        if self._lite:
            due = self._kept[component][1] if component in self._kept else now + KEEPALIVE
            self._kept[component] = (check, due)
        elif component not in self._consents:
            self._consents[component] = Consent(check, self._rng)
        elif not self._consents[component].lost and self._consents[component].check is not check:
            self._consents[component].move(check)

    def sendable(self, component: int) -> Check | None:
        """The pair that the peer consents to be sent to on."""
        if self._lite:
            return self._kept[component][0] if component in self._kept else None
        consent = self._consents.get(component)
        return None if consent is None or consent.lost else consent.check

    def revoke(self, component: int) -> None:
        """The component sends no more, whatever is answered later."""
        self._revoked.add(component)
        self._consents.pop(component, None)
        self._kept.pop(component, None)

    def forget(self, checks: list[Check]) -> None:
        """These pairs are no more."""
        gone = {id(check) for check in checks}
        self._consents = {key: each for key, each in self._consents.items() if id(each.check) not in gone}
        self._kept = {key: each for key, each in self._kept.items() if id(each[0]) not in gone}

    def expecting(self, transaction: bytes) -> Consent | None:
        """The consent that the answer to that check renews."""
        for consent in self._consents.values():
            if consent.expects(transaction):
                return consent
        return None

    @property
    def next_due(self) -> float | None:
        due = None
        for consent in self._consents.values():
            due = earliest(due, consent.due)
        for _, kept in self._kept.values():
            due = earliest(due, kept)
        return due

    def run(self, check: Send, keep_alive: Callable[[Check], None], now: float) -> list[int]:
        """Send what is due; the components whose consent was lost."""
        for component, (pair, due) in self._kept.items():
            if due <= now:
                keep_alive(pair)
                self._kept[component] = (pair, now + KEEPALIVE)
        return [component for component, consent in self._consents.items() if consent.run(check, now)]
