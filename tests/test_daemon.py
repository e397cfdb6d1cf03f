"""The daemon as an operator has it: a process, its log, its exit code, and what signals do."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import bencodepy
import pytest

from ngdaemon.base.endpoint import Interface
from ngdaemon.config import Config
from ngdaemon.daemon import introduction
from ngdaemon.shell.loading import Loaded
from tests.support.native import needs_native, without_native

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 20.0
"""Seconds to wait for what must come."""

Found = TypeVar("Found")
SDP = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def wait_for(find: Callable[[], Found], what: str) -> Found:
    """The first true value of `find`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what}")


class Running:
    """A daemon that was started."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.log = folder / "log"
        self.port = free_port()
        command = [sys.executable, "-m", "ngdaemon", f"--listen-ng=127.0.0.1:{self.port}", *options]
        own = {name: value for name, value in os.environ.items() if not name.startswith("NGDAEMON_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, cwd=PROJECT, env=own | (environment or {}))

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for_line(self, pattern: str, count: int = 1) -> str:
        """The last of so many lines that match."""

        def find() -> str:
            found = [line for line in self.lines() if re.search(pattern, line)]
            return found[-1] if len(found) >= count else ""

        return wait_for(find, f"line {pattern!r} in:\n{self.log.read_text()}")

    def ask(self, seconds: float = PATIENCE, **request: str) -> dict[bytes, object]:
        cookie = os.urandom(4).hex().encode()
        body = {key.replace("_", "-"): value for key, value in request.items()}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
            proxy.settimeout(seconds)
            proxy.connect(("127.0.0.1", self.port))
            proxy.send(cookie + b" " + bencodepy.encode(body))
            reply = proxy.recv(65535)
        decoded: dict[bytes, object] = bencodepy.decode(reply.removeprefix(cookie + b" "))
        return decoded

    def offer(self, call: str = "a-call") -> dict[bytes, object]:
        return self.ask(command="offer", call_id=call, from_tag="from", sdp=SDP.format("127.0.0.9"))

    def tell(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.tell(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a daemon on loopback that reads no file, and wait until it serves."""
    started: list[Running] = []

    def start(*options: str, wait: bool = True, environment: dict[str, str] | None = None) -> Running:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        usual = ["--interface=127.0.0.1", "--port-min=20000", "--port-max=20999"]
        if not any(option.startswith("--config-file") for option in options):
            usual.append("--config-file=none")
        daemon = Running(folder, *usual, *options, environment=environment)
        started.append(daemon)
        if wait:
            wait_until_served(daemon)
        return daemon

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.wait()


def wait_until_served(daemon: Running) -> None:
    def served() -> bool:
        assert daemon.process.poll() is None, daemon.log.read_text()
        with contextlib.suppress(OSError):
            return daemon.ask(0.2, command="ping") == {b"result": b"pong"}
        return False

    wait_for(served, "pong")


Start = Callable[..., Running]


def test_the_first_line_says_what_is_in_force(start: Start) -> None:
    daemon = start()
    first = daemon.lines()[0]
    assert re.match(r"\S+Z NOTICE: ngdaemon \d", first)
    assert f"NG on 127.0.0.1:{daemon.port}; media on default/127.0.0.1; ports 20000-20999; forwarder " in first
    assert first.endswith("; settings from no file")


def test_a_forwarder_that_nobody_has_to_install_is_no_warning(start: Start, tmp_path: Path) -> None:
    daemon = start(environment=without_native(tmp_path))
    line = daemon.wait_for_line("ngdaemon-native")
    assert " INFO: forwarder: the package ngdaemon-native is not installed, so Python carries the packets" in line
    assert not [item for item in daemon.lines() if " WARNING: forwarder" in item]


@needs_native
@pytest.mark.parametrize("options", [(), ("--forwarder=native", "--num-threads=3")])
def test_the_native_forwarder_needs_no_word_where_it_is_there(start: Start, options: tuple[str, ...]) -> None:
    daemon = start(*options)
    assert "forwarder native; " in daemon.lines()[0]
    assert daemon.offer()[b"result"] == b"ok"
    assert daemon.stop() == 0
    assert not [item for item in daemon.lines()[1:] if "forwarder" in item]


def test_what_nobody_asked_for_is_marked_as_default() -> None:
    interfaces = (Interface("default", "203.0.113.1", "203.0.113.1"), Interface("nat", "10.0.0.1", "198.51.100.1"))
    loaded = Loaded(Config(interfaces=interfaces), "/etc/x.conf", frozenset(), (), (), ())
    line = introduction(loaded, "portable")
    assert "NG on 127.0.0.1:2223 (default); " in line
    assert (
        "media on default/203.0.113.1, nat/10.0.0.1!198.51.100.1 (default: the address of the default route); " in line
    )
    assert line.endswith("ports 30000-39999; forwarder portable; settings from /etc/x.conf")
    asked = replace(loaded, given=frozenset({"interface", "listen-ng"}))
    assert "default)" not in introduction(asked, "portable")
    assert "(default:" not in introduction(asked, "portable")


def test_a_clean_stop_ends_calls_with_their_summary_and_exit_code_0(start: Start) -> None:
    daemon = start()
    assert daemon.offer()[b"result"] == b"ok"
    assert daemon.stop() == 0
    daemon.wait_for_line(r"INFO: \[a-call\b")
    assert daemon.lines()[-1].endswith("NOTICE: stopped; calls ended: 1")


def test_an_interrupt_stops_as_well(start: Start) -> None:
    daemon = start()
    daemon.tell(signal.SIGINT)
    assert daemon.process.wait(PATIENCE) == 0


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(start: Start) -> None:
    first = start()
    second = start(f"--listen-ng=127.0.0.1:{first.port}", wait=False)
    assert second.process.wait(PATIENCE) == 1
    assert second.lines() == [
        f"ngdaemon: listen-ng: 127.0.0.1:{first.port}: another program has this port "
        "(an rtpengine, or an ngdaemon that still runs?)"
    ]


