"""Waiting for conditions instead of for time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STEP = 0.01


def wait_for(condition: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """The first true value of `condition()`; AssertionError naming `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(_STEP)
