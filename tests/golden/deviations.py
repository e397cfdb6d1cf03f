"""Where we are known to answer otherwise than the corpus expects: the file `deviations.json`, and what writes it.

    python -m tests.golden.deviations             acceptance numbers, and how many deviate for which reason
    python -m tests.golden.deviations --update    play the whole corpus and write the levels anew

`--update` keeps reasons. A scenario that was not listed before gets the reason of the first feature that it asks for
and we do not have; one that asks for none of them gets "", and the suite fails until a reason is written in its place.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.golden.runner import LEVELS, Case, Runner, cases, level_of
from tests.golden.scope import acceptance_set, features

FILE = Path(__file__).with_name("deviations.json")

LATER = {
    "secure": "SDES, DTLS and OSRTP are not there yet",
    "ice": "ICE is not there yet",
    "bundle": "BUNDLE is not there yet",
    "codecs": "choice of codecs beyond strip, except and offer is not there yet",
    "t38": "the T.38 gateway is not there yet",
    "subscriptions": "connect, mesh, inject and transform are not there yet",
    "playback": "playing media and DTMF is not there yet",
    "recording": "recording is not there yet",
}
"""Feature (of `scope.py`) → the reason why scenarios that ask for it deviate, in order of precedence."""

REASONS = {
    **LATER,
    "ports": "query shows the ports that are open; 26.3 hides some of them, and shows some that it closed or a port 0",
    "roles": "26.3 names a DTLS role for medias without DTLS",
}
"""Words that stand for reasons. Others are ids of `docs/ng-protocol.md`, or sentences."""

DOCUMENT = Path(__file__).parents[2] / "docs" / "ng-protocol.md"


def documented() -> set[str]:
    """The ids of the differences that are on purpose."""
    return set(re.findall(r"^\| (D-[A-Z0-9]+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))


WANTED = {"hand-made": {"semantic": 98.0, "exact": 92.0}, "generated": {"semantic": 95.0, "exact": 90.0}}
"""Acceptance set → level → percent of scenarios that must agree at least at that level."""


class Deviation(NamedTuple):
    """How far a scenario agrees, and why no further."""

    level: str
    reason: str
    """A word of the table in the file, the id of a documented difference, or a sentence of its own."""


def read(path: Path = FILE) -> dict[str, Deviation]:
    """The known deviations by `topic/name`."""
    return {name: Deviation(**fields) for name, fields in json.loads(path.read_text())["scenarios"].items()}


def write(found: Mapping[str, Deviation], path: Path = FILE) -> None:
    """Write the file: the table of reasons, then a line for each deviation."""
    used = {word: text for word, text in REASONS.items() if any(item.reason == word for item in found.values())}
    listed = [f"  {json.dumps(name)}: {json.dumps(found[name]._asdict())}" for name in sorted(found)]
    reasons = [f"  {json.dumps(word)}: {json.dumps(text)}" for word, text in used.items()]
    path.write_text(
        '{\n "reasons": {\n' + ",\n".join(reasons) + '\n },\n "scenarios": {\n' + ",\n".join(listed) + "\n }\n}\n"
    )


def updated(known: Mapping[str, Deviation], levels: Mapping[str, str], every: Iterable[Case]) -> dict[str, Deviation]:
    """The deviations that these levels amount to."""
    found = {}
    for case in every:
        level = levels[case.id]
        if level != "exact":
            reason = known[case.id].reason if case.id in known else guess(case)
            found[case.id] = Deviation(level, reason)
    return found


def guess(case: Case) -> str:
    """The feature that a scenario asks for and we do not have; "" when there is none."""
    asked = features(case.scenario)
    return next((word for word in LATER if word in asked), "")


class Share(NamedTuple):
    """How many scenarios of a set agree at least at a level."""

    agreeing: int
    total: int

    @property
    def percent(self) -> float:
        return 100.0 * self.agreeing / self.total


def shares(known: Mapping[str, Deviation], every: Iterable[Case]) -> dict[str, dict[str, Share]]:
    """Acceptance set → level → share of the scenarios that agree."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in WANTED}
    for case in every:
        name = acceptance_set(case.topic, case.scenario)
        if name is not None:
            counts[name][known[case.id].level if case.id in known else "exact"] += 1
    return {
        name: {
            level: Share(sum(count[better] for better in LEVELS[: LEVELS.index(level) + 1]), count.total())
            for level in LEVELS[:-1]
        }
        for name, count in counts.items()
    }


def report(known: Mapping[str, Deviation], every: list[Case]) -> str:
    """The acceptance numbers and the reasons in words."""
    lines = []
    for name, levels in shares(known, every).items():
        for level, share in levels.items():
            wanted = WANTED[name].get(level)
            text = f"{name:10} {level:9} {share.agreeing:5} of {share.total:5} {share.percent:6.2f} %"
            lines.append(text if wanted is None else f"{text}  (wanted {wanted:g})")
    reasons = Counter(item.reason if len(item.reason.split()) == 1 else "singly" for item in known.values())
    lines.append(f"{len(every) - len(known)} of {len(every)} agree exactly; the others by reason:")
    lines.extend(f"{word:15} {count:5}" for word, count in reasons.most_common())
    lines.append("in the acceptance sets:")
    for case in every:
        if case.id in known and acceptance_set(case.topic, case.scenario):
            lines.append(f"  {case.id}: {known[case.id].level}, {known[case.id].reason or '?'}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Known deviations from the golden corpus.")
    parser.add_argument("--update", action="store_true", help="play the corpus and write the file anew")
    arguments = parser.parse_args()
    every = cases()
    known = read() if FILE.exists() else {}
    if arguments.update:
        with tempfile.TemporaryDirectory() as folder, Runner(Path(folder)) as runner:
            levels = {case.id: level_of(case.scenario, runner.play(case)) for case in every}
        known = updated(known, levels, every)
        write(known)
    sys.stdout.write(report(known, every) + "\n")


if __name__ == "__main__":
    main()
