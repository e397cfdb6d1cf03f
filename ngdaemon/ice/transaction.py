"""Transactions: checks that are under way, sent again until they are answered (RFC 8489 §6.2.1)."""

from dataclasses import dataclass

from ngdaemon.ice.checklist import Check

RTO = 0.5
"""Seconds until the first repetition; the pause doubles each time (TIM-07: never less)."""
SENDS = 7
"""Transmissions of one request (Rc)."""
NOMINATIONS = 4
"""Transmissions of a check that nominates: the pair worked just now, and another one may have to take its place."""
LAST_WAIT = 16
"""Multiples of the RTO for which the last transmission waits (Rm)."""


@dataclass(slots=True)
class Transaction:
    """One check under way."""

    id: bytes
    check: Check
    data: bytes
    controlling: bool
    """The role that the request claims."""
    nominating: bool
    """It carries USE-CANDIDATE."""
    rto: float
    started: float
    due: float
    """When it is sent again, or given up."""
    sends: int = 1
    cancelled: bool = False
    """Not sent again: another check of the pair takes its place. An answer still counts (RFC 8445 §7.3.1.4)."""


class Transactions:
    """The checks that are under way, by their id."""

    def __init__(self) -> None:
        self._live: dict[bytes, Transaction] = {}

    def __len__(self) -> int:
        return len(self._live)

    def start(self, transaction: Transaction) -> None:
        self._live[transaction.id] = transaction

    def find(self, identifier: bytes) -> Transaction | None:
        return self._live.get(identifier)

    def end(self, transaction: Transaction) -> None:
        self._live.pop(transaction.id, None)

    def cancel(self, check: Check) -> None:
        """Send the checks of that pair no more, but hear their answers."""
        for transaction in self._live.values():
            if transaction.check is check:
                transaction.cancelled = True

    def drop(self, checks: set[int]) -> None:
        """Forget the checks of these pairs (by `id`)."""
        self._live = {key: live for key, live in self._live.items() if id(live.check) not in checks}

    def clear(self) -> None:
        self._live.clear()

    def under_way(self, check: Check) -> bool:
        """Whether a check of that pair is still being repeated."""
        return any(live.check is check and not live.cancelled for live in self._live.values())

    @property
    def next_due(self) -> float | None:
        return min(live.due for live in self._live.values()) if self._live else None

    def repeat(self, now: float) -> tuple[list[Transaction], list[Transaction]]:
        """Those that have to be sent again now, and those that nobody answered in time and are over."""
        again: list[Transaction] = []
        over: list[Transaction] = []
        for live in list(self._live.values()):
            if live.due > now:
                continue
            if live.cancelled or live.sends >= (NOMINATIONS if live.nominating else SENDS):
                del self._live[live.id]
                over.append(live)
                continue
            live.sends += 1
            wait = LAST_WAIT if live.sends == SENDS else 2 ** (live.sends - 1)
            live.due = now + live.rto * wait
            again.append(live)
        return again, over
