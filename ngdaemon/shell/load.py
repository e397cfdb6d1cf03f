"""How busy this host is, for `max-load`, `max-cpu` and `max-bandwidth`."""

import os
from collections.abc import Callable
from pathlib import Path

SAMPLE_SECONDS = 1.0
"""How often `sample` wants to be called."""

PROC_STAT = Path("/proc/stat")


class SystemLoad:
    """A `Load` for production. CPU and bandwidth are means over the time between two samples."""

    def __init__(self, octets: Callable[[], int], now: float, stat: Path = PROC_STAT) -> None:
        """`octets` counts the media octets relayed since the start."""
        self._octets = octets
        self._stat = stat
        self._sampled_at = now
        self._sampled_octets = octets()
        self._sampled_cpu = self._cpu()
        self._cpu_percent = 0.0
        self._bytes_per_second = 0.0

    def load_average(self) -> float:
        return os.getloadavg()[0]

    def cpu_percent(self) -> float:
        return self._cpu_percent

    def bytes_per_second(self) -> float:
        return self._bytes_per_second

    def sample(self, now: float) -> None:
        """Measure since the last sample."""
        elapsed = now - self._sampled_at
        if elapsed <= 0:
            return
        octets, cpu = self._octets(), self._cpu()
        self._bytes_per_second = (octets - self._sampled_octets) / elapsed
        busy, total = cpu[0] - self._sampled_cpu[0], cpu[1] - self._sampled_cpu[1]
        if total > 0:
            self._cpu_percent = 100.0 * busy / total
        self._sampled_at, self._sampled_octets, self._sampled_cpu = now, octets, cpu

    def _cpu(self) -> tuple[int, int]:
        """Ticks that all processors were busy, and ticks in all (proc(5): user nice system idle iowait irq …)."""
        try:
            fields = self._stat.read_text("ascii").partition("\n")[0].split()[1:9]
        except OSError:  # no Linux: there is no limit on CPU then
            return 0, 0
        ticks = [int(field) for field in fields]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
