"""The composition root: everything that is real (clock, randomness, sockets, signals) is made here and handed down."""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path

from ngdaemon import __version__
from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.config.options import RELOADED
from ngdaemon.controller import Controller
from ngdaemon.shell.backend import Backend, open_backend
from ngdaemon.shell.clock import Alarm
from ngdaemon.shell.gate import Gate
from ngdaemon.shell.limits import forbid_dumps, raise_descriptors
from ngdaemon.shell.load import SAMPLE_SECONDS, SystemLoad
from ngdaemon.shell.loading import Loaded, Loader
from ngdaemon.shell.log import LEVEL_NAMES, NOTICE, Log, route_twisted
from ngdaemon.shell.ng_udp import NgListener
from ngdaemon.shell.reactor import Reactor, install
from ngdaemon.shell.rng import SystemRng
from ngdaemon.shell.selfcheck import check_srtp
from ngdaemon.shell.systemd import Supervisor
from ngdaemon.shell.wall import SystemWall

logger = logging.getLogger("ngdaemon")

COLLECTION = (10_000, 10, 100)
"""Thresholds of Python's cyclic garbage collector.

Facts of calls form no cycles, so nearly all memory is freed without it, while a full collection looks at every object
of every call: by default that comes often, and was seen to stop media for 124 ms with 2,000 calls.
"""


PREPARE_SECONDS = 0.05
HURRY_SECONDS = 0.005
"""Between two looks whether a certificate has to be made ahead, and while more are missing: each costs some 0.1 ms, so
that no media has to wait, and an answer waits for one only where more than 200 are asked for in a second."""


def run(settings: Loader, loaded: Loaded, environment: Mapping[str, str]) -> int:
    """Run until told to stop, and give the exit code. Raises ConfigError when the start is not possible."""
    log = Log(loaded.config, environment)
    reactor = install()
    route_twisted()
    daemon = Daemon(settings, loaded, log, reactor, Supervisor(environment))
    daemon.start()
    gc.collect()
    gc.freeze()  # what was made so far stays: it need not be looked at again
    gc.set_threshold(*COLLECTION)
    reactor.run()
    return 0


