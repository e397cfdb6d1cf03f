"""A daemon that cannot be measured is named with the reason."""

import socket
import sys

import pytest

from benchmarks.daemons import Daemon, Site, running
from benchmarks.ng import DaemonError


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_daemon_that_ends_at_once_is_reported_with_its_log() -> None:
    broken = Daemon("broken", (sys.executable, "-c", "raise SystemExit('no such interface')"), ())
    with (
        pytest.raises(DaemonError, match=r"(?s)broken did not start \(code 1\).*no such interface"),
        running(broken, Site(address="127.0.0.1", ng_port=free_port())),
    ):
        pass


def test_another_daemon_at_the_port_is_not_measured_in_its_place() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        site = Site(address="127.0.0.1", ng_port=other.getsockname()[1])
        with (
            pytest.raises(DaemonError, match="cannot be used: Address already in use"),
            running(Daemon("x", (), ()), site),
        ):
            pass
