"""The candidates of the peer: those that it signalled, and those that it was found at (peer-reflexive)."""

from collections.abc import Callable, Iterable

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice.candidate import PRFLX, Candidate
from ngdaemon.ice.checklist import Base, Check, Checklist
from ngdaemon.ice.role import Surroundings

MAX_REMOTE = 100
"""Candidates of one peer, signalled and learned (ng-protocol.md §4.8)."""


class Remotes:
    """Keeps a bounded number of candidates, and forms pairs of them with our bases.

    `discard` is called with pairs that have to go with their candidate.
    """

    def __init__(self, around: Surroundings, checklist: Checklist, discard: Callable[[list[Check]], None]) -> None:
        self._around = around
        self._list = checklist
        self._discard = discard
        self._known: dict[tuple[int, Endpoint], Candidate] = {}
        self._unusable: frozenset[tuple[int, Endpoint]] = frozenset()
        """What the peer named that cannot be checked, as far as it is counted."""

    def __len__(self) -> int:
        return len(self._known)

    def add(self, candidate: Candidate) -> None:
        """Take a signalled candidate, unless it is known, unusable, one too many, or where nothing may be sent to."""
        key = (candidate.component, candidate.endpoint)
        if key in self._known or len(self._known) >= MAX_REMOTE:
            return
        if not candidate.usable or not self._around.may_check(candidate.endpoint):
            if len(self._unusable) < MAX_REMOTE:
                self._unusable |= {key}
            return
        self._known[key] = candidate
        for base in self._around.bases.values():
            self._form(base, candidate)

    def named(self, component: int) -> tuple[int, int]:
        """How many candidates of a component the peer named: such as can be checked, and others."""
        usable = sum(number == component and item.typ != PRFLX for (number, _), item in self._known.items())
        return usable, sum(number == component for number, _ in self._unusable)

    def add_base(self, base: Base) -> None:
        for candidate in self._known.values():
            self._form(base, candidate)

    def form_again(self) -> None:
        """Form the pairs that were left out when others were chosen."""
        for base in self._around.bases.values():
            self.add_base(base)

    def _form(self, base: Base, candidate: Candidate) -> None:
        if base.component == candidate.component and base.local.family is candidate.endpoint.family:
            self._list.add(base, candidate)

    def learn(self, base: Base, source: Endpoint, priority: int, busy: Iterable[Check]) -> Check | None:
        """The pair on which the peer checked us, if need be with a new candidate (RFC 8445 §7.3.1.3).

        None where nothing may be sent to, or there is no room. `busy` are the pairs in use, that never have to go.
        """
        key = (base.component, source)
        candidate = self._known.get(key)
        if candidate is None:
            if not self._around.may_check(source):
                return None
            if len(self._known) >= MAX_REMOTE and not self._make_room(busy):
                return None
            name = f"learned {source}"  # no peer can signal that, so it equals no other foundation
            candidate = Candidate(name, base.component, priority, source.address, source.port, PRFLX)
            self._known[key] = candidate
        return self._list.add(base, candidate)

    def _make_room(self, busy: Iterable[Check]) -> bool:
        """Forget the oldest learned candidate that is not in use."""
        kept = {(check.component, check.to) for check in busy}
        for key, candidate in self._known.items():
            if candidate.typ == PRFLX and key not in kept:
                del self._known[key]
                self._discard([check for check in self._list if (check.component, check.to) == key])
                return True
        return False
