"""Complaints are held back, whoever causes them."""

from ngdaemon.base.throttle import INTERVAL, LONGEST_KIND, MAX_KINDS, Throttle


def test_one_of_a_kind_passes_in_an_interval_and_the_next_one_counts_those_held_back() -> None:
    throttle = Throttle()
    assert throttle.passes("a", 0.0) == 0
    assert [throttle.passes("a", 0.1 * step) for step in range(1, 4)] == [None] * 3
    assert throttle.passes("a", INTERVAL) == 3


def test_a_few_of_a_kind_may_pass_together() -> None:
    throttle = Throttle(burst=3)
    assert [throttle.passes("a", 0.1 * step) for step in range(6)] == [0, 0, 0, None, None, None]
    assert [throttle.passes("a", INTERVAL + 0.1 * step) for step in range(4)] == [3, 0, 0, None]
    assert throttle.passes("a", 2 * INTERVAL) == 1


def test_of_too_many_kinds_the_oldest_alone_is_forgotten() -> None:
    throttle = Throttle()
    for number in range(MAX_KINDS + 1):
        assert throttle.passes(str(number), 0.0) == 0
    assert throttle.passes("1", 1.0) is None
    assert throttle.passes("0", 1.0) == 0


def test_kinds_are_kept_to_a_length() -> None:
    """S06: what they are made of comes from outside."""
    throttle = Throttle()
    assert throttle.passes("x" * LONGEST_KIND + "a", 0.0) == 0
    assert throttle.passes("x" * LONGEST_KIND + "b", 0.0) is None
    assert throttle.passes("x" * (LONGEST_KIND - 1) + "b", 0.0) == 0
