"""The daemons that are compared: how each is started, and one that runs.

Each measurement gets a process of its own, pinned to one core, that nothing was asked of before. All are started with
the same options: errors alone are logged, no kernel module, and a `delete` ends the call at once instead of after
30 seconds, so that its work falls into the measured period.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.kernel import prepare
from benchmarks.ng import DaemonError, NgClient

ROOT = Path(__file__).resolve().parent.parent
START = 20.0
"""Seconds that a daemon may take until it answers a ping."""
LOG_TAIL = 2000
"""Bytes of a daemon's log that are shown when it fails."""
STOP = 10.0
"""Seconds after SIGTERM until it is killed."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that can be measured."""

    name: str
    """What selects it."""
    command: tuple[str, ...]
    version: tuple[str, ...]
    """The command that prints its version."""
    title: str = ""
    """What tables call it, if that is not its name."""

    def __str__(self) -> str:
        return self.title or self.name


_NGDAEMON = (sys.executable, "-m", "ngdaemon")
_VERSION = (*_NGDAEMON, "--version")

ECHO = Daemon("echo", (), (), "a bare echo")
"""Sends packets back (echo.c). It knows no calls, and can be measured for packets alone (carrier.py)."""

DAEMONS = {
    daemon.name: daemon
    for daemon in (
        Daemon("ngdaemon", _NGDAEMON, _VERSION),
        Daemon("native", (*_NGDAEMON, "--forwarder=native"), _VERSION, "ngdaemon (native)"),
        Daemon("portable", (*_NGDAEMON, "--forwarder=portable"), _VERSION, "ngdaemon (portable)"),
        Daemon(
            "rtpengine",
            # One thread for one core shows it at its best: with its default of four a packet costs a third more and up.
            ("rtpengine", "--num-threads=1", "--media-num-threads=1"),
            ("rtpengine", "--version"),
        ),
        ECHO,
    )
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where daemons run and phones live: loopback addresses that nothing else uses, and cores."""

    address: str = "127.0.7.1"
    callers: str = "127.0.7.2"
    callees: str = "127.0.7.3"
    ng_port: int = 2400
    media_ports: tuple[int, int] = (20000, 29999)
    daemon_core: int = 0
    load_core: int = 1
    log_level: int = 3


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that answers."""

    pid: int
    client: NgClient
    site: Site


@contextlib.contextmanager
def running(daemon: Daemon, site: Site) -> Iterator[Running]:
    """Start a daemon, and stop it at the end. Raises DaemonError, with its log, when it does not come up or stay up."""
    if daemon is ECHO:
        raise DaemonError(f"{daemon} knows no calls")
    _check_port_is_free(site)
    with tempfile.TemporaryFile() as log, _process(daemon, site, log) as process:
        client = NgClient(site.address, site.ng_port)
        try:
            _wait_until_ready(daemon, process, site)
            yield Running(process.pid, client, site)
            if process.poll() is not None:
                raise DaemonError(f"{daemon.name} ended by itself with code {process.returncode}")
        except DaemonError as error:
            log.seek(0)
            raise DaemonError(f"{error}\n{log.read()[-LOG_TAIL:].decode(errors='replace')}".strip()) from error
        finally:
            client.close()


@contextlib.contextmanager
def _process(daemon: Daemon, site: Site, log: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        (*daemon.command, *_options(site)),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        preexec_fn=lambda: prepare(site.daemon_core),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def version_of(daemon: Daemon) -> str:
    """Name and version as the daemon tells it."""
    if not daemon.version:
        return str(daemon)
    done = subprocess.run(daemon.version, cwd=ROOT, capture_output=True, text=True, timeout=START, check=True)
    words = (done.stdout + done.stderr).split()
    return f"{daemon} {words[-1]}"


def _options(site: Site) -> tuple[str, ...]:
    low, high = site.media_ports
    return (
        *("--config-file=none", "--foreground", "--log-stderr", f"--log-level={site.log_level}", "--table=-1"),
        *(f"--interface={site.address}", f"--listen-ng={site.address}:{site.ng_port}"),
        *(f"--port-min={low}", f"--port-max={high}", "--delete-delay=0"),
    )


def _check_port_is_free(site: Site) -> None:
    """Another daemon at this port would answer in place of ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((site.address, site.ng_port))
        except OSError as error:
            raise DaemonError(f"control port {site.address}:{site.ng_port} cannot be used: {error.strerror}") from None


def _wait_until_ready(daemon: Daemon, process: "subprocess.Popen[bytes]", site: Site) -> None:
    probe = NgClient(site.address, site.ng_port)
    deadline = time.monotonic() + START
    try:
        while not probe.answers(timeout=0.2):
            if process.poll() is not None:
                command = " ".join((*daemon.command, *_options(site)))
                raise DaemonError(f"{daemon.name} did not start (code {process.returncode}); try: {command}")
            if time.monotonic() > deadline:
                raise DaemonError(f"{daemon.name} answered no ping within {START:g} s")
            time.sleep(0.05)
    finally:
        probe.close()
