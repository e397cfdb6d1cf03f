"""What carries packets between phones: a daemon with calls that are answered, or the echo in their place."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import traffic
from benchmarks.calls import Call, phones
from benchmarks.daemons import ECHO, Daemon, Running, Site, running
from benchmarks.kernel import prepare
from benchmarks.ng import WINDOW, DaemonError, sdp_of


@dataclass(frozen=True, slots=True)
class Carrier:
    """A process through which packets go."""

    pid: int
    ends: Sequence[str]
    """The phones as lines for the load generator."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Calls that were offered and answered, with the SDP that each party got."""

    calls: Sequence[Call]
    to_callees: Sequence[str]
    to_callers: Sequence[str]

    def phones(self) -> list[str]:
        """Their phones as lines for the load generator."""
        return phones(self.calls, self.to_callees, self.to_callers)


def set_up(daemon: Running, calls: Sequence[Call]) -> Answered:
    """Offer and answer calls."""
    offers = daemon.client.request_all([call.offer() for call in calls], WINDOW)
    answers = daemon.client.request_all([call.answer() for call in calls], WINDOW)
    return Answered(calls, [sdp_of(reply) for reply in offers], [sdp_of(reply) for reply in answers])


@contextlib.contextmanager
def carrying(daemon: Daemon, site: Site, calls: Sequence[Call]) -> Iterator[Carrier]:
    """A fresh daemon with these calls. Raises DaemonError, LoadError.

    A fresh one for each run, as some do not get over a disturbance: flows stay silent once they lost.
    """
    if daemon is ECHO:
        with _echo(site, calls) as carrier:
            yield carrier
        return
    with running(daemon, site) as daemon_running:
        yield Carrier(daemon_running.pid, set_up(daemon_running, calls).phones())


@contextlib.contextmanager
def _echo(site: Site, calls: Sequence[Call]) -> Iterator[Carrier]:
    """The echo with a port for each phone, to which comes back what it sends."""
    first, ends = site.media_ports[0], []
    for index, call in enumerate(calls):
        for end, address in ((2 * index, site.callers), (2 * index + 1, site.callees)):
            ends.append(f"{address} {call.port} {site.address} {first + end} {end}")
    command = (str(traffic.build("echo")), site.address, str(first), str(len(ends)))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: prepare(site.daemon_core)
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            if not process.stdout.readline():
                raise DaemonError(process.stderr.read().strip())
            yield Carrier(process.pid, ends)
        finally:
            process.kill()
