"""One benchmark at a time: two would measure each other."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

_LOCK = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "lock"


class AloneError(Exception):
    """Another benchmark runs."""


@contextlib.contextmanager
def alone(lock: Path = _LOCK) -> Iterator[None]:
    """Hold the lock of this checkout. Raises AloneError at once when another process has it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AloneError("another benchmark runs from this checkout: wait until it has ended") from None
        yield
