"""RTP through a daemon: builds the programs in C, `rtpload` and `echo`, and runs the first."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BUILT = _HERE.parent / "build" / "benchmarks"

HEADER, PAYLOAD = 12, 160
"""Octets of an RTP packet."""
GRACE = 0.02
"""Seconds after the measured period in which arrivals are still on time (rtpload.c)."""


class LoadError(Exception):
    """The generator could not be built or run, or packets arrived that were not sent so."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one run counted in its measured period. Times in seconds, or microseconds where the name says so."""

    ends: int
    wall: float
    cpu: float
    """CPU time of the process named by `cpu_of`."""
    own_cpu: float
    sent: int
    received: int
    lost: int
    bytes: int
    """Octets of RTP received."""
    reordered: int
    duplicate: int
    damaged: int
    """Received packets of another length or content than was sent."""
    stray: int
    """Packets that arrived where they do not belong or that nobody sent, those of the warm-up included."""
    stale: int
    """Packets that came too late to count: from a run before, or 1,024 and more behind in their flow."""
    refused: int
    """Packets that the generator's kernel did not take (port unreachable, buffers full); they count as lost."""
    late: int
    """Packets, those of the warm-up included, that left more than 1 ms after their time: something disturbed it."""
    latest_us: int
    overdue: int
    """Received packets that arrived more than `GRACE` after the end: the relay had not kept pace."""
    warmup_sent: int
    warmup_lost: int
    p50_us: int | None
    """Delay from sending to arrival in the far socket; None when nothing arrived."""
    p99_us: int | None
    max_us: int | None

    @property
    def loss_percent(self) -> float:
        return 100 * self.lost / self.sent

    @property
    def late_percent(self) -> float:
        return 100 * self.late / (self.warmup_sent + self.sent)

    @property
    def missed_percent(self) -> float:
        """Loss, and what would become loss if it went on so."""
        return 100 * (self.lost + self.overdue) / self.sent

    @property
    def timely_rate(self) -> float:
        """Packets a second that arrived in time."""
        return (self.received - self.overdue) / (self.wall + GRACE)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds of the daemon per packet that it delivered."""
        return 1e6 * self.cpu / self.received if self.received else None


def build(name: str = "rtpload") -> Path:
    """The generator or another program of this folder, compiled if it is not there or old. Raises LoadError."""
    source, program = _HERE / f"{name}.c", _BUILT / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    command = ("cc", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", str(program), str(source))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        raise LoadError(f"{name} needs a C compiler named cc (Debian: apt install gcc libc6-dev)") from None
    if done.returncode != 0:
        raise LoadError(f"{name} does not compile: {done.stderr.strip()}")
    return program


def payload() -> bytes:
    """The payload of every packet."""
    return bytes((i * 37 + 11) & 0xFF for i in range(PAYLOAD))


@dataclass(frozen=True, slots=True)
class Protected:
    """What a run needs for ends that are `protected` (rtpload.c)."""

    run: int
    script: Path
    """Packets that these ends send."""
    sample: Path
    """Where some of what arrives at them goes."""
    overhead: int
    """Octets by which a protected packet is longer."""


def run(
    lines: Sequence[str],
    *,
    rate: float,
    seconds: float,
    warmup: float = 0.0,
    warmup_rate: float | None = None,
    linger: float = 0.5,
    cpu_of: int = 0,
    burst: int = 1,
    protected: Protected | None = None,
) -> Traffic:
    """Send `rate` packets a second over the ends in `lines` (see rtpload.c) and count. Raises LoadError.

    The warm-up has a rate of its own if one is given; then `burst` packets of an end leave together.
    """
    options: dict[str, object] = {"rate": rate, "warmup": warmup, "seconds": seconds, "linger": linger}
    options["warmup-rate"] = rate if warmup_rate is None else warmup_rate
    options |= {"cpu-of": cpu_of, "payload": PAYLOAD, "burst": burst}
    if protected is not None:
        options |= {"run": protected.run, "overhead": protected.overhead}
        options |= {"protected": protected.script, "sample": protected.sample}
    done = subprocess.run(
        (str(build()), *(part for name, value in options.items() for part in (f"--{name}", str(value)))),
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=2 * (seconds + warmup) + linger + 30,
    )
    if done.returncode != 0:
        raise LoadError(done.stderr.strip() or f"rtpload ended with code {done.returncode}")
    counted = json.loads(done.stdout)
    return Traffic(**{field.name: counted[field.name] for field in fields(Traffic)})


def intact(traffic: Traffic) -> Traffic:
    """The same, unless packets arrived that were not sent so. Raises LoadError."""
    if traffic.damaged or traffic.stray:
        raise LoadError(f"{traffic.damaged} packets arrived damaged and {traffic.stray} where they do not belong")
    return traffic