def test_several_listeners_serve_both_families(start: Start) -> None:
    port = free_port()
    start(f"--listen-ng={port}")
    for family, address in ((socket.AF_INET, "127.0.0.3"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as proxy:
            proxy.settimeout(PATIENCE)
            proxy.connect((address, port))
            proxy.send(b"x d7:command4:pinge")
            assert proxy.recv(100) == b"x d6:result4:ponge"


def test_sources_that_may_not_speak_get_no_reply(start: Start) -> None:
    daemon = start("--allow-ng=127.0.0.2", wait=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
        proxy.bind(("127.0.0.2", 0))
        proxy.settimeout(0.2)

        def answered() -> bytes:
            proxy.sendto(b"x d7:command4:pinge", ("127.0.0.1", daemon.port))
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                return proxy.recv(100)
            return b""

        wait_for(answered, "pong for a source that may speak")
    with pytest.raises(TimeoutError):
        daemon.ask(0.5, command="ping")
    daemon.wait_for_line("1 NG requests from sources that may not speak to us, the last from 127.0.0.1; see allow-ng")


def test_the_process_id_is_written_and_taken_away(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    daemon = start(f"--pidfile={file}")
    assert file.read_text() == f"{daemon.process.pid}\n"
    assert daemon.stop() == 0
    assert not file.exists()


def test_a_process_id_that_cannot_be_written_is_one_line_and_exit_code_1(start: Start, tmp_path: Path) -> None:
    daemon = start(f"--pidfile={tmp_path}/no/pid", wait=False)
    assert daemon.process.wait(PATIENCE) == 1
    assert daemon.lines() == [f"ngdaemon: pidfile: {tmp_path}/no/pid: No such file or directory"]


def test_options_without_effect_are_named_once(start: Start) -> None:
    daemon = start("-t", "-1", "--poller-size=4", "--recording-dir=/var/spool/rtpengine", "--dtx-delay=5")
    daemon.stop()
    lines = daemon.lines()
    assert [line for line in lines if line.endswith("INFO: without effect here: table, poller-size")]
    assert [line for line in lines if line.endswith("not supported yet, and ignored: recording-dir, dtx-delay")]
    assert sum("recording-dir" in line for line in lines) == 1


def test_lines_can_be_json_objects(start: Start) -> None:
    daemon = start("--log-format=json")
    daemon.offer("call\nwith \x1b odd letters")
    assert daemon.stop() == 0
    entries = [json.loads(line) for line in daemon.lines()]
    assert {"time", "level", "subsystem", "message"} <= entries[0].keys()
    offers = [entry for entry in entries if entry.get("call") == "call\nwith \x1b odd letters"]
    assert [entry["subsystem"] for entry in offers if "offer" in entry["message"]] == ["control"]
    assert any(entry["subsystem"] == "core" for entry in offers)


def test_a_call_is_named_in_its_lines(start: Start) -> None:
    daemon = start()
    daemon.offer("odd\ncall")
    line = daemon.wait_for_line(r"offer from 127\.0\.0\.1")
    assert "INFO: [odd\\ncall tag from] [control] " in line


def test_signals_change_the_level(start: Start) -> None:
    daemon = start("--log-level=5")
    daemon.offer("one")
    daemon.tell(signal.SIGUSR2)
    daemon.wait_for_line("log level is now 6 \\(info\\)")
    daemon.offer("two")
    daemon.wait_for_line(r"\[two tag from\] \[control\] offer")
    for level in ("5 \\(notice", "4 \\(warning"):
        daemon.tell(signal.SIGUSR1)
        daemon.wait_for_line(f"log level is now {level}\\)")
    daemon.stop()
    assert not any("[one" in line for line in daemon.lines())


# -- settings that are read anew


def test_a_new_file_changes_what_may_change(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "my.conf"
    file.write_text("[rtpengine]\nmax-sessions = 0\n")
    daemon = start(f"--config-file={file}")
    assert daemon.offer()[b"result"] == b"error"
    file.write_text("[rtpengine]\nmax-sessions = 5\nlog-level = 7\npidfile = /nowhere\nlog-level-ice = 5\n")
    daemon.tell(signal.SIGHUP)
    daemon.wait_for_line(r"NOTICE: settings read anew: max-sessions, log-level, log-level-…$")
    daemon.wait_for_line(r"WARNING: at the next start only: pidfile$")
    assert daemon.offer()[b"result"] == b"ok"


def test_a_bad_new_file_changes_nothing_and_says_so(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "my.conf"
    file.write_text("[rtpengine]\nmax-sessions = 5\n")
    daemon = start(f"--config-file={file}")
    file.write_text("[rtpengine]\nmax-sessions = 0\ntimeout = soon\n")
    daemon.tell(signal.SIGHUP)
    daemon.wait_for_line(r"ERROR: the settings stay as they were$")
    assert any(f"ERROR: {file}: timeout: 'soon' is not a number" in line for line in daemon.lines())
    assert daemon.offer()[b"result"] == b"ok"


# -- under systemd


def test_the_service_manager_is_told_when_it_serves_reloads_and_stops(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        daemon = start(environment=environment)

        def next_state() -> str:
            while (state := manager.recv(500).decode().partition("\n")[0]) == "WATCHDOG=1":
                pass
            return state

        states = [next_state()]
        daemon.tell(signal.SIGHUP)
        states += [next_state(), next_state()]
        assert manager.recv(500) == b"WATCHDOG=1"
        assert daemon.stop() == 0
        states.append(next_state())
        assert states == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
