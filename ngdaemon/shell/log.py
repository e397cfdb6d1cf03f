"""Logging: one line a record, for people or for machines, never longer than asked for and never with raw bytes in it.

The core logs by the standard library, and need not know this module:

    logger = logging.getLogger("ngdaemon.call")
    logger.info("answered by %s", source, extra={"call": call_id, "tag": tag})

* The part of the logger's name after `ngdaemon.` is the subsystem where `config.settings.SUBSYSTEMS` has it
  (`ngdaemon.control`, `ngdaemon.ice`, …); all else is `core`.
* `extra` may have `call` and `tag`, which stand in front of the message or are fields of the JSON object, and `fields`,
  a dictionary of plain values that only the JSON object shows.
* `NOTICE` (25) lies between INFO and WARNING, as in syslog.
* Values are handed over as arguments, not formatted by the caller: a record that is not printed costs a comparison.
* Text from the network needs no care: what cannot be printed is escaped here.
"""

import json
import logging
import logging.handlers
import os
import select
import socket
import stat
import time
from collections.abc import Mapping

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogBeginner
from zope.interface import provider

from ngdaemon.config.settings import SUBSYSTEMS, Config

NOTICE = 25
THRESHOLDS = {-1: 100, 0: 70, 1: 60, 2: 50, 3: 40, 4: 30, 5: NOTICE, 6: 20, 7: 10}
"""Level of syslog → least level of `logging` that is printed."""
LEVEL_NAMES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
DEBUG = 7
STDERR_LENGTH = 4000
"""Octets that a pipe takes in one piece (PIPE_BUF), roughly."""
SYSLOG_LENGTH = 500
IDENTITY_LENGTH = 256
"""Characters of a call-id or a tag that are shown."""
STDERR = 2
SYSLOG = "/dev/log"

_ROOT = "ngdaemon"
_SEVERITIES = {threshold: level for level, threshold in THRESHOLDS.items() if level >= 0}


def severity(level: int) -> int:
    """The syslog level (0 to 7) of a record's level."""
    known = _SEVERITIES.get(level)
    if known is not None:
        return known
    return next((number for number in range(8) if level >= THRESHOLDS[number]), DEBUG)


def subsystem(logger: str) -> str:
    """The subsystem of a logger."""
    name = logger.split(".", 2)[1] if "." in logger else ""
    return name if name in SUBSYSTEMS else "core"


def printable(text: str) -> str:
    """The text with all that cannot be printed written as escapes: controls, line ends, direction marks, raw bytes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def shortened(text: str, length: int) -> str:
    """The text, cut to that many characters; a negative number is no bound."""
    if length < 0 or len(text) <= length:
        return text
    return f"{text[:length]}… ({len(text) - length} more)"


def _identity(record: logging.LogRecord, name: str) -> str:
    value = record.__dict__.get(name)
    return shortened(str(value), IDENTITY_LENGTH) if value else ""


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    return record.exc_text or ""


class Clock:
    """Wall time as ISO 8601 in UTC. The second is formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def format(self, created: float) -> str:
        second = int(created)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int((created - second) * 1000):03d}Z"


class TextFormatter(logging.Formatter):
    """`TIME LEVEL: [CALL-ID tag TAG] [subsystem] message`; a traceback follows, each line behind a bar."""

    def __init__(self, *, timestamps: bool, parsable: bool, length: int, priority: bool = False) -> None:
        super().__init__()
        self._clock = Clock() if timestamps else None
        self._identity_form = ('[ID="{}"] ', '[ID="{}" tag="{}"] ') if parsable else ("[{}] ", "[{} tag {}] ")
        self._length = length
        self._priority = priority

    def format(self, record: logging.LogRecord) -> str:
        text = self._prefix(record) + record.getMessage()
        text = shortened(printable(text), self._length)
        if self._clock is not None:
            text = f"{self._clock.format(record.created)} {text}"
        lines = [text]
        if record.exc_info:
            lines += [f"    | {printable(line)}" for line in _traceback(record).split("\n")]
        if self._priority:
            lines = [f"<{severity(record.levelno)}>{line}" for line in lines]
        return "\n".join(lines)

    def _prefix(self, record: logging.LogRecord) -> str:
        level = LEVEL_NAMES[severity(record.levelno)].upper()
        call, tag = _identity(record, "call"), _identity(record, "tag")
        identity = ""
        if call:
            identity = self._identity_form[1].format(call, tag) if tag else self._identity_form[0].format(call)
        name = subsystem(record.name)
        return f"{level}: {identity}[{name}] " if name != "core" else f"{level}: {identity}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, subsystem, call, tag, message, traceback, and the record's `fields`."""

    def __init__(self, *, length: int) -> None:
        super().__init__()
        self._clock = Clock()
        self._length = length

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": self._clock.format(record.created),
            "level": LEVEL_NAMES[severity(record.levelno)],
            "subsystem": subsystem(record.name),
        }
        for name in ("call", "tag"):
            if value := _identity(record, name):
                fields[name] = value
        fields["message"] = shortened(record.getMessage(), self._length)
        own = record.__dict__.get("fields")
        if isinstance(own, Mapping):
            fields |= {key: value for key, value in own.items() if key not in fields}
        if record.exc_info:
            fields["traceback"] = _traceback(record)
        return json.dumps(fields, default=str)


