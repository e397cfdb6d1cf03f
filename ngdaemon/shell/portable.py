"""The portable forwarder: `media/pipeline` with real sockets, in the reactor's thread.

Every port is a socket that the reactor watches; each time it can be read one datagram is read and handled to its end.
So ports take turns, none can starve the others or the control port, and there is no queue but the kernel's, which
drops the newest when it is full.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import Event, SocketCounters
from ngdaemon.media.pipeline import Pipeline
from ngdaemon.media.plan import Plan
from ngdaemon.media.stream import Stream
from ngdaemon.shell.clock import Alarm, Scheduler
from ngdaemon.shell.portable_socket import DATAGRAM, UdpSocket

logger = logging.getLogger("ngdaemon.media")


class Watcher(Scheduler, Protocol):
    """What the forwarder needs of a reactor (`shell/reactor.py`)."""

    def watch(self, descriptor: int, readable: Callable[[], object]) -> None: ...

    def unwatch(self, descriptor: int) -> None: ...


class PortableForwarder:
    """A `Forwarder`. `on_events` is called when there are events after there were none; it should `drain` them."""

    def __init__(self, reactor: Watcher, on_events: Callable[[], None]) -> None:
        self._reactor = reactor
        self._on_events = on_events
        self._pipeline = Pipeline()
        self._sockets: dict[SocketId, UdpSocket] = {}
        self._last_id = 0
        self._told = False
        """Control knows that there are events."""
        self._alarm = Alarm(reactor, self._pipeline.next_timeout, self._pipeline.handle_timer)

    def bind(self, call: CallId, local: Endpoint) -> SocketId:
        """Open a UDP port, silent until planned. Raises PortUnavailable."""
        socket = UdpSocket(local)
        self._last_id += 1
        number = SocketId(self._last_id)
        socket.stream = self._pipeline.open(call, number, local, socket.sendto)
        self._sockets[number] = socket
        return number

    def unbind(self, socket: SocketId) -> None:
        """Close a socket that no plan has named yet."""
        if self._pipeline.close(socket):
            self._close(socket)

    def apply(self, call: CallId, plan: Plan) -> None:
        """Make this the forwarding of the call."""
        for number in self._pipeline.apply(call, plan, self._reactor.seconds()):
            self._close(number)
        for planned in plan.sockets:
            socket = self._sockets.get(planned.id)
            if socket is None or socket.stream is None or socket.stream.call != call:
                continue
            if planned.tos != socket.tos:
                socket.mark(planned.tos)
            if not socket.watched:
                socket.watched = True
                self._reactor.watch(socket.descriptor, self._reader(socket, socket.stream))
        self._alarm.rearm()

    def _close(self, number: SocketId) -> None:
        socket = self._sockets.pop(number)
        if socket.watched:
            self._reactor.unwatch(socket.descriptor)
        socket.close()

    def _reader(self, socket: UdpSocket, stream: Stream) -> Callable[[], None]:
        """What reads one datagram of a port. This is the hot path: nothing is looked up that can be kept."""
        recvfrom, receive, seconds = socket.recvfrom, stream.receive, self._reactor.seconds
        events, tell = self._pipeline.events, self._tell

        def read() -> None:
            try:
                data, source = recvfrom(DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                stream.errors_in += 1
                return
            try:
                receive(data, source, seconds())
            except Exception:
                stream.errors_in += 1
                if not socket.failed:  # one traceback a port: a bug must not fill the disk
                    socket.failed = True
                    logger.exception("a packet at %s was not handled", socket.local, extra={"call": stream.call})
            if events:
                tell()

        return read

    def _tell(self) -> None:
        if self._told:
            return
        self._told = True
        try:
            self._on_events()
        except Exception:
            logger.exception("events were not handled")

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        """Send a datagram as it is."""
        self._pipeline.send(socket, data, to)

    def drain(self) -> Sequence[Event]:
        """Events since the last call, oldest first."""
        self._told = False
        return self._pipeline.drain()

    def counters(self, call: CallId) -> dict[SocketId, SocketCounters]:
        """Counters of the bound sockets of a call. What the kernel dropped is among the errors.

        It is asked where packets have come at all: what overflowed before the first one was read is found out later.
        """
        for stream in self._pipeline.streams(call):
            if stream.last_packet is not None or stream.refused:
                stream.errors_in += self._sockets[stream.id].take_drops()
        return self._pipeline.counters(call)

    def octets(self) -> int:
        """Octets sent to peers since the start, all calls together."""
        return self._pipeline.octets()

    def close(self) -> None:
        """Close all sockets."""
        for call in {socket.stream.call for socket in self._sockets.values() if socket.stream is not None}:
            self.apply(call, Plan())
        self._alarm.cancel()
