"""The checklist: pairs of a local base and a remote candidate, and which of them is checked next (RFC 8445 §6.1.2)."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.candidate import PREFERENCES, PRFLX, Candidate, pair_priority

MAX_PAIRS = 100
"""Pairs of a list (RFC 8445 §6.1.2.5); of more, those of least priority are left out."""


class Base(NamedTuple):
    """One of our sockets: a host candidate of ours."""

    component: int
    socket: SocketId
    local: Endpoint
    priority: int

    @property
    def peer_reflexive_priority(self) -> int:
        """What PRIORITY says in our checks: that of the peer-reflexive candidate they may bring forth (§7.1.1)."""
        return PREFERENCES[PRFLX] << 24 | self.priority & 0xFFFFFF


class State(Enum):
    """Of a pair (RFC 8445 §6.1.2.6)."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


UNCHECKED = (State.FROZEN, State.WAITING)
OPEN = (*UNCHECKED, State.IN_PROGRESS)


@dataclass(slots=True, eq=False)
class Check:
    """A pair, and how its check stands. Identity counts, not value."""

    base: Base
    remote: Candidate
    to: Endpoint
    priority: int
    state: State = State.FROZEN
    wanted: bool = False
    """The controlling peer said USE-CANDIDATE, and the pair is not selected yet."""
    wanted_at: float = float("-inf")
    """When it said so last."""
    nominating: bool = False
    """We control, and check it with USE-CANDIDATE."""
    again: bool = False
    """It works, and is checked once more all the same."""
    confirmed: float = float("-inf")
    """When the peer last answered a check of ours on it; while we are lite, when it last checked it."""
    mapped: Endpoint | None = None
    """Our address as the peer sees it."""
    rtt: float | None = None
    """Seconds that a check and its answer took, the last time this could be told."""

    @property
    def component(self) -> int:
        return self.base.component

    @property
    def foundation(self) -> tuple[str, str]:
        return self.base.local.address, self.remote.foundation


class Checklist:
    """The pairs of one session, in order of priority, and the queue of triggered checks."""

    def __init__(self, controlling: bool) -> None:
        self._controlling = controlling
        self._pairs: list[Check] = []
        self._by_path: dict[tuple[SocketId, Endpoint], Check] = {}
        self._triggered: deque[Check] = deque()
        self._begun = False

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[Check]:
        """By falling priority."""
        return iter(self._pairs)

    def find(self, socket: SocketId, remote: Endpoint) -> Check | None:
        return self._by_path.get((socket, remote))

    def of(self, component: int, *states: State) -> Iterator[Check]:
        """The pairs of a component that are in one of these states, by falling priority."""
        return (pair for pair in self._pairs if pair.base.component == component and pair.state in states)

    def add(self, base: Base, remote: Candidate) -> Check | None:
        """Form a pair, unless it is there already, or the list is full of better ones."""
        to = remote.endpoint
        path = (base.socket, to)
        if path in self._by_path:
            return None
        pair = Check(base, remote, to, self._priority(base, remote))
        if len(self._pairs) >= MAX_PAIRS and not self._make_room(pair.priority):
            return None
        self._pairs.append(pair)
        self._by_path[path] = pair
        self._sort()
        return pair

    def _make_room(self, priority: int) -> bool:
        """Leave out the least of the pairs that wait, if it is less than that priority, or one that failed."""
        least = min(
            (pair for pair in self._pairs if pair.state in UNCHECKED or pair.state is State.FAILED),
            key=lambda pair: (pair.state is not State.FAILED, pair.priority),
            default=None,
        )
        if least is None or (least.state is not State.FAILED and least.priority >= priority):
            return False
        self.remove([least])
        return True

    def remove(self, pairs: Iterable[Check]) -> None:
        gone = {id(pair) for pair in pairs}
        self._pairs = [pair for pair in self._pairs if id(pair) not in gone]
        self._triggered = deque(pair for pair in self._triggered if id(pair) not in gone)
        self._by_path = {(pair.base.socket, pair.to): pair for pair in self._pairs}

    def take_role(self, controlling: bool) -> None:
        """Count the priorities anew after the roles changed (RFC 8445 §7.3.1.1)."""
        self._controlling = controlling
        for pair in self._pairs:
            pair.priority = self._priority(pair.base, pair.remote)
        self._sort()

    def _priority(self, base: Base, remote: Candidate) -> int:
        ours, theirs = base.priority, remote.priority
        return pair_priority(ours, theirs) if self._controlling else pair_priority(theirs, ours)

    def _sort(self) -> None:
        self._pairs.sort(key=lambda pair: -pair.priority)

    def thaw(self) -> None:
        """Of each foundation that nothing is under way of, let the best frozen pair wait for its check (§6.1.2.6)."""
        busy = {pair.foundation for pair in self._pairs if pair.state in (State.WAITING, State.IN_PROGRESS)}
        frozen = (pair for pair in self._pairs if pair.state is State.FROZEN)
        for pair in sorted(frozen, key=lambda pair: (pair.base.component, -pair.priority)):
            if pair.foundation not in busy:
                busy.add(pair.foundation)
                pair.state = State.WAITING

    def succeeded(self, pair: Check) -> None:
        """The pair works: those of the same foundation are likely to (§7.2.5.3.3)."""
        pair.state = State.SUCCEEDED
        for other in self._pairs:
            if other.state is State.FROZEN and other.foundation == pair.foundation:
                other.state = State.WAITING

    def trigger(self, pair: Check) -> None:
        """Check that pair before all others."""
        if pair not in self._triggered:
            self._triggered.append(pair)

    @property
    def urgent(self) -> bool:
        """Whether the next check is worth more than others: the first of the list, or a triggered one."""
        return not self._begun or self._has_triggered()

    def _has_triggered(self) -> bool:
        return bool(self._triggered) and any(_worth_checking(pair) for pair in self._triggered)

    @property
    def pending(self) -> bool:
        """Whether there is a check to be started now (frozen pairs wait for those of their foundation)."""
        if self._has_triggered():
            return True
        any_frozen = False
        for pair in self._pairs:
            if pair.state is State.WAITING:
                return True
            any_frozen = any_frozen or pair.state is State.FROZEN
        if not any_frozen:
            return False
        frozen = {pair.foundation for pair in self._pairs if pair.state is State.FROZEN}
        return not frozen <= {pair.foundation for pair in self._pairs if pair.state is State.IN_PROGRESS}

    def take_next(self) -> Check | None:
        """The pair whose check starts now: triggered ones first, then by priority (§6.1.4.2)."""
        self._begun = True
        while self._triggered:
            pair = self._triggered.popleft()
            if _worth_checking(pair):
                pair.again = False
                return pair
        return self._waiting() or self._thawed()

    def _waiting(self) -> Check | None:
        return next((pair for pair in self._pairs if pair.state is State.WAITING), None)

    def _thawed(self) -> Check | None:
        self.thaw()
        return self._waiting()


def _worth_checking(pair: Check) -> bool:
    """Whether a triggered check is still needed: not when another check of the pair was answered meanwhile."""
    return pair.state is not State.SUCCEEDED or pair.nominating or pair.again