class Daemon:
    """A running daemon: its parts, and what happens at signals."""

    def __init__(self, settings: Loader, loaded: Loaded, log: Log, reactor: Reactor, supervisor: Supervisor) -> None:
        self._settings = settings
        self._loaded = loaded
        self._config = loaded.config
        self._log = log
        self._reactor = reactor
        self._supervisor = supervisor
        self._listeners: list[NgListener] = []
        self._gate = Gate(self._config.allow_ng)
        self._backend: Backend
        self._load: SystemLoad
        self._controller: Controller
        self._alarm: Alarm

    # -- start

    def start(self) -> None:
        """Open everything. Raises ConfigError, with everything closed again, when something cannot be had."""
        forbid_dumps()
        check_srtp(SystemRng())
        now = self._reactor.seconds()
        self._backend = open_backend(self._config, self._reactor, self._handle_events)
        self._load = SystemLoad(self._backend.octets, now)
        self._controller = Controller(
            self._config, self._backend.forwarder, SystemRng(), SystemWall(), self._load, now, self._changed_by_command
        )
        self._alarm = Alarm(self._reactor, self._controller.next_timeout, self._controller.handle_timer)
        try:
            for local in self._config.listen_ng:
                self._listeners.append(NgListener(local, self._config, self._gate, self._controller.receive))
            _write_pid(self._config.pidfile)
        except ConfigError:
            self._close_listeners()
            raise
        self._introduce()
        self._reactor.callWhenRunning(self._go)

    def _introduce(self) -> None:
        """The first lines of the log: what this daemon does, and what it was asked for and does not do."""
        logger.log(NOTICE, "%s", introduction(self._loaded, self._backend.name))
        for line in (self._log.failure, *self._loaded.warnings):
            if line:
                logger.warning("%s", line)
        if self._backend.remark:
            logger.log(self._backend.level, "%s", self._backend.remark)
        if self._loaded.no_effect:
            logger.info("without effect here: %s", ", ".join(self._loaded.no_effect))
        if self._loaded.not_yet:
            logger.warning("not supported yet, and ignored: %s", ", ".join(self._loaded.not_yet))

    def _go(self) -> None:
        """The reactor runs: begin to serve."""
        for listener in self._listeners:
            self._reactor.watch(listener.fileno(), self._reader(listener))
        for number, handle in (
            (signal.SIGTERM, self._stop),
            (signal.SIGINT, self._stop),
            (signal.SIGHUP, self._reload),
            (signal.SIGUSR1, lambda: self._change_level(-1)),
            (signal.SIGUSR2, lambda: self._change_level(+1)),
        ):
            self._on_signal(number, handle)
        self._sample_load()
        self._prepare()
        self._stay_alive()
        self._supervisor.ready(f"NG on {_join(self._config.listen_ng)}")

    def _reader(self, listener: NgListener) -> Callable[[], None]:
        read, rearm = listener.read, self._alarm.rearm

        def serve() -> None:
            read()
            rearm()

        return serve

    def _handle_events(self) -> None:
        self._controller.handle_events(self._reactor.seconds())
        self._alarm.rearm()

    def _on_signal(self, number: int, handle: Callable[[], None]) -> None:
        """Have the reactor handle a signal: not in the middle of something else."""
        signal.signal(number, lambda _number, _frame: self._reactor.callFromThread(handle))

    # -- from time to time

    def _sample_load(self) -> None:
        self._load.sample(self._reactor.seconds())
        self._reactor.callLater(SAMPLE_SECONDS, self._sample_load)

    def _prepare(self) -> None:
        enough = self._controller.prepare()
        self._reactor.callLater(PREPARE_SECONDS if enough else HURRY_SECONDS, self._prepare)

    def _stay_alive(self) -> None:
        seconds = self._supervisor.watchdog_seconds
        if seconds is not None:
            self._supervisor.alive()
            self._reactor.callLater(seconds, self._stay_alive)

    # -- signals

    def _change_level(self, step: int) -> None:
        level = self._log.change_level(step)
        self._log.announce(f"log level is now {level} ({LEVEL_NAMES[level]})")

    def _reload(self) -> None:
        """Read the settings anew, and take over what may change while calls are up."""
        self._supervisor.reloading(self._reactor.seconds())
        loaded, mistakes = self._settings.load(raise_descriptors())
        if loaded is None:
            for mistake in mistakes:
                logger.error("%s", mistake)
            logger.error("the settings stay as they were")
        else:
            self._take_over(loaded.config)
        self._supervisor.ready(f"NG on {_join(self._config.listen_ng)}")

    def _take_over(self, wanted: Config) -> None:
        changed = [
            field.name for field in fields(Config) if getattr(wanted, field.name) != getattr(self._config, field.name)
        ]
        now, later = [name for name in changed if name in RELOADED], [name for name in changed if name not in RELOADED]
        self._config = replace(self._config, **{name: getattr(wanted, name) for name in now})
        self._log.reconfigure(self._config)
        self._gate.allow(self._config.allow_ng)
        self._controller.reconfigure(self._config)
        logger.log(NOTICE, "settings read anew: %s", ", ".join(now) if now else "nothing has changed")
        if later:
            logger.warning("at the next start only: %s", ", ".join(later))

    def _changed_by_command(self, config: Config) -> None:
        """Settings were changed through the control port: the log is what else depends on them."""
        self._config = config
        self._log.reconfigure(config)
        logger.log(NOTICE, "settings changed by a control command")

    # -- stop

    def _stop(self) -> None:
        """End all calls, close everything."""
        self._supervisor.stopping()
        self._close_listeners()
        self._alarm.cancel()
        calls = self._controller.close(self._reactor.seconds())
        self._backend.close()
        if self._config.pidfile is not None:
            Path(self._config.pidfile).unlink(missing_ok=True)
        logger.log(NOTICE, "stopped; calls ended: %d", calls)
        self._reactor.stop()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            self._reactor.unwatch(listener.fileno())
            listener.close()
        self._listeners.clear()


def introduction(loaded: Loaded, backend: str) -> str:
    """The first line of the log. What nobody asked for is marked as such."""
    config, given = loaded.config, loaded.given
    parts = [f"NG on {_join(config.listen_ng)}" + ("" if "listen-ng" in given else " (default)")]
    names = _join(
        f"{item.name}/{item.address}" + (f"!{item.advertised}" if item.advertised != item.address else "")
        for item in config.interfaces
    )
    by_default = not {"interface", "interfaces-config"} & given
    parts.append(f"media on {names}" + (" (default: the address of the default route)" if by_default else ""))
    parts.append(f"ports {config.port_min}-{config.port_max}")
    parts.append(f"forwarder {backend}")
    parts.append(f"settings from {loaded.path or 'no file'}")
    return f"ngdaemon {__version__}, Python {sys.version_info.major}.{sys.version_info.minor}: {'; '.join(parts)}"


def _join(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)


def _write_pid(path: str | None) -> None:
    if path is None:
        return
    try:
        Path(path).write_text(f"{os.getpid()}\n", "ascii")
    except OSError as error:
        raise ConfigError(f"pidfile: {path}: {error.strerror}") from None
