"""All associations of one component transport: RTP, or RTCP with a port of its own, or a BUNDLE (MOD-02, MOD-03).

Each path may have an association. A *path* is the peer's endpoint; with ICE, where all pairs of a component share one
association (HS-13), it is the one constant `ICE_PATH`. Descriptions select: associations are judged whenever one comes,
and the losers vanish. Sans-IO: give it datagrams, descriptions and the time; then take `transmits`, `events`, `keys`.
"""

from typing import NamedTuple

from ngdaemon.base.deadline import earliest
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.admission import Admission
from ngdaemon.dtls.association import Association
from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.desk import Answer, Arrival, Desk
from ngdaemon.dtls.fingerprint import Fingerprint, deciding_hash, matches
from ngdaemon.dtls.hello import Cookies, read_hello, read_opening, refusal, without_cookie
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.records import Content, Fragment, Kind, Record, fragments, record, records
from ngdaemon.dtls.remote import Remote, renews
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import KEYS_USABLE, LIVE, Event, Failed, State
from ngdaemon.srtp.keys import Keys

ICE_PATH = Endpoint("", 0)
"""The one path of a component whose sources ICE vouches for. A cookie for it must be of no use to another component."""

LEAST_TIMEOUT = 0.05
"""Seconds: the peer has to compute, too, however near it is."""

_FATAL = 2
_HANDSHAKE, _CLIENT_HELLO = int(Content.HANDSHAKE), int(Kind.CLIENT_HELLO)


class Status(NamedTuple):
    """What `query` tells of a component (FP-14). Shows no key."""

    state: State
    role: Role | None
    hash: str
    """The one that decides; "" while no description came."""
    expected: tuple[str, ...]
    """Announced fingerprints, as in `a=fingerprint`."""
    seen: str
    """The peer's fingerprint; "" before its handshake is done."""
    profile: str
    """SRTP suite; "" before the handshake is done."""
    verify_seconds: float | None
    """From the start of the handshake until it was verified."""
    alert: str
    """The last alert of the peer; "?" after one that is not authentic."""
    reason: str
    """Why it ended."""
    received: int
    """DTLS datagrams of the component, to whatever association."""
    sent: int
    dropped: int
    """Those of `received` that no association took: strangers without a cookie, junk."""


