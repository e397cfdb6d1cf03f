"""Writes docs/security.md from the list of requirements, the tests that name them, and recorded attacks.

python -m tools.security_page            write it
python -m tools.security_page --check    exit status 1 if the page is not current or the list has a hole

Level-1 requirements with neither a test nor a reason are holes. As long as tests/requirements.toml says
`complete = false` they are only told of.
"""

import itertools
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tools.evidence import Evidence, Rank, collect, every_test

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "security.md"
TESTS = ROOT / "tests"
REQUIREMENTS = TESTS / "requirements.toml"
ATTACKS = TESTS / "attacks" / "results.json"
_SHOWN = 3  # tests of one requirement that are named; the others are counted

HEAD = """# Security

<!-- Made by tools/security_page.py out of tests/requirements.toml, the tests, and tests/attacks/results.json
     (make docs). Changes here are lost. -->

What is defended, by default, with no flag set:

- **Each leg ends its own security.** A browser with DTLS-SRTP and ICE, a phone with keys in its SDP, a plain phone:
  what one of them negotiates is between it and the daemon. Keys, certificates, counters and identifiers are made anew
  for each leg, and none of one leg is told to the other.
- **Nothing passes before it is sure who is there.** On a DTLS leg no packet crosses, in either direction, until the
  certificate has been compared with the fingerprint of the signalling. It makes no difference which of handshake and
  SDP comes first.
- **A secured leg is never clear.** What cannot be decrypted and authenticated is dropped and counted; what cannot be
  encrypted is not sent. A section that cannot be secured as it was asked for is refused, and the reply says why.
- **Strangers change nothing.** Packets from elsewhere move no media, end no handshake and no call, cost bounded memory,
  and get back less than they sent, or nothing. A plain leg is learned only from the signalled address or the one that
  its SIP came from; a secured one only from packets that authenticate.
- **The proxy can see it all.** `query` and one line of the log say of each leg how it is secured, whether its peer was
  verified, and why not.

What is not defended: whoever may send to the control port rules the calls (by default these are loopback and private
networks), the signalling is believed in what it says about addresses, keys and fingerprints, and two plain legs are as
private as the networks that they cross.
"""

TABLES = """
## Requirements and their tests

The ids are those that tests carry in their names and docstrings. Level 1: the daemon is wrong without it; 2: wanted; 3:
optional. Tests are below [tests/](../tests).
"""

COMPARED = """
## The same attacks on others

Each row is one attack of tests/attacks, carried out in network namespaces against a daemon with its default
configuration (but for what the row names), and what was measured. `tests/attacks/README.md` says how to repeat it.
"""


class Requirement(NamedTuple):
    """One line of the list."""

    id: str
    level: int
    text: str


class Requirements(NamedTuple):
    """tests/requirements.toml."""

    complete: bool
    sections: dict[str, list[Requirement]]
    not_done: dict[str, str]
    """Id → why there is no test."""

    not_applicable: dict[str, str]
    shown_by: dict[str, list[str]]
    """Id → tests that show it and do not name it, as `path::name`."""


def main(arguments: list[str]) -> int:
    requirements = read(REQUIREMENTS)
    evidence = _all_evidence(requirements)
    page = render(requirements, evidence, _attacks())
    if "--check" not in arguments:
        PAGE.write_text(page, "utf-8")
        return 0
    mistakes = list(_mistakes(requirements, evidence))
    holes = list(_holes(requirements, evidence))
    if not PAGE.exists() or PAGE.read_text("utf-8") != page:
        mistakes.append(f"{PAGE.name} is not current: run make docs")
    if holes:
        text = f"level-1 requirements without a test and without a reason: {', '.join(holes)}"
        mistakes.append(text) if requirements.complete else sys.stderr.write(f"{PAGE.name}: {text}\n")
    sys.stderr.writelines(f"{mistake}\n" for mistake in mistakes)
    return 1 if mistakes else 0


def read(path: Path) -> Requirements:
    """The list as it is written; KeyError or TypeError where it has not its form."""
    document = tomllib.loads(path.read_text("utf-8"))
    sections = {
        section["title"]: [Requirement(**requirement) for requirement in section["requirements"]]
        for section in document["sections"]
    }
    return Requirements(
        document["complete"], sections, document["not_done"], document["not_applicable"], document["shown_by"]
    )


