"""The ICE agent of one media or bundle: full or lite, components RTP and RTCP, without sockets (RFC 8445).

    agent = Agent(credentials.fresh(rng), controlling=False, lite=False, rng=rng, now=now)
    agent.add_base(1, socket, local_endpoint, candidate.priority("host", 1))
    agent.set_remote(Remote(ufrag, pwd, candidates=…), now)
    agent.receive(socket, datagram, source, now)          # STUN
    agent.handle_timer(now)                               # at agent.next_timeout()
    agent.may_send(1)                                     # the path for media, or None

After each of these: send `transmits()`, look at `events()`, arm a timer for `next_timeout()`.

The agent routes messages to its sessions. There is one, and after a restart the former one as well, whose pairs serve
until the new session has its own (ICE-08).
"""

from ngdaemon.base.deadline import earliest
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.base.sources import Rng
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import Policy, permitted
from ngdaemon.ice.checklist import Base
from ngdaemon.ice.credentials import Credentials
from ngdaemon.ice.pacing import Pacer, RateCap
from ngdaemon.ice.report import ConsentLost, Event, Pair, Progress, Remote, Restarted, Selected, Transmit, Usable
from ngdaemon.ice.role import Surroundings
from ngdaemon.ice.session import Session

REFUSALS = 10.0
"""Answers a second that an agent gives to requests that it cannot authenticate (S21)."""
NEWCOMERS, FIRST_NEWCOMERS = 5.0, 30.0
"""New sources a second from which a peer may check, and how many at once: more is no NAT, and would make us send to
whomever it names as the source (S21)."""


