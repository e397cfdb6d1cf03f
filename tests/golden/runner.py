"""Plays scenarios of the corpus against daemons of ours over UDP, and says how well the replies agree."""

import errno
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest

from tests.golden import record
from tests.golden.judging import adjusted
from tests.golden.scope import Scenario

ROOT = Path(__file__).parents[2]
Reply = dict[str, Any] | None
"""A masked reply; None where there was none."""

LEVELS = ("exact", "lines", "semantic", "none")
"""How well replies may agree, best first (README.md)."""

RANGES = tuple((first, first + 2499) for first in range(30000, 40000, 2500))
"""Port ranges to choose from: clients in the scenarios have none of these."""
REST = ("--port-quarantine=1", *(f"--allow-weak={word}" for word in ("sha-1", "suites", "null", "unprotected")))
"""No scenario takes longer than a second, and then a quarter of the usual range is enough. What the reference agrees on
is allowed, weak or not: that it is refused by default is shown by `tests/call/negotiation/test_keying.py`."""
PATIENCE = 10
"""Seconds for a daemon to stop."""


class Case(NamedTuple):
    """A scenario and where it stands."""

    topic: str
    scenario: Scenario

    @property
    def id(self) -> str:
        return f"{self.topic}/{self.scenario['name']}"

    @property
    def profile(self) -> str:
        return str(self.scenario.get("daemon", "default"))


def cases() -> list[Case]:
    """All scenarios, in an order in which each profile's daemon is started once."""
    found = [Case(file["topic"], scenario) for file in record.load().values() for scenario in file["scenarios"]]
    return sorted(found, key=lambda case: case.profile)


def level_of(scenario: Scenario, replies: list[Reply]) -> str:
    """The best level at which all replies of a scenario agree, apart from differences that are rules (`judging.py`)."""
    scenario, replies = adjusted(scenario, replies)
    for level in record.LEVELS:
        if not record.judge(scenario, replies, level):
            return level
    return "none"


class Runner:
    """A daemon that is replaced when a scenario wants another profile, or when it died."""

    def __init__(self, folder: Path) -> None:
        """`folder` is for what daemons write."""
        self._command = shlex.join((sys.executable, "-m", "ngdaemon", *REST))
        self._profiles = record.profiles()
        self._profile = ""
        self._ports = free_range()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._client: record.Client | None = None
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(tempfile, "tempdir", str(folder))
        self._patch.setenv("PYTHONPATH", str(ROOT))
        for name in os.environ:
            if name.startswith("NGDAEMON_"):
                self._patch.delenv(name)

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()
        self._patch.undo()

    def play(self, case: Case) -> list[Reply]:
        """The masked replies to the steps of a scenario."""
        client = self._client_for(case.profile)
        advertised = self._profiles[case.profile].get("advertised")
        return record.play(client, case.scenario, ports=self._ports, advertised=advertised)

    def _client_for(self, profile: str) -> record.Client:
        alive = self._daemon is not None and self._daemon.poll() is None
        if not alive or profile != self._profile or self._client is None:
            self._stop()
            address = f"127.0.0.1:{free_port()}"
            self._daemon = record.start(self._command, self._profiles[profile], address, self._ports)
            self._client = record.Client(address)
            self._profile = profile
        return self._client

    def _stop(self) -> None:
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self._daemon.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._daemon = None


def free_port() -> int:
    """A UDP port of loopback that nobody has, outside of the ranges for media."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
            trial.bind(("127.0.0.1", 0))
            port = int(trial.getsockname()[1])
        if not RANGES[0][0] <= port <= RANGES[-1][1]:
            return port


def free_range() -> tuple[int, int]:
    """The range with the fewest ports that other programs have."""
    return min(RANGES, key=lambda ports: sum(map(_is_taken, range(ports[0], ports[1] + 1))))


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False