class Component:
    """The DTLS end of one component transport of a leg."""

    def __init__(self, identity: Identity, cookies: Cookies, policy: Policy | None = None) -> None:
        self._identity = identity
        self._policy = policy or Policy()
        self._desk = Desk(cookies)
        self._strangers = Admission()
        self._restarts = Admission()
        """Of paths that are vouched for, after their first hello."""
        self._doubted: set[Endpoint] = set()
        """Paths that are vouched for, from where a handshake came to nothing: somebody else may have sent its hello."""
        self._associations: list[Association] = []
        """Oldest first."""
        self._verified: Association | None = None
        self._shown: Association | None = None
        """The one that `status` tells of when none is alive: the newest that ended."""
        self._remote: Remote | None = None
        self._role: Role | None = None
        self._goal: Endpoint | None = None
        self._generation = 0
        self._out: list[tuple[Endpoint, bytes]] = []
        self._events: list[Event] = []
        self._received = self._sent = self._dropped = 0

    def receive(self, path: Endpoint, datagram: bytes, now: float, vouched: bool = False) -> None:
        """Take a datagram from a path. Never raises.

        `vouched`: ICE validated the source, or it equals the signalled endpoint; others must show a cookie (HS-09).
        """
        self._received += 1
        took = False
        for found in records(datagram):
            if found.epoch == 0 and found.content == _HANDSHAKE:
                took |= self._take_handshake(path, found, vouched, now)
            else:
                took |= self._take_other(path, found, now)
        self._dropped += not took
        self._sweep(now)

    def expect(self, remote: Remote, role: Role, now: float, renew: bool = False) -> None:
        """The peer's description is known, and with it who may be on the other side and who is client.

        Associations are judged at once. Another role, tls-id or fingerprint set than before, or `renew` (another
        transport without tls-id), means another association: the verified one drains, and goes on sending until the
        new one is verified (TID-06). A client starts when there is a path to `reach`.

        While a later offer of ours is out, say the known description again with `final` off: the peer may begin its new
        association before its answer is there, and must not be taken for somebody else.
        """
        known = self._remote
        if known is not None and (renew or role is not self._role or renews(known, remote)):
            self._renew(now)
        self._remote, self._role = remote, role
        for association in self._associations:
            if association.state is not State.DRAINING:
                association.judge(remote.fingerprints, remote.final, now)
        self._start(now)
        self._sweep(now)

    def reach(self, path: Endpoint, now: float) -> None:
        """Where the peer is: a client starts there, as soon as a description makes us one (HS-12)."""
        self._goal = path
        self._start(now)
        self._sweep(now)

    def measured(self, round_trip: float) -> None:
        """The round-trip time is known, in seconds: handshakes that begin from now on wait by it (TIM-02)."""
        self._policy = self._policy._replace(first_timeout=max(1.5 * round_trip, LEAST_TIMEOUT))

    def close(self, now: float) -> None:
        """End all associations, each verified or held one with one close_notify (HS-17)."""
        for association in self._associations:
            association.close()
        self._sweep(now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        for association in self._associations:
            association.handle_timer(now)
        self._sweep(now)

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return earliest(*[each.next_timeout() for each in self._associations])

    def transmits(self) -> list[tuple[Endpoint, bytes]]:
        """Datagrams to be sent, each with its path, since the last call."""
        found, self._out = self._out, []
        return found

    def events(self) -> list[Event]:
        """What happened since the last call. After any of them `keys`, `verified_path` and `held_paths` may differ."""
        found, self._events = self._events, []
        return found

    def keys(self) -> tuple[tuple[Keys, ...], Keys | None]:
        """Keys to receive with, the newest association first, and the key to send with: of verified peers only."""
        usable = [each for each in self._associations if each.state in KEYS_USABLE]
        if len(usable) > 1:
            usable.sort(key=lambda each: (each is self._verified, each.started), reverse=True)
        receive = tuple(keys for each in usable if (keys := each.receive_keys) is not None)
        return receive, usable[0].send_keys if usable else None

    @property
    def verified_path(self) -> Endpoint | None:
        """Where the verified peer is; while a renewal is under way, where the old one is."""
        usable = [each for each in self._associations if each.state in KEYS_USABLE]
        return (self._verified or usable[-1]).path if usable else None

    def held_paths(self) -> frozenset[Endpoint]:
        """Paths with a finished handshake whose peer is not known yet: media from there may be held (MBX-06)."""
        return frozenset(each.path for each in self._associations if each.state is State.KEYED)

    def refutes(self, announced: frozenset[Fingerprint], path: Endpoint) -> bool:
        """Whether whoever finished a handshake on that path, and waits for a description, is not the one announced."""
        held = [each.certificate for each in self._associations if each.path == path and each.state is State.KEYED]
        known = [certificate for certificate in held if certificate is not None]
        return bool(known) and not any(matches(each, announced, self._policy.allow_sha1) for each in known)

    @property
    def state(self) -> State:
        """That of the verified association, else of the newest."""
        shown = self._told()
        return shown.state if shown is not None else State.NEW

    def _told(self) -> Association | None:
        return self._verified or (self._associations[-1] if self._associations else self._shown)

    def status(self) -> Status:
        """What there is to tell: of the verified association, else of the newest."""
        shown = self._told()
        announced = self._remote.fingerprints if self._remote is not None else frozenset()
        took = shown.verified - shown.started if shown is not None and shown.verified is not None else None
        seen = shown.seen if shown is not None else None
        return Status(
            state=shown.state if shown is not None else State.NEW,
            role=self._role,
            hash=deciding_hash(announced, self._policy.allow_sha1) or "",
            expected=tuple(sorted(each.text() for each in announced)),
            seen=seen.text() if seen is not None else "",
            profile=shown.profile if shown is not None else "",
            verify_seconds=took,
            alert=shown.alert if shown is not None else "",
            reason=shown.reason if shown is not None else "",
            received=self._received,
            sent=self._sent,
            dropped=self._dropped,
        )

    def _take_handshake(self, path: Endpoint, found: Record, vouched: bool, now: float) -> bool:
        took = False
        for piece in fragments(found.payload):
            if piece.kind == _CLIENT_HELLO:
                took |= self._take_hello(path, piece, found.sequence, vouched, now)
            elif (target := self._speaking(path)) is not None:
                target.take_fragment(piece, now)
                took = True
        return took

    def _take_other(self, path: Endpoint, found: Record, now: float) -> bool:
        """Alerts in clear, and all that is encrypted: each association of the path tries, one can read it."""
        took = False
        for each in self._associations:
            if each.path == path:
                each.take(found, now)
                took = True
        return took

    def _speaking(self, path: Endpoint) -> Association | None:
        """Whom clear handshake messages from a path are for: the handshake under way there, else the newest."""
        newest = None
        for each in reversed(self._associations):
            if each.path == path:
                if each.state is State.HANDSHAKING:
                    return each
                newest = newest or each
        return newest

    def _take_hello(self, path: Endpoint, piece: Fragment, record_number: int, vouched: bool, now: float) -> bool:
        """A ClientHello begins an association beside those that there are: no live one ends by it (HS-20)."""
        if self._role is Role.ACTIVE:
            return False
        opening = read_opening(piece.data) if piece.offset == 0 else None
        there = [each for each in self._associations if each.path == path]
        for each in there:
            if opening is not None and each.hello == (piece.sequence, opening.random):
                each.send_again(now)
                return True
        # Any hello from a path may be forged, whoever vouches for it: those after the first need a cookie too.
        begun = path in self._doubted or any(each.generation == self._generation for each in there)
        trusted = vouched and not begun
        result = self._desk.take(path, piece, record_number, trusted, now, known=vouched)
        if isinstance(result, Answer):
            self._send(path, result.datagram)
        elif result is not None:
            starts = self._restarts if vouched else self._strangers
            if trusted or starts.permits(path.address, now):
                self._admit(path, result, vouched, now)
        return result is not None

    def _admit(self, path: Endpoint, arrival: Arrival, vouched: bool, now: float) -> None:
        message = arrival.message
        hello = read_hello(message.body)
        if hello is None:
            return
        refused = refusal(hello)
        if refused is not None:
            self._send(path, record(Content.ALERT, 0, arrival.record_number, bytes((_FATAL, refused.alert))))
            self._events.append(Failed(path, refused.reason))
            self._doubt(path, vouched)
            return
        if not self._make_room(path, vouched):
            return
        association = Association(path, Role.PASSIVE, self._identity, self._policy, now)
        association.generation, association.vouched = self._generation, vouched
        if self._remote is not None:
            association.judge(self._remote.fingerprints, self._remote.final, now)
        self._associations.append(association)
        earlier = without_cookie(message.body, hello.opening) if message.sequence else None
        association.accept(message, hello.opening.random, arrival.record_number, earlier, now)

    def _make_room(self, path: Endpoint, vouched: bool) -> bool:
        """Whether another server handshake may begin. Who is not vouched for never takes the place of one who is."""
        unfinished = []
        for each in self._associations:
            if each.state is State.HANDSHAKING and each.role is Role.PASSIVE:
                if each.path == path:
                    each.close()  # the peer at this path showed that it starts anew
                else:
                    unfinished.append(each)
        if len(unfinished) < self._policy.unfinished:
            return True
        victims = [each for each in unfinished if vouched or not each.vouched]
        victims.sort(key=lambda each: each.vouched)
        if victims:
            victims[0].close()
        return bool(victims)

    def _doubt(self, path: Endpoint, vouched: bool) -> None:
        if vouched:
            self._doubted.add(path)

    def _renew(self, now: float) -> None:
        self._generation += 1
        self._doubted.clear()
        for each in self._associations:
            if each.state is State.VERIFIED:
                each.renew(now)
            elif each.state is State.DRAINING or (each.state is State.HANDSHAKING and each.role is Role.ACTIVE):
                each.close()
        self._verified = None

    def _start(self, now: float) -> None:
        if self._role is not Role.ACTIVE or self._goal is None or self._remote is None:
            return
        for each in self._associations:
            if each.role is Role.ACTIVE and each.generation == self._generation and each.state in LIVE:
                if each.state is not State.HANDSHAKING or each.path == self._goal:
                    return
                each.close()
        association = Association(self._goal, Role.ACTIVE, self._identity, self._policy, now)
        association.generation, association.vouched = self._generation, True
        association.judge(self._remote.fingerprints, self._remote.final, now)
        self._associations.append(association)
        association.start(now)

    def _send(self, path: Endpoint, datagram: bytes) -> None:
        self._sent += 1
        self._out.append((path, datagram))

    def _sweep(self, now: float) -> None:
        """Settle what the last input changed, and take out what it left to say."""
        for each in self._associations:
            if each.state is State.VERIFIED and each is not self._verified:
                self._prefer(each, now)
        if len(self._associations) > self._policy.held:
            self._limit_held()
        over = False
        for each in self._associations:
            for datagram in each.transmits():
                self._send(each.path, datagram)
            self._events += each.events()
            if each.state not in LIVE:
                over, self._shown = True, each
                if each.role is Role.PASSIVE and each.state in (State.FAILED, State.REJECTED):
                    self._doubt(each.path, each.vouched)
        if over:
            self._associations = [each for each in self._associations if each.state in LIVE]
        if self._verified is not None and self._verified.state not in LIVE:
            self._verified = None

    def _limit_held(self) -> None:
        """End the handshakes that wait for a description and are too many, those first that nobody vouches for."""
        held = [each for each in self._associations if each.state is State.KEYED]
        for each in sorted(held, key=lambda each: each.vouched)[: max(0, len(held) - self._policy.held)]:
            each.close()

    def _prefer(self, newcomer: Association, now: float) -> None:
        """A newly verified association takes over; the ones before it drain."""
        if self._verified is not None and self._verified.state is State.VERIFIED:
            self._verified.renew(now)
        self._verified = newcomer
        for each in self._associations:
            if each.state is State.DRAINING:
                each.drain(now)
