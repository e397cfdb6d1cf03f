"""What log lines look like, and which are printed."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.logger import Logger, globalLogPublisher

from ngdaemon.config import Config
from ngdaemon.config.settings import SUBSYSTEMS
from ngdaemon.shell import log as log_module
from ngdaemon.shell.log import (
    NOTICE,
    DescriptorHandler,
    JsonFormatter,
    Log,
    SyslogHandler,
    TextFormatter,
    printable,
    severity,
    subsystem,
)

CALL = logging.getLogger("ngdaemon.call")
CONTROL = logging.getLogger("ngdaemon.control")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Logging as it was, whatever a test makes of it."""
    names = ["ngdaemon", *(f"ngdaemon.{name}" for name in SUBSYSTEMS)]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    source, threads, processes, multi = (
        logging._srcfile,
        logging.logThreads,
        logging.logProcesses,
        logging.logMultiprocessing,
    )
    raises = logging.raiseExceptions
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate, logger.handlers[:] = propagate, handlers
    logging._srcfile, logging.logThreads, logging.logProcesses, logging.logMultiprocessing = (
        source,
        threads,
        processes,
        multi,
    )
    logging.raiseExceptions = raises


def record(
    message: str, *values: object, level: int = logging.INFO, name: str = "ngdaemon.call", **extra: object
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "", 0, message, values, None)
    made.__dict__.update(extra)
    made.created = 86400.25
    return made


def text(made: logging.LogRecord, *, timestamps: bool = False, parsable: bool = False, length: int = 200) -> str:
    return TextFormatter(timestamps=timestamps, parsable=parsable, length=length).format(made)


# -- form


def test_a_line_has_time_level_identity_and_message() -> None:
    made = record("answered by %s", "192.0.2.1", call="abc@host", tag="t1")
    assert text(made, timestamps=True) == "1970-01-02T00:00:00.250Z INFO: [abc@host tag t1] answered by 192.0.2.1"
    assert text(made, parsable=True) == 'INFO: [ID="abc@host" tag="t1"] answered by 192.0.2.1'
    assert text(record("x", call="abc", tag="")) == "INFO: [abc] x"
    assert text(record("x", name="ngdaemon.control", level=NOTICE)) == "NOTICE: [control] x"


def test_json_has_the_same_as_fields() -> None:
    made = record("over after %d s", 5, call="abc", tag="t", fields={"packets": 7, "message": "not ours"})
    assert json.loads(JsonFormatter(length=200).format(made)) == {
        "time": "1970-01-02T00:00:00.250Z",
        "level": "info",
        "subsystem": "core",
        "call": "abc",
        "tag": "t",
        "message": "over after 5 s",
        "packets": 7,
    }


@pytest.mark.parametrize(
    "nasty", ["a\nERROR: forged", "a\x1b[2Jb", "a\x00b", "a\u202eb", "a\udc80b", "a\u2028b", "a\rb"]
)
def test_nothing_from_the_network_can_forge_or_disturb_a_line(nasty: str) -> None:
    for line in (
        text(record("refused %s", nasty, call=nasty, tag=nasty)),
        JsonFormatter(length=200).format(record("refused %s", nasty, call=nasty, tag=nasty)),
    ):
        assert line.isprintable()
        line.encode("utf-8")


def test_readable_text_of_any_language_stays() -> None:
    assert printable("Anruf für Käthe – 电话") == "Anruf für Käthe – 电话"


def test_lines_and_identities_are_bounded() -> None:
    assert text(record("x" * 500), length=100).endswith("… (406 more)")
    assert len(text(record("x" * 500), length=-1)) == 506
    assert len(text(record("m", call="c" * 60_000), length=4000)) < 400
    assert len(JsonFormatter(length=100).format(record("x" * 60_000, call="c" * 60_000))) < 600


def test_a_traceback_follows_behind_bars() -> None:
    try:
        raise RuntimeError("first\nERROR: forged")
    except RuntimeError as error:
        made = record("failed", level=logging.ERROR, exc_info=(RuntimeError, error, error.__traceback__))
    lines = text(made).split("\n")
    assert lines[0] == "ERROR: failed"
    assert lines[1] == "    | Traceback (most recent call last):"
    assert all(line.startswith("    | ") for line in lines[1:])
    assert "RuntimeError: first" in json.loads(JsonFormatter(length=100).format(made))["traceback"]


def test_the_journal_gets_the_level_in_front_of_each_line() -> None:
    formatter = TextFormatter(timestamps=False, parsable=False, length=100, priority=True)
    assert formatter.format(record("x", level=logging.WARNING)) == "<4>WARNING: x"


@pytest.mark.parametrize(
    ("level", "number"), [(10, 7), (20, 6), (NOTICE, 5), (30, 4), (40, 3), (50, 2), (35, 4), (5, 7), (100, 0)]
)
def test_levels_have_their_numbers_of_syslog(level: int, number: int) -> None:
    assert severity(level) == number


