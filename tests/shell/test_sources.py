"""Randomness, wall time and load of the real system."""

from pathlib import Path

from ngdaemon.shell.load import SystemLoad
from ngdaemon.shell.rng import SystemRng
from ngdaemon.shell.wall import SystemWall


def test_random_octets_have_the_length_that_was_asked_for_and_do_not_repeat() -> None:
    rng = SystemRng()
    drawn = [rng.bytes(16) for _ in range(1000)]
    assert {len(octets) for octets in drawn} == {16}
    assert len(set(drawn)) == 1000
    assert len(rng.bytes(10_000)) == 10_000
    assert rng.bytes(0) == b""


def test_numbers_reach_every_value_below_the_limit_and_no_other() -> None:
    rng = SystemRng()
    assert {rng.below(5) for _ in range(1000)} == {0, 1, 2, 3, 4}
    assert rng.below(1) == 0


def test_wall_time_counts_from_1970() -> None:
    assert SystemWall().microseconds() > 1_700_000_000_000_000


def test_cpu_and_bandwidth_are_means_between_two_samples(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1\n")
    octets = 1000
    load = SystemLoad(lambda: octets, 10.0, stat)
    assert (load.cpu_percent(), load.bytes_per_second()) == (0.0, 0.0)
    stat.write_text("cpu  160 0 110 820 10 0 0 0 0 0\ncpu0 1\n")
    octets = 5000
    load.sample(12.0)
    assert load.cpu_percent() == 70.0
    assert load.bytes_per_second() == 2000.0
    load.sample(12.0)
    assert load.bytes_per_second() == 2000.0


def test_without_proc_the_cpu_is_taken_for_idle(tmp_path: Path) -> None:
    load = SystemLoad(lambda: 0, 0.0, tmp_path / "none")
    load.sample(1.0)
    assert load.cpu_percent() == 0.0
    assert load.load_average() >= 0.0
