"""`python -m benchmarks soak`: thousands of calls that come and go with media; nothing may grow, no packet be lost.

The calls are a queue. In each turn the younger half has media, while the older half is deleted bit by bit, and as many
calls are set up anew; so every call has media for about half of its life, and no call is deleted while it has.
"""

import argparse
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from benchmarks import traffic
from benchmarks.calls import PHONES, Call, phones
from benchmarks.carrier import Answered, set_up
from benchmarks.daemons import Daemon, Running, Site, running
from benchmarks.kernel import Memory, cpu_seconds, descriptors, memory, threads
from benchmarks.ng import WINDOW
from benchmarks.shapes import PLAIN

STEP = 10
"""Calls that are deleted, and set up, together."""
REST = 0.2
"""Seconds after the last request of a turn until the daemon is looked at: sockets are closed by its threads."""
WARM = 120.0
"""Seconds, but at most half of the run, in which the daemon grows to its size: samples until then are not judged."""
GROWTH = 0.02
"""By how much memory may be greater at the end: a share of what it was at the beginning."""
LINES = 12
"""Samples that the table shows."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a daemon is given to do."""

    seconds: float = 3600.0
    calls: int = 2000
    """Calls that are up at any time."""
    rate: int = 40_000
    """Packets a second, over the calls that have media."""
    turn: float = 20.0
    """Seconds in which half of the calls are replaced."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The daemon between two turns, when so many calls are up as ever, and the turn before."""

    seconds: float
    """Since the first one."""
    replaced: int
    """Calls so far that were deleted, and others set up for them."""
    memory: Memory
    descriptors: int
    threads: int
    cpu: float
    """Share of a core in the turn."""
    sent: int
    lost: int
    """Packets of the turn."""


def soak(daemon: Daemon, site: Site, load: Load) -> list[Sample]:
    """A sample of each turn. Raises DaemonError, LoadError."""
    samples: list[Sample] = []
    with running(daemon, site) as daemon_running, ThreadPoolExecutor(1) as generator:
        crowd = Crowd(daemon_running, load.calls)
        begun = time.monotonic()
        while time.monotonic() < begun + load.seconds:
            samples.append(_turn(daemon_running, crowd, load, generator, begun))
            _tell(samples[-1])
    return samples


