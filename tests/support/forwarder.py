"""A forwarder without sockets: it numbers what is bound, remembers plans, and reports what a test tells it to."""

from collections.abc import Sequence
from dataclasses import dataclass

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import Event, SocketCounters
from ngdaemon.media.plan import Plan


@dataclass(frozen=True, slots=True)
class Sent:
    """A datagram that control sent."""

    socket: SocketId
    data: bytes
    to: Endpoint


class FakeForwarder:
    """A `Forwarder`. Sockets are numbered from 1; those that a plan does not name are closed, as the contract says."""

    def __init__(self) -> None:
        self.bound: dict[SocketId, tuple[CallId, Endpoint]] = {}
        self.plans: dict[CallId, Plan] = {}
        """The plan in force, for calls that have one."""
        self.history: list[tuple[CallId, Plan]] = []
        """Every plan that was applied, in order."""
        self.sent: list[Sent] = []
        self.taken: set[Endpoint] = set()
        """Endpoints that another program has."""
        self.room: int | None = None
        """Sockets that may be open at once; None for any number."""
        self.events: list[Event] = []
        """What `drain` gives next."""
        self.counted: dict[SocketId, SocketCounters] = {}
        """What `counters` gives; a bound socket that is not here has counted nothing."""
        self._last = 0

    def bind(self, call: CallId, local: Endpoint) -> SocketId:
        if self.room is not None and len(self.bound) >= self.room:
            raise PortUnavailable("no file descriptor left", exhausted=True)
        if local in self.taken or any(local == other for _, other in self.bound.values()):
            raise PortUnavailable(f"{local} is taken")
        self._last += 1
        number = SocketId(self._last)
        self.bound[number] = (call, local)
        return number

    def unbind(self, socket: SocketId) -> None:
        owner = self.bound.get(socket)
        if owner is not None and socket not in self._named(owner[0]):
            del self.bound[socket]

    def apply(self, call: CallId, plan: Plan) -> None:
        self.plans[call] = plan
        self.history.append((call, plan))
        named = self._named(call)
        for number, (owner, _) in list(self.bound.items()):
            if owner == call and number not in named:
                del self.bound[number]
        if not plan.sockets:
            del self.plans[call]

    def _named(self, call: CallId) -> set[SocketId]:
        plan = self.plans.get(call)
        return {socket.id for socket in plan.sockets} if plan is not None else set()

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        self.sent.append(Sent(socket, data, to))

    def drain(self) -> Sequence[Event]:
        events, self.events = tuple(self.events), []
        return events

    def counters(self, call: CallId) -> dict[SocketId, SocketCounters]:
        return {
            number: self.counted.get(number, SocketCounters())
            for number, (owner, _) in self.bound.items()
            if owner == call
        }

    def ports_of(self, call: CallId) -> list[int]:
        """The ports that are bound for a call, in the order of binding."""
        return [local.port for owner, local in self.bound.values() if owner == call]
