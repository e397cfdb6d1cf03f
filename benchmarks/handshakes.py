"""Calls with DTLS-SRTP from the offer to the first media that the daemon decrypted: their cost, and their time."""

import select
import time
from collections.abc import Sequence
from functools import partial
from statistics import median

from benchmarks.calls import Call
from benchmarks.daemons import Daemon, Running, Site, running
from benchmarks.handset import PlainPhone, SecuredPhone
from benchmarks.handshake import context_of
from benchmarks.kernel import cpu_seconds, waited_seconds
from benchmarks.measures import Effort, Figures, Measure, undisturbed
from benchmarks.ng import WINDOW, sdp_of
from benchmarks.shapes import Shape
from benchmarks.traffic import LoadError
from ngdaemon.dtls.certificate import make
from ngdaemon.shell.rng import SystemRng
from ngdaemon.shell.wall import SystemWall

TOGETHER = 10
"""Calls that are set up side by side where CPU is measured."""
PATIENCE = 10.0
"""Seconds after which a call without media counts as failed, and with it the measurement."""
REST = 0.005
"""Seconds after the last call of a group in which the daemon finishes what it has begun."""


def handshakes(shape: Shape, *, ice: bool) -> Measure:
    """Calls of a shape whose callers speak DTLS-SRTP, with ICE or without.

    `setup` is CPU microseconds of the daemon per call from the offer to the first media at the callee, `calls` how many
    of these a core does in a second, `end` CPU microseconds of the delete. `first` is the median of the milliseconds
    from sending the request of the answer to that media, and `last` what nine calls of ten keep below, of calls that
    are alone; `waited` is the percentage of that time in which something else had the daemon's core.
    """

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        load = Load(shape, site, ice=ice)
        calmest = undisturbed(partial(_set_up, daemon, site, effort, load), effort.attempts)
        return {f"{name}@{shape.name}": value for name, value in calmest.items()}

    return measure


class Load:
    """Makes calls with their phones, each with another number."""

    def __init__(self, shape: Shape, site: Site, *, ice: bool) -> None:
        identity = make(SystemRng(), SystemWall())
        self._context = context_of(identity)
        self._fingerprint = identity.fingerprint().text().split()[-1]
        self._shape, self._site, self._ice = shape, site, ice
        self._number = 0

    def attempts(self, count: int) -> list["Attempt"]:
        """So many further calls."""
        return [self._attempt() for _ in range(count)]

    def _attempt(self) -> "Attempt":
        number, site = self._number, self._site
        self._number += 1
        port = Call(self._shape, number, site).port
        caller = SecuredPhone(
            site.callers, port, number, self._context, self._fingerprint, ice=self._ice, now=time.monotonic()
        )
        return Attempt(Call(self._shape, number, site, caller.words()), caller, PlainPhone(site.callees, port, number))


class Attempt:
    """A call with both its phones."""

    def __init__(self, call: Call, caller: SecuredPhone, callee: PlainPhone) -> None:
        self.call, self.caller, self.callee = call, caller, callee

    def close(self) -> None:
        self.caller.close()
        self.callee.close()


def _set_up(daemon: Daemon, site: Site, effort: Effort, load: Load) -> Figures:
    """One run with a fresh daemon: calls together for their CPU, then alone for their time."""
    with running(daemon, site) as daemon_running:
        _spend(daemon_running, load, 2)
        groups = effort.handshakes // TOGETHER
        setup, end = (1e6 * spent / (groups * TOGETHER) for spent in _spend(daemon_running, load, groups))
        waited, begun = waited_seconds(daemon_running.pid), time.monotonic()
        delays = sorted(_delay(daemon_running, load) for _ in range(effort.alone))
        waited = waited_seconds(daemon_running.pid) - waited
    return {
        "setup": setup,
        "calls": 1e6 / setup,
        "end": end,
        "first": 1e3 * median(delays),
        "last": 1e3 * delays[int(0.9 * len(delays))],
        "waited": 100 * waited / (time.monotonic() - begun),
    }


def _spend(daemon: Running, load: Load, groups: int) -> tuple[float, float]:
    """CPU seconds of the daemon for so many groups of calls: until there is media, and to end them."""
    setup = end = 0.0
    for _ in range(groups):
        attempts = load.attempts(TOGETHER)
        before = cpu_seconds(daemon.pid)
        _connect(daemon, attempts)
        time.sleep(REST)
        between = cpu_seconds(daemon.pid)
        _hang_up(daemon, attempts)
        setup, end = setup + between - before, end + cpu_seconds(daemon.pid) - between
    return setup, end


def _delay(daemon: Running, load: Load) -> float:
    """Seconds from the answer of a call to its first media."""
    attempts = load.attempts(1)
    answered = _connect(daemon, attempts)
    heard = attempts[0].callee.heard_at
    _hang_up(daemon, attempts)
    assert heard is not None
    return heard - answered


def _connect(daemon: Running, attempts: Sequence[Attempt]) -> float:
    """Offer and answer calls, and wait until each callee hears his caller; when the answers were begun to be sent."""
    daemon.client.request_all([attempt.call.offer() for attempt in attempts], WINDOW)
    answered = time.monotonic()
    replies = daemon.client.request_all([attempt.call.answer() for attempt in attempts], WINDOW)
    for attempt, reply in zip(attempts, replies, strict=True):
        attempt.caller.hear(sdp_of(reply), time.monotonic())
    wait_for_media(attempts, answered + PATIENCE)
    return answered


def _hang_up(daemon: Running, attempts: Sequence[Attempt]) -> None:
    daemon.client.request_all([attempt.call.delete() for attempt in attempts], WINDOW)
    for attempt in attempts:
        attempt.close()


def wait_for_media(attempts: Sequence[Attempt], deadline: float) -> None:
    """Let the phones talk, without sleeping: the daemon shall not pay for waking us. Raises LoadError."""
    with select.epoll() as poll:
        phones = {phone.socket.fileno(): phone for each in attempts for phone in (each.caller, each.callee)}
        for number in phones:
            poll.register(number, select.EPOLLIN)
        while any(attempt.callee.heard_at is None for attempt in attempts):
            now = time.monotonic()
            for number, _ in poll.poll(0):
                phones[number].read(now)
            for attempt in attempts:
                if attempt.callee.heard_at is None:
                    attempt.caller.handle_timer(now)
            if now > deadline:
                missing = sum(attempt.callee.heard_at is None for attempt in attempts)
                raise LoadError(f"{missing} of {len(attempts)} calls have no media after {PATIENCE:g} s")
