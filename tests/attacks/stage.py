"""What happens in the lab happens in turns: everybody on the stage looks at its sockets and sends what is due."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

_STEP = 0.002


class Participant(Protocol):
    """Somebody with sockets."""

    def turn(self, now: float) -> None:
        """Take in what has come and send what is due; `now` are monotonic seconds."""

    def close(self) -> None: ...


P = TypeVar("P", bound=Participant)


class Stage:
    """All participants of a test."""

    def __init__(self) -> None:
        self._participants: list[Participant] = []

    def enter(self, participant: P) -> P:
        self._participants.append(participant)
        return participant

    def reached(self, condition: Callable[[], object], seconds: float = 10.0) -> bool:
        """Let everybody act until the condition holds; False when it does not in time."""
        deadline = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for participant in self._participants:
                participant.turn(now)
            if condition():
                return True
            if now > deadline:
                return False
            time.sleep(_STEP)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
        """As `reached`; AssertionError naming `what` when it does not."""
        assert self.reached(condition, seconds), f"not within {seconds:g} s: {what}"

    def play(self, seconds: float) -> None:
        """Let everybody act for that long: for what must not happen."""
        self.reached(lambda: False, seconds)

    def close(self) -> None:
        for participant in self._participants:
            participant.close()