class Crowd:
    """The calls that are up, the oldest first."""

    def __init__(self, daemon: Running, size: int) -> None:
        self._daemon = daemon
        self._up: deque[Answered] = deque()
        self.size = size
        self.made = 0
        while self.made < size:
            self._add(min(STEP, size - self.made))

    @property
    def replaced(self) -> int:
        return self.made - self.size

    def younger_half(self) -> list[str]:
        """Its phones as lines for the load generator."""
        groups = list(self._up)[len(self._up) // 2 :]
        return phones(
            [call for group in groups for call in group.calls],
            [sdp for group in groups for sdp in group.to_callees],
            [sdp for group in groups for sdp in group.to_callers],
        )

    def older_half(self) -> range:
        """How often `replace` has to be called to replace it."""
        return range(len(self._up) // 2)

    def replace(self) -> None:
        """Delete the oldest calls, and set up as many."""
        oldest = self._up.popleft()
        self._daemon.client.request_all([call.delete() for call in oldest.calls], WINDOW)
        self._add(len(oldest.calls))

    def _add(self, count: int) -> None:
        calls = [Call(PLAIN, self.made + index, self._daemon.site) for index in range(count)]
        self._up.append(set_up(self._daemon, calls))
        self.made += count


def _turn(daemon: Running, crowd: Crowd, load: Load, generator: ThreadPoolExecutor, begun: float) -> Sample:
    cpu, start = cpu_seconds(daemon.pid), time.monotonic()
    media = generator.submit(traffic.run, crowd.younger_half(), rate=load.rate, seconds=load.turn, linger=1.0)
    steps = crowd.older_half()
    for step in steps:
        _wait_until(start + load.turn * step / len(steps), media)
        crowd.replace()
    seen = traffic.intact(media.result())
    time.sleep(REST)
    now = time.monotonic()
    return Sample(
        seconds=now - begun,
        replaced=crowd.replaced,
        memory=memory(daemon.pid),
        descriptors=descriptors(daemon.pid),
        threads=threads(daemon.pid),
        cpu=(cpu_seconds(daemon.pid) - cpu) / (now - start),
        sent=seen.sent,
        lost=seen.lost + seen.duplicate,
    )


def _wait_until(moment: float, media: "Future[traffic.Traffic]") -> None:
    """Sleep, unless the generator has failed."""
    if media.done():
        media.result()
    time.sleep(max(0.0, moment - time.monotonic()))


def _tell(sample: Sample) -> None:
    words = (
        f"{sample.seconds:.0f} s: {sample.replaced:,} calls replaced, {_megabytes(sample):.1f} MB, "
        f"{sample.descriptors:,} descriptors, {sample.threads} threads, {sample.lost} of {sample.sent:,} packets lost"
    )
    print(words, file=sys.stderr, flush=True)


# -- what is judged


def faults(samples: Sequence[Sample]) -> list[str]:
    """What was not as it should be, in words; nothing where all stayed flat and no packet was lost."""
    warm = min(WARM, samples[-1].seconds / 2)
    judged = [each for each in samples if each.seconds > warm]
    quarter = max(1, len(judged) // 4)
    first, last = (median(each.memory.rss for each in part) for part in (judged[:quarter], judged[-quarter:]))
    found = []
    if last > first * (1 + GROWTH):
        found.append(f"memory grew by {100 * (last / first - 1):.1f} %")
    for name, values in (
        ("file descriptors", [each.descriptors for each in judged]),
        ("threads", [each.threads for each in judged]),
    ):
        if min(values) != max(values):
            found.append(f"{name} were between {min(values):,} and {max(values):,}, at the end {values[-1]:,}")
    if lost := sum(each.lost for each in samples):
        found.append(f"{lost:,} packets were lost, or came twice")
    return found


def table(samples: Sequence[Sample]) -> str:
    """Some of the samples, the first and the last among them, and what they come to, as Markdown."""
    shown = sorted({round(index * (len(samples) - 1) / (LINES - 1)) for index in range(LINES)})
    lines = [
        "| after | calls replaced | resident memory | file descriptors | threads | CPU | packets | lost |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_line(samples[index], sum(each.sent for each in samples[: index + 1]), samples) for index in shown),
        "",
        f"{'; '.join(faults(samples)) or 'All stayed flat, and no packet was lost'}.",
    ]
    return "\n".join(lines) + "\n"


def _line(sample: Sample, sent: int, samples: Iterable[Sample]) -> str:
    lost = sum(each.lost for each in samples if each.seconds <= sample.seconds)
    return (
        f"| {sample.seconds:,.0f} s | {sample.replaced:,} | {_megabytes(sample):.1f} MB | {sample.descriptors:,} "
        f"| {sample.threads} | {100 * sample.cpu:.0f} % | {sent:,} | {lost:,} |"
    )


def _megabytes(sample: Sample) -> float:
    return sample.memory.rss / 2**20


# -- the command line


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said of the load."""
    load = Load()
    parser.add_argument("--seconds", type=float, default=load.seconds, help="how long (%(default)g)")
    parser.add_argument("--calls", type=int, default=load.calls, help="calls that are up at any time (%(default)s)")
    parser.add_argument("--rate", type=int, default=load.rate, help="packets a second (%(default)s)")
    parser.add_argument("--turn", type=float, default=load.turn, help="seconds to replace half of them (%(default)g)")


def load_of(options: argparse.Namespace) -> Load:
    """The load that the options say. Raises LoadError."""
    load = Load(options.seconds, options.calls, options.rate, options.turn)
    if not 2 * STEP <= load.calls <= PHONES // 2:
        raise traffic.LoadError(f"--calls must be {2 * STEP} to {PHONES // 2}")
    return load
