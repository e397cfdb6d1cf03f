"""Packets go through a daemon's calls, and through the echo in its place."""

import importlib.util
from dataclasses import replace

import pytest

from benchmarks import measures
from benchmarks.daemons import DAEMONS, ECHO, Site, running, version_of
from benchmarks.measures import Effort, condition, media
from benchmarks.ng import DaemonError
from benchmarks.shapes import PLAIN
from benchmarks.suites import SUITES

RATE = 800
EFFORT = Effort(rounds=1, groups=1, held=1, seconds=0.5, handshakes=1, alone=1, attempts=1)
FORWARDERS = [
    "portable",
    pytest.param(
        "native",
        marks=pytest.mark.skipif(importlib.util.find_spec("ngdaemon_native") is None, reason="not installed"),
    ),
]


@pytest.mark.parametrize("name", [*FORWARDERS, "echo"])
def test_all_packets_arrive(name: str, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "SETTLE", 0.3)
    figures = media(PLAIN, 4, (RATE,))(DAEMONS[name], site, EFFORT)
    under = condition(PLAIN, 4, RATE)
    assert figures[f"loss@{under}"] == 0
    assert figures[f"cpu@{under}"] > 0


def test_the_echo_knows_no_calls(site: Site) -> None:
    with pytest.raises(DaemonError, match="a bare echo knows no calls"), running(ECHO, site):
        pass
    assert version_of(ECHO) == "a bare echo"


def test_an_echo_that_finds_no_room_is_named(site: Site) -> None:
    nowhere = replace(site, address="192.0.2.1")
    with pytest.raises(DaemonError, match="echo: cannot bind a port"):
        media(PLAIN, 4, (RATE,))(ECHO, nowhere, EFFORT)


def test_every_suite_names_daemons_that_there_are() -> None:
    for suite in SUITES.values():
        assert {suite.subject, suite.peer} <= set(DAEMONS)
