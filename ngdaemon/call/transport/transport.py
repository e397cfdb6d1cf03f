"""The live transport of one media (or BUNDLE) of a leg: its ICE agent, and the DTLS associations of its components.

Sans-IO: `update` takes the facts of the leg, `receive` what the forwarder punts, `handle_timer` the time; then there
are `transmits`, `events` and `links`. Its owner is `transports.py`.

HS-10 is kept here: with ICE, DTLS is taken only from sources that passed an authenticated check, and sent only where a
check of ours succeeded. Without ICE the signalled endpoint is trusted, and everybody else has to show a cookie.
"""

from typing import NamedTuple

from ngdaemon.base.deadline import earliest
from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.base.ids import SocketId
from ngdaemon.base.sources import Rng
from ngdaemon.base.throttle import Throttle
from ngdaemon.call import facing
from ngdaemon.call.connectivity import is_restart
from ngdaemon.call.links import Link, Path, Slot
from ngdaemon.call.model import Leg, LegId, Media, PortSet
from ngdaemon.call.reach import reach_from
from ngdaemon.call.security import Association, Keying
from ngdaemon.call.transport.handshake import Handshake
from ngdaemon.dtls import states as dtls
from ngdaemon.dtls.component import ICE_PATH, Component
from ngdaemon.dtls.hello import Cookies
from ngdaemon.dtls.policy import Policy as DtlsPolicy
from ngdaemon.dtls.roles import Role
from ngdaemon.ice import report as ice
from ngdaemon.ice import stun
from ngdaemon.ice.agent import Agent
from ngdaemon.ice.candidate import HOST, RTCP, RTP, priority
from ngdaemon.ice.pacing import HostPacer, Pacer, RateCap

BARE_ANSWERS = 5.0
"""Answers a second to STUN requests without credentials: to the signalled address, and to all others (MBX-02)."""

LINES = 4
"""Lines in the log, of each kind and component, before the next ones are held back."""

TRANSACTION = 12
"""Octets of a transaction id (RFC 8489 §5)."""

SECRET = 32
"""Octets of the secret that the cookies of a component are made with (HS-09)."""


class Setting(NamedTuple):
    """What all transports share."""

    rng: Rng
    pacer: HostPacer
    dtls: DtlsPolicy
    forbidden: frozenset[Endpoint] = frozenset()


class Transmit(NamedTuple):
    """A datagram that has to leave."""

    socket: SocketId
    data: bytes
    to: Endpoint


class Happened(NamedTuple):
    """What became of a component: for the log."""

    component: int
    event: ice.Event | dtls.Event
    at: float
    """Monotonic seconds."""


