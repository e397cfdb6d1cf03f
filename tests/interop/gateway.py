"""The media daemon (ngdaemon, or rtpengine with the same options for comparison), and a client of its control port."""

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import bencodepy

from ngdaemon.base.endpoint import Endpoint

from .network import Host
from .process import Process
from .waiting import wait_for

DAEMON_VARIABLE = "INTEROP_DAEMON"
_ROOT = Path(__file__).parents[2]
_PORTS = range(30000, 40000)
_PROGRAMS = {
    "ngdaemon": [sys.executable, "-m", "ngdaemon"],
    "rtpengine": ["rtpengine", "--table=-1", "--foreground", "--log-stderr", "--num-threads=1"],
}
_serial = itertools.count(1)


def daemon_under_test() -> str:
    """Which program is the media node: `ngdaemon` unless the environment variable says `rtpengine`."""
    return os.environ.get(DAEMON_VARIABLE, "ngdaemon")


class Gateway:
    """A media node on a host: its media goes over `addresses`, its control port is 127.0.0.1:`port`."""

    def __init__(self, host: Host, addresses: list[str], port: int, folder: Path) -> None:
        self.host = host
        self.addresses = addresses
        self.port = port
        self._folder = folder
        self.process: Process | None = None
        self._logs = ""

    @property
    def node(self) -> str:
        """The node as Kamailio's rtpengine module names it."""
        return f"udp:127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Run the daemon, deleted calls going at once, and wait until it answers."""
        command = [
            *_PROGRAMS[daemon_under_test()],
            "--config-file=none",
            *(f"--interface={address}" for address in self.addresses),
            f"--listen-ng=127.0.0.1:{self.port}",
            f"--port-min={_PORTS.start}",
            f"--port-max={_PORTS.stop - 1}",
            "--delete-delay=0",
            *options,
        ]
        log = self._folder / f"media-{self.port}-{next(_serial)}.log"
        process = self.process = Process(self.host, command, log, cwd=_ROOT)

        def alive() -> bool:
            process.check_running()
            return self.ask(0.1, command="ping") == {b"result": b"pong"}

        wait_for(alive, f"pong of {process.name}", 20)

    def stop(self) -> int:
        """End the daemon as an operator does; its exit code."""
        assert self.process
        code = self.process.stop()
        self._logs += self.process.output()
        self.process = None
        return code

    def kill(self) -> None:
        """Let the daemon die."""
        assert self.process
        self.process.kill()
        self._logs += self.process.output()
        self.process = None

    def close(self) -> None:
        if self.process:
            self.process.kill()

    def ask(self, seconds: float = 2.0, **request: Any) -> dict[bytes, Any]:
        """The reply to a request; empty when none came in time. Spaces and hyphens in keys are underscores here."""
        message = {key.replace("_", "-"): value for key, value in request.items()}
        cookie = f"test{next(_serial)}".encode()
        with self.host.udp("127.0.0.1") as sock:
            sock.settimeout(seconds)
            try:
                sock.connect(("127.0.0.1", self.port))
                sock.send(cookie + b" " + bencodepy.encode(message))
                reply = sock.recv(65535)
            except (TimeoutError, ConnectionRefusedError):
                return {}
        assert reply.startswith(cookie + b" ")
        decoded: dict[bytes, Any] = bencodepy.decode(reply.removeprefix(cookie + b" "))
        return decoded

    def calls(self) -> list[bytes]:
        """The call-ids that the daemon holds."""
        reply = self.ask(command="list")
        assert reply.get(b"result") == b"ok", f"list: {reply}"
        calls: list[bytes] = reply[b"calls"]
        return calls

    def media_ports(self) -> set[Endpoint]:
        """The media ports that are open."""
        return {bound for bound in self.host.bound() if bound.address in self.addresses and bound.port in _PORTS}

    def check_empty(self) -> None:
        """No call is left, and no port of one."""
        wait_for(lambda: not self.calls(), "the daemon to forget the call")
        wait_for(lambda: not self.media_ports(), "the release of the media ports")

    def check_end(self) -> None:
        """The daemon ends cleanly when asked to, and never stumbled over its own feet."""
        if self.process:
            assert self.stop() == 0
        assert "Traceback" not in self._logs, self._logs
