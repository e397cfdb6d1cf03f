"""The measurements. Each starts a daemon, loads it in one way, and gives figures by name.

A figure's name is `QUANTITY@CONDITION`; `suites.py` says which ones a table shows and what is to be reached.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks import traffic
from benchmarks.calls import Call
from benchmarks.carrier import Carrier, carrying, set_up
from benchmarks.daemons import Daemon, Running, Site, running
from benchmarks.kernel import cpu_seconds, memory, waited_seconds
from benchmarks.ng import WINDOW
from benchmarks.shapes import Shape

Figures = dict[str, float]
Measure = Callable[[Daemon, Site, "Effort"], Figures]

GROUP = 50
"""Calls that are offered, then answered, then deleted together: each command has its own reading of the clock."""
SETTLE = 3.5
"""Seconds of traffic before the measured period: daemons learn addresses in the first 3 (ng-protocol.md §5.1)."""
SETTLE_RATE = 20_000
"""Packets a second until then, at most: a daemon that loses packets while it learns may stay silent afterwards."""
DISTURBED = 5.0
"""Percent of lateness or of waiting for a core above which a run is made again."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a round takes."""

    rounds: int
    """Rounds that count."""
    groups: int
    """Groups of calls in the measurement of requests."""
    held: int
    """Calls held in the measurement of memory."""
    seconds: float
    """Measured seconds of each packet rate."""
    handshakes: int
    """Calls with DTLS-SRTP of which the CPU is measured."""
    alone: int
    """Calls with DTLS-SRTP of which the time is measured."""
    attempts: int = 5
    """Runs that are made at most to have one that was not disturbed."""
    resolution: float = 0.02
    """How close the search for the highest rate comes to it: a share of it."""
    discarded: int = 1
    """Rounds that go before those that count."""

    def __str__(self) -> str:
        return (
            f"{self.groups * GROUP:,} requests of a kind, {self.held:,} calls held, {self.seconds:g} s of each rate, "
            f"{self.handshakes} calls with handshakes together and {self.alone} alone"
        )


FULL = Effort(rounds=5, groups=30, held=2000, seconds=4.0, handshakes=400, alone=100)
QUICK = Effort(
    rounds=1, groups=6, held=500, seconds=1.0, handshakes=40, alone=20, attempts=1, resolution=0.1, discarded=0
)


def requests(shape: Shape) -> Measure:
    """CPU microseconds per request: `offer`, `answer`, `delete`, and `request`, the mean of the three."""

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        warmup = max(effort.groups // 5, 2)
        with running(daemon, site) as daemon_running:
            _spend(daemon_running, shape, range(warmup))
            spent = _spend(daemon_running, shape, range(warmup, warmup + effort.groups))
        return {
            f"{command}@{shape.name}": 1e6 * seconds / (effort.groups * GROUP)
            for command, seconds in (*spent.items(), ("request", sum(spent.values()) / len(spent)))
        }

    return measure


def _spend(daemon: Running, shape: Shape, groups: range) -> dict[str, float]:
    """CPU seconds by command for so many groups of calls."""
    spent = {"offer": 0.0, "answer": 0.0, "delete": 0.0}
    for group in groups:
        calls = [Call(shape, group * GROUP + index, daemon.site) for index in range(GROUP)]
        for command, documents in (
            ("offer", [call.offer() for call in calls]),
            ("answer", [call.answer() for call in calls]),
            ("delete", [call.delete() for call in calls]),
        ):
            before = cpu_seconds(daemon.pid)
            daemon.client.request_all(documents, WINDOW)
            spent[command] += cpu_seconds(daemon.pid) - before
    return spent


def held(shape: Shape) -> Measure:
    """Kilobytes of memory per answered call while many are held: `rss` and `pss`."""

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        with running(daemon, site) as daemon_running:
            _spend(daemon_running, shape, range(1))
            before = memory(daemon_running.pid)
            set_up(daemon_running, [Call(shape, GROUP + index, site) for index in range(effort.held)])
            after = memory(daemon_running.pid)
        per_call = 1024 * effort.held
        return {
            f"rss@{shape.name}": (after.rss - before.rss) / per_call,
            f"pss@{shape.name}": (after.pss - before.pss) / per_call,
        }

    return measure


def media(shape: Shape, flows: int, rates: Sequence[int]) -> Measure:
    """Relayed packets at each total rate (packets a second), flows being directions: two a call.

    `cpu` is CPU microseconds per delivered packet, `p50` and `p99` microseconds from sending to arrival (none of the
    three where nothing arrived), `loss` a percentage, `rate` the delivered packets a second, `waited` the percentage
    of time in which the daemon was ready to run but something else had its core, `late` that of the packets that left
    more than 1 ms after their time.
    """

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        figures: Figures = {}
        for rate in rates:
            calmest = undisturbed(partial(_relay, daemon, site, shape, flows, rate, effort.seconds), effort.attempts)
            figures |= {f"{name}@{condition(shape, flows, rate)}": value for name, value in calmest.items()}
        return figures

    return measure


def condition(shape: Shape, flows: int, rate: int) -> str:
    """What packets were measured under, in the names of figures."""
    return f"{shape.name}-{flows}-{rate}"


def undisturbed(relay: Callable[[], Figures], attempts: int) -> Figures:
    """The first of so many runs in which neither daemon nor load was kept from its core, else the calmest."""
    runs: list[Figures] = []
    while len(runs) < attempts:
        runs.append(relay())
        if _disturbance(runs[-1]) <= DISTURBED:
            return runs[-1]
        late, waited = runs[-1].get("late", 0.0), runs[-1]["waited"]
        print(f"disturbed: {late:.0f} % late, daemon {waited:.0f} % without its core", file=sys.stderr, flush=True)
    return min(runs, key=_disturbance)


def _disturbance(figures: Figures) -> float:
    return max(figures.get("late", 0.0), figures["waited"])


def _relay(daemon: Daemon, site: Site, shape: Shape, flows: int, rate: int, seconds: float) -> Figures:
    """One run."""
    with carrying(daemon, site, [Call(shape, index, site) for index in range(flows // 2)]) as carrier:
        return send_through(carrier, rate, seconds)


def send_through(carrier: Carrier, rate: int, seconds: float, protected: traffic.Protected | None = None) -> Figures:
    """Packets between the phones of answered calls, and what is told of them (see `media`)."""
    waited = waited_seconds(carrier.pid)
    seen = traffic.run(
        carrier.ends,
        rate=rate,
        seconds=seconds,
        warmup=SETTLE,
        warmup_rate=min(rate, SETTLE_RATE),
        cpu_of=carrier.pid,
        protected=protected,
    )
    waited = waited_seconds(carrier.pid) - waited
    figures = {
        "cpu": traffic.intact(seen).cpu_us,
        "loss": seen.loss_percent,
        "p50": seen.p50_us,
        "p99": seen.p99_us,
        "rate": seen.received / seen.wall,
        "late": seen.late_percent,
        "waited": 100 * waited / (seen.wall + SETTLE),
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
