"""The command: what it prints, and its exit codes. Nothing here starts a daemon."""

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ngdaemon import __version__, cli
from ngdaemon.config.options import OPTIONS, Effect

PROFILES = Path(__file__).parent / "golden" / "profiles.json"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: exit code, standard output, standard error."""

    def run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
        try:
            code = cli.main(arguments, environment or {})
        except SystemExit as ending:
            code = int(ending.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_the_version_is_told(run: Run) -> None:
    assert run("--version") == (0, f"ngdaemon {__version__}\n", "")
    assert run("-v") == (0, f"ngdaemon {__version__}\n", "")


def test_help_shows_every_option_by_its_effect(run: Run) -> None:
    code, text, _ = run("--help")
    assert code == 0
    words = " ".join(text.split())
    for option in OPTIONS.values():
        if option.effect is Effect.WORKS and option.field != "log_levels":
            assert f"--{option.name}" in words
        else:
            assert option.name.removeprefix("log-level-") in words
    assert all(len(line) <= cli.WIDTH for line in text.splitlines() if "--log-facility" not in line)


def test_good_settings_are_said_to_be_good(run: Run) -> None:
    code, text, errors = run("--check-config", "--config-file=none", "-i", "127.0.0.1", "-m", "20000", "-M", "20999")
    assert (code, errors) == (0, "")
    assert text.endswith("the configuration is good (no file)\n")


def test_every_mistake_has_a_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "my.conf"
    file.write_text("[rtpengine]\ninterfaces = any\ntos = high\nport-max = 20\n")
    code, _, errors = run(
        "--check-config", f"--config-file={file}", "-i", "x/198.51.100.9", "-m", "21", "-n", "nowhere"
    )
    assert code == 1
    lines = errors.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("ngdaemon: ") for line in lines)
    assert f"{file}: unknown option interfaces (did you mean interface?)" in lines[0]
    for wanted in (
        "command line: listen-ng: 'nowhere' has no port from 1 to 65535",
        f"{file}: tos: 'high' is not a number from 0 to 255",
        "command line: port-min: 21 is above port-max, 20",
        "command line: interface: 198.51.100.9 is not an address of this host",
    ):
        assert any(wanted in line for line in lines), wanted


def test_starting_with_mistakes_fails_with_the_same_lines(run: Run) -> None:
    code, text, errors = run("--config-file=none", "-i", "198.51.100.9")
    assert (code, text) == (1, "")
    assert errors.startswith("ngdaemon: command line: interface: 198.51.100.9 is not an address of this host")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port-mim=1"], "unknown: --port-mim=1 (did you mean --port-min?)"),
        (["stray"], "unknown: stray"),
        (["--port-min"], "expected one argument"),
        (["--sip-source=maybe"], "ignored explicit argument 'maybe'"),
        (["--port=1"], "unknown: --port=1"),
    ],
)
def test_a_mistyped_command_line_is_one_readable_line(run: Run, arguments: list[str], complaint: str) -> None:
    code, _, errors = run(*arguments)
    assert code == 1
    assert errors.startswith("ngdaemon: command line: ")
    assert complaint in errors
    assert errors.count("\n") == 1


def test_an_unreadable_file_is_one_readable_line(run: Run, tmp_path: Path) -> None:
    assert run("--check-config", f"--config-file={tmp_path}/no.conf") == (
        1,
        "",
        f"ngdaemon: command line: config-file: {tmp_path}/no.conf does not exist\n",
    )
    (tmp_path / "my.conf").write_bytes(b"[rtpengine]\nlog-name = \xff\n")
    code, _, errors = run("--check-config", f"--config-file={tmp_path}/my.conf")
    assert code == 1
    assert errors.endswith("my.conf: cannot be read: it is not UTF-8 text\n")
    code, _, errors = run("--check-config", f"--config-file={tmp_path}")
    assert errors == f"ngdaemon: {tmp_path}: cannot be read: Is a directory\n"


def test_values_are_taken_in_every_form_of_the_command_line(run: Run) -> None:
    for arguments in (["-m", "x1"], ["-mx1"], ["--port-min", "x1"], ["--port-min=x1"], ["-fEm", "x1"]):
        assert "port-min: 'x1'" in run("--check-config", "--config-file=none", *arguments)[2]


@pytest.mark.parametrize("profile", json.loads(PROFILES.read_text()))
def test_the_option_strings_that_operators_use_are_taken(run: Run, profile: str, tmp_path: Path) -> None:
    options = json.loads(PROFILES.read_text())[profile]["options"]
    options = [option.replace("{TMP}", str(tmp_path)) for option in options]
    code, text, errors = run("--check-config", *options, "-n", "127.0.0.1:2390", "-m", "20000", "-M", "20999")
    assert (code, errors) == (0, "")
    assert "no effect here: table" in text
    assert ("not supported yet: recording-dir (" in text) == (profile == "recording")


def test_the_file_of_debians_rtpengine_is_taken(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rtpengine.conf"
    file.write_text(
        "[rtpengine]\n\ntable = 0\n# no-fallback = false\ninterface = any\nlisten-ng = localhost:2223\n"
        "listen-http = localhost:2225\nlisten-cli = localhost:2224\ntimeout = 60\nsilent-timeout = 3600\ntos = 184\n"
        "port-min = 20000\nport-max = 20999\nrecording-dir = /var/spool/rtpengine\nrecording-method = proc\n\n"
        "[rtpengine-testing]\ntable = -1\ninterface = 10.15.20.121\nlisten-ng = 2223\nforeground = true\n"
    )
    code, text, errors = run("--check-config", f"--config-file={file}")
    assert (code, errors) == (0, "")
    assert "no effect here: table (there is no kernel module: " in text
    later = [line.split()[3] for line in text.splitlines() if line.startswith("not supported yet: ")]
    assert later == ["listen-http", "listen-cli", "recording-dir", "recording-method"]


def test_everything_can_be_set_by_environment(run: Run) -> None:
    environment = {
        "NGDAEMON_CONFIG_FILE": "none",
        "NGDAEMON_INTERFACE": "a/127.0.0.1;b/198.51.100.9",
        "NGDAEMON_TOS": "x",
    }
    code, _, errors = run("--check-config", environment=environment)
    assert code == 1
    assert "NGDAEMON_TOS: tos: 'x' is not a number from 0 to 255" in errors
    assert "NGDAEMON_INTERFACE: interface: 198.51.100.9 is not an address of this host" in errors


def test_a_native_forwarder_that_is_not_there_is_one_readable_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ngdaemon_native", None)
    for action in ("--check-config", "--foreground"):
        code, _, errors = run(action, "--config-file=none", "-i", "127.0.0.1", "--forwarder=native")
        assert code == 1
        assert errors.startswith("ngdaemon: command line: forwarder: the package ngdaemon-native is not installed")
        assert errors.count("\n") == 1


# -- ping


class Responder(threading.Thread):
    """A daemon that gives one answer."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.port = self._socket.getsockname()[1]

    def run(self) -> None:
        with self._socket:
            request, source = self._socket.recvfrom(1000)
            cookie, _, body = request.partition(b" ")
            assert body == b"d7:command4:pinge"
            self._socket.sendto(self._answer.replace(b"COOKIE", cookie), source)


