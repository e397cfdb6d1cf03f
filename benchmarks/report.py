"""Results as Markdown and JSON, and their place in `docs/performance.md`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from benchmarks.measures import DISTURBED, Effort
from benchmarks.rounds import Outcome, Round, outcome
from benchmarks.suites import Row, Suite


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run found."""

    suite: Suite
    effort: Effort
    subject: str
    peer: str
    """Names of the daemons."""
    versions: tuple[str, str]
    machine: str
    command: str
    """What reproduces it."""
    day: date
    rounds: Sequence[Round]

    def markdown(self) -> str:
        """The table with the circumstances under which it was made."""
        beside = " beside ".join(self.versions)
        lines = [
            f"{self.suite.title}: {beside}, {self.day.isoformat()}, {self.machine}.",
            f"Medians of {len(self.rounds)} alternating rounds ({self.effort}), their range in brackets. Made by",
            "",
            f"    {self.command}",
            "",
            f"| figure | {self.subject} | {self.peer} | ratio | to reach | reached |",
            "|---|--:|--:|--:|--:|---|",
            *(self._line(row) for row in self.suite.rows),
        ]
        if disturbances := self.disturbances():
            lines += ["", f"The machine was not quiet: {' and '.join(disturbances)}."]
        return "\n".join(lines) + "\n"

    def disturbances(self) -> list[str]:
        """What shows that the machine was busy with other things, as parts of a sentence."""
        waited, late = self._worst("waited"), self._worst("late")
        found = []
        if waited > DISTURBED:
            found.append(f"a daemon waited for its core up to {waited:.0f} % of the time")
        if late > DISTURBED:
            found.append(f"the load was late for up to {late:.0f} % of the packets")
        return found

    def _worst(self, quantity: str) -> float:
        """The greatest value of a quantity in any round, of either daemon, under any condition."""
        both = [figures for one in self.rounds for figures in (one.subject, one.peer)]
        return max((v for figures in both for k, v in figures.items() if k.startswith(f"{quantity}@")), default=0.0)

    def json(self) -> str:
        """Every figure of every round, and the outcomes."""
        names = sorted({name for one in self.rounds for name in one.subject})
        outcomes = {name: asdict(found) for name in names if (found := outcome(self.rounds, name)) is not None}
        head = {"suite": self.suite.name, "day": self.day.isoformat(), "machine": self.machine, "command": self.command}
        daemons = {"subject": self.versions[0], "peer": self.versions[1]}
        rounds = [asdict(one) for one in self.rounds]
        return json.dumps(head | daemons | {"outcomes": outcomes, "rounds": rounds}, indent=1) + "\n"

    def _line(self, row: Row) -> str:
        found = outcome(self.rounds, row.figure)
        if found is None:
            return f"| {row.title} | – | – | – | {_reach(row)} | no |"
        subject, peer = (_value(value, row) for value in (found.subject, found.peer))
        spread = found.subject_range if not row.ratio else found.ratio_range
        digits = row.digits if not row.ratio else 2
        ratio = "" if spread is None else f"[{spread[0]:.{digits}f}–{spread[1]:.{digits}f}]"
        if row.ratio and found.ratio is not None:
            ratio = f"**{found.ratio:.2f}** {ratio}"
        return f"| {row.title} | {subject} | {peer} | {ratio} | {_reach(row)} | {_reached(row, found)} |"


def replace_section(text: str, name: str, section: str) -> str:
    """`text` with what stands between `<!-- figures: NAME -->` and `<!-- end -->` replaced.

    Raises ValueError when the text has no such section.
    """
    begin, end = f"<!-- figures: {name} -->\n", "<!-- end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no section {begin.strip()} … {end}")
    return f"{head}{begin}\n{section}\n{end}{tail}"


def _value(value: float | None, row: Row) -> str:
    return "–" if value is None else f"{value:,.{row.digits}f} {row.unit}"


def _reach(row: Row) -> str:
    if row.reach is None:
        return ""
    aim = "" if row.aim is None else f" (aim {row.aim:g})"
    sign = "≥ " if row.higher else "≤ " if row.ratio else ""
    return f"{sign}{row.reach:g}{aim}" + (f" {row.unit}" if row.unit and not row.ratio else "")


def _reached(row: Row, found: Outcome) -> str:
    value = found.ratio if row.ratio else found.subject
    if row.reach is None:
        return ""
    if value is None:
        return "no"
    return "yes" if (value >= row.reach if row.higher else value <= row.reach) else "no"
