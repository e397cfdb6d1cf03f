"""Only one benchmark runs at a time."""

from pathlib import Path

import pytest

from benchmarks.alone import AloneError, alone


def test_a_second_benchmark_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    lock = tmp_path / "made" / "lock"
    with alone(lock), pytest.raises(AloneError, match="another benchmark"), alone(lock):
        pass
    with alone(lock):
        pass