class Agent:
    """Finds and keeps the path to one peer."""

    def __init__(
        self,
        local: Credentials,
        *,
        controlling: bool,
        lite: bool,
        rng: Rng,
        now: float,
        pacer: Pacer | None = None,
        policy: Policy = permitted,
    ) -> None:
        self._around = Surroundings(rng, pacer or Pacer(), policy)
        self._lite = lite
        self._session = Session(local, self._around, controlling=controlling, lite=lite)
        self._former: Session | None = None
        self._refusals = RateCap(REFUSALS, REFUSALS, now)
        self._newcomers = RateCap(NEWCOMERS, FIRST_NEWCOMERS, now)
        self._events: list[Event] = []
        self.dropped = 0
        """Datagrams that were not STUN, not for us, or not authentic."""

    # Set-up

    @property
    def local(self) -> Credentials:
        return self._session.local

    @property
    def remote(self) -> Remote | None:
        """The peer's credentials, once they are known."""
        return self._session.remote

    @property
    def controlling(self) -> bool:
        return self._session.controlling

    @property
    def lite(self) -> bool:
        return self._lite

    def add_base(self, component: int, socket: SocketId, local: Endpoint, priority: int) -> None:
        """Make a socket of ours a host candidate; one that is known already is left alone."""
        if socket in self._around.bases:
            return
        base = Base(component, socket, local, priority)
        self._around.bases[socket] = base
        self._session.add_base(base)

    def drop_component(self, component: int) -> None:
        """Forget a component: rtcp-mux was agreed, RTCP has no path of its own."""
        self._forget({base.socket for base in self._around.bases.values() if base.component == component})

    def drop_base(self, socket: SocketId) -> None:
        """Forget a socket that is going to be closed."""
        self._forget({socket})

    def _forget(self, sockets: set[SocketId]) -> None:
        if not sockets:
            return
        for socket in sockets:
            self._around.bases.pop(socket, None)
        for session in self._sessions():
            session.forget(lambda base: base.socket in sockets)
        self._tidy()

    def set_remote(self, remote: Remote, now: float) -> None:
        """Take what the peer's SDP says. Saying it again changes nothing; further candidates are added (trickle).

        Other credentials than before are a restart by the peer (RFC 8839 §4.4), or the answer of another fork.
        """
        known = self._session.remote
        if known is not None and (known.ufrag, known.pwd) != (remote.ufrag, remote.pwd):
            former = self._session
            self._replace(former.local, controlling=former.controlling)
            self._session.inherit(former)
            self._events.append(Restarted())
        self._session.set_remote(remote, now)
        self._tidy()

    def restart(self, local: Credentials, *, controlling: bool) -> None:
        """Begin anew with other credentials of ours. When the peer restarts, call this before `set_remote`."""
        self._replace(local, controlling=controlling)

    def _replace(self, local: Credentials, *, controlling: bool) -> None:
        if any(self._session.usable(component) for component in self._around.components()):
            self._former = self._session
            self._former.retire()
        self._session = Session(local, self._around, controlling=controlling, lite=self._lite)

    def _sessions(self) -> tuple[Session, ...]:
        return (self._session,) if self._former is None else (self._session, self._former)

    # Input

    def receive(self, socket: SocketId, data: bytes, source: Endpoint, now: float) -> bool:
        """Take a datagram of the class STUN. False when it was dropped: malformed, not for us, or not authentic."""
        message = stun.parse(data)
        base = self._around.bases.get(socket)
        taken = message is not None and base is not None and self._take(message, base, source, now)
        self.dropped += not taken
        self._tidy()
        return taken

    def _take(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> bool:
        if message.kind == stun.REQUEST:
            return self._take_request(message, base, source, now)
        if message.kind == stun.INDICATION:
            return True
        if self._session.receive_response(message, base, source, now):
            return True
        return self._former is not None and self._former.receive_response(message, base, source, now)

    def _take_request(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> bool:
        username = message.username
        session = None if username is None else self._meant(username)
        if session is None or not message.authentic(session.password):
            self._refuse(message, 400 if username is None or not message.integrity else 401, base, source, now)
            return False
        if username is not None and session.is_outdated(username, base.component):
            return False
        known = session.knows(base.socket, source)
        if not session.seen.admits(message.transaction, (base.socket, source), now, is_known=known):
            return False  # somebody repeats a check that he overheard
        if not known and not self._newcomers.take(now):
            return False
        unknown = message.unknown
        if unknown:
            listed = b"".join(attribute.to_bytes(2) for attribute in unknown[:8])
            session.answer(stun.ERROR, message, [stun.error_code(420), (stun.UNKNOWN_ATTRIBUTES, listed)], base, source)
            return True
        session.receive_request(message, base, source, now)
        return True

    def _meant(self, username: str) -> Session | None:
        """The session that a username `ours:theirs` is for."""
        ours, _, theirs = username.partition(":")
        meant = [session for session in self._sessions() if session.local.ufrag == ours]
        fitting = (session for session in meant if session.remote is not None and session.remote.ufrag == theirs)
        return next(fitting, meant[0] if meant else None)

    def _refuse(self, message: stun.Message, code: int, base: Base, source: Endpoint, now: float) -> None:
        """Tell whom we cannot authenticate, if the answer is no longer than the question and not too frequent."""
        answer = stun.build(stun.ERROR, message.transaction, [stun.error_code(code)])
        if len(answer) <= len(message.data) and self._refusals.take(now):
            self._around.out.append(Transmit(base.socket, answer, source))

    def handle_timer(self, now: float) -> None:
        """Do what the time has come for."""
        for session in self._sessions():
            session.handle_timer(now)
        self._tidy()

    def revoke(self, component: int) -> None:
        """The peer closed its DTLS association: nothing may be sent to it before an ICE restart (CONS-02)."""
        for session in self._sessions():
            session.revoke(component)

    def _tidy(self) -> None:
        """Collect events, and let the former session go when the new one has a pair for each component."""
        events = self._session.events
        if events:
            self._events += events
            events.clear()
        former = self._former
        if former is None:
            return
        for event in former.events:
            if isinstance(event, Usable | Selected | ConsentLost) and self._session.selected(event.component) is None:
                self._events.append(event)
        former.events.clear()
        if self._session.complete:
            self._former = None

    # Output

    def transmits(self) -> list[Transmit]:
        """What has to be sent since the last call, in order."""
        out, self._around.out = self._around.out, []
        return out

    def events(self) -> list[Event]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called; None for never."""
        due = self._session.next_timeout()
        return due if self._former is None else earliest(due, self._former.next_timeout())

    # What there is

    def selected(self, component: int) -> Pair | None:
        """The nominated pair; after a restart the former one until there is a new one."""
        pair = self._session.selected(component)
        return pair if pair is not None or self._former is None else self._former.selected(component)

    def usable(self, component: int) -> Pair | None:
        """The selected pair, or before nomination the best one that works."""
        return self.selected(component) or self._session.usable(component)

    def may_send(self, component: int) -> Pair | None:
        """The pair for media and DTLS: only one that a check of ours found to work, while the peer consents.

        A lite agent sends where the peer's checks came from. None: nothing may be sent (HS-10, CONS-01).
        """
        if self._former is not None and self._session.selected(component) is None:
            pair = self._former.sendable(component)
            if pair is not None:
                return pair
        return self._session.sendable(component)

    def rtt(self, component: int) -> float | None:
        """Seconds to the peer and back, measured by a check; for the first DTLS timer (TIM-02)."""
        return self._session.rtt(component)

    def progress(self, component: int) -> Progress:
        """How far the component is; during a restart how far the new session is."""
        return self._session.progress(component)

    def accepted(self, socket: SocketId) -> frozenset[Endpoint]:
        """The sources from which media and DTLS may be taken: they passed an authentic check (HS-10, S08)."""
        accepted = self._session.accepted(socket)
        return accepted if self._former is None else accepted | self._former.accepted(socket)

    def accepts(self, socket: SocketId, source: Endpoint) -> bool:
        """Whether `source` is one of `accepted(socket)`."""
        if self._session.accepts(socket, source):
            return True
        return self._former is not None and self._former.accepts(socket, source)

    @property
    def complete(self) -> bool:
        """Whether each component has a nominated pair."""
        return self._session.complete

    def releasable(self, now: float) -> frozenset[SocketId]:
        """Sockets of which no use is made, once that is certain: 3 s after the last nomination (RFC 8445 §8.3.1)."""
        if not self._session.is_settled(now):
            return frozenset()
        pairs = (self._session.selected(component) for component in self._around.components())
        return frozenset(self._around.bases) - {pair.socket for pair in pairs if pair is not None}
