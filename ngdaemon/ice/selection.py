"""Which pair is sent on: the nomination of pairs, by us or by the peer, and the change to another one later."""

from collections.abc import Iterator

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice.checklist import OPEN, UNCHECKED, Check, Checklist, State
from ngdaemon.ice.consent import EXPIRY, Watch
from ngdaemon.ice.report import Pair, Selected, Usable
from ngdaemon.ice.role import Report, Role
from ngdaemon.ice.transaction import RTO, Transactions

NOMINATION = 0.1
"""Seconds after the first working pair in which a better one may still turn up, before we nominate."""
LINGER = 3.0
"""Seconds after a nomination for which unselected sockets stay open (TIM-07), and for which only a better
pair takes its place."""


def pair_of(check: Check | None) -> Pair | None:
    """What is said of a pair outside."""
    return None if check is None else _shown(check)


def _shown(check: Check) -> Pair:
    return Pair(check.base.socket, check.base.local, check.to, check.mapped)


class Selection:
    """The pair of each component: the best that works, then the nominated one."""

    def __init__(
        self, checklist: Checklist, transactions: Transactions, watch: Watch, role: Role, report: Report
    ) -> None:
        self._list = checklist
        self._transactions = transactions
        self._watch = watch
        self._role = role
        self._report = report
        self._selected: dict[int, Check] = {}
        self._usable: dict[int, Check] = {}
        self._nominate_at: dict[int, float] = {}
        self._challenges: dict[int, tuple[Check, float]] = {}
        self.changed = float("-inf")
        """When a pair was nominated last."""

    def selected(self, component: int) -> Check | None:
        return self._selected.get(component)

    def covers(self, components: set[int]) -> bool:
        """Whether each of these components has a nominated pair."""
        return components <= self._selected.keys()

    def in_use(self, component: int) -> Check | None:
        """The selected pair, or the best one that works."""
        return self._selected.get(component) or next(self._list.of(component, State.SUCCEEDED), None)

    def busy(self) -> Iterator[Check]:
        """The selected pairs and those that are sent on until there are such."""
        yield from self._selected.values()
        yield from self._usable.values()

    @property
    def next_due(self) -> float | None:
        if not self._nominate_at and not self._challenges:
            return None
        challenges = (since + RTO for _, since in self._challenges.values())
        return min((*self._nominate_at.values(), *challenges), default=None)

    def forget(self, checks: list[Check]) -> None:
        """These pairs are no more."""
        gone = {id(check) for check in checks}
        self._selected = {key: check for key, check in self._selected.items() if id(check) not in gone}
        self._usable = {key: check for key, check in self._usable.items() if id(check) not in gone}
        self._challenges = {key: each for key, each in self._challenges.items() if id(each[0]) not in gone}

    def take_role(self) -> None:
        """The roles changed: who nominates begins anew."""
        for check in self._list:
            check.wanted = check.nominating = False
        self._nominate_at.clear()

    def retire(self) -> None:
        """Nominate nothing any more."""
        self._nominate_at.clear()
        self._challenges.clear()

    # What works

    def works(self, check: Check, mapped: Endpoint | None, now: float) -> None:
        """The pair is valid: it is sent on until a better one works, or one is nominated."""
        check.confirmed = now
        check.mapped = mapped or check.mapped
        self._list.succeeded(check)
        self.settle(check.component, now)

    def settle(self, component: int, now: float) -> None:
        """What works changed: let consent follow the pair in use, and report what there is before nomination."""
        check = self.in_use(component)
        if check is None:
            return
        self._watch.follow(check, now)
        if component not in self._selected and self._usable.get(component) is not check:
            self._usable[component] = check
            self._report(Usable(component, _shown(check)))

    # What is taken

    def select(self, check: Check, now: float) -> None:
        """Nominate: at once, or when a check has shown that the pair still works, or not if there is a better one."""
        current = self._selected.get(check.component)
        if current is check:
            check.wanted = False
        elif not self._role.lite and now - check.confirmed >= EXPIRY / 2:
            self._check_again(check)
        elif current is None or self._gives_way(current, check, now):
            self._install(check, now)
        else:
            self.challenge(check, now)

    def _gives_way(self, current: Check, check: Check, now: float) -> bool:
        """Whether a nominated pair takes the place of another one.

        Peers with aggressive nomination name several, and mean the best of them (RFC 5245 §8.1.1.2); who names a lesser
        one long after the better means it.
        """
        return self._role.controlling or check.priority > current.priority or now - current.wanted_at >= LINGER

    def _install(self, check: Check, now: float) -> None:
        component = check.component
        check.wanted = False
        self._selected[component] = check
        self.changed = now
        self._usable.pop(component, None)
        self._challenges.pop(component, None)
        self._stop_others(check)
        self._report(Selected(component, _shown(check)))
        self.settle(component, now)

    def _stop_others(self, check: Check) -> None:
        """Stop looking (RFC 8445 §8.1.2); a peer with aggressive nomination may still come to a better pair."""
        least = float("inf") if self._role.controlling else check.priority
        others = [each for each in self._list.of(check.component, *OPEN) if each.priority < least]
        for other in others:
            self._transactions.cancel(other)
        self._list.remove(other for other in others if other.state in UNCHECKED)

    def _check_again(self, check: Check) -> None:
        check.again = True
        self._list.trigger(check)

    def challenge(self, check: Check, now: float) -> None:
        """The peer turned up elsewhere: see whether it is still where it was, and follow it if not (S05)."""
        current = self._selected.get(check.component)
        if current is None or current is check or self._role.lite:
            return
        self._challenges[check.component] = (check, now)
        self._check_again(current)

    def _judge(self, component: int, now: float) -> None:
        """The time of a challenge is over."""
        check, since = self._challenges.pop(component)
        current = self._selected.get(component)
        if current is None or current.confirmed >= since or check.state is not State.SUCCEEDED:
            return
        if self._role.controlling:
            check.nominating = True
            self._list.trigger(check)
        elif check.wanted:
            self._install(check, now)

    def nominate(self, component: int, now: float) -> None:
        """Regular nomination by us: the best pair, once nothing better is to be expected (RFC 8445 §8.1.1)."""
        if not self._role.nominates or component in self._selected:
            return
        if any(check.nominating for check in self._list.of(component, *OPEN, State.SUCCEEDED)):
            return
        best = next(self._list.of(component, State.SUCCEEDED), None)
        if best is None:
            return
        due = self._nominate_at.setdefault(component, now + NOMINATION)
        if now >= due or not any(check.priority > best.priority for check in self._list.of(component, *OPEN)):
            del self._nominate_at[component]
            best.nominating = True
            self._list.trigger(best)

    def run(self, now: float) -> None:
        """Do what the time has come for."""
        for component in [each for each, due in self._nominate_at.items() if due <= now]:
            self.nominate(component, now)
            self._nominate_at.pop(component, None)
        for component in [each for each, (_, since) in self._challenges.items() if since + RTO <= now]:
            self._judge(component, now)
