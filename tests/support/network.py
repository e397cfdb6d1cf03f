"""A network without sockets: datagrams are lost, delayed, doubled and overtake each other, all by one seed.

Hosts are functions that take datagrams. Nothing happens by itself: `run` moves the clock from one arrival to the next.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from ngdaemon.base.endpoint import Endpoint
from tests.support.clock import Clock
from tests.support.rng import SeededRng

Receive = Callable[[bytes, Endpoint, float], object]
"""Takes a datagram, its source, and the time."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What befalls datagrams: shares from 0 to 1, seconds."""

    loss: float = 0.0
    doubling: float = 0.0
    delay: float = 0.01
    jitter: float = 0.0
    """Added to the delay, from none to all of it: what is sent later may arrive earlier."""


class Network:
    """Carries datagrams between endpoints."""

    def __init__(self, clock: Clock, seed: int = 1, weather: Weather | None = None) -> None:
        self.clock = clock
        self.weather = weather or Weather()
        self._rng = SeededRng(seed)
        self._hosts: dict[Endpoint, Receive] = {}
        self._under_way: list[tuple[float, int, Endpoint, Endpoint, bytes]] = []
        self._count = 0

    def attach(self, endpoint: Endpoint, receive: Receive) -> None:
        """Have a host receive what is sent to that endpoint."""
        self._hosts[endpoint] = receive

    def detach(self, endpoint: Endpoint) -> None:
        self._hosts.pop(endpoint, None)

    def send(self, data: bytes, source: Endpoint, to: Endpoint) -> None:
        """Put a datagram on its way. What is sent to nobody gets lost."""
        copies = 0 if self._rng.chance(self.weather.loss) else 1
        copies += copies and self._rng.chance(self.weather.doubling)
        for _ in range(copies):
            at = self.clock.now + self.weather.delay + self._rng.between(0.0, self.weather.jitter)
            self._count += 1
            heapq.heappush(self._under_way, (at, self._count, source, to, data))

    def run(self, seconds: float) -> None:
        """Let that much time pass, with all that arrives in it."""
        end = self.clock.now + seconds
        while self._under_way and self._under_way[0][0] <= end:
            at, _, source, to, data = heapq.heappop(self._under_way)
            self.clock.now = max(self.clock.now, at)
            host = self._hosts.get(to)
            if host is not None:
                host(data, source, self.clock.now)
        self.clock.now = end


class Nat:
    """A router in front of a host: the outside sees its address, and for each binding a port of its own.

    Only what was sent to may answer (RFC 4787: address and port dependent filtering).
    """

    def __init__(self, network: Network, public: str, inside: Receive, first_port: int = 60000) -> None:
        self._network = network
        self._inside = inside
        self._outside = Endpoint(public, first_port)
        self._allowed: set[Endpoint] = set()
        network.attach(self._outside, self._receive)

    @property
    def outside(self) -> Endpoint:
        """What the network sees of the host."""
        return self._outside

    def rebind(self) -> None:
        """Forget the binding, as after a restart of the router: the next packet leaves from another port."""
        self._network.detach(self._outside)
        self._outside = Endpoint(self._outside.address, self._outside.port + 1)
        self._allowed.clear()
        self._network.attach(self._outside, self._receive)

    def send(self, data: bytes, to: Endpoint) -> None:
        self._allowed.add(to)
        self._network.send(data, self._outside, to)

    def _receive(self, data: bytes, source: Endpoint, now: float) -> None:
        if source in self._allowed:
            self._inside(data, source, now)
