"""The reactor that the daemon runs: Twisted's, with a clock that never jumps and a short way from socket to callback.

Twisted keeps time by the wall clock, so a step of that clock would stop or fire all timers; ours is monotonic, the same
clock as `now` everywhere. And its way from a readable socket to the code that reads it (a logging context, several
checks) costs more than reading the datagram, so descriptors that are *watched* are called directly.
"""

import logging
import select
import time
from collections.abc import Callable

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor
from twisted.python import log

logger = logging.getLogger("ngdaemon")

monotonic = time.monotonic
"""The clock of the daemon."""

_EVENTS = 256
"""Descriptors that are served before timers get their turn."""


class Reactor(EPollReactor):
    """Twisted's epoll reactor, with `watch`."""

    seconds = staticmethod(monotonic)

    def __init__(self) -> None:
        self._watched: dict[int, Callable[[], object]] = {}
        super().__init__()  # type: ignore[no-untyped-call]

    def watch(self, descriptor: int, readable: Callable[[], object]) -> None:
        """Call `readable` whenever the descriptor can be read, as long as there is something left to read.

        What it raises is logged and ends nothing. Raises OSError for a descriptor that is closed or watched already.
        """
        self._poller.register(descriptor, select.EPOLLIN)
        self._watched[descriptor] = readable

    def unwatch(self, descriptor: int) -> None:
        """Stop watching a descriptor that is closed next: with that the kernel forgets it, and a system call is saved.

        Nothing happens when it is not watched.
        """
        self._watched.pop(descriptor, None)

    def doPoll(self, timeout: float | None) -> None:  # noqa: N802 - the name is Twisted's
        """One turn: wait for descriptors at most that long (None: for ever) and serve those that are ready."""
        try:
            ready = self._poller.poll(-1 if timeout is None else timeout, _EVENTS)
        except InterruptedError:
            return
        watched, selectables = self._watched, self._selectables
        for descriptor, event in ready:
            readable = watched.get(descriptor)
            if readable is not None:
                try:
                    readable()
                except Exception:
                    logger.exception("a callback failed")
            elif (selectable := selectables.get(descriptor)) is not None:
                log.callWithLogger(  # type: ignore[no-untyped-call]
                    selectable, self._doReadOrWrite, selectable, descriptor, event
                )

    doIteration = doPoll  # noqa: N815 - the name is Twisted's


def install() -> Reactor:
    """Make the reactor of this process. Raises twisted's ReactorAlreadyInstalledError when there is one."""
    reactor = Reactor()
    installReactor(reactor)  # type: ignore[no-untyped-call]
    return reactor
