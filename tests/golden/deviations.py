"""Where we are known to answer otherwise than the corpus expects: the file `deviations.json`, and what writes it.

    python -m tests.golden.deviations             acceptance numbers, and how many deviate for which reason
    python -m tests.golden.deviations --update    play the whole corpus and write the levels anew
    python -m tests.golden.deviations --levels    play it and print each scenario's level and differences as JSON

The corpus is played in a network namespace of its own, with nothing but loopback: daemons send STUN and DTLS to peers
that the scenarios made up.

`--update` keeps reasons. A scenario that was not listed before gets the reason of the first feature that it asks for
and we do not have; one that asks for none of them gets "", and the suite fails until a reason is written in its place.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.golden import record
from tests.golden.judging import adjusted
from tests.golden.runner import LEVELS, Case, Runner, cases, level_of
from tests.golden.scope import acceptance_set, features

FILE = Path(__file__).with_name("deviations.json")

LATER = {
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


_HAND_MADE, _GENERATED = {"semantic": 98.0, "exact": 92.0}, {"semantic": 95.0, "exact": 90.0}
WANTED = {
    "hand-made": _HAND_MADE,
    "generated": _GENERATED,
    "hand-made, secured": _HAND_MADE,
    "generated, secured": _GENERATED,
}
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
            text = f"{name:18} {level:9} {share.agreeing:5} of {share.total:5} {share.percent:6.2f} %"
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
    parser.add_argument("--levels", action="store_true", help="play the corpus and print the levels")
    parser.add_argument("--confined", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    every = cases()
    known = read() if FILE.exists() else {}
    if (arguments.update or arguments.levels) and not arguments.confined:
        os.execvp("unshare", confined(*sys.argv[1:]))
    if arguments.levels:
        json.dump({name: (level, text) for name, level, text in played(every)}, sys.stdout)
        return
    if arguments.update:
        known = updated(known, {name: level for name, level, _ in played(every)}, every)
        write(known)
    sys.stdout.write(report(known, every) + "\n")


def confined(*arguments: str) -> list[str]:
    """The command that runs this module in a network namespace of its own."""
    inside = 'ip link set lo up && exec "$0" "$@"'
    module = (sys.executable, "-m", "tests.golden.deviations", "--confined")
    return ["unshare", "-rn", "sh", "-c", inside, *module, *arguments]


def played(every: Iterable[Case]) -> Iterator[tuple[str, str, str]]:
    """Each scenario with its level and how it differs from the next better one."""
    with tempfile.TemporaryDirectory() as folder, Runner(Path(folder)) as runner:
        for case in every:
            replies = runner.play(case)
            level = level_of(case.scenario, replies)
            better = LEVELS[max(LEVELS.index(level) - 1, 0)]
            yield case.id, level, "\n".join(record.judge(*adjusted(case.scenario, replies), better))


if __name__ == "__main__":
    main()
