"""The native forwarder: packets pass in threads of Rust (`native/`), and only what control has to know comes up here.

What those threads tell is a queue with a descriptor that the reactor watches. Endpoints, events and counters cross the
border as plain tuples; here they get their names.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from ngdaemon_native import Forwarder

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import (
    Event,
    Learned,
    Punted,
    SocketCounters,
    SsrcCounters,
    Stranger,
    Tapped,
    Unreadable,
)
from ngdaemon.media.plan import Carries, Plan
from ngdaemon.shell.portable import Watcher
from ngdaemon.shell.portable_socket import bound

logger = logging.getLogger("ngdaemon.media")


class NativeForwarder:
    """A `Forwarder`. `on_events` is called when there are events after there were none; it should `drain` them."""

    def __init__(self, reactor: Watcher, on_events: Callable[[], None], workers: int = 0) -> None:
        """`workers` is how many threads; 0 for one for each core that this process may use."""
        self._reactor = reactor
        self._on_events = on_events
        self._native = Forwarder(workers)
        self._descriptor = self._native.event_descriptor
        reactor.watch(self._descriptor, self._wake)

    def _wake(self) -> None:
        self._native.acknowledge()
        self._on_events()

    def bind(self, call: CallId, local: Endpoint) -> SocketId:
        """Open a UDP port, silent until planned. Raises PortUnavailable."""
        return SocketId(self._native.bind(call, bound(local).detach()))

    def unbind(self, socket: SocketId) -> None:
        """Close a socket that no plan has named yet."""
        self._native.unbind(socket)

    def apply(self, call: CallId, plan: Plan) -> None:
        """Make this the forwarding of the call."""
        self._native.apply(call, plan)

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        """Send a datagram as it is."""
        self._native.send(socket, data, to.address, to.port)

    def drain(self) -> Sequence[Event]:
        """Events since the last call, oldest first. What belongs into the log is written there."""
        made = (event_of(item) for item in self._native.drain())
        return tuple(event for event in made if event is not None)

    def counters(self, call: CallId) -> dict[SocketId, SocketCounters]:
        """Counters of the bound sockets of a call."""
        return {SocketId(number): counters_of(fields) for number, fields in self._native.counters(call)}

    def octets(self) -> int:
        """Octets sent to peers since the start, all calls together."""
        return self._native.octets()

    def close(self) -> None:
        """Close all sockets, and end the threads."""
        self._reactor.unwatch(self._descriptor)
        self._native.close()


def event_of(item: tuple[Any, ...]) -> Event | None:
    """The event that a tuple means; None for one that was meant for the log."""
    match item:
        case ("Punted", call, socket, source, data, at):
            return Punted(call, SocketId(socket), Endpoint(*source), data, at)
        case ("Learned", call, socket, peer, confirmed):
            return Learned(call, SocketId(socket), Endpoint(*peer), confirmed)
        case ("Tapped", call, socket, carries, packet, at):
            return Tapped(call, SocketId(socket), Carries[carries], packet, at)
        case ("Stranger", call, socket, source, at):
            return Stranger(call, SocketId(socket), Endpoint(*source), at)
        case ("Unreadable", call, socket, source, packets, at):
            return Unreadable(call, SocketId(socket), Endpoint(*source), packets, at)
        case ("Trouble", call, _, text):
            logger.error("%s", text, extra={"call": call})
    return None


def counters_of(fields: tuple[Any, ...]) -> SocketCounters:
    """The counters that a tuple means."""
    counted = SocketCounters(*fields)
    return counted._replace(
        peer=Endpoint(*counted.peer) if counted.peer is not None else None,
        stranger=Endpoint(*counted.stranger) if counted.stranger is not None else None,
        sources=tuple(map(SsrcCounters._make, counted.sources)),
    )