class Transport:
    """ICE and DTLS toward one leg, for one media or BUNDLE."""

    def __init__(self, leg: LegId, place: int, setting: Setting, now: float) -> None:
        self.leg = leg
        self.place = place
        self.active = 0.0
        """When the peer last proved that it is there, by a check of ICE or a handshake (GATE-03); monotonic seconds."""
        self.sockets: dict[SocketId, int] = {}
        """Our ports → component."""
        self._slots: list[Slot] = []
        """Of these components."""
        self._setting = setting
        self._agent: Agent | None = None
        self._bases: frozenset[SocketId] = frozenset()
        """What the agent was told of, as far as it is still open."""
        self._told: frozenset[SocketId] = frozenset()
        """Those of them that the leg is told now, at all our addresses."""
        self._handshakes: dict[int, Handshake] = {}
        self._signalled: dict[int, Endpoint | None] = {}
        self._current: dict[int, SocketId] = {}
        """Component → the port that the leg is told now."""
        self._pierced: set[tuple[int, Endpoint]] = set()
        """Where a request to open a pinhole went (MBX-01): once each."""
        self._bare = {known: RateCap(BARE_ANSWERS, BARE_ANSWERS, now) for known in (True, False)}
        """For the signalled address, and for strangers: they do not use up what is for the peer."""
        self.lines = Throttle(LINES)
        """Of the log: peers that fail, change roles or pairs without end do not fill it (S06)."""
        self._out: list[Transmit] = []
        self._events: list[Happened] = []

    # facts

    def update(self, leg: Leg, media: Media, now: float) -> None:
        """Follow the facts of the leg. The same facts again change nothing."""
        self.sockets = {port.local.socket: port.component for port in facing.ports_of(media)}
        self._slots = [Slot(self.leg, self.place, number) for number in sorted(set(self.sockets.values()))]
        ports = [] if media.ports is None else facing.current(media.ports)
        self._current = {RTP: ports[0].rtp.socket, RTCP: (ports[0].rtcp or ports[0].rtp).socket} if ports else {}
        self._signalled = {RTP: _known(media.rtp), RTCP: _known(media.rtcp)}
        self._update_agent(leg, media, now)
        self._update_handshakes(leg, media, now)
        self._collect(now)

    def _update_agent(self, leg: Leg, media: Media, now: float) -> None:
        facts, ports = media.ice, media.ports
        if facts is None or facts.borrowed or ports is None:
            self._agent = None
            return
        agent = self._agent
        if agent is None:
            agent = self._agent = Agent(
                facts.local,
                controlling=media.controlling,
                lite=leg.lite,
                rng=self._setting.rng,
                now=now,
                pacer=Pacer(host=self._setting.pacer),
                policy=reach_from(ports.interface, self._setting.forbidden).permits,
            )
        elif agent.local != facts.local:
            agent.restart(facts.local, controlling=media.controlling)
            self._allow_again()
        self._update_bases(agent, media, ports)
        said = media.ice_said
        if said is None or is_restart(said, media.ice_answered):
            return  # what the leg offers begins with its answer, which has credentials of ours for it (ICE-08)
        if said.credentials is not None:
            agent.set_remote(ice.Remote(said.ufrag, said.pwd, said.lite, said.candidates, said.ended), now)

    def _update_bases(self, agent: Agent, media: Media, ports: PortSet) -> None:
        """Ports that the leg is told are candidates of ours; those of former exchanges stay so while they are used."""
        self._told = frozenset(port.socket for item in facing.current(ports) for port in item.ports)
        for index, item in enumerate(facing.current(ports)):
            for component, port in ((RTP, item.rtp), (RTCP, item.rtcp)):
                if port is not None and component in _components(media):
                    local = Endpoint(item.interface.address, port.port)
                    agent.add_base(component, port.socket, local, priority(HOST, component, index))
        for socket in self._bases.difference(self.sockets):
            agent.drop_base(socket)
        self._bases = frozenset(self.sockets)
        if RTCP not in _components(media):
            agent.drop_component(RTCP)

    def _release(self, agent: Agent, now: float) -> None:
        """A port of a former exchange that ICE makes no use of any more is no way in any longer (ICE-07)."""
        for socket in agent.releasable(now):
            if socket not in self._told:
                agent.drop_base(socket)

    def _update_handshakes(self, leg: Leg, media: Media, now: float) -> None:
        security, identity = media.security, leg.identity
        wanted = security.keying is Keying.DTLS or Keying.DTLS in security.offered
        components = _components(media) if wanted and identity is not None else ()
        for component in [number for number in self._handshakes if number not in components]:
            self._handshakes[component].desk.close(now)
            self._flush()
            del self._handshakes[component]
        for component in components:
            if component not in self._handshakes and identity is not None:
                desk = Component(identity, Cookies(self._setting.rng.bytes(SECRET)), self._setting.dtls)
                self._handshakes[component] = Handshake(desk)
            if security.keying is Keying.DTLS and security.association is not None:
                self._expect(component, security.association, now, final=security.final)

    def _expect(self, component: int, agreed: Association, now: float, *, final: bool) -> None:
        """Say who is to be on the other side of a component, and go there if it is for us to begin."""
        handshake, signalled = self._handshakes[component], self._signalled.get(component)
        matters = not agreed.their_tls_id and self._agent is None and signalled is not None
        place = (self._current.get(component), signalled) if matters else None
        handshake.expect(agreed, place, now, final=final)
        path = self._path(component)
        if path is not None:
            handshake.reach(path, now)
        if agreed.role is Role.PASSIVE:
            self._pierce(component, handshake.desk)
        if self._agent is not None and self._agent.remote is not None:
            handshake.take_early(self._agent.accepts, now)

    def _path(self, component: int) -> Endpoint | None:
        """Where a handshake of ours would go: to the pair of ICE, or the signalled address; None for nowhere yet."""
        if self._agent is not None:
            return ICE_PATH if self._agent.may_send(component) is not None else None
        return self._signalled.get(component)

    def _pierce(self, component: int, desk: Component) -> None:
        """Open the way for the peer's ClientHello (MBX-01): one STUN request, whose answer nobody waits for."""
        to = self._signalled.get(component)
        if self._agent is not None or to is None or (component, to) in self._pierced:
            return
        if desk.verified_path is None:
            self._pierced.add((component, to))
            self._send(component, stun.binding_request_bare(self._setting.rng.bytes(TRANSACTION)), to)

    def refutes(self, media: Media) -> bool:
        """Whether the leg itself, at the very place that it signals now, has shown another certificate than it names.

        That takes a handshake which is done before the description comes. With ICE it could be any fork's.
        """
        agreed = media.security.association
        if agreed is None or not media.security.final or self._agent is not None:
            return False
        places = {RTP: _known(media.rtp), RTCP: _known(media.rtcp)}
        pairs = ((self._handshakes.get(number), places[number]) for number in _components(media))
        return any(each and place and each.desk.refutes(agreed.fingerprints, place) for each, place in pairs)

    # input

    def receive(self, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        """Take a datagram that is no media."""
        component = self.sockets.get(socket)
        if component is None or not data:
            return
        if data[0] < 4:
            self._receive_stun(component, socket, data, source, now)
        elif 20 <= data[0] < 64:
            self._receive_dtls(component, socket, data, source, now)
        self._collect(now)

    def _receive_stun(self, component: int, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        if self._agent is not None:
            proves = int.from_bytes(data[:2]) != stun.INDICATION  # those are not authenticated
            if self._agent.receive(socket, data, source, now) and proves:
                self.active = now
            return
        known = source == self._signalled.get(component)
        if component in self._handshakes and stun.is_bare_request(data) and self._bare[known].take(now):
            self._out.append(Transmit(socket, stun.bare_response(data, source), source))

    def _receive_dtls(self, component: int, socket: SocketId, data: bytes, source: Endpoint, now: float) -> None:
        handshake = self._handshakes.get(component)
        if handshake is None:
            return
        if self._agent is not None:
            _receive_vouched(handshake, self._agent, Path(socket, source), data, now)
            return
        handshake.paths.see(source, socket)
        handshake.desk.receive(source, data, now, vouched=source == self._signalled.get(component))
        for event in handshake.events(now):
            if isinstance(event, dtls.Held | dtls.Established) and event.path == source:
                handshake.paths.settle(source)
            self._note_dtls(component, event, now)

    def handle_timer(self, now: float) -> None:
        """Do what the time has come for."""
        if self._agent is not None:
            self._agent.handle_timer(now)
            self._release(self._agent, now)
        for handshake in self._handshakes.values():
            handshake.handle_timer(now)
        self._collect(now)

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called; None for never."""
        due = self._agent.next_timeout() if self._agent is not None else None
        for handshake in self._handshakes.values():
            due = earliest(due, handshake.next_timeout())
        return due

    def close(self, now: float) -> None:
        """Say good-bye: one close_notify for each association (HS-17)."""
        for handshake in self._handshakes.values():
            handshake.desk.close(now)
        self._flush()

    # output

    def _collect(self, now: float) -> None:
        """Gather what agent and associations have done."""
        if self._agent is not None:
            for event in self._agent.events():
                self._note_ice(event, now)
        for component, handshake in self._handshakes.items():
            for happened in handshake.events(now):
                self._note_dtls(component, happened, now)
        self._flush()

    def _allow_again(self) -> None:
        """ICE begins anew: so may handshakes that came to nothing."""
        for handshake in self._handshakes.values():
            handshake.allow_again()

    def _note_ice(self, event: ice.Event, now: float) -> None:
        component = getattr(event, "component", 0)
        self._events.append(Happened(component, event, now))
        handshake, agent = self._handshakes.get(component), self._agent
        if isinstance(event, ice.Restarted):
            self._allow_again()
        elif isinstance(event, ice.Usable | ice.Selected) and handshake is not None and agent is not None:
            round_trip = agent.rtt(component)
            if round_trip is not None:
                handshake.desk.measured(round_trip)
            handshake.reach(ICE_PATH, now)

    def _note_dtls(self, component: int, event: dtls.Event, now: float) -> None:
        self._events.append(Happened(component, event, now))
        if isinstance(event, dtls.Established):
            self.active = now
            self._handshakes[component].paths.take(self._signalled.get(component))
        elif isinstance(event, dtls.Closed) and self._agent is not None:
            self._agent.revoke(component)  # a good-bye takes the consent back (CONS-02)

    def _flush(self) -> None:
        agent = self._agent
        if agent is not None:
            self._out.extend(Transmit(item.socket, item.data, item.to) for item in agent.transmits())
        for component, handshake in self._handshakes.items():
            flight = handshake.desk.transmits()
            if agent is None:
                for to, data in flight:
                    self._send(component, data, to)
                continue
            if flight:
                handshake.unsent = [data for _, data in flight]
            pair = agent.may_send(component)
            if pair is not None:
                unsent, handshake.unsent = handshake.unsent, []
                for data in unsent:
                    self._out.append(Transmit(pair.socket, data, pair.remote))

    def _send(self, component: int, data: bytes, to: Endpoint) -> None:
        """Send from the port at which the peer was seen, else from the one that it is told."""
        handshake = self._handshakes.get(component)
        socket = handshake.paths.last(to) if handshake is not None else None
        if socket not in self.sockets:
            socket = self._current.get(component)
        if socket is not None:
            self._out.append(Transmit(socket, data, to))

    def transmits(self) -> list[Transmit]:
        """What has to be sent since the last call, in order."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[Happened]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def links(self) -> dict[Slot, Link]:
        """What plans are made of now."""
        return {slot: self._link(slot.component) for slot in self._slots}

    def shown(self) -> dict[Slot, Link]:
        """All that there is to tell now."""
        return {slot: self.shown_of(slot.component, link) for slot, link in self.links().items()}

    def shown_of(self, component: int, link: Link | None = None) -> Link:
        """All that there is to tell now of one component; `link` is what plans are made of, if that is at hand."""
        agent, handshake = self._agent, self._handshakes.get(component)
        return (link or self._link(component))._replace(
            status=handshake.desk.status() if handshake is not None else None,
            progress=agent.progress(component) if agent is not None else None,
        )

    def _link(self, component: int) -> Link:
        agent, handshake = self._agent, self._handshakes.get(component)
        desk = handshake.desk if handshake is not None else None
        path = sources = None
        held: frozenset[Endpoint] | None = frozenset()
        receive, send = desk.keys() if desk is not None else ((), None)
        if agent is not None:
            pair = agent.may_send(component)
            path = Path(pair.socket, pair.remote) if pair is not None else None
            sources = {socket: agent.accepted(socket) for socket, kind in self.sockets.items() if kind == component}
            held = None
        elif desk is not None and handshake is not None:
            held = desk.held_paths()
            verified = desk.verified_path
            if verified is not None:
                socket = handshake.paths.settled(verified, self._signalled.get(component))
                path = Path(socket, verified) if socket is not None else None
        return Link(path, sources, receive, send, held)


def _receive_vouched(handshake: Handshake, agent: Agent, source: Path, data: bytes, now: float) -> None:
    """Take DTLS where ICE vouches for sources (HS-10): of the peer, and once it is known who that is (MOD-03)."""
    accepted = agent.accepts(*source)
    if accepted and agent.remote is not None:
        handshake.take_early(agent.accepts, now)
        handshake.desk.receive(ICE_PATH, data, now, vouched=True)
    elif accepted or handshake.is_early(source):
        handshake.keep(source, data)


def _components(media: Media) -> tuple[int, ...]:
    """The components that have a port of their own."""
    return (RTP,) if media.muxed or media.ports is None or media.ports.rtcp is None else (RTP, RTCP)


def _known(endpoint: Endpoint | None) -> Endpoint | None:
    return None if endpoint is None or is_unspecified(endpoint.address) else endpoint
