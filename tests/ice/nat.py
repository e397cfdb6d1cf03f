"""Routers between a host and the network (RFC 4787), of the kinds that peers sit behind."""

from ngdaemon.base.endpoint import Endpoint
from tests.support.network import Network, Receive


class Router:
    """Maps a host to ports of a public address.

    `symmetric`: each destination sees another port, and only that destination may answer. Otherwise it is a full cone:
    one port, and whoever knows it may send to it.
    """

    def __init__(
        self, network: Network, public: str, inside: Receive, *, symmetric: bool, first_port: int = 60000
    ) -> None:
        self._network = network
        self._public = public
        self._inside = inside
        self._symmetric = symmetric
        self._next = first_port
        self._ports: dict[Endpoint | None, Endpoint] = {}

    def send(self, data: bytes, to: Endpoint) -> None:
        self._network.send(data, self.outside(to), to)

    def outside(self, to: Endpoint) -> Endpoint:
        """What that destination sees of the host."""
        key = to if self._symmetric else None
        if key not in self._ports:
            port = Endpoint(self._public, self._next)
            self._next += 1
            self._ports[key] = port
            self._network.attach(port, lambda data, source, now: self._receive(key, data, source, now))
        return self._ports[key]

    def rebind(self) -> None:
        """Forget all bindings, as after a restart: what is sent next leaves from other ports."""
        for port in self._ports.values():
            self._network.detach(port)
        self._ports.clear()

    def _receive(self, allowed: Endpoint | None, data: bytes, source: Endpoint, now: float) -> None:
        if allowed is None or allowed == source:
            self._inside(data, source, now)