@pytest.fixture
def responder(request: pytest.FixtureRequest) -> Iterator[Responder]:
    made = Responder(request.param)
    made.start()
    yield made
    made.join()


@pytest.mark.parametrize("responder", [b"COOKIE d6:result4:ponge"], indirect=True)
def test_a_daemon_that_is_well_pongs(run: Run, responder: Responder) -> None:
    assert run("--ping", f"127.0.0.1:{responder.port}") == (0, "pong\n", "")


@pytest.mark.parametrize("responder", [b"COOKIE d6:result5:errore", b"else d6:result4:ponge"], indirect=True)
def test_a_strange_answer_is_no_pong(run: Run, responder: Responder) -> None:
    code, _, errors = run("--ping", f"127.0.0.1:{responder.port}")
    assert code == 1
    assert "gave a strange answer" in errors


@pytest.mark.parametrize("responder", [b"COOKIE d6:result4:ponge"], indirect=True)
def test_without_address_the_configured_daemon_is_asked(run: Run, responder: Responder) -> None:
    environment = {"NGDAEMON_CONFIG_FILE": "none", "NGDAEMON_LISTEN_NG": str(responder.port)}
    assert run("--ping", environment=environment) == (0, "pong\n", "")


def test_nobody_there_is_an_error(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    code, _, errors = run("--ping", f"127.0.0.1:{port}")
    assert code == 1
    assert re.fullmatch(rf"ngdaemon: 127\.0\.0\.1:{port}: Connection refused\n", errors)
    assert run("--ping", "nowhere")[0] == 1
    assert run("--ping", "host.invalid:2223")[0] == 1