def test_loggers_belong_to_subsystems_by_name() -> None:
    assert [subsystem(name) for name in ("ngdaemon", "ngdaemon.call", "ngdaemon.ice", "ngdaemon.control.x")] == [
        "core",
        "core",
        "ice",
        "control",
    ]


# -- levels


def printed(config: Config) -> tuple[bool, ...]:
    """Whether call and control log at debug, info, warning."""
    Log(config, {})
    return tuple(logger.isEnabledFor(level) for logger in (CALL, CONTROL) for level in (10, 20, 30))


def test_the_level_holds_for_all_subsystems_without_their_own() -> None:
    assert printed(Config(log_level=6)) == (False, True, True, False, True, True)
    assert printed(Config(log_level=4)) == (False, False, True, False, False, True)
    assert printed(Config(log_level=6, log_levels=(("control", 7),))) == (False, True, True, True, True, True)
    assert printed(Config(log_level=6, log_levels=(("core", 3),))) == (False, False, False, False, True, True)
    assert printed(Config(log_level=-1)) == (False,) * 6


def test_the_level_can_be_changed_up_and_down_within_bounds() -> None:
    log = Log(Config(log_level=6), {})
    assert [log.change_level(+1), log.change_level(+1), log.change_level(-1)] == [7, 7, 6]
    assert [log.change_level(-1) for _ in range(8)][-1] == 0
    assert not CALL.isEnabledFor(logging.ERROR)


def test_new_settings_bring_new_levels_and_form() -> None:
    log = Log(Config(log_level=6, log_levels=(("ice", 7),)), {})
    log.reconfigure(Config(log_level=3, log_format="json"))
    assert not logging.getLogger("ngdaemon.ice").isEnabledFor(logging.WARNING)
    assert log.level == 3


# -- where lines go


def test_lines_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log(Config(no_log_timestamps=True, log_level=4), {})
    CALL.warning("hello %s", "there")
    CALL.info("not this")
    log.announce("at any level")
    assert capfd.readouterr().err == "WARNING: hello there\nNOTICE: at any level\n"


def test_a_reader_that_is_too_slow_loses_lines_and_stops_nobody() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    handler = DescriptorHandler(writer)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for _ in range(100):
        handler.handle(record("x" * 4000))
    taken = b""
    while len(taken) < 60_000:
        taken += os.read(reader, 65536)
    handler.handle(record("again"))
    rest = os.read(reader, 65536).decode()
    assert "lines lost here" in rest
    assert rest.endswith("\nagain\n")
    os.close(reader)
    handler.handle(record("nobody reads"))
    os.close(writer)


def test_the_journal_is_recognised_by_its_stream(capfd: pytest.CaptureFixture[str]) -> None:
    status = os.fstat(2)
    Log(Config(), {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    CALL.error("x")
    assert capfd.readouterr().err == "<3>ERROR: x\n"


def test_syslog_is_used_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(tmp_path / "log"))
        system.settimeout(5)
        monkeypatch.setattr(log_module, "SYSLOG", str(tmp_path / "log"))
        log = Log(Config(log_facility="local1", log_name="media"), {})
        assert log.failure == ""
        CALL.log(NOTICE, "hello")
        assert system.recv(500).rstrip(b"\0").decode() == f"<{17 * 8 + 5}>media[{os.getpid()}]: NOTICE: hello"
        handler = next(item for item in logging.getLogger("ngdaemon").handlers if isinstance(item, SyslogHandler))
        handler.close()


def test_without_syslog_lines_go_to_standard_error_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_module, "SYSLOG", str(tmp_path / "none"))
    log = Log(Config(log_facility="daemon", no_log_timestamps=True), {})
    assert "no syslog" in log.failure
    CALL.warning("hello")
    assert capfd.readouterr().err == "WARNING: hello\n"


def test_standard_error_wins_over_syslog_when_both_are_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    Log(Config(log_facility="daemon", log_stderr=True, no_log_timestamps=True), {})
    CALL.warning("hello")
    assert capfd.readouterr().err == "WARNING: hello\n"


def test_what_twisted_finds_wrong_is_logged_and_its_chatter_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    Log(Config(no_log_timestamps=True), {})
    globalLogPublisher.addObserver(log_module.observe)
    try:
        source = Logger("twisted.test")
        source.info("starting")
        try:
            raise RuntimeError("in a timer")
        except RuntimeError:
            source.failure("Unhandled Error")
    finally:
        globalLogPublisher.removeObserver(log_module.observe)
    lines = capfd.readouterr().err.splitlines()
    assert "ERROR: Unhandled Error" in lines  # Twisted may say it too, as long as nobody has begun its logging
    assert lines[-1] == "    | RuntimeError: in a timer"
    assert "starting" not in "".join(lines)
