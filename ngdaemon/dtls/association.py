"""One DTLS-SRTP association: a handshake, the judgement of the peer's certificate, and the keys (RFC 5764, RFC 6347).

Sans-IO: give it records and the time, then take what it has to send, its events, and when it wants to be woken. Keys
are not to be had before the certificate is the announced one (FP-10), whichever of handshake and description is first.
"""

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.engine import Engine, Export, Step
from ngdaemon.dtls.fingerprint import DEFAULT_HASH, Fingerprint, deciding_hash, matches, of
from ngdaemon.dtls.flight import Clear, Item, Sealed, Sender
from ngdaemon.dtls.hello import HANDSHAKE_FAILURE
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.reassembly import AHEAD, Message, Reassembly
from ngdaemon.dtls.records import Content, Fragment, Kind, Record, alert_name, fragments, records
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.seal import EPOCH, Opener
from ngdaemon.dtls.states import (
    DONE,
    KEYS_USABLE,
    LIVE,
    MOVES,
    Cause,
    Closed,
    Established,
    Event,
    Failed,
    Held,
    Mismatch,
    Retired,
    State,
)
from ngdaemon.srtp.keys import Keys

MAX_WAITING = 8
"""Encrypted records that are kept until they can be read; of more the oldest goes."""

_HEARD = {
    Role.ACTIVE: frozenset({2, 3, 11, 12, 13, 14, 22}),  # server hello, cookie, certificate, key, request, done, status
    Role.PASSIVE: frozenset({11, 15, 16}),  # certificate, verify, key
}
"""Handshake messages that make sense to a role; the ClientHello comes by another way."""

_TURNS = frozenset(
    {Kind.HELLO_VERIFY_REQUEST, Kind.SERVER_HELLO_DONE, Kind.CLIENT_KEY_EXCHANGE, Kind.CERTIFICATE_VERIFY}
)
"""After these an answer may be due, or a failure: a client without certificate sends no CertificateVerify."""

_LAST_CLEAR = {Role.ACTIVE: Kind.SERVER_HELLO_DONE, Role.PASSIVE: Kind.CERTIFICATE_VERIFY}
"""After this message of the peer's what it sends is encrypted. Its ChangeCipherSpec adds nothing, and can be lost."""

_FATAL, _WARNING = 2, 1
_CLOSE_NOTIFY, _BAD_CERTIFICATE, _NO_RENEGOTIATION = 0, 42, 100
_GOODBYE = Sealed(Content.ALERT, bytes((_WARNING, _CLOSE_NOTIFY)))

_QUIET = frozenset({Cause.ENDED, Cause.DRAINED, Cause.PEER_CLOSED})
"""Ways for an unused association to end that no other event tells of."""


