"""Which forwarder is taken."""

import logging
import sys
from collections.abc import Callable
from typing import cast

import pytest

from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.media import plan
from ngdaemon.shell import installed
from ngdaemon.shell.backend import open_backend
from ngdaemon.shell.installed import NO_NATIVE, native_trouble
from ngdaemon.shell.reactor import Reactor
from tests.support.native import needs_native


class IdleReactor:
    """Nothing is read."""

    def __init__(self) -> None:
        self.watched: set[int] = set()

    def seconds(self) -> float:
        return 0.0

    def watch(self, descriptor: int, readable: Callable[[], object]) -> None:
        self.watched.add(descriptor)

    def unwatch(self, descriptor: int) -> None:
        self.watched.remove(descriptor)


@pytest.fixture
def idle() -> IdleReactor:
    return IdleReactor()


@pytest.fixture
def reactor(idle: IdleReactor) -> Reactor:
    return cast(Reactor, idle)


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The native package is not installed."""
    monkeypatch.setitem(sys.modules, installed.NATIVE_MODULE, None)


def nothing() -> None:
    """Nobody wants to hear of events."""


@needs_native
@pytest.mark.parametrize("asked", ["auto", "native"])
def test_the_native_forwarder_is_taken_where_it_is_installed(idle: IdleReactor, reactor: Reactor, asked: str) -> None:
    backend = open_backend(Config(forwarder=asked), reactor, nothing)
    assert (backend.name, backend.remark, backend.octets()) == ("native", "", 0)
    assert len(idle.watched) == 1
    backend.close()
    assert idle.watched == set()


@pytest.mark.usefixtures("missing")
def test_without_it_the_portable_one_is_taken_with_a_word_on_what_that_costs(reactor: Reactor) -> None:
    backend = open_backend(Config(forwarder="auto"), reactor, nothing)
    assert backend.name == "portable"
    assert "Python carries the packets" in backend.remark
    assert backend.level == logging.INFO
    assert backend.octets() == 0
    backend.close()


def test_whoever_asks_for_the_portable_one_gets_it_and_is_told_nothing(reactor: Reactor) -> None:
    backend = open_backend(Config(forwarder="portable"), reactor, nothing)
    assert (backend.name, backend.remark) == ("portable", "")


@pytest.mark.usefixtures("missing")
def test_the_native_forwarder_is_missed_when_it_is_asked_for(reactor: Reactor) -> None:
    with pytest.raises(ConfigError, match="forwarder: the package ngdaemon-native is not installed"):
        open_backend(Config(forwarder="native"), reactor, nothing)


def test_a_native_package_that_cannot_be_used_is_not_called_missing(
    reactor: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "NATIVE_MODULE", "json")
    assert "cannot use" in native_trouble()
    backend = open_backend(Config(forwarder="auto"), reactor, nothing)
    assert "cannot use" in backend.remark
    assert backend.level == logging.WARNING
    backend.close()


@needs_native
def test_one_that_understands_other_plans_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert native_trouble() == ""
    monkeypatch.setattr(installed, "PLAN_VERSION", plan.PLAN_VERSION + 1)
    assert "belongs to another one" in native_trouble()


def test_one_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("libc.so.6: version `GLIBC_2.99' not found")

    monkeypatch.setattr(installed, "NATIVE_MODULE", "json")
    monkeypatch.setattr(installed, "import_module", fail)
    assert "GLIBC_2.99" in native_trouble()
    assert native_trouble() != NO_NATIVE
