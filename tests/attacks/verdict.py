"""What came of an attack: asserted for the daemon of this project, only written down for others."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.interop.gateway import daemon_under_test

RESULTS = Path(__file__).parent / "results.json"
RECORD_VARIABLE = "ATTACKS_RECORD"
OURS = "ngdaemon"


class Verdict(NamedTuple):
    """The outcome of one attack. `attack` says what was done, `measured` what was seen."""

    case: str
    attack: str
    held: bool
    measured: str


class Verdicts:
    """Judges attacks and remembers what came of them."""

    def __init__(self) -> None:
        self.given: list[Verdict] = []

    def __call__(self, case: str, attack: str, held: bool, measured: str) -> None:
        """Write it down; AssertionError when our own daemon did not hold."""
        self.together([Verdict(case, attack, held, measured)])

    def together(self, verdicts: Sequence[Verdict]) -> None:
        """Write all of them down before any is asserted."""
        self.given += verdicts
        broken = [f"{each.case}: {each.attack}: {each.measured}" for each in verdicts if not each.held]
        assert not broken or daemon_under_test() != OURS, "\n".join(broken)

    def record(self) -> None:
        """Put what was given into the file that docs/security.md is made of; other rows of the file stay."""
        document: dict[str, list[dict[str, object]]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        daemon = _daemon()
        rows = {(row["case"], row["attack"]): row for row in document.get(daemon, [])}
        rows |= {(verdict.case, verdict.attack): verdict._asdict() for verdict in self.given}
        document[daemon] = sorted(rows.values(), key=lambda row: (str(row["case"]), str(row["attack"])))
        RESULTS.write_text(json.dumps(dict(sorted(document.items())), indent=1, ensure_ascii=False) + "\n")


def _daemon() -> str:
    if daemon_under_test() == OURS:
        return OURS
    text = subprocess.run([daemon_under_test(), "--version"], capture_output=True, text=True, check=True)
    version = (text.stdout + text.stderr).split()[1]
    return f"{daemon_under_test()} {version.partition('-')[0].rpartition('.')[0]}"
