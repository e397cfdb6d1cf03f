"""The backends that have to keep the contract, each with a way to let it work for a moment."""

import os
from collections.abc import Callable
from functools import partial
from typing import Protocol

import pytest

from ngdaemon.media.forwarder import Forwarder
from ngdaemon.shell.portable import PortableForwarder
from ngdaemon.shell.reactor import Reactor
from tests.support.native import LEFT_OUT


class Backend(Protocol):
    """A forwarder under test."""

    @property
    def forwarder(self) -> Forwarder: ...

    @property
    def woken(self) -> int:
        """How often it said that there are events."""
        ...

    def work(self) -> None:
        """Let it work; returns after some milliseconds at the latest."""
        ...

    def close(self) -> None: ...


class Opened(Forwarder, Protocol):
    """A forwarder that can be closed."""

    def close(self) -> None: ...


class OnReactor:
    """A forwarder on a reactor that is not installed."""

    def __init__(self, make: Callable[[Reactor, Callable[[], None]], Opened]) -> None:
        self._reactor = Reactor()
        self._forwarder = make(self._reactor, self._wake)
        self.woken = 0

    @property
    def forwarder(self) -> Forwarder:
        return self._forwarder

    def _wake(self) -> None:
        self.woken += 1

    def work(self) -> None:
        self._reactor.runUntilCurrent()
        self._reactor.doPoll(0.005)

    def close(self) -> None:
        self._forwarder.close()
        self._reactor._poller.close()
        for end in (self._reactor.waker.i, self._reactor.waker.o):
            os.close(end)


def portable() -> Backend:
    return OnReactor(PortableForwarder)


def native() -> Backend:
    if LEFT_OUT:
        pytest.skip(LEFT_OUT)
    from ngdaemon.shell.native import NativeForwarder

    return OnReactor(partial(NativeForwarder, workers=2))


BACKENDS: dict[str, Callable[[], Backend]] = {"portable": portable, "native": native}
"""One rig for each backend."""
