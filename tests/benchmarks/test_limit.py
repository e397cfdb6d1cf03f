"""The highest rate is found by halving, and what did not arrive in time counts as missed."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from benchmarks import traffic
from benchmarks.limit import highest
from benchmarks.traffic import Traffic


def up_to(most: float) -> tuple[Callable[[float], bool], list[float]]:
    """A daemon that carries so much, and what it is asked for."""
    asked: list[float] = []

    def passes(rate: float) -> bool:
        asked.append(rate)
        return rate <= most

    return passes, asked


@pytest.mark.parametrize("most", [40.0, 99.0, 100.0, 101.0, 1234.0])
def test_the_highest_rate_is_found_as_close_as_is_asked_for(most: float) -> None:
    passes, asked = up_to(most)
    found = highest(passes, 100.0, 0.02)
    assert found <= most < found * 1.02
    assert found in asked
    assert len(asked) == len(set(asked))


def test_a_daemon_that_carries_nothing_is_named() -> None:
    with pytest.raises(traffic.LoadError, match="not even a packet a second"):
        highest(lambda _rate: False, 100.0, 0.02)


def seen(**counted: float) -> Traffic:
    return Traffic(**({field.name: 0 for field in fields(Traffic)} | counted))  # type: ignore[arg-type]


def test_what_is_overdue_is_missed_as_what_is_lost() -> None:
    run = seen(sent=1000, received=990, lost=10, overdue=40, wall=1.0)
    assert run.loss_percent == pytest.approx(1.0)
    assert run.missed_percent == pytest.approx(5.0)
    assert run.timely_rate == pytest.approx(950 / (1.0 + traffic.GRACE))
