"""Phones and browsers without sockets around a whole daemon, with ICE and DTLS of their own, on a simulated network.

A `Site` is a daemon with a network; a `Peer` is somebody who describes himself in SDP, and shakes hands. What the
daemon made of it is seen in its plans.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.dtls import fingerprint
from ngdaemon.dtls.certificate import Identity, make
from ngdaemon.dtls.component import ICE_PATH, Component
from ngdaemon.dtls.hello import Cookies
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Event
from ngdaemon.ice import candidate, credentials, report
from ngdaemon.ice.agent import Agent
from ngdaemon.ice.candidate import RTCP, RTP, Candidate
from ngdaemon.media.forwarder import Punted
from ngdaemon.media.plan import Plan, Protection, Socket
from tests.support import sdp
from tests.support.daemon import CALL, Daemon, SteadyWall
from tests.support.network import Network, Weather
from tests.support.rng import SeededRng

TO_PLAIN: dict[str, Any] = {"transport_protocol": "RTP/AVP", "ICE": "remove", "rtcp_mux": ["demux"]}
"""What a script says of an offer to a plain phone."""

STEP = 0.01
"""Seconds by which time goes on at most."""


class Base(NamedTuple):
    """A socket of a peer."""

    component: int
    at: Endpoint


class Site:
    """A daemon, and a network with the peers around it. Settings are those of the daemon."""

    def __init__(self, weather: Weather | None = None, seed: int = 1, **settings: Any) -> None:
        self.daemon = Daemon(**settings)
        self.clock = self.daemon.clock
        self.network = Network(self.clock, seed, weather or Weather(delay=0.005))
        self.peers: list[Peer] = []
        self.sent: list[tuple[Endpoint, bytes, Endpoint]] = []
        """What the daemon sent: from, what, to."""
        self.filter: Callable[[bytes, Endpoint, Endpoint], bool] = lambda data, source, to: True
        """Which datagrams of the daemon get on the network."""
        self._locals: dict[SocketId, Endpoint] = {}
        self._count = 0

    # media

    def plan(self) -> Plan:
        return self.daemon.plan()

    def plans(self) -> list[Plan]:
        """Every plan that the call ever had."""
        return [plan for _, plan in self.daemon.forwarder.history]

    def facing(self, peer: "Peer", component: int = RTP) -> Socket:
        """The socket that a peer was told to send to, as the plan has it."""
        number = self.daemon.socket_at(peer.told[component].port)
        return next(socket for socket in self.plan().sockets if socket.id == number)

    def protection(self, peer: "Peer", component: int = RTP) -> Protection:
        found = self.facing(peer, component).protection
        assert found is not None
        return found

    def is_open(self, peer: "Peer", component: int = RTP) -> bool:
        """Whether the plan has keys for a peer in both directions, and they are those that the peer has."""
        found, (receive, send) = self.protection(peer, component), peer.desks[component].keys()
        if found.send is None or not found.receive or send is None:
            return False
        return found.send in receive and send in found.receive and found.send != send

    def is_shut(self, peer: "Peer", component: int = RTP) -> bool:
        """Whether nothing can pass to or from a peer."""
        found = self.protection(peer, component)
        return found.send is None and found.receive == ()

    # time

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass, with arrivals and timers as they come, at most until the condition holds; whether it does."""
        limit = self.clock.now + seconds
        self.settle()
        while not until():
            if self.clock.now >= limit:
                return False
            dues = [self.daemon.controller.next_timeout(), *(peer.next_timeout() for peer in self.peers)]
            due = min([*(at for at in dues if at is not None), self.clock.now + STEP, limit])
            self.network.run(max(due - self.clock.now, 0.0))
            self.daemon.controller.handle_timer(self.clock.now)
            for peer in self.peers:
                peer.handle_timer()
            self.settle()
        return True

    def settle(self) -> None:
        """Put on the network what the daemon has sent, and listen at the ports that it has."""
        forwarder = self.daemon.forwarder
        for number, (_, local) in forwarder.bound.items():
            if number not in self._locals:
                self._locals[number] = local
                self.network.attach(local, partial(self.arrive, number))
        for item in forwarder.sent[self._count :]:
            local = self._locals[item.socket]
            self.sent.append((local, item.data, item.to))
            if self.filter(item.data, local, item.to):
                self.network.send(item.data, local, item.to)
        self._count = len(forwarder.sent)

    def arrive(self, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        """A datagram has come to a port of the daemon."""
        bound = self.daemon.forwarder.bound.get(socket)
        if bound is None or not data or not (data[0] < 4 or 20 <= data[0] < 64):
            return
        self.daemon.forwarder.events.append(Punted(bound[0], socket, source, data, now))
        self.daemon.controller.handle_events(now)
        self.settle()

    def sent_to(self, endpoint: Endpoint) -> list[bytes]:
        """What the daemon sent there."""
        return [data for _, data, to in self.sent if to == endpoint]


class Peer:
    """A phone with one audio media: DTLS-SRTP, with ICE or without.

    `ports` are its RTP ports, each on a host of its own; RTCP uses the port behind. `claims` is the identity that its
    SDP names, if not the one that it has.
    """

    def __init__(
        self,
        site: Site,
        *ports: Endpoint,
        ice: bool = True,
        mux: bool = True,
        claims: Identity | None = None,
        tls_id: str = "",
        answers: Role = Role.ACTIVE,
        controlling: bool = True,
        seed: int = 1,
    ) -> None:
        self.site = site
        self.mux = mux
        self.identity = identity(seed)
        self.claims = claims or self.identity
        self.tls_id = tls_id
        self.answers = answers
        """The role that it takes when it may choose."""
        self.told: dict[int, Endpoint] = {}
        """Where the daemon wants to be sent to, by component."""
        self.heard = ""
        """The SDP that it heard last."""
        self.version = 0
        self.mute = False
        """Hears nothing, and says nothing."""
        self.bases: dict[SocketId, Base] = {}
        self.events: list[Event | report.Event] = []
        self.strange: list[tuple[bytes, Endpoint]] = []
        """Datagrams that are neither DTLS nor ICE of ours."""
        self.datagrams: list[tuple[bytes, Endpoint, Endpoint]] = []
        """What it sent: what, from, to."""
        self._rng = SeededRng(seed)
        self.agent: Agent | None = None
        if ice:
            local = credentials.fresh(self._rng)
            self.agent = Agent(local, controlling=controlling, lite=False, rng=self._rng, now=site.clock.now)
        self.desks: dict[int, Component] = {}
        self.renew_desks()
        for index, port in enumerate(ports):
            self.open(port, index)
        site.peers.append(self)

        self._role: Role | None = None

    @property
    def components(self) -> tuple[int, ...]:
        return (RTP,) if self.mux else (RTP, RTCP)

    @property
    def role(self) -> Role | None:
        """What it is in the handshake, once it heard of the other side."""
        return self._role

    def open(self, port: Endpoint, index: int = 0) -> None:
        """Have a port, with the one behind it for RTCP."""
        for component in self.components:
            at = port._replace(port=port.port + component - 1)
            number = SocketId(len(self.bases) + 1)
            self.bases[number] = Base(component, at)
            self.site.network.attach(at, partial(self.receive, number))
            if self.agent is not None:
                self.agent.add_base(component, number, at, candidate.priority(candidate.HOST, component, index))

    def renew_desks(self, seed: int | None = None) -> None:
        """Begin with DTLS anew, with another certificate if there is a seed."""
        if seed is not None:
            self.identity = self.claims = identity(seed)
        self.desks = {component: Component(self.identity, Cookies(self._rng.bytes(32))) for component in (RTP, RTCP)}

    def impersonate(self, component: int, seed: int) -> None:
        """Shake hands on a component with another certificate than the SDP names."""
        self.desks[component] = Component(identity(seed), Cookies(self._rng.bytes(32)))

    def restart_ice(self) -> None:
        """Take new credentials, to be told in the next SDP."""
        assert self.agent is not None
        self.agent.restart(credentials.fresh(self._rng), controlling=True)

    # SDP

    def describe(self, setup: str = "actpass", *lines: str, protocol: str = "UDP/TLS/RTP/SAVPF") -> str:
        """Its SDP, an offer unless `setup` is a role."""
        self.version += 1
        first = next(base.at for base in self.bases.values() if base.component == RTP)
        attributes = [f"a=setup:{setup}", f"a=fingerprint:{self.claims.fingerprint().text()}"]
        if self.tls_id:
            attributes.append(f"a=tls-id:{self.tls_id}")
        if self.mux:
            attributes.append("a=rtcp-mux")
        if self.agent is not None:
            attributes += [f"a=ice-ufrag:{self.agent.local.ufrag}", f"a=ice-pwd:{self.agent.local.pwd}"]
            attributes += [f"a=candidate:{item}" for item in self._candidates()]
        media = f"m=audio {first.port} {protocol} 0"
        return sdp.sdp(first.address, media, *attributes, *lines, version=self.version)

    def answer(self, *lines: str) -> str:
        """Its SDP as an answer to what it heard."""
        return self.describe("active" if self._role is Role.ACTIVE else "passive", *lines)

    def _candidates(self) -> Iterator[Candidate]:
        for index, base in enumerate(self.bases.values()):
            priority = candidate.priority(candidate.HOST, base.component, index // len(self.components))
            yield Candidate(f"host{index}", base.component, priority, base.at.address, base.at.port)

    def hear(self, text: str, *, final: bool = True) -> None:
        """Take in what the daemon says."""
        self.heard = text
        self.told[RTP] = Endpoint(sdp.address(text), sdp.port(text))
        muxed = self.mux and sdp.attribute(text, "rtcp-mux") is not None
        rtcp = (sdp.attribute(text, "rtcp") or str(self.told[RTP].port + 1)).split()[0]
        self.told[RTCP] = self.told[RTP] if muxed else Endpoint(self.told[RTP].address, int(rtcp))
        self._hear_ice(text)
        offered = sdp.attribute(text, "setup")
        self._role = {"active": Role.PASSIVE, "passive": Role.ACTIVE, "actpass": self.answers}[offered or "actpass"]
        prints = (fingerprint.parse(value) for value in _values(text, "fingerprint"))
        found = frozenset(item for item in prints if item is not None)
        remote = Remote(found, tls_id=sdp.attribute(text, "tls-id"), final=final)
        for component in self.components:
            self.desks[component].expect(remote, self._role, self.site.clock.now)
            path = self.told[component] if self.agent is None else self._ice_path(component)
            if path is not None:
                self.desks[component].reach(path, self.site.clock.now)
        self.flush()

    def _hear_ice(self, text: str) -> None:
        ufrag, pwd = sdp.attribute(text, "ice-ufrag"), sdp.attribute(text, "ice-pwd")
        if self.agent is None or ufrag is None or pwd is None:
            return
        parsed = (candidate.parse(value) for value in _values(text, "candidate"))
        found = tuple(item for item in parsed if item is not None and item.component in self.components)
        self.agent.set_remote(report.Remote(ufrag, pwd, candidates=found), self.site.clock.now)

    def _ice_path(self, component: int) -> Endpoint | None:
        assert self.agent is not None
        return ICE_PATH if self.agent.may_send(component) is not None else None

    # datagrams

    def receive(self, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        if self.mute:
            return
        base = self.bases[socket]
        if data[0] < 4:
            if self.agent is None or not self.agent.receive(socket, data, source, now):
                self.strange.append((data, source))
        elif 20 <= data[0] < 64:
            if self.agent is None:
                self.desks[base.component].receive(source, data, now, source == self.told.get(base.component))
            elif self.agent.accepts(socket, source):
                self.desks[base.component].receive(ICE_PATH, data, now, vouched=True)
        else:
            self.strange.append((data, source))
        self.flush()

    def flush(self) -> None:
        """Send what there is to send."""
        if self.agent is not None:
            for event in self.agent.events():
                self.events.append(event)
                if isinstance(event, report.Usable | report.Selected):
                    self.desks[event.component].reach(ICE_PATH, self.site.clock.now)
            for item in self.agent.transmits():
                self.send(item.socket, item.data, item.to)
        for component, desk in self.desks.items():
            self.events += desk.events()
            for path, data in desk.transmits():
                self._send_dtls(component, path, data)

    def _send_dtls(self, component: int, path: Endpoint, data: bytes) -> None:
        if self.agent is None:
            self.send(self.socket(component), data, path)
            return
        pair = self.agent.may_send(component)
        if pair is not None:
            self.send(pair.socket, data, pair.remote)

    def socket(self, component: int = RTP) -> SocketId:
        """Its first socket of a component."""
        return next(number for number, base in self.bases.items() if base.component == component)

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        if not self.mute:
            self.datagrams.append((data, self.bases[socket].at, to))
            self.site.network.send(data, self.bases[socket].at, to)

    def handle_timer(self) -> None:
        now = self.site.clock.now
        if self.agent is not None:
            self.agent.handle_timer(now)
        for desk in self.desks.values():
            desk.handle_timer(now)
        self.flush()

    def next_timeout(self) -> float | None:
        times = [desk.next_timeout() for desk in self.desks.values()]
        if self.agent is not None:
            times.append(self.agent.next_timeout())
        return min((at for at in times if at is not None), default=None)

    def close(self) -> None:
        """Say good-bye."""
        for desk in self.desks.values():
            desk.close(self.site.clock.now)
        self.flush()

    def verified(self) -> bool:
        """Whether all its handshakes are done, and the daemon is who it said."""
        return all(self.desks[component].verified_path is not None for component in self.components)


def _values(text: str, name: str) -> list[str]:
    start = f"a={name}:"
    return [line.removeprefix(start) for line in sdp.media(text) if line.startswith(start)]


_identities: dict[int, Identity] = {}


def identity(seed: int) -> Identity:
    """The identity with that number; always the same one within a run."""
    if seed not in _identities:
        _identities[seed] = make(SeededRng(seed), SteadyWall(Daemon().clock))
    return _identities[seed]


def call_to_phone(site: Site, browser: Peer, phone: str, **keys: Any) -> None:
    """A call of a peer to a plain phone, offered and answered."""
    site.daemon.offer(browser.describe(), **{**TO_PLAIN, **keys})
    browser.hear(site.daemon.answer(phone))


def verdicts(site: Site, tag: str, call: str = CALL) -> dict[str, Any]:
    """What `query` says of the security of the first media of a party, by `RTP` and `RTCP`."""
    reply = site.daemon.command("query", call)
    tree = reply["tags"][tag]["medias"][0].get("security", {})
    assert isinstance(tree, dict)
    return tree


def call_from_phone(site: Site, browser: Peer, phone: str, **keys: Any) -> None:
    """A call of a plain phone to a peer, offered and answered."""
    browser.hear(site.daemon.offer(phone, **keys))
    site.daemon.answer(browser.answer())
