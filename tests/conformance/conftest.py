"""One rig for each backend."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.backends import BACKENDS
from tests.conformance.rig import Call, Rig


@pytest.fixture(params=BACKENDS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        backend = BACKENDS[request.param]()
        stack.callback(backend.close)
        yield Rig(backend, stack)


@pytest.fixture
def call(rig: Rig) -> Call:
    """A call that is up."""
    return Call(rig).start()