class DescriptorHandler(logging.Handler):
    """Writes lines to a file descriptor. Whoever reads it too slowly loses lines; the daemon never waits for him."""

    def __init__(self, descriptor: int = STDERR) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lost = 0
        self._room: select.poll | None = None
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._room = select.poll()
            self._room.register(descriptor, select.POLLOUT)

    def createLock(self) -> None:  # noqa: N802 - the name is logging's
        """All logging is done by the reactor's thread."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._room is not None and not self._room.poll(0):
            self._lost += 1
            return
        text = self.format(record)
        if self._lost:
            text = f"({self._lost} lines lost here: the reader was too slow)\n{text}"
            self._lost = 0
        try:
            self._write((text + "\n").encode("utf-8", "backslashreplace"))
        except OSError:  # the reader has gone: there is nobody to tell
            self._lost += 1

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


class SyslogHandler(logging.handlers.SysLogHandler):
    """The system's logger, without waiting for it."""

    def __init__(self, facility: str, name: str) -> None:
        super().__init__(SYSLOG, facility)
        self.ident = f"{name}[{os.getpid()}]: "
        connection: socket.socket = self.socket  # type: ignore[attr-defined]
        connection.setblocking(False)

    def mapPriority(self, levelName: str) -> str:  # noqa: N802, N803 - the names are logging's
        level = logging.getLevelName(levelName)
        names = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
        return names[severity(level if isinstance(level, int) else logging.INFO)]

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """A record that the system does not take is lost."""


class Log:
    """The daemon's logging, as configured; levels can be changed while it runs."""

    def __init__(self, config: Config, environment: Mapping[str, str]) -> None:
        """Take over the logger `ngdaemon`. The text of `failure` says why syslog is not used although asked for."""
        self.failure = ""
        self._environment = environment
        self._logger = logging.getLogger(_ROOT)
        self._handler = self._open(config)
        self._level = config.log_level
        self._own_levels: dict[str, int] = {}
        _leave_out_what_is_not_printed()
        logging.addLevelName(NOTICE, "NOTICE")
        self._logger.handlers[:] = [self._handler]
        self._logger.propagate = False
        self.reconfigure(config)

    @property
    def level(self) -> int:
        """The level of syslog that is in force."""
        return self._level

    def reconfigure(self, config: Config) -> None:
        """Take over levels and form. Where lines go is settled for good at the start."""
        self._level = config.log_level
        self._handler.setFormatter(self._formatter(config))
        self._own_levels = dict(config.log_levels)
        self._apply_levels()

    def _apply_levels(self) -> None:
        for name in SUBSYSTEMS:
            logger = self._logger if name == "core" else self._logger.getChild(name)
            logger.setLevel(THRESHOLDS[self._own_levels.get(name, self._level)])

    def change_level(self, step: int) -> int:
        """Print more (+1) or less (-1); gives the level now in force. Subsystems with a level of their own keep it."""
        self._level = min(max(self._level + step, 0), DEBUG)
        self._apply_levels()
        return self._level

    def announce(self, text: str) -> None:
        """Log a line whatever the level is."""
        self._handler.handle(logging.LogRecord(_ROOT, NOTICE, "", 0, text, (), None))

    def _open(self, config: Config) -> logging.Handler:
        if config.log_facility is not None and not config.log_stderr:
            try:
                return SyslogHandler(config.log_facility, config.log_name)
            except OSError as error:
                self.failure = f"log-facility: no syslog at {SYSLOG} ({error.strerror}); logging to standard error"
        return DescriptorHandler()

    def _formatter(self, config: Config) -> logging.Formatter:
        is_syslog = isinstance(self._handler, SyslogHandler)
        length = config.max_log_line_length or (SYSLOG_LENGTH if is_syslog else STDERR_LENGTH)
        if config.log_format == "json":
            return JsonFormatter(length=length)
        to_journal = not is_syslog and self._is_journal()
        return TextFormatter(
            timestamps=not (is_syslog or to_journal or config.no_log_timestamps),
            parsable=config.log_format == "parsable",
            length=length,
            priority=to_journal,
        )

    def _is_journal(self) -> bool:
        """Whether standard error is the journal's, which keeps time and reads a level in front (sd-daemon(3))."""
        status = os.fstat(STDERR)
        return self._environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _leave_out_what_is_not_printed() -> None:
    """Keep `logging` from finding out the caller, process and thread of each record."""
    logging._srcfile = None
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
    logging.raiseExceptions = False


def route_twisted() -> None:
    """Log as ours what Twisted finds wrong (an exception in a timer, say); the rest of what it tells is noise."""
    globalLogBeginner.beginLoggingTo([observe], discardBuffer=True, redirectStandardIO=False)


@provider(ILogObserver)  # type: ignore[untyped-decorator]
def observe(event: LogEvent) -> None:
    """Pass on what went wrong."""
    failure = event.get("log_failure")
    if failure is not None:
        logging.getLogger(_ROOT).error(
            "%s", event.get("log_format") or "unhandled error", exc_info=(failure.type, failure.value, failure.tb)
        )
    elif event.get("log_level") in (LogLevel.error, LogLevel.critical):
        logging.getLogger(_ROOT).error("%s", formatEvent(event))
