"""Where the peers of handshakes are, where no ICE finds it out: the port of ours at which each of them came in."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId

MAX_SEEN = 64
"""Sources of a component that are remembered; of more the one that was silent longest is forgotten."""


class Paths:
    """The sources of DTLS datagrams of one component, and the ports to answer them from.

    A source that has finished a handshake stays at the port where it did so, whoever sends what elsewhere in its name.
    """

    def __init__(self) -> None:
        self._seen: dict[Endpoint, SocketId] = {}
        self._settled: dict[Endpoint, SocketId] = {}
        self._signalled: Endpoint | None = None

    def see(self, source: Endpoint, socket: SocketId) -> None:
        """A datagram came in."""
        self._seen.pop(source, None)
        self._seen[source] = socket
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]

    def last(self, source: Endpoint) -> SocketId | None:
        """Where the newest datagram of a source came in: the place to answer from."""
        return self._seen.get(source)

    def settle(self, source: Endpoint) -> None:
        """The datagram that came in just now has finished a handshake of its source."""
        self._settled.pop(source, None)
        self._settled[source] = self._seen[source]
        if len(self._settled) > MAX_SEEN:
            del self._settled[next(iter(self._settled))]

    def take(self, signalled: Endpoint | None) -> None:
        """A peer was verified, while it signalled that address."""
        self._signalled = signalled

    def settled(self, source: Endpoint, signalled: Endpoint | None) -> SocketId | None:
        """Where the verified peer at that source came in; None once it signals another address than it did then."""
        return self._settled.get(source) if signalled == self._signalled else None
