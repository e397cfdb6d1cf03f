"""What the kernel lets us have: file descriptors, and ports that it does not give to others."""

import ctypes
import resource
from collections.abc import Iterable
from pathlib import Path

from ngdaemon.config import Config
from ngdaemon.config.values import PortRange

RESERVE = 64
"""File descriptors for all that is not a media port."""

PR_SET_DUMPABLE = 4
"""linux/prctl.h; Python has no name for it."""

PROC_PORTS = Path("/proc/sys/net/ipv4")


def raise_descriptors() -> int:
    """Raise the limit of open files as far as we may, and give what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems refuse "unlimited"
            return soft
    return hard


def forbid_dumps() -> None:
    """Have no core of ours written, and our memory read by root alone: there are keys in it (S17)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    prctl = getattr(libc, "prctl", None)
    if prctl is not None:
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def warnings(config: Config, descriptors: int, proc: Path = PROC_PORTS) -> list[str]:
    """What an operator should know of his port range, one line each."""
    found = []
    needed = _sockets(config)
    if descriptors != resource.RLIM_INFINITY and needed + RESERVE > descriptors:
        found.append(
            f"port-min, port-max: {needed} media ports in all, but only {descriptors} files may be open: calls will be "
            f"refused before the ports run out. Raise the limit to {needed + RESERVE} (LimitNOFILE= in the unit file, "
            "ulimit -Hn, --ulimit nofile= for containers) or narrow the range"
        )
    found.extend(_ephemeral(config, proc))
    return found


def _ranges(config: Config) -> list[PortRange]:
    """The port range of each local address."""
    return [config.ports(address) for address in dict.fromkeys(item.address for item in config.interfaces)]


def _sockets(config: Config) -> int:
    return sum(
        ports.last - ports.first + 1 - sum(ports.first <= port <= ports.last for port in ports.excluded)
        for ports in _ranges(config)
    )


def _ephemeral(config: Config, proc: Path) -> list[str]:
    """A warning for each range out of which the kernel gives ports to other programs."""
    try:
        low, high = (int(word) for word in (proc / "ip_local_port_range").read_text("ascii").split())
        reserved = _reserved((proc / "ip_local_reserved_ports").read_text("ascii"))
    except (OSError, ValueError):
        return []
    found = []
    for ports in dict.fromkeys(_ranges(config)):
        first, last = max(low, ports.first), min(high, ports.last)
        if any(port not in reserved for port in range(first, last + 1)):
            found.append(
                f"port-min, port-max: the kernel gives ports {first} to {last} to other programs as well. Keep them "
                f"for media: sysctl -w net.ipv4.ip_local_reserved_ports={ports.first}-{ports.last}"
            )
    return found


def _reserved(text: str) -> frozenset[int]:
    """The ports of `ip_local_reserved_ports`: `8080,9148,30000-39999`."""
    return frozenset(port for item in text.strip().split(",") if item for port in _span(item))


def _span(item: str) -> Iterable[int]:
    first, dash, last = item.partition("-")
    return range(int(first), int(last if dash else first) + 1)
