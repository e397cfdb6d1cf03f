"""Agents on a simulated network, with their timers."""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate as candidates
from ngdaemon.ice import credentials, stun
from ngdaemon.ice.agent import Agent
from ngdaemon.ice.candidate import Candidate, Policy, permitted
from ngdaemon.ice.credentials import Credentials
from ngdaemon.ice.report import Event, Remote
from tests.ice.nat import Router
from tests.support.clock import Clock
from tests.support.network import Network, Weather
from tests.support.rng import SeededRng


class Party:
    """An agent with its sockets, behind a NAT or not."""

    def __init__(
        self,
        world: "World",
        *addresses: str,
        components: int = 1,
        controlling: bool = False,
        lite: bool = False,
        seed: int = 1,
        policy: Policy = permitted,
    ) -> None:
        self.world = world
        self.rng = SeededRng(seed)
        self.agent = Agent(
            credentials.fresh(self.rng),
            controlling=controlling,
            lite=lite,
            rng=self.rng,
            now=world.clock.now,
            policy=policy,
        )
        self.lite = lite
        self.events: list[Event] = []
        self.sent: list[tuple[float, SocketId, bytes, Endpoint]] = []
        self.bases: dict[SocketId, Endpoint] = {}
        self.nats: dict[SocketId, Router] = {}
        self.mute = False
        self.candidates: list[Candidate] = []
        for index, address in enumerate(addresses):
            for component in range(1, components + 1):
                self.add(component, address, index)
        world.parties.append(self)

    def add(self, component: int, address: str, index: int = 0, port: int = 0) -> SocketId:
        """Open a socket that is a host candidate."""
        socket = SocketId(len(self.bases) + 1)
        local = Endpoint(address, port or 4998 + 2 * (index + 1) + component - 1)
        self.bases[socket] = local
        priority = candidates.priority(candidates.HOST, component, index)
        self.agent.add_base(component, socket, local, priority)
        name = candidates.foundation(address)
        self.candidates.append(Candidate(name, component, priority, *local))
        self.world.network.attach(local, lambda data, source, now: self.receive(socket, data, source, now))
        return socket

    def behind(self, public: str, *, symmetric: bool) -> Router:
        """Put the first socket behind a router: nobody outside reaches its own address any more."""
        socket = SocketId(1)
        self.world.network.detach(self.bases[socket])
        router = Router(
            self.world.network,
            public,
            lambda data, source, now: self.receive(socket, data, source, now),
            symmetric=symmetric,
        )
        self.nats[socket] = router
        return router

    def receive(self, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        if not self.mute:
            self.agent.receive(socket, data, source, now)
        self.settle()

    def settle(self) -> None:
        """Send what the agent wants sent."""
        for socket, data, to in self.agent.transmits():
            self.sent.append((self.world.clock.now, socket, data, to))
            if socket in self.nats:
                self.nats[socket].send(data, to)
            else:
                self.world.network.send(data, self.bases[socket], to)
        self.events += self.agent.events()

    def description(self, *, ended: bool = True, only: list[Candidate] | None = None) -> Remote:
        """What our SDP says."""
        local = self.agent.local
        listed = self.candidates if only is None else only
        return Remote(local.ufrag, local.pwd, self.lite, tuple(listed), ended)

    def hear(self, remote: Remote) -> None:
        self.agent.set_remote(remote, self.world.clock.now)
        self.settle()

    def renew(self) -> Credentials:
        return credentials.fresh(self.rng)

    def heard(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


class World:
    """Two or more parties and what lies between them."""

    def __init__(self, weather: Weather | None = None, seed: int = 1) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, seed, weather)
        self.parties: list[Party] = []

    def run(self, seconds: float, step: float = 0.01) -> None:
        """Let time pass, with the timers of all agents, each within a step of its moment."""
        end = self.clock.now + seconds
        while self.clock.now < end - 1e-9:
            self.network.run(min(step, end - self.clock.now))
            for party in self.parties:
                due = party.agent.next_timeout()
                if due is not None and due <= self.clock.now:
                    party.agent.handle_timer(self.clock.now)
                    party.settle()

    def until(self, party: Party, component: int = 1, limit: float = 60.0) -> float:
        """Run until that party has a nominated pair; the seconds that it took."""
        began = self.clock.now
        while party.agent.selected(component) is None:
            assert self.clock.now - began < limit, "no pair was nominated in time"
            self.run(0.01)
        return self.clock.now - began


def introduce(offerer: Party, answerer: Party) -> None:
    """Both hear each other's SDP."""
    answerer.hear(offerer.description())
    offerer.hear(answerer.description())


def requests(party: Party, after: float = 0.0) -> list[tuple[float, stun.Message, Endpoint]]:
    """The Binding requests that a party sent since then, with time and destination."""
    found = []
    for at, _, data, to in party.sent:
        message = stun.parse(data)
        if at >= after and message is not None and message.kind == stun.REQUEST:
            found.append((at, message, to))
    return found


def forge(
    party: Party,
    *,
    peer: str = "peer",
    password: str | None = None,
    username: str | None = None,
    extra: tuple[tuple[int, bytes], ...] = (),
    controlling: bool = True,
    transaction: bytes = bytes(12),
) -> bytes:
    """A check for a party, as somebody sends it who knows its credentials, or others."""
    local = party.agent.local
    attributes = [
        (stun.USERNAME, (f"{local.ufrag}:{peer}" if username is None else username).encode()),
        (stun.PRIORITY, (1853824767).to_bytes(4)),
        (stun.ICE_CONTROLLING if controlling else stun.ICE_CONTROLLED, bytes(8)),
        *extra,
    ]
    return stun.build(stun.REQUEST, transaction, attributes, (password or local.pwd).encode())
