"""A reactor that is not installed."""

import os
from collections.abc import Iterator

import pytest

from ngdaemon.shell.reactor import Reactor


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    made = Reactor()
    yield made
    made._poller.close()
    for end in (made.waker.i, made.waker.o):
        os.close(end)