class Association:
    """One association with the peer on one path. Its owner is `component.py`."""

    def __init__(self, path: Endpoint, role: Role, identity: Identity, policy: Policy, now: float) -> None:
        self.path = path
        self.role = role
        self.state = State.NEW
        self.generation = 0
        """Its owner's count of renewals."""
        self.vouched = False
        """Its owner trusts the path."""
        self.hello: tuple[int, bytes] | None = None
        """`message_seq` and random of the ClientHello that a server answers."""
        self.certificate: bytes | None = None
        """The peer's, DER, once the handshake is done."""
        self.reason = ""
        """Why it ended."""
        self.alert = ""
        """The last alert of the peer; "?" after one that is not authentic."""
        self.started = now
        self.verified: float | None = None
        self._identity = identity
        self._policy = policy
        self._engine: Engine | None = None
        """While the handshake lasts."""
        self._opener: Opener | None = None
        """After it."""
        self._incoming = Reassembly()
        self._sender = Sender(policy)
        self._deadline = now + policy.handshake
        self._ready: list[Message] = []
        """Whole messages that OpenSSL has not seen: it has nothing to say to them alone."""
        self._readable = False
        """The peer's encrypted records can be read."""
        self._waiting: list[Record] = []
        self._announced: frozenset[Fingerprint] | None = None
        self._final = False
        self._export: Export | None = None
        self._events: list[Event] = []

    def start(self, now: float) -> None:
        """Begin as client."""
        assert self.role is Role.ACTIVE
        self._engine = Engine(self.role, self._identity)
        self._move(Cause.STARTED)
        self._progress(self._engine.start(), now)

    def accept(
        self, hello: Message, random: bytes, record_number: int, without_cookie: bytes | None, now: float
    ) -> None:
        """Begin as server, with a whole ClientHello.

        `without_cookie` is the body as it was before it answered a HelloVerifyRequest, None where there was none.
        """
        assert self.role is Role.PASSIVE
        self._engine = Engine(self.role, self._identity, cookie=without_cookie is not None)
        self._incoming = Reassembly(hello.sequence + 1)
        self._sender = Sender(self._policy, 0 if without_cookie is None else record_number)
        self.hello = (hello.sequence, random)
        self._move(Cause.STARTED)
        if without_cookie is None:
            self._progress(self._engine.take(hello), now)
        else:
            self._progress(self._engine.take_verified_hello(hello, without_cookie), now)

    def receive(self, datagram: bytes, now: float) -> None:
        """Take a datagram from the path. Never raises; what is not valid changes nothing."""
        for found in records(datagram):
            self.take(found, now)

    def take(self, found: Record, now: float) -> None:
        """Take one record."""
        if self.state not in LIVE:
            return
        if found.epoch == EPOCH:
            self._take_sealed(found, now)
        elif found.epoch == 0 and found.content == Content.HANDSHAKE:
            for piece in fragments(found.payload):
                self.take_fragment(piece, now)
        elif found.epoch == 0 and found.content == Content.ALERT and len(found.payload) == 2:
            self.alert = f"{alert_name(found.payload[1])}?"  # anyone can have sent it: noted, not obeyed (HS-11)

    def take_fragment(self, piece: Fragment, now: float) -> None:
        """Take a piece of a clear handshake message that is no ClientHello."""
        if self._incoming.is_old(piece):
            self.send_again(now)
            return
        if self.state is not State.HANDSHAKING or piece.kind not in _HEARD[self.role]:
            return
        for message in self._incoming.add(piece):
            self._ready.append(message)
            if self.state is State.HANDSHAKING and (message.kind in _TURNS or len(self._ready) > AHEAD):
                self._turn(message.kind, now)

    def send_again(self, now: float) -> None:
        """Send the last flight again: the peer seems not to have it (HS-05). Rate-capped."""
        self._sender.again(now)

    def judge(self, announced: frozenset[Fingerprint], final: bool, now: float) -> None:
        """Say who the peer should be: the measure for a handshake, and the second look at a finished one (FP-10).

        Without `final` more descriptions may come, and no mismatch is a verdict (FP-12).
        """
        if self._announced is None and self.state is State.HANDSHAKING:
            self._deadline = now + self._policy.handshake
        self._announced, self._final = announced, final
        if self.state is State.KEYED:
            self._settle(self._verdict(), now)

    def renew(self, now: float) -> None:
        """Another association is to take the place of this verified one."""
        self._move(Cause.RENEWED)
        self._deadline = now + self._policy.handshake

    def drain(self, now: float) -> None:
        """The other one is verified: this one has its drain time left."""
        self._deadline = min(self._deadline, now + self._policy.drain)

    def close(self) -> None:
        """End it, with one close_notify where that means anything (HS-17)."""
        if self.state in DONE:
            self._sender.say(_GOODBYE)
        if self.state in LIVE or self.state is State.NEW:
            self._end(Cause.ENDED, "closed")

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        if self.state not in LIVE or self.state is State.VERIFIED:
            return
        if now >= self._deadline:
            self._expire()
        else:
            self._sender.handle_timer(now)

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called."""
        if self.state not in LIVE or self.state is State.VERIFIED:
            return None
        due = self._sender.due
        return self._deadline if due is None else min(due, self._deadline)

    def transmits(self) -> list[bytes]:
        """Datagrams to be sent on the path, since the last call."""
        return self._sender.transmits()

    def events(self) -> list[Event]:
        """What happened since the last call."""
        found, self._events = self._events, []
        return found

    @property
    def receive_keys(self) -> Keys | None:
        """What the peer protects with; None unless it is verified."""
        return self._keys(Role.PASSIVE)

    @property
    def send_keys(self) -> Keys | None:
        """What we protect with; None unless the peer is verified."""
        return self._keys(Role.ACTIVE)

    @property
    def seen(self) -> Fingerprint | None:
        """The fingerprint of the peer's certificate under the hash that decides; None before there is one."""
        if self.certificate is None:
            return None
        return of(self.certificate, deciding_hash(self._announced or (), self._policy.allow_sha1) or DEFAULT_HASH)

    @property
    def profile(self) -> str:
        """The SRTP suite that was agreed on; "" before."""
        return self._export.suite.name if self._export is not None else ""

    def _keys(self, client_as: Role) -> Keys | None:
        if self.state not in KEYS_USABLE or self._export is None:
            return None
        return self._export.client if self.role is client_as else self._export.server

    def _move(self, cause: Cause) -> None:
        self.state = MOVES[self.state, cause]

    def _end(self, cause: Cause, reason: str) -> None:
        """Move to a state without keys, and forget them (KEY-07)."""
        if cause in _QUIET and self.state in (State.KEYED, State.DRAINING):
            self._events.append(Retired(self.path))
        self._move(cause)
        self.reason = reason
        self._engine = self._opener = self._export = None
        self._waiting, self._ready = [], []
        self._sender.forget()

    def _turn(self, kind: int, now: float) -> None:
        """The peer may wait for us: let OpenSSL see what it said."""
        assert self._engine is not None
        ready, self._ready = self._ready, []
        self._progress(self._engine.take(*ready), now)
        if kind == _LAST_CLEAR[self.role] and self.state is State.HANDSHAKING:
            self._become_readable(now)

    def _take_sealed(self, found: Record, now: float) -> None:
        if self._opener is not None:
            self._hear(found, self._opener, now)
        elif self._readable and self._engine is not None:
            self._progress(self._engine.take_sealed(found.raw), now)
        else:
            self._waiting = [*self._waiting[1 - MAX_WAITING :], found]

    def _become_readable(self, now: float) -> None:
        assert self._engine is not None
        self._readable = True
        self._engine.take_change()
        waiting, self._waiting = self._waiting, []
        for found in waiting:
            if self.state in LIVE:
                self._take_sealed(found, now)

    def _hear(self, found: Record, opener: Opener, now: float) -> None:
        """What the peer says after the handshake. Application data has no place here (HS-16)."""
        plaintext = opener.open(found)
        if not plaintext:
            return
        if found.content == Content.ALERT and len(plaintext) == 2:
            level, description = plaintext
            self.alert = alert_name(description)
            if level == _FATAL or description == _CLOSE_NOTIFY:
                if self.state is State.VERIFIED:
                    self._events.append(Closed(self.path))
                self._end(Cause.PEER_CLOSED, self.alert)
        elif found.content == Content.HANDSHAKE and plaintext[0] == Kind.FINISHED:
            self._sender.again(now)
        elif found.content == Content.HANDSHAKE and plaintext[0] in (Kind.HELLO_REQUEST, Kind.CLIENT_HELLO):
            self._sender.say(Sealed(Content.ALERT, bytes((_WARNING, _NO_RENEGOTIATION))))  # HS-03

    def _progress(self, step: Step, now: float) -> None:
        """Go on as far as OpenSSL went."""
        assert self._engine is not None
        said = self._engine.said()
        self._sender.seal = self._engine.seal
        if step is Step.DONE:
            self._finish(said.flight, now)
            return
        if said.flight:
            self._sender.send(said.flight, now)
        for item in said.asides:
            self._sender.say(item)
        if step is not Step.WAITING:
            self._fail(self._engine.reason or "closed during the handshake")

    def _finish(self, items: list[Item], now: float) -> None:
        """The handshake is done; a server has not sent its last flight yet, and does not if the peer is a wrong one."""
        assert self._engine is not None
        self.certificate = self._engine.peer_certificate()
        self._export = self._engine.export()
        if self.certificate is None or self._export is None:
            self._refuse(HANDSHAKE_FAILURE, bool(items))
            self._fail("no certificate" if self.certificate is None else "no SRTP profile")
            return
        verdict = self._verdict()
        if verdict is Cause.MISMATCH:
            self._reject(unfinished=bool(items))
            return
        if items:
            self._sender.send(items, now)
        self._sender.rest()
        self._opener = self._engine.opener
        self._engine = None  # its memory, most of the association's, is of no more use
        self._deadline = now + self._policy.hold
        self._settle(verdict, now)

    def _verdict(self) -> Cause:
        assert self.certificate is not None
        if self._announced is None:
            return Cause.UNJUDGED
        if matches(self.certificate, self._announced, self._policy.allow_sha1):
            return Cause.MATCH
        return Cause.MISMATCH if self._final else Cause.UNJUDGED

    def _settle(self, verdict: Cause, now: float) -> None:
        if verdict is Cause.MISMATCH:
            self._reject(unfinished=False)
        elif verdict is Cause.MATCH:
            self._move(Cause.MATCH)
            self.verified = now
            self._events.append(Established(self.path))
        elif self.state is State.HANDSHAKING:
            self._move(Cause.UNJUDGED)
            self._events.append(Held(self.path))

    def _reject(self, unfinished: bool) -> None:
        self._refuse(_BAD_CERTIFICATE, unfinished)
        assert self.seen is not None
        self._events.append(Mismatch(self.path, self.seen))
        self._end(Cause.MISMATCH, "the certificate is not the announced one")

    def _refuse(self, alert: int, unfinished: bool) -> None:
        """Send a fatal alert: in clear while our own Finished, and so our encryption, is withheld."""
        payload = bytes((_FATAL, alert))
        self._sender.say(Clear(Content.ALERT, payload) if unfinished else Sealed(Content.ALERT, payload))

    def _fail(self, reason: str) -> None:
        self._events.append(Failed(self.path, reason))
        self._end(Cause.BROKEN, reason)

    def _expire(self) -> None:
        if self.state in DONE:
            self._sender.say(_GOODBYE)
        if self.state is State.DRAINING:
            self._end(Cause.DRAINED, "replaced")
        elif self.state is State.KEYED:
            self._events.append(Failed(self.path, "no description came for it"))
            self._end(Cause.HELD_TOO_LONG, "held too long")
        else:
            self._events.append(Failed(self.path, "timeout"))
            self._end(Cause.DEADLINE, "timeout")
