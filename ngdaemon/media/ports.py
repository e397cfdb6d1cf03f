"""Which local port to try next (ng-protocol.md §5.5): pairs spread over the range, and rest for those that were closed.

Ports are proposed here; the forwarder disposes by binding them. RTP gets an even port and its RTCP the next odd one; a
port without partner may be any. A port that was given back rests for some seconds, and then waits until those that
rest longer have been used, so that late packets for one call never reach another. All steps take constant time.
"""

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import NgdaemonError, PortUnavailable
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.base.sources import Rng
from ngdaemon.config.values import PortRange
from ngdaemon.media.forwarder import Forwarder

TRIES = 64
"""Ports that may turn out to be taken by other programs before a request is refused."""
TAKEN_REST = 10.0
"""Seconds before a port that another program had is tried again."""

EVEN, ODD = 1, 2
BOTH = EVEN | ODD


class PortsExhausted(NgdaemonError):
    """No port is to be had on a local address; the text says why, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The ports of a local address, counted."""

    total: int
    used: int
    resting: int
    """Given back, and not usable yet at the time of asking."""

    @property
    def free(self) -> int:
        return self.total - self.used


class Ports:
    """The port pools of all local addresses; an address that is on several interfaces has one pool."""

    def __init__(
        self, first: int, last: int, quarantine: float, rng: Rng, own: Mapping[str, PortRange] | None = None
    ) -> None:
        """`first` to `last` are the ports of each address that has none of its `own`; `quarantine` is in seconds."""
        self._usual = PortRange(first, last)
        self._own = dict(own or {})
        self.quarantine = quarantine
        """Seconds that a port rests; may be changed."""
        self._rng = rng
        self._pools: dict[str, _Pool] = {}

    def open(
        self, call: CallId, address: str, pair: bool, forwarder: Forwarder, now: float
    ) -> tuple[int, tuple[SocketId, ...]]:
        """Bind a port, or an even one and the next, on a local address: the first port, and one or two sockets.

        Raises PortsExhausted, and PortUnavailable when the system has no room for sockets; nothing stays bound then.
        """
        pool = self._pool(address)
        for _ in range(TRIES):
            port = pool.take_pair(self._rng, now) if pair else pool.take_single(self._rng, now)
            if port is None:
                break
            wanted = (port, port + 1) if pair else (port,)
            try:
                return port, _bind(call, address, wanted, forwarder)
            except PortUnavailable as error:
                for item in wanted:
                    if error.exhausted:
                        pool.give_back(item, now, untold=True)
                    else:
                        pool.give_back(item, now + TAKEN_REST, taken=True)
                if error.exhausted:
                    raise
        raise PortsExhausted(self._why(address, pair, now))

    def release(self, address: str, port: int, now: float) -> None:
        """Let a port rest that was opened. One that is not in use is left alone."""
        pool = self._pools.get(address)
        if pool is not None:
            pool.give_back(port, now + self.quarantine)

    def put_back(self, address: str, port: int, now: float) -> None:
        """Let a port be used again at once: it was opened, and nobody was told."""
        pool = self._pools.get(address)
        if pool is not None:
            pool.give_back(port, now, untold=True)

    def holds(self, endpoint: Endpoint) -> bool:
        """Whether this is a local port that is in use."""
        pool = self._pools.get(endpoint.address)
        return pool is not None and pool.holds(endpoint.port)

    def used(self, address: str) -> int:
        """Ports in use."""
        pool = self._pools.get(address)
        return pool.used if pool is not None else 0

    def usage(self, address: str, now: float) -> Usage:
        """The ports of a local address, counted."""
        pool = self._pool(address)
        return Usage(pool.total, pool.used, pool.resting(now))

    def _pool(self, address: str) -> "_Pool":
        pool = self._pools.get(address)
        if pool is None:
            pool = self._pools[address] = _Pool(self._own.get(address, self._usual))
        return pool

    def _why(self, address: str, pair: bool, now: float) -> str:
        pool, usage = self._pool(address), self.usage(address, now)
        kind = "pair of ports" if pair else "port"
        return (
            f"no free {kind} on {address}: of the {usage.total} in {pool.first}-{pool.last} {usage.used} are in use "
            f"and {usage.resting} rest after use or belong to other programs; widen port-min and port-max, add a local "
            f"address, or lower port-quarantine ({self.quarantine:g} s)"
        )


