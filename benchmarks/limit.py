"""The highest rate that a daemon carries on its core, and what it carries when twice as much is offered."""

import sys
from collections.abc import Callable
from functools import partial

from benchmarks import traffic
from benchmarks.calls import Call
from benchmarks.carrier import carrying
from benchmarks.daemons import Daemon, Site
from benchmarks.kernel import waited_seconds
from benchmarks.measures import DISTURBED, SETTLE, SETTLE_RATE, Effort, Figures, Measure
from benchmarks.shapes import Shape

LOSS = 0.1
"""Percent of the packets that may be missed."""
START = 100_000
"""Packets a second at which the search begins."""
STEP = 1.4
"""How much further it goes at once until it has both a rate that passes and one that does not."""
BURST = 4
"""Packets of a flow that leave together where twice the limit is offered: the generator could not do it one by one."""
CONFIRMED = 2
"""Runs that must fail before a rate counts as too high: one alone may have been disturbed by something unseen."""


def limit(shape: Shape, flows: int) -> Measure:
    """The greatest rate at which less than `LOSS` is missed, in packets a second: `limit`.

    Missed is what was lost, and what had not arrived shortly after the end (`Traffic.overdue`): with thousands of
    sockets the kernel keeps seconds of packets for a daemon that does not keep pace, and nothing is lost before that.

    `share` is the rate at which packets arrive when twice the limit is offered, divided by the limit. `offered` is how
    much that really was in limits: the generator has a limit too. `late` is the percentage of packets that it sent late
    at the limit itself, `waited` that of the time in which the overloaded daemon was kept from its core.
    """

    def measure(daemon: Daemon, site: Site, effort: Effort) -> Figures:
        calls = [Call(shape, number, site) for number in range(flows // 2)]
        probe = partial(_probe, daemon, site, calls, seconds=effort.seconds / 2)
        passed: list[traffic.Traffic] = []

        def passes(rate: float) -> bool:
            failures = 0
            for _ in range(effort.attempts):
                seen, waited = probe(rate)
                if seen.missed_percent < LOSS:
                    passed.append(seen)
                    return True
                failures += waited <= DISTURBED
                if failures == CONFIRMED:
                    break
            return False

        highest(passes, START, effort.resolution)
        best = max(passed, key=_sent_rate)
        most = _sent_rate(best)
        overload, waited = probe(2 * most, burst=BURST)
        figures = {
            "limit": most,
            "share": overload.timely_rate / most,
            "offered": _sent_rate(overload) / most,
            "late": best.late_percent,
            "waited": waited,
        }
        return {f"{name}@{shape.name}-{flows}": value for name, value in figures.items()}

    return measure


def highest(passes: Callable[[float], bool], start: float, resolution: float) -> float:
    """The highest rate that passes, up to a share of `resolution`. Raises LoadError when none does."""
    low = high = start
    if passes(start):
        while passes(high := high * STEP):
            low = high
    else:
        while not passes(low := low / STEP):
            high = low
            if low < 1:
                raise traffic.LoadError("not even a packet a second passes")
    while high / low > 1 + resolution:
        middle = (low * high) ** 0.5
        if passes(middle):
            low = middle
        else:
            high = middle
    return low


def _sent_rate(seen: traffic.Traffic) -> float:
    return seen.sent / seen.wall


def _probe(
    daemon: Daemon, site: Site, calls: list[Call], rate: float, *, seconds: float, burst: int = 1
) -> tuple[traffic.Traffic, float]:
    """One run with a fresh daemon at so many packets a second; for what percentage of it the daemon had no core."""
    with carrying(daemon, site, calls) as carrier:
        waited = waited_seconds(carrier.pid)
        seen = traffic.run(
            carrier.ends,
            rate=rate,
            seconds=seconds,
            warmup=SETTLE,
            warmup_rate=SETTLE_RATE,
            cpu_of=carrier.pid,
            burst=burst,
        )
        waited = 100 * (waited_seconds(carrier.pid) - waited) / (seen.wall + SETTLE)
    words = f"{daemon.name}: {rate / 1000:.0f} kpps offered, {seen.missed_percent:.2f} % missed"
    if waited > DISTURBED:
        words += f", {waited:.0f} % without its core"
    print(words, file=sys.stderr, flush=True)
    return traffic.intact(seen), waited
