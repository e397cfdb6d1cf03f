"""What the core may be given from outside, besides `now` (monotonic seconds, always the last argument)."""

from typing import Protocol


class Rng(Protocol):
    """Randomness: of the operating system in production, seeded in tests."""

    def bytes(self, count: int) -> bytes:
        """`count` random octets, fit for keys."""
        ...

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, evenly spread."""
        ...


class Wall(Protocol):
    """Wall-clock time, for `query` and certificates only; never for deadlines."""

    def microseconds(self) -> int:
        """Microseconds since the Unix epoch."""
        ...


class Load(Protocol):
    """How busy the machine is, for the load limits."""

    def load_average(self) -> float:
        """The one-minute load average."""
        ...

    def cpu_percent(self) -> float:
        """CPU use of the machine, 0 to 100."""
        ...

    def bytes_per_second(self) -> float:
        """Media octets relayed per second."""
        ...
