"""What the service manager is told."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngdaemon.shell.systemd import Supervisor


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(str(tmp_path / "notify"))
        opened.settimeout(5)
        yield opened


def test_the_manager_is_told_of_every_turn(manager: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": manager.getsockname()})
    supervisor.ready("NG on 127.0.0.1:2223")
    supervisor.reloading(1.5)
    supervisor.alive()
    supervisor.stopping()
    told = [manager.recv(200).decode() for _ in range(4)]
    assert told == [
        f"READY=1\nSTATUS=NG on 127.0.0.1:2223\nMAINPID={os.getpid()}",
        "RELOADING=1\nMONOTONIC_USEC=1500000",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"ngdaemon-test-{os.getpid()}"
        manager.bind(f"\0{name}")
        manager.settimeout(5)
        Supervisor({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert manager.recv(200) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket"])
def test_nobody_to_tell_is_no_reason_to_fail(address: str) -> None:
    Supervisor({"NOTIFY_SOCKET": address} if address else {}).ready("")


def test_the_watchdog_is_fed_twice_as_often_as_it_asks() -> None:
    assert Supervisor({"WATCHDOG_USEC": "10000000"}).watchdog_seconds == 5.0
    assert Supervisor({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}).watchdog_seconds == 5.0
    assert Supervisor({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert Supervisor({"WATCHDOG_USEC": "x"}).watchdog_seconds is None
    assert Supervisor({}).watchdog_seconds is None
