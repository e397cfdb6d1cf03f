"""What the kernel knows about a process: its CPU time, its memory, and how much it has open. Linux only."""

import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time that all threads of a process used so far, those that ended included, in seconds.

    Read from the process's CPU clock, which has nanoseconds where `/proc/PID/stat` has hundredths of a second
    (clock_getcpuclockid(3): the clock's number is the complement of the process's, shifted, and 2 for "scheduled").
    """
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def waited_seconds(pid: int) -> float:
    """Time that the living threads of a process were ready to run but had no core, in seconds.

    Second field of `schedstat` (Linux, Documentation/scheduler/sched-stats): nanoseconds on the run queue.
    """
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[1]) for task in tasks) / 1e9


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in bytes."""

    rss: int
    """Resident pages."""
    pss: int
    """Resident pages, each shared one divided among its users."""


def memory(pid: int) -> Memory:
    """The memory of a process now."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0]) * 1024
    return Memory(fields["Rss"], fields["Pss"])


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def pin(core: int) -> None:
    """Keep the calling process and what it starts from now on to one core."""
    os.sched_setaffinity(0, {core})


def prepare(core: int) -> None:
    """Make the calling process ready to become a daemon: on one core, with as many open files as there may be."""
    pin(core)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def machine() -> str:
    """The machine in a few words, for the head of a table."""
    release = ".".join(platform.release().split(".")[:2])
    return f"{os.cpu_count()} cores of {_cpu_model()}, Linux {release}, Python {platform.python_version()}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
