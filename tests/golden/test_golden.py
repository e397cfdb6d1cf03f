"""The golden corpus against a real daemon: how near are we to a drop-in?

Every scenario is a test. Those that are known to disagree stand in `deviations.json` with the level at which they still
agree and the reason; a change in either direction fails, so that the file is always true.
"""

import pytest

from tests.golden import deviations
from tests.golden.deviations import REASONS, WANTED
from tests.golden.runner import LEVELS, Case, cases

CASES = cases()
KNOWN = deviations.read()
DOCUMENTED = deviations.documented()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_replies(levels: dict[str, tuple[str, str]], case: Case) -> None:
    level, differences = levels[case.id]
    listed = KNOWN[case.id].level if case.id in KNOWN else "exact"
    assert level == listed, explanation(case, level, listed, differences)


def explanation(case: Case, level: str, listed: str, differences: str) -> str:
    """What changed, in words, and the differences where it became worse."""
    title = f"{case.scenario['about']}\nagrees at level {level!r}, listed is {listed!r}"
    if LEVELS.index(level) < LEVELS.index(listed):
        return f"{title}: better than before; run python -m tests.golden.deviations --update"
    return f"{title}\n{differences}"


def test_deviations_are_of_scenarios_that_exist() -> None:
    assert set(KNOWN) <= {case.id for case in CASES}


@pytest.mark.parametrize("name", KNOWN)
def test_each_deviation_has_a_level_and_a_reason(name: str) -> None:
    level, reason = KNOWN[name]
    assert level in LEVELS[1:]
    known = reason in REASONS or reason in DOCUMENTED or len(reason.split()) > 3
    assert known, "give a word of the table, an id of docs/ng-protocol.md, or a sentence"


@pytest.mark.parametrize(
    ("name", "level", "percent"),
    [(name, level, percent) for name, levels in WANTED.items() for level, percent in levels.items()],
)
def test_plain_scenarios_agree(name: str, level: str, percent: float) -> None:
    share = deviations.shares(KNOWN, CASES)[name][level]
    assert share.percent >= percent
