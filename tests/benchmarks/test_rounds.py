"""Rounds alternate, the first does not count, and medians and ratios are taken over the others."""

from collections.abc import Sequence
from datetime import date

import pytest

from benchmarks.daemons import Daemon, Site
from benchmarks.measures import QUICK, Effort, Figures
from benchmarks.report import Report, replace_section
from benchmarks.rounds import Round, outcome, run_rounds
from benchmarks.suites import SUITES, Row, Suite

SUBJECT, PEER = (Daemon(name, (), ()) for name in ("ours", "theirs"))
EFFORT = Effort(rounds=3, groups=1, held=1, seconds=1.0, handshakes=1, alone=1)


def rounds_of(subject: Sequence[float], peer: Sequence[float], figure: str = "cpu@1") -> list[Round]:
    return [Round({figure: ours}, {figure: theirs}) for ours, theirs in zip(subject, peer, strict=True)]


def test_the_first_round_is_thrown_away_and_the_order_alternates() -> None:
    runs: list[str] = []

    def measure(daemon: Daemon, _site: Site, _effort: Effort) -> Figures:
        runs.append(daemon.name)
        return {"run": float(len(runs))}

    rounds = run_rounds([measure], SUBJECT, PEER, Site(), EFFORT)
    assert runs == ["ours", "theirs", "theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert [(one.subject["run"], one.peer["run"]) for one in rounds] == [(4, 3), (5, 6), (8, 7)]


def test_a_quick_run_throws_nothing_away() -> None:
    rounds = run_rounds([lambda daemon, _site, _effort: {daemon.name: 1.0}], SUBJECT, PEER, Site(), QUICK)
    assert rounds == [Round({"ours": 1.0}, {"theirs": 1.0})]


def test_ratios_are_taken_within_rounds() -> None:
    found = outcome(rounds_of([10, 40, 30], [10, 20, 10]), "cpu@1")
    assert found is not None
    assert (found.subject, found.peer) == (30, 10)
    assert (found.ratio, found.ratio_range) == (2.0, (1.0, 3.0))
    assert found.subject_range == (10, 40)


def test_a_figure_that_the_peer_lacks_has_no_ratio() -> None:
    found = outcome([Round({"p50@1": 5.0}, {})], "p50@1")
    assert found is not None
    assert (found.peer, found.ratio) == (None, None)
    assert outcome([Round({}, {"p50@1": 5.0})], "p50@1") is None


def test_every_row_of_a_table_has_a_title_of_its_own() -> None:
    for suite in SUITES.values():
        assert len({row.title for row in suite.rows}) == len(suite.rows)
        assert len({row.figure for row in suite.rows}) == len(suite.rows)


def report(rounds: Sequence[Round], *rows: Row) -> Report:
    suite = Suite("some", "Some calls", (), rows)
    return Report(
        suite, EFFORT, "ours", "theirs", ("ours 1", "theirs 2"), "2 cores", "make it", date(2030, 1, 2), rounds
    )


def test_a_row_shows_medians_ratio_and_whether_it_is_good_enough() -> None:
    rounds = rounds_of([10, 40, 30], [10, 20, 10])
    text = report(
        rounds, Row("cpu@1", "CPU", "µs", reach=2.0, aim=1.3), Row("cpu@1", "CPU too", "µs", reach=1.9)
    ).markdown()
    assert "| CPU | 30.0 µs | 10.0 µs | **2.00** [1.00–3.00] | ≤ 2 (aim 1.3) | yes |" in text
    assert "| CPU too | 30.0 µs | 10.0 µs | **2.00** [1.00–3.00] | ≤ 1.9 | no |" in text
    assert "ours 1 beside theirs 2, 2030-01-02" in text


def test_a_value_that_counts_by_itself_is_not_compared() -> None:
    rounds = rounds_of([0.0, 0.5, 0.0], [0.0, 0.0, 0.0], "loss@1")
    text = report(rounds, Row("loss@1", "loss", "%", 2, ratio=False, reach=0.0)).markdown()
    assert "| loss | 0.00 % | 0.00 % | [0.00–0.50] | 0 % | yes |" in text


def test_where_more_is_better_the_least_that_is_good_enough_counts() -> None:
    rows = [
        Row("limit@1", "limit", "packets/s", 0, reach=1.2, aim=1.35, higher=True),
        Row("limit@1", "limit too", "packets/s", 0, reach=1.6, higher=True),
        Row("limit@1", "share", "", 2, ratio=False, reach=0.95, aim=1.0, higher=True),
    ]
    text = report(rounds_of([1500.0], [1000.0], "limit@1"), *rows).markdown()
    assert "| limit | 1,500 packets/s | 1,000 packets/s | **1.50** [1.50–1.50] | ≥ 1.2 (aim 1.35) | yes |" in text
    assert "| limit too | 1,500 packets/s | 1,000 packets/s | **1.50** [1.50–1.50] | ≥ 1.6 | no |" in text
    assert "| [1500.00–1500.00] | ≥ 0.95 (aim 1) | yes |" in text


def test_a_figure_that_was_not_found_is_not_reached() -> None:
    assert (
        "| delay | – | – | – | ≤ 1 | no |" in report([Round({}, {})], Row("p99@1", "delay", "µs", reach=1.0)).markdown()
    )


def test_a_table_made_on_a_busy_machine_says_so() -> None:
    waited = rounds_of([1.0, 12.0], [0.5, 2.0], "waited@1")
    late = rounds_of([1.0], [7.0], "late@1")
    assert "not quiet: a daemon waited for its core up to 12 % of the time." in report(waited).markdown()
    assert "of the time and the load was late for up to 7 % of the packets." in report(waited + late).markdown()
    assert "not quiet" not in report(waited[:1]).markdown()


def test_a_section_is_replaced_and_the_rest_stays() -> None:
    text = (
        "head\n<!-- figures: some -->\nold\n<!-- end -->\nmiddle\n<!-- figures: other -->\nkept\n<!-- end -->\ntail\n"
    )
    written = replace_section(text, "some", "new\n")
    assert written == text.replace("\nold\n", "\n\nnew\n\n")
    assert replace_section(written, "some", "new\n") == written
    with pytest.raises(ValueError, match="figures: third"):
        replace_section(text, "third", "new\n")
