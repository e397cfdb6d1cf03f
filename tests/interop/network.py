"""Networks made of namespaces: hosts on one segment, and phones behind a router that translates addresses.

    hosts of the segment                     192.0.2.N/24 and 2001:db8::N/64 (documentation ranges)
    a host behind `Network.nat`              10.N.0.2/24, seen from outside with the router's address

Namespaces carry the number of the process that made them. Whatever a killed run left behind is swept by the next one.
"""

import contextlib
import ctypes
import itertools
import os
import re
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ngdaemon.base.endpoint import Endpoint

_PREFIX = "ngi"
_MTU = 9000  # a SIP message never needs fragments
_CLONE_NEWNET = 0x40000000
_serial = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str) -> str:
    """Run a command to its end and return what it printed; AssertionError with its complaint when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"
    return done.stdout


@dataclass
class Host:
    """A namespace with its addresses; `address` is its IPv4 address, `address6` the IPv6 one ("" where it has none)."""

    namespace: str
    address: str
    address6: str = ""

    def command(self, *command: str) -> list[str]:
        """The command line that runs `command` on this host."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def run(self, *command: str) -> str:
        return run(*self.command(*command))

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets opened by this thread meanwhile belong to this host."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.namespace}") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def bound(self) -> set[Endpoint]:
        """The UDP endpoints that are open on this host."""
        with self.inside():
            tables = [Path(f"/proc/thread-self/net/{table}").read_text() for table in ("udp", "udp6")]
        return {_endpoint(line.split()[1]) for table in tables for line in table.splitlines()[1:]}

    def udp(self, address: str, port: int = 0) -> socket.socket:
        """A bound UDP socket on this host."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside():
            sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((address, port))
        return sock


@dataclass
class Network:
    """One segment and the hosts on it. `close()` kills whatever still runs there and removes it."""

    label: str = field(default_factory=lambda: f"{_PREFIX}-{os.getpid()}-{next(_serial)}")
    namespaces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._segment = self._namespace("segment")
        self._ip(self._segment, "link add br0 type bridge", f"link set br0 mtu {_MTU} up")

    def host(self, name: str, number: int) -> Host:
        """A host with the addresses of `number` (1 to 254) in both families."""
        host = Host(self._namespace(name), f"192.0.2.{number}", f"2001:db8::{number:x}")
        self._plug(host.namespace, name)
        self.add_addresses(host, number)
        return host

    def add_addresses(self, host: Host, number: int) -> None:
        """Give the host the addresses of another number besides its own."""
        self._ip(
            host.namespace,
            f"addr add 192.0.2.{number}/24 dev eth0",
            f"addr add 2001:db8::{number:x}/64 dev eth0 nodad",
        )

    def nat(self, name: str, number: int) -> Host:
        """A host behind a router of that number, which gives each flow another source port than the host chose."""
        router = self.host(f"{name}-nat", number)
        inside = Host(self._namespace(name), f"10.{number}.0.2")
        self._cable(router.namespace, "lan0", inside.namespace, "eth0")
        self._ip(router.namespace, f"addr add 10.{number}.0.1/24 dev lan0")
        self._ip(inside.namespace, f"addr add {inside.address}/24 dev eth0", f"route add default via 10.{number}.0.1")
        with router.inside():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        router.run("nft", "add table ip nat")
        router.run("nft", "add chain ip nat out { type nat hook postrouting priority srcnat; }")
        router.run("nft", "add rule ip nat out oifname eth0 masquerade fully-random")
        return inside

    def close(self) -> None:
        for namespace in self.namespaces:
            _remove(namespace)
        self.namespaces.clear()

    def _namespace(self, name: str) -> str:
        namespace = f"{self.label}-{name}"
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        self._ip(namespace, "link set lo up")
        return namespace

    def _plug(self, namespace: str, name: str) -> None:
        port = f"to-{name}"[:15]
        self._cable(namespace, "eth0", self._segment, port)
        self._ip(self._segment, f"link set {port} master br0")

    def _cable(self, one: str, one_end: str, other: str, other_end: str) -> None:
        run("ip", "link", "add", one_end, "netns", one, "type", "veth", "peer", "name", other_end, "netns", other)
        self._ip(one, f"link set {one_end} mtu {_MTU} up")
        self._ip(other, f"link set {other_end} mtu {_MTU} up")

    @staticmethod
    def _ip(namespace: str, *lines: str) -> None:
        for line in lines:
            run("ip", "-n", namespace, *line.split())


def sweep() -> None:
    """Remove the networks of runs that are no more."""
    for line in run("ip", "netns", "list").splitlines():
        namespace = line.split()[0]
        match = re.match(rf"{_PREFIX}-(\d+)-", namespace)
        if match and not _alive(match[1]):
            with contextlib.suppress(AssertionError):  # another run sweeps too
                _remove(namespace)


def _alive(pid: str) -> bool:
    """Whether the process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def _remove(namespace: str) -> None:
    for pid in _processes(namespace):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run("ip", "netns", "delete", namespace)


def _processes(namespace: str) -> Sequence[int]:
    return [int(pid) for pid in run("ip", "netns", "pids", namespace).split()]


def _endpoint(text: str) -> Endpoint:
    """An endpoint as the kernel's tables write it: words of the address in host order, in hexadecimal."""
    address, port = text.split(":")
    words = [struct.unpack("=I", bytes.fromhex(address[at : at + 8]))[0] for at in range(0, len(address), 8)]
    packed = struct.pack(f"!{len(words)}I", *words)
    return Endpoint(socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed), int(port, 16))


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
