"""The one timer of the daemon, armed for whatever is due next."""

import logging
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger("ngdaemon")

LEAST_DELAY = 0.001
"""Seconds: what is still due after it was handled waits that long, so that it cannot keep the daemon busy."""
DELAY_AFTER_FAILURE = 1.0


class DelayedCall(Protocol):
    """What `callLater` gives."""

    def cancel(self) -> object: ...


class Scheduler(Protocol):
    """A reactor, as far as timers go."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], object]) -> DelayedCall: ...  # noqa: N802 - Twisted's


class Alarm:
    """Calls `handle(now)` when `next_timeout()` has come.

    `rearm` costs next to nothing when the next deadline has not moved forward. One that moved backward is noticed when
    the alarm goes off for the earlier one: nothing is handled then.
    """

    def __init__(
        self, scheduler: Scheduler, next_timeout: Callable[[], float | None], handle: Callable[[float], None]
    ) -> None:
        self._scheduler = scheduler
        self._next_timeout = next_timeout
        self._handle = handle
        self._call: DelayedCall | None = None
        self._armed_for = float("inf")

    def rearm(self) -> None:
        """Look at the next deadline, after anything that may have changed it."""
        due = self._next_timeout()
        if due is not None and due < self._armed_for:
            self._arm(due, 0.0)

    def cancel(self) -> None:
        """Forget all deadlines."""
        if self._call is not None:
            self._call.cancel()
        self._call, self._armed_for = None, float("inf")

    def _arm(self, due: float, least: float) -> None:
        self.cancel()
        self._armed_for = due
        self._call = self._scheduler.callLater(max(due - self._scheduler.seconds(), least), self._go_off)

    def _go_off(self) -> None:
        self._call, self._armed_for = None, float("inf")
        now, least = self._scheduler.seconds(), LEAST_DELAY
        due = self._next_timeout()
        if due is not None and due <= now:
            try:
                self._handle(now)
            except Exception:  # one failure must not end all timers
                logger.exception("what was due failed")
                least = DELAY_AFTER_FAILURE
            due = self._next_timeout()
        if due is not None:
            self._arm(due, least)