def _bind(call: CallId, address: str, wanted: tuple[int, ...], forwarder: Forwarder) -> tuple[SocketId, ...]:
    """All of these ports or none."""
    bound: list[SocketId] = []
    try:
        for port in wanted:
            bound.append(forwarder.bind(call, Endpoint(address, port)))
    except PortUnavailable:
        for socket in bound:
            forwarder.unbind(socket)
        raise
    return tuple(bound)


class _Pool:
    """The ports of one address. A pair is known by its even port.

    Fresh pairs are drawn at random; those that were used before wait in line. Halves are free ports whose partner is in
    use on its own, or does not exist; spare ones may be used at once.
    """

    __slots__ = (
        "_base",
        "_excluded",
        "_fresh",
        "_in_use",
        "_line",
        "_resting_halves",
        "_spare_halves",
        "_taken",
        "first",
        "last",
        "total",
        "used",
    )

    def __init__(self, ports: PortRange) -> None:
        self.first, self.last = ports.first, ports.last
        self._excluded = ports.excluded
        self._base = ports.first & ~1
        self._in_use = bytearray((ports.last - self._base) // 2 + 1)
        """By pair: EVEN, ODD, both or neither."""
        self._fresh = array("H")
        """Pairs that were never used, in any order."""
        self._line: deque[tuple[float, int]] = deque()
        """Pairs that were used, and when each may be used again; oldest first."""
        self._taken: deque[tuple[float, int]] = deque()
        """The same for pairs that another program had, wholly or in part."""
        self._spare_halves: dict[int, float] = {}
        self._resting_halves: dict[int, float] = {}
        """When each may be used again; oldest first."""
        self.total = 0
        self.used = 0
        for even in range(self._base, ports.last + 1, 2):
            members = [port for port in (even, even + 1) if self._has(port)]
            self.total += len(members)
            if len(members) == 2:
                self._fresh.append(even)
            else:
                self._spare_halves.update(dict.fromkeys(members, float("-inf")))

    def _has(self, port: int) -> bool:
        return self.first <= port <= self.last and port not in self._excluded

    def take_pair(self, rng: Rng, now: float) -> int | None:
        """The even port of a pair that is in use from now on."""
        even = self._next_pair(rng, now)
        if even is not None:
            self._in_use[(even - self._base) >> 1] = BOTH
            self.used += 2
        return even

    def take_single(self, rng: Rng, now: float) -> int | None:
        """A port that is in use from now on: a half if there is one, else one of a pair."""
        port = self._next_half(now)
        if port is None:
            port = self._next_pair(rng, now)
            if port is None:
                return None
            self._spare_halves[port + 1] = now
        self._in_use[(port - self._base) >> 1] |= ODD if port & 1 else EVEN
        self.used += 1
        return port

    def _next_pair(self, rng: Rng, now: float) -> int | None:
        fresh = self._fresh
        if fresh:
            index = rng.below(len(fresh))
            even, fresh[index] = fresh[index], fresh[-1]
            fresh.pop()
            return even
        for line in (self._line, self._taken):
            if line and line[0][0] <= now:
                return line.popleft()[1]
        return None

    def _next_half(self, now: float) -> int | None:
        for halves in (self._spare_halves, self._resting_halves):
            port = next(iter(halves), None)
            if port is not None and halves[port] <= now:
                del halves[port]
                return port
        return None

    def give_back(self, port: int, usable: float, *, taken: bool = False, untold: bool = False) -> None:
        """The port may be used again from that time on.

        `taken`: it turned out to belong to another program. `untold`: nobody knows of it, and that time is now.
        """
        index, bit = (port - self._base) >> 1, ODD if port & 1 else EVEN
        if not 0 <= index < len(self._in_use) or not self._in_use[index] & bit:
            return
        self._in_use[index] &= ~bit
        self.used -= 1
        partner = port ^ 1
        if self._in_use[index] or not self._has(partner):
            self._resting_halves[port] = usable
            return
        rested = self._resting_halves.pop(partner, usable)
        rested = self._spare_halves.pop(partner, rested)
        if untold and rested <= usable:
            self._fresh.append(port & ~1)
        else:
            (self._taken if taken else self._line).append((max(rested, usable), port & ~1))

    def holds(self, port: int) -> bool:
        """Whether the port is in use."""
        index = (port - self._base) >> 1
        return 0 <= index < len(self._in_use) and bool(self._in_use[index] & (ODD if port & 1 else EVEN))

    def resting(self, now: float) -> int:
        """Ports that are free but not usable yet."""
        pairs = sum(1 for line in (self._line, self._taken) for usable, _ in line if usable > now)
        return 2 * pairs + sum(1 for usable in self._resting_halves.values() if usable > now)
