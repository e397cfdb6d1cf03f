"""A run that was disturbed by other work on the machine is made again."""

from collections.abc import Callable, Sequence

from benchmarks.measures import FULL, QUICK, Figures, undisturbed


def runs(*disturbances: tuple[float, float]) -> tuple[Callable[[], Figures], Sequence[Figures]]:
    """Runs with so much lateness and waiting, one after the other."""
    figures = [{"late": late, "waited": waited, "cpu": 1.0} for late, waited in disturbances]
    coming = iter(figures)
    return lambda: next(coming), figures


def test_an_undisturbed_run_counts_at_once() -> None:
    relay, figures = runs((4.9, 4.9))
    assert undisturbed(relay, 5) is figures[0]


def test_a_disturbed_run_is_made_again() -> None:
    relay, figures = runs((50.0, 0.0), (0.0, 50.0), (0.0, 0.0))
    assert undisturbed(relay, 5) is figures[2]


def test_where_no_run_is_undisturbed_the_calmest_counts() -> None:
    relay, figures = runs((90.0, 6.0), (6.0, 80.0), (7.0, 8.0), (99.0, 99.0), (10.0, 10.0))
    assert undisturbed(relay, 5) is figures[2]


def test_a_quick_run_is_not_made_again() -> None:
    relay, figures = runs((50.0, 50.0), (0.0, 0.0))
    assert undisturbed(relay, QUICK.attempts) is figures[0]
    assert FULL.attempts > 1
