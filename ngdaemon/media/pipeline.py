"""The reference packet path of all calls: streams by call, plans put into force, and the packets that time brings.

What becomes of a datagram is in `stream.py`.
"""

from collections.abc import Iterable, Sequence

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.contexts import Contexts
from ngdaemon.media.departure import Transmit
from ngdaemon.media.forwarder import Event, SocketCounters
from ngdaemon.media.latching import Address, canonical
from ngdaemon.media.links import Line
from ngdaemon.media.plan import Plan
from ngdaemon.media.stream import Stream
from ngdaemon.media.surroundings import Surroundings

PIERCE_INTERVAL = 1.0
"""Seconds between the packets that open a way through a NAT."""
EXPIRY_INTERVAL = 1.0
"""Seconds between two looks at what waits for keys."""

_NO_LINES: Sequence[Line] = ()


class Pipeline:
    """All streams of a forwarder."""

    def __init__(self) -> None:
        self._around = Surroundings()
        self._streams: dict[SocketId, Stream] = {}
        self._calls: dict[CallId, dict[SocketId, Stream]] = {}
        self._piercing: dict[SocketId, float] = {}
        """When each stream that opens a way through a NAT does so next."""
        self._holding: set[SocketId] = set()
        """Streams where packets may wait for keys: many, while phones ring."""
        self._expires = 0.0
        """When they are looked at next."""
        self._contexts: dict[CallId, Contexts] = {}
        """Of calls that have or had secured ports."""
        self._octets = 0
        """Sent by ports that are closed."""
        self.events = self._around.events
        """What `drain` will give."""

    def open(self, call: CallId, number: SocketId, local: Endpoint, transmit: Transmit) -> Stream:
        """Add a port. It stays silent until a plan names it: what arrives until then is not even counted."""
        where: Address = (canonical(local.address) or local.address, local.port)
        stream = Stream(call, number, where, transmit, self._around)
        self._streams[number] = stream
        self._calls.setdefault(call, {})[number] = stream
        self._around.own.add(where)
        return stream

    def close(self, number: SocketId) -> bool:
        """Take away a port that no plan has named; False for any other."""
        stream = self._streams.get(number)
        if stream is None or stream.is_planned:
            return False
        self._remove(stream)
        return True

    def apply(self, call: CallId, plan: Plan, now: float) -> list[SocketId]:
        """Put a plan into force: the ports that it closes. Sockets that are not the call's are passed over."""
        streams = self._calls.get(call)
        if streams is None:
            return []
        named = {socket.id for socket in plan.sockets}
        closed = [number for number in streams if number not in named]
        for number in closed:
            self._remove(streams[number])
        planned = [(item, stream) for item in plan.sockets if (stream := streams.get(item.id)) is not None]
        contexts = self._contexts.get(call)
        for socket, stream in planned:
            if socket.protection is None:
                stream.restate(socket, now)
                continue
            if contexts is None:
                contexts = self._contexts[call] = Contexts()
            stream.restate(socket, now, contexts)
        lines: dict[SocketId, list[Line]] = {}
        for route in plan.routes:
            sink = streams.get(route.sink)
            if sink is not None:
                line = Line(route, sink.out, sink.sender, sink.out.secured)
                lines.setdefault(route.source, []).append(line)
        for socket, stream in planned:
            stream.link(lines.get(socket.id, _NO_LINES))
        if contexts is not None:
            contexts.keep(plan)
        for socket, stream in planned:
            if socket.protection is not None or socket.pierce:
                self._begin(stream, now)
        return closed

    def _begin(self, stream: Stream, now: float) -> None:
        """Do what a new plan asks for at once: take in what waited, and open ways."""
        stream.release(now)
        if stream.holds:
            if not self._holding:
                self._expires = now + EXPIRY_INTERVAL
            self._holding.add(stream.id)
        if stream.pierces and stream.id not in self._piercing:
            stream.pierce(now)
            self._piercing[stream.id] = now + PIERCE_INTERVAL

    def _remove(self, stream: Stream) -> None:
        del self._streams[stream.id]
        stream.retire()
        self._octets += stream.out.bytes_out
        self._around.own.discard(stream.local)
        self._piercing.pop(stream.id, None)
        self._holding.discard(stream.id)
        streams = self._calls[stream.call]
        del streams[stream.id]
        if not streams:
            del self._calls[stream.call]
            self._contexts.pop(stream.call, None)

    def send(self, number: SocketId, data: bytes, to: Endpoint) -> None:
        """Send a datagram of control's. Nothing happens for an unknown socket, or to an address that is not numeric."""
        stream, address = self._streams.get(number), canonical(to.address)
        if stream is not None and address is not None:
            stream.out.emit(data, (address, to.port))

    def drain(self) -> Sequence[Event]:
        """Events since the last call, oldest first."""
        return self._around.drain()

    def streams(self, call: CallId) -> Iterable[Stream]:
        """The ports of a call."""
        return self._calls.get(call, {}).values()

    def octets(self) -> int:
        """Octets sent since the start, all calls together."""
        return self._octets + sum(stream.out.bytes_out for stream in self._streams.values())

    def counters(self, call: CallId) -> dict[SocketId, SocketCounters]:
        """Counters of the ports of a call; empty for an unknown call."""
        return {number: stream.counters() for number, stream in self._calls.get(call, {}).items()}

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called, in monotonic seconds; None for not at all."""
        due = min(self._piercing.values()) if self._piercing else None
        if not self._holding:
            return due
        return self._expires if due is None else min(due, self._expires)

    def handle_timer(self, now: float) -> None:
        """Send what is due, and forget what waited too long."""
        for number, due in list(self._piercing.items()):
            stream = self._streams[number]
            if not stream.pierces:
                del self._piercing[number]
            elif due <= now:
                stream.pierce(now)
                self._piercing[number] = now + PIERCE_INTERVAL
        if self._holding and self._expires <= now:
            self._expires = now + EXPIRY_INTERVAL
            self._holding = {number for number in self._holding if self._streams[number].holds}
            for number in self._holding:
                self._streams[number].expire(now)
