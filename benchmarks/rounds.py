"""Rounds: both daemons measured in turn, again and again, and what comes out of it.

Machines drift (clock speed, temperature, neighbours), so figures are compared within a round, where the two runs are
seconds apart, and the medians over the rounds are what counts. A first round warms caches and is thrown away; who
goes first changes from round to round.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.daemons import Daemon, Site
from benchmarks.measures import Effort, Figures, Measure
from benchmarks.traffic import LoadError


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of one round."""

    subject: Figures
    peer: Figures


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure over all rounds. Ratios are subject to peer: below 1 the subject is cheaper."""

    subject: float
    peer: float | None
    """Medians."""
    subject_range: tuple[float, float]
    ratio: float | None
    """Median of the ratios of the rounds; None where the peer's figure is missing or 0."""
    ratio_range: tuple[float, float] | None


def run_rounds(measures: Sequence[Measure], subject: Daemon, peer: Daemon, site: Site, effort: Effort) -> list[Round]:
    """The rounds that count. Raises DaemonError, LoadError."""
    rounds = [
        _round(measures, subject, peer, site, effort, number=number, of=effort.rounds)
        for number in range(1 - effort.discarded, effort.rounds + 1)
    ]
    return rounds[effort.discarded :]


def outcome(rounds: Sequence[Round], figure: str) -> Outcome | None:
    """One figure over the rounds; None where the subject has none."""
    subject = [one.subject[figure] for one in rounds if figure in one.subject]
    peer = [one.peer[figure] for one in rounds if figure in one.peer]
    if not subject:
        return None
    ratios = [
        one.subject[figure] / one.peer[figure] for one in rounds if figure in one.subject and one.peer.get(figure)
    ]
    return Outcome(
        subject=median(subject),
        peer=median(peer) if peer else None,
        subject_range=(min(subject), max(subject)),
        ratio=median(ratios) if ratios else None,
        ratio_range=(min(ratios), max(ratios)) if ratios else None,
    )


def _round(
    measures: Sequence[Measure], subject: Daemon, peer: Daemon, site: Site, effort: Effort, *, number: int, of: int
) -> Round:
    print(f"round {number} of {of}" + (" (thrown away)" if number < 1 else ""), file=sys.stderr, flush=True)
    round_ = Round({}, {})
    order = [(subject, round_.subject), (peer, round_.peer)]
    if number % 2:
        order.reverse()
    for measure in measures:
        for daemon, figures in order:
            try:
                figures |= measure(daemon, site, effort)
            except LoadError as error:
                raise LoadError(f"with {daemon}: {error}") from error
    return round_
