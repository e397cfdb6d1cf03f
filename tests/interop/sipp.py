"""SIPp as a phone: one process plays one scenario, watched on the wire of its host."""

import itertools
import socket
from pathlib import Path

from ngdaemon.base.endpoint import Endpoint

from .network import Host
from .process import Process
from .scenario import Registration, Scenario
from .waiting import wait_for

SIP_PORT = 5060
_END = b"\x1b"  # of a message between SIPp and its twin, whom the test plays
_PATIENCE = 15.0
_serial = itertools.count(1)


class SippCall:
    """A scenario while it is played."""

    def __init__(self, process: Process, errors: Path, call_id: str, gates: socket.socket) -> None:
        self.process = process
        self._errors = errors
        self._call_id = call_id
        self._gates = gates
        self._gate: socket.socket | None = None
        self._waiting = False

    def wait_at_gate(self) -> None:
        """Wait until the phone has come to its next gate."""
        if self._waiting:
            return
        if not self._gate:
            self._gates.settimeout(_PATIENCE)
            self._gate = self._gates.accept()[0]
            self._gate.settimeout(_PATIENCE)
        report = b""
        while not report.endswith(_END):
            part = self._gate.recv(65535)
            assert part, f"SIPp gave up before the gate: {self._complaint()}"
            report += part
        self._waiting = True

    def go(self) -> None:
        """Open the gate, once the phone has come to it."""
        self.wait_at_gate()
        assert self._gate
        self._gate.sendall(f"Call-ID: {self._call_id}\r\nFrom: test\r\n\r\n".encode() + _END)
        self._waiting = False

    def finish(self, seconds: float = _PATIENCE) -> None:
        """Wait until the scenario has been played to its end; AssertionError with SIPp's complaint when it failed."""
        try:
            code = self.process.wait(seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self._complaint()}") from None
        assert code == 0, f"SIPp gave up: {self._complaint()}"

    def close(self) -> None:
        self.process.kill()
        self._gates.close()
        if self._gate:
            self._gate.close()

    def _complaint(self) -> str:
        return self._errors.read_text(errors="replace") if self._errors.exists() else self.process.output()[-3000:]


class SippPhone:
    """A phone of `user` on a host, at one of its addresses, with the proxy as its outbound hop."""

    def __init__(self, user: str, host: Host, address: str, proxy: str, folder: Path, port: int = SIP_PORT) -> None:
        self.user = user
        self.host = host
        self.address = address
        self._proxy = f"[{proxy}]" if ":" in proxy else proxy
        self._folder = folder
        self._port = port
        self._calls: list[SippCall] = []

    def register(self) -> None:
        """Tell the registrar where this phone is."""
        self.play(Registration(self.user), f"register-{self.user}-{next(_serial)}").finish()

    def play(self, scenario: Scenario, call_id: str) -> SippCall:
        """Begin a scenario. Both sides of a call must be given the same call-id."""
        name = f"{self.user}-{next(_serial)}"
        xml = scenario.xml()
        path, errors = self._folder / f"{name}.xml", self._folder / f"{name}.errors"
        path.write_text(xml)
        with self.host.inside():
            gates = socket.create_server(("127.0.0.1", 0))
        gate = f"127.0.0.1:{gates.getsockname()[1]}"
        command = [
            "sipp", f"{self._proxy}:{SIP_PORT}", "-sf", str(path), "-m", "1", "-nostdin",
            "-i", self.address, "-mi", self.address, "-p", str(self._port), "-bind_local",
            "-cid_str", call_id, "-trace_err", "-error_file", str(errors),
            *(["-3pcc", gate] if "<recvCmd/>" in xml else []),
        ]  # fmt: skip
        process = Process(self.host, command, self._folder / f"{name}.log", cwd=self._folder)
        call = SippCall(process, errors, call_id, gates)
        self._calls.append(call)
        self._wait_for_port(process)
        return call

    def close(self) -> None:
        for call in self._calls:
            call.close()

    def _wait_for_port(self, process: Process) -> None:
        def listening() -> bool:
            return process.exit_code is not None or Endpoint(self.address, self._port) in self.host.bound()

        wait_for(listening, f"the SIP port of {self.user}")
