"""Both packet paths side by side, without sockets: what one is given the other is given, and what they do is equal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ngdaemon_native import Pipeline as Native

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.latching import Address
from ngdaemon.media.pipeline import Pipeline
from ngdaemon.media.plan import Plan
from ngdaemon.media.stream import Stream
from ngdaemon.shell.native import counters_of, event_of

CALLS = CallId("call"), CallId("another call \udc80")


@dataclass(frozen=True, slots=True)
class Sent:
    """A datagram that left a port."""

    socket: SocketId
    data: bytes
    to: Endpoint


@dataclass
class Pair:
    """The reference in Python, and the native packet path."""

    now: float = 1000.0
    sent: list[Sent] = field(default_factory=list)
    """By the reference, all of it."""
    local: dict[SocketId, Endpoint] = field(default_factory=dict)
    """Where each port is, closed ones too."""
    reference: Pipeline = field(default_factory=Pipeline)
    native: Native = field(default_factory=Native)
    streams: dict[SocketId, Stream] = field(default_factory=dict)
    slots: dict[SocketId, int] = field(default_factory=dict)
    """Of the ports that are open."""
    refused: set[Endpoint] = field(default_factory=set)
    compared: int = 0
    """Packets in `sent` that were compared."""

    # what happens

    def refuse(self, to: Endpoint) -> None:
        """The system sends nothing to there any more."""
        self.refused.add(to)
        self.native.refuse(*to)

    def open(self, call: CallId, local: Endpoint) -> SocketId:
        number = SocketId(len(self.local) + 1)
        self.local[number] = local
        self.streams[number] = self.reference.open(call, number, local, self._sender(number))
        self.slots[number] = self.native.open(call, number, *local)
        return number

    def _sender(self, number: SocketId) -> "Sender":
        return Sender(self, number)

    def close(self, number: SocketId) -> None:
        slot = self.native.close(number)
        assert (slot is not None) == self.reference.close(number)
        if slot is not None:
            assert slot == self.slots[number]
            self._forget(number)

    def apply(self, call: CallId, plan: Plan) -> None:
        closed = self.reference.apply(call, plan, self.now)
        assert sorted(self.native.apply(call, plan, self.now)) == sorted(self.slots[number] for number in closed)
        for number in closed:
            self._forget(number)
        self.compare()

    def _forget(self, number: SocketId) -> None:
        del self.streams[number], self.slots[number]

    def receive(self, number: SocketId, data: bytes, source: Endpoint) -> None:
        """A datagram arrives; nothing happens at a port that is closed."""
        if number in self.streams:
            address: Address = source if ":" not in source.address else (*source, 0, 0)
            self.streams[number].receive(data, address, self.now)
            self.native.receive(self.slots[number], data, *source, self.now)
            self.compare()

    def miss(self, number: SocketId, packets: int) -> None:
        """Datagrams could not be read."""
        if number in self.streams:
            self.streams[number].errors_in += packets
            self.native.missed(self.slots[number], packets)

    def wait(self, seconds: float) -> None:
        """Time goes by, and what is due is done."""
        until = self.now + seconds
        while (due := self.reference.next_timeout()) is not None and due <= until:
            self.now = max(self.now, due)
            self.reference.handle_timer(self.now)
            self.native.handle_timer(self.now)
            self.compare(ordered=False)
        self.now = until

    # what must be equal

    def compare(self, *, ordered: bool = True) -> None:
        """What left and was told since the last look, and all that was counted."""
        ours, self.compared = self.sent[self.compared :], len(self.sent)
        numbers = {slot: number for number, slot in self.slots.items()}
        theirs = [Sent(numbers[slot], data, Endpoint(*to)) for slot, data, to in self.native.sent()]
        assert _in_order(theirs, ordered) == _in_order(ours, ordered)
        assert [event_of(item) for item in self.native.drain()] == list(self.reference.drain())
        assert self.native.next_timeout() == self.reference.next_timeout()
        assert self.native.octets() == self.reference.octets()
        for call in CALLS:
            counted = {SocketId(number): counters_of(fields) for number, fields in self.native.counters(call)}
            assert counted == self.reference.counters(call)


@dataclass(frozen=True, slots=True)
class Sender:
    """Writes down what the reference sends."""

    pair: Pair
    number: SocketId

    def __call__(self, data: bytes, to: Address) -> None:
        endpoint = Endpoint(to[0], to[1])
        if endpoint in self.pair.refused:
            raise ConnectionRefusedError
        self.pair.sent.append(Sent(self.number, bytes(data), endpoint))


def _in_order(sent: Sequence[Sent], ordered: bool) -> list[Sent]:
    """Which port comes first when time is up for several is nobody's business."""
    return list(sent) if ordered else sorted(sent, key=lambda item: item.socket)
