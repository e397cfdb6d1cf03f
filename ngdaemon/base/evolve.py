"""Copies of frozen values with some fields changed, several times faster than `dataclasses.replace`.

The call model is made of frozen dataclasses that change by copying, some twenty times a request: with the standard
function those copies were half the cost of an offer.
"""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")

_Shape = tuple[Callable[[Any], tuple[Any, ...]], tuple[Callable[[Any, Any], None], ...], dict[str, Callable[..., None]]]

_shapes: dict[type, _Shape] = {}


def replace(instance: T, **changes: Any) -> T:
    """A copy of a frozen, slotted dataclass with these fields changed.

    Fields are copied as they are: classes that check or convert their fields when they are made are not for this.
    Raises KeyError for a field that does not exist.
    """
    cls = instance.__class__
    values, setters, by_name = _shapes.get(cls) or _learn(cls)
    copy = object.__new__(cls)
    for put, value in zip(setters, values(instance), strict=True):
        put(copy, value)
    for name, value in changes.items():
        by_name[name](copy, value)
    return copy


def _learn(cls: type) -> _Shape:
    """How to read and write the slots of a class; slot descriptors pass by the frozen `__setattr__`."""
    names = [field.name for field in fields(cls)]
    if len(names) < 2 or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} is not a plain value")
    by_name = {name: cls.__dict__[name].__set__ for name in names}
    shape = _shapes[cls] = (attrgetter(*names), tuple(by_name.values()), by_name)
    return shape