def render(
    requirements: Requirements, evidence: Mapping[str, list[Evidence]], attacks: Mapping[str, list[dict[str, object]]]
) -> str:
    """The page."""
    parts = [HEAD, TABLES]
    for title, rows in requirements.sections.items():
        parts.append(f"\n### {title}\n\n")
        cells = ((row.id, str(row.level), row.text, *_state(row.id, requirements, evidence)) for row in rows)
        parts.append(_table(("Id", "Level", "Requirement", "Tests", "State"), cells))
    parts.append(f"\n{_summary(requirements, evidence)}\n")
    if attacks:
        parts += [COMPARED, _comparison(attacks, requirements)]
    return "".join(parts)


def _all_evidence(requirements: Requirements) -> dict[str, list[Evidence]]:
    evidence = collect(TESTS)
    for requirement, names in requirements.shown_by.items():
        for name in names:
            path, _, test = name.partition("::")
            evidence.setdefault(requirement, []).append(Evidence(Rank.MODULE, path, test))
    return evidence


def _state(requirement: str, requirements: Requirements, evidence: Mapping[str, list[Evidence]]) -> tuple[str, str]:
    """The cells `Tests` and `State` of a requirement."""
    if found := evidence.get(requirement):
        return _shown(found), "tested"
    for state, reasons in (("not done", requirements.not_done), ("not applicable", requirements.not_applicable)):
        if requirement in reasons:
            return "–", f"{state}: {reasons[requirement]}"
    return "–", "no test"


def _shown(evidence: list[Evidence]) -> str:
    names = []
    for path, found in itertools.groupby(evidence[:_SHOWN], key=lambda item: item.path):
        tests_of_path = [f"`{item.name}`" for item in found if item.name]
        names.append(f"[{path}](../tests/{path})" + (f": {', '.join(tests_of_path)}" if tests_of_path else ""))
    more = len(evidence) - _SHOWN
    return "; ".join(names) + (f"; {more} more" if more > 0 else "")


def _summary(requirements: Requirements, evidence: Mapping[str, list[Evidence]]) -> str:
    rows = [row for rows in requirements.sections.values() for row in rows]
    counts = []
    for level in sorted({row.level for row in rows}):
        of_level = [row for row in rows if row.level == level]
        tested = sum(row.id in evidence for row in of_level)
        counts.append(f"{tested} of {len(of_level)} of level {level}")
    return f"Tested: {', '.join(counts)}."


def _holes(requirements: Requirements, evidence: Mapping[str, list[Evidence]]) -> Iterator[str]:
    for row in itertools.chain.from_iterable(requirements.sections.values()):
        excused = row.id in evidence or row.id in requirements.not_done or row.id in requirements.not_applicable
        if row.level == 1 and not excused:
            yield row.id


def _mistakes(requirements: Requirements, evidence: Mapping[str, list[Evidence]]) -> Iterator[str]:
    """What the list says and is not so."""
    rows = list(itertools.chain.from_iterable(requirements.sections.values()))
    known = {row.id for row in rows}
    for row in rows:
        if rows.count(row) > 1:
            yield f"{row.id} stands twice in the list"
    for requirement in (requirements.not_done | requirements.not_applicable).keys() & evidence.keys():
        yield f"{requirement} has a test and a reason for having none"
    for requirement in {*requirements.not_done, *requirements.not_applicable, *requirements.shown_by} - known:
        yield f"{requirement} is not in the list"
    existing = every_test(TESTS)
    for name in itertools.chain.from_iterable(requirements.shown_by.values()):
        if name not in existing:
            yield f"there is no test {name}"


def _attacks() -> dict[str, list[dict[str, object]]]:
    """Daemon → what the lab recorded against it."""
    recorded: dict[str, list[dict[str, object]]] = json.loads(ATTACKS.read_text("utf-8")) if ATTACKS.exists() else {}
    return recorded


def _comparison(attacks: Mapping[str, list[dict[str, object]]], requirements: Requirements) -> str:
    """A table for each case."""
    texts = {row.id: row.text for rows in requirements.sections.values() for row in rows}
    measured = {
        (daemon, str(row["case"]), str(row["attack"])): f"{'held' if row['held'] else '**broken**'}: {row['measured']}"
        for daemon, rows in attacks.items()
        for row in rows
    }
    parts = []
    keys = sorted({(case, attack) for _, case, attack in measured})
    for case, found in itertools.groupby(keys, key=lambda key: key[0]):
        rows = ((attack, *(measured.get((daemon, case, attack), "–") for daemon in attacks)) for _, attack in found)
        parts.append(f"\n### {case}: {texts.get(case, '')}\n\n{_table(('Attack', *attacks), rows)}")
    held = [f"{sum(bool(row['held']) for row in rows)} of {len(rows)} by {daemon}" for daemon, rows in attacks.items()]
    parts.append(f"\nHeld: {', '.join(held)}.\n")
    return "".join(parts)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
