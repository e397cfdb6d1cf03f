"""A quick named tuple is changed like any other."""

from typing import NamedTuple

import pytest

from ngdaemon.base.record import quick


@quick
class Point(NamedTuple):
    x: int
    y: int = 0
    name: str = ""

    @property
    def sum(self) -> int:
        return self.x + self.y


class Usual(NamedTuple):
    x: int
    y: int = 0
    name: str = ""


@pytest.mark.parametrize("changed", [{}, {"x": 5}, {"y": 5, "name": "b"}, {"name": "c", "y": 2, "x": 1}])
def test_what_changes_is_what_was_named(changed: dict[str, object]) -> None:
    point = Point(1, 2, "a")
    again = point._replace(**changed)  # type: ignore[arg-type]
    assert type(again) is Point
    assert tuple(again) == tuple(Usual(1, 2, "a")._replace(**changed))  # type: ignore[arg-type]
    assert point == Point(1, 2, "a")


def test_methods_are_kept() -> None:
    assert Point(1)._replace(y=4).sum == 5


def test_fields_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="Point has no field 'z'"):
        Point(1)._replace(z=1)  # type: ignore[call-arg]
