"""The earliest of several points of time, of which some may never come."""

import pytest

from ngdaemon.base.deadline import earliest


@pytest.mark.parametrize(
    ("times", "first"),
    [((), None), ((None, None), None), ((3.0, None, 2.0, 5.0), 2.0), ((None, 0.0, 1.0), 0.0), ((-1.0, 0.0), -1.0)],
)
def test_never_is_later_than_any_time(times: tuple[float | None, ...], first: float | None) -> None:
    assert earliest(*times) == first
