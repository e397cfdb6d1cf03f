"""Time that stands still until a test moves it."""


class Clock:
    """Monotonic seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def advance(self, seconds: float) -> float:
        """The new time."""
        self.now += seconds
        return self.now

    def __call__(self) -> float:
        return self.now
