"""Which forwarder is taken."""

import logging
from typing import cast

import pytest

from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.shell import installed
from ngdaemon.shell.backend import open_backend
from ngdaemon.shell.installed import native_trouble
from ngdaemon.shell.reactor import Reactor


class IdleReactor:
    """Nothing is opened, so nothing is watched."""

    def seconds(self) -> float:
        return 0.0


REACTOR = cast(Reactor, IdleReactor())


def nothing() -> None:
    """Nobody wants to hear of events."""


def test_the_portable_forwarder_is_taken_with_a_word_on_what_that_costs() -> None:
    backend = open_backend(Config(forwarder="auto"), REACTOR, nothing)
    assert backend.name == "portable"
    assert "several times the CPU" in backend.remark
    assert backend.level == logging.INFO
    assert backend.octets() == 0
    backend.close()


def test_whoever_asks_for_it_is_told_nothing() -> None:
    assert open_backend(Config(forwarder="portable"), REACTOR, nothing).remark == ""


def test_the_native_forwarder_is_missed_when_it_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="forwarder: the package ngdaemon-native is not installed"):
        open_backend(Config(forwarder="native"), REACTOR, nothing)


def test_a_native_package_that_cannot_be_used_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "NATIVE_MODULE", "json")
    assert "cannot use" in native_trouble()
    backend = open_backend(Config(forwarder="auto"), REACTOR, nothing)
    assert "cannot use" in backend.remark
    assert backend.level == logging.WARNING
    backend.close()
