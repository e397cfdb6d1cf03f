"""One ICE session: from one pair of credentials to the next (RFC 8445 §9: a restart begins a new one).

The session checks the peer and is checked by it, and brings together the checklist, the peer's candidates, the
selection and consent. Which requests are for it, and that they are authentic, is found out by the agent.
"""

from collections.abc import Callable
from typing import NamedTuple

from ngdaemon.base.deadline import earliest
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate as candidates
from ngdaemon.ice import stun
from ngdaemon.ice.checklist import OPEN, Base, Check, Checklist, State
from ngdaemon.ice.consent import Consent, Watch
from ngdaemon.ice.credentials import Credentials
from ngdaemon.ice.pacing import TA
from ngdaemon.ice.remotes import Remotes
from ngdaemon.ice.report import ConsentLost, Event, Failed, Pair, Progress, Remote, RoleSwitched
from ngdaemon.ice.role import Role, Surroundings
from ngdaemon.ice.seen import Seen
from ngdaemon.ice.selection import LINGER, Selection, pair_of
from ngdaemon.ice.transaction import RTO, Transaction, Transactions

MAX_EARLY = 100
"""Sources of checks that are remembered until the peer's SDP is known."""
PATIENCE = 39.5
"""Seconds after the peer's SDP before failure is declared (RFC 8863 §4): its checks may reach us yet."""
AGAIN = 1.0
"""Seconds until the next look, when it is not yet certain that a component failed."""

ROLE_CONFLICT, FORBIDDEN = 487, 403

_NOBODY: frozenset[Endpoint] = frozenset()


class Heard(NamedTuple):
    """An authentic check of the peer."""

    base: Base
    source: Endpoint
    ufrag: str
    """The fragment of the peer, as the check says it."""
    priority: int
    use_candidate: bool


class Session:
    """Checks, nomination and consent under one pair of credentials."""

    def __init__(self, local: Credentials, around: Surroundings, *, controlling: bool, lite: bool) -> None:
        self.local = local
        self.password = local.pwd.encode()
        self.remote: Remote | None = None
        self.events: list[Event] = []
        self._around = around
        self._remote_password = b""
        self._role = Role(controlling, lite, int.from_bytes(around.rng.bytes(8)))
        self._list = Checklist(controlling)
        self._transactions = Transactions()
        self._remotes = Remotes(around, self._list, self._discard)
        self._watch = Watch(around.rng, lite=lite)
        self._selection = Selection(self._list, self._transactions, self._watch, self._role, self.events.append)
        self.seen = Seen()
        """What the peer sent under these credentials of ours."""
        self._early: dict[tuple[SocketId, Endpoint], Heard] = {}
        self._accepted: dict[SocketId, frozenset[Endpoint]] = {}
        self._patience: float | None = None
        self._failed: set[int] = set()
        self._retired = False

    # What there is

    @property
    def controlling(self) -> bool:
        return self._role.controlling

    @property
    def complete(self) -> bool:
        """Whether each component has a nominated pair."""
        return self._selection.covers(self._around.components())

    def is_settled(self, now: float) -> bool:
        """Whether it has been complete for so long that the peer knows it as well."""
        return self.complete and now - self._selection.changed >= LINGER

    def selected(self, component: int) -> Pair | None:
        return pair_of(self._selection.selected(component))

    def usable(self, component: int) -> Pair | None:
        """The selected pair, or the best one that works."""
        return pair_of(self._selection.in_use(component))

    def sendable(self, component: int) -> Pair | None:
        """The pair that the peer consents to be sent to on."""
        return pair_of(self._watch.sendable(component))

    def rtt(self, component: int) -> float | None:
        """Seconds to the peer and back on the pair in use, if that was measured."""
        check = self._selection.in_use(component)
        return None if check is None else check.rtt

    def progress(self, component: int) -> Progress:
        check = self._selection.in_use(component)
        if check is None:
            if component in self._failed:
                return Progress.FAILED
            return Progress.WAITING if self.remote is None else Progress.CHECKING
        if self._watch.sendable(component) is None:
            return Progress.CONSENT_LOST
        return Progress.SELECTED if check is self._selection.selected(component) else Progress.USABLE

    def knows(self, socket: SocketId, source: Endpoint) -> bool:
        """Whether an authentic check came from there before, or the peer has named it."""
        return (socket, source) in self._early or self._list.find(socket, source) is not None

    def accepts(self, socket: SocketId, source: Endpoint) -> bool:
        if source in self._accepted.get(socket, _NOBODY):
            return True
        return self.remote is None and (socket, source) in self._early

    def accepted(self, socket: SocketId) -> frozenset[Endpoint]:
        """Whose checks were authentic; before the peer's SDP is known, that of any fork."""
        accepted = self._accepted.get(socket, _NOBODY)
        if self.remote is not None or not self._early:
            return accepted
        return accepted | {source for at, source in self._early if at == socket}

    # What is told by signalling

    def is_outdated(self, username: str, component: int) -> bool:
        """Whether a check `ours:theirs` mixes our credentials with newer ones of the peer, while a pair is in use.

        A browser that restarts ICE does so until it has our answer. It is not to succeed: Chromium keeps a pair that
        works that way instead of trying our new credentials, and the restart never ends.
        """
        newer = self.remote is not None and self.remote.ufrag != username.partition(":")[2]
        return newer and bool(self.usable(component))

    def inherit(self, other: "Session") -> None:
        """Take over the early checks of another fork's session: they were made with the same credentials of ours."""
        self.seen = other.seen
        self._early = other._early

    def set_remote(self, remote: Remote, now: float) -> None:
        """Take the peer's description; called again with the same credentials, further candidates (ICE-12)."""
        known = self.remote
        if known is not None and known.ended:
            return
        self.remote = remote._replace(candidates=())
        self._remote_password = remote.pwd.encode()
        if remote.lite is not self._role.lite and self._role.controlling is self._role.lite:
            self._switch()  # whoever is full controls one that is lite (ICE-05)
        for candidate in remote.candidates:
            self._remotes.add(candidate)
        if known is None:
            self._begin(remote, now)
        self._after(now)

    def _begin(self, remote: Remote, now: float) -> None:
        self._patience = now + PATIENCE
        if self._role.lite and remote.lite:
            self._agree(now)
        early, self._early = self._early, {}
        for heard in early.values():
            self._take(heard, now)

    def _agree(self, now: float) -> None:
        """Both are lite: the best pair of each component is the one, without a check (RFC 8445 §8.2)."""
        for component in sorted(self._around.components()):
            check = next(self._list.of(component, *OPEN), None)
            if check is not None:
                self._works(check, None, now)
                self._selection.select(check, now)

    def add_base(self, base: Base) -> None:
        self._remotes.add_base(base)

    def forget(self, gone: Callable[[Base], bool]) -> None:
        """Forget the pairs of bases that are no more."""
        self._early = {key: heard for key, heard in self._early.items() if not gone(heard.base)}
        self._discard([check for check in self._list if gone(check.base)])
        if not self._retired and not self.complete:
            self._remotes.form_again()

    def _discard(self, checks: list[Check]) -> None:
        for check in checks:
            socket = check.base.socket
            self._accepted[socket] = self._accepted.get(socket, _NOBODY) - {check.to}
        self._transactions.drop({id(check) for check in checks})
        self._selection.forget(checks)
        self._watch.forget(checks)
        self._list.remove(checks)

    def retire(self) -> None:
        """Look for no better pairs any more: another session does. What is in use stays in use."""
        self._retired = True
        self._transactions.clear()
        self._list.remove([check for check in self._list if check.state in OPEN])
        self._selection.retire()
        self._patience = None

    # The peer checks us

    def receive_request(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> None:
        """Answer an authentic check, and do what it asks for (RFC 8445 §7.3)."""
        conflict = self._role.outranks(message)
        if conflict:
            self.answer(stun.ERROR, message, [stun.error_code(ROLE_CONFLICT)], base, source)
            return
        if conflict is not None:
            self._switch()
        mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(source, message.transaction))
        self.answer(stun.SUCCESS, message, [mapped], base, source)
        ufrag = (message.username or "").partition(":")[2]
        priority = message.number(stun.PRIORITY) or candidates.priority(candidates.PRFLX, base.component)
        self._take(Heard(base, source, ufrag, priority, stun.USE_CANDIDATE in message.attributes), now)
        self._after(now)

    def answer(
        self, kind: int, request: stun.Message, attributes: list[tuple[int, bytes]], base: Base, to: Endpoint
    ) -> None:
        """Send a response to an authentic request."""
        self._around.send(base, stun.build(kind, request.transaction, attributes, self.password), to)

    def _switch(self) -> None:
        self._role.controlling = not self._role.controlling
        self._list.take_role(self._role.controlling)
        self._selection.take_role()
        self.events.append(RoleSwitched(self._role.controlling))

    def _take(self, heard: Heard, now: float) -> None:
        """A check of the peer: remembered until its SDP is known (ICE-06), otherwise it triggers one of ours."""
        if self.remote is None or heard.ufrag != self.remote.ufrag:
            self._remember(heard)
            return
        check = self._list.find(heard.base.socket, heard.source)
        if check is None:
            check = self._remotes.learn(heard.base, heard.source, heard.priority, self._selection.busy())
        if check is None:
            return
        self._accept(check)
        if heard.use_candidate and not self._role.controlling:
            check.wanted, check.wanted_at = True, now
        if self._role.lite:
            self._works(check, None, now)
        elif check.state is not State.SUCCEEDED:
            check.state = State.WAITING
            self._list.trigger(check)
            return
        if check.wanted:
            self._selection.select(check, now)

    def _remember(self, heard: Heard) -> None:
        key = (heard.base.socket, heard.source)
        former = self._early.get(key)
        if former is not None and former.ufrag == heard.ufrag and former.use_candidate:
            return
        if former is not None or len(self._early) < MAX_EARLY:
            self._early[key] = heard

    def _accept(self, check: Check) -> None:
        known = self._accepted.get(check.base.socket, _NOBODY)
        if check.to not in known:
            self._accepted[check.base.socket] = known | {check.to}

    # We check the peer

    def _after(self, now: float) -> None:
        """Something happened: start the checks whose time has come, and see what was reached."""
        if self._role.nominates:
            for component in self._around.components():
                self._selection.nominate(component, now)
        while self._checking and self._around.pacer.take(now, ahead=self._list.urgent):
            check = self._list.take_next()
            if check is not None:
                self._start(check, now)

    @property
    def _checking(self) -> bool:
        """Whether there are checks to be started."""
        return not self._role.lite and self.remote is not None and self._list.pending

    def _start(self, check: Check, now: float) -> None:
        self._transactions.cancel(check)
        if check.state is not State.SUCCEEDED:
            check.state = State.IN_PROGRESS
        nominating = check.nominating and self._role.nominates
        identifier, data = self._request(check.base, nominating=nominating)
        rto = max(RTO, TA * sum(other.state in OPEN for other in self._list))
        self._transactions.start(
            Transaction(identifier, check, data, self._role.controlling, nominating, rto, now, now + rto)
        )
        self._around.send(check.base, data, check.to)

    def _request(self, base: Base, *, nominating: bool) -> tuple[bytes, bytes]:
        """Id and octets of a new check (ICE-04)."""
        assert self.remote is not None
        role = stun.ICE_CONTROLLING if self._role.controlling else stun.ICE_CONTROLLED
        attributes = [
            (stun.USERNAME, f"{self.remote.ufrag}:{self.local.ufrag}".encode()),
            (stun.PRIORITY, base.peer_reflexive_priority.to_bytes(4)),
            (role, self._role.tie.to_bytes(8)),
        ]
        if nominating:
            attributes.append((stun.USE_CANDIDATE, b""))
        identifier = self._around.rng.bytes(stun.TRANSACTION)
        return identifier, stun.build(stun.REQUEST, identifier, attributes, self._remote_password)

    def receive_response(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> bool:
        """Take the answer to a check of ours; False for what is none, comes from elsewhere, or is not authentic."""
        consent = self._watch.expecting(message.transaction)
        live = self._transactions.find(message.transaction)
        check = consent.check if consent is not None else live.check if live is not None else None
        if check is None or base.socket != check.base.socket or source != check.to:
            return False
        if not message.authentic(self._remote_password):
            return False
        good = message.kind == stun.SUCCESS and not message.unknown
        if good and message.mapped is None:
            return False
        if consent is not None:
            self._consent_answered(consent, message, good, now)
        elif live is not None:
            self._transactions.end(live)
            if good:
                self._answered(live, message.mapped, now)
            else:
                self._refused(live, message.error, now)
        self._after(now)
        return True

    def _works(self, check: Check, mapped: Endpoint | None, now: float) -> None:
        self._accept(check)
        self._selection.works(check, mapped, now)

    def _answered(self, live: Transaction, mapped: Endpoint | None, now: float) -> None:
        check = live.check
        news = check.state is not State.SUCCEEDED
        if live.sends == 1:
            check.rtt = now - live.started
        self._works(check, mapped, now)
        nominated = live.nominating and check.nominating
        check.nominating = check.nominating and not nominated
        if nominated or check.wanted:
            self._selection.select(check, now)
        elif news:
            self._selection.challenge(check, now)

    def _refused(self, live: Transaction, error: int, now: float) -> None:
        if error != ROLE_CONFLICT:
            self._gave_up(live, now)
            return
        if live.controlling == self._role.controlling:
            self._switch()
            self._role.tie = int.from_bytes(self._around.rng.bytes(8))  # RFC 8445 §7.2.5.1
        check = live.check
        if check.state is not State.SUCCEEDED:
            check.state = State.WAITING
        check.again = True
        self._list.trigger(check)

    def _gave_up(self, live: Transaction, now: float) -> None:
        """A check failed, unless another one of the pair is due. A selected pair is the business of consent."""
        check = live.check
        component = check.component
        selected = check is self._selection.selected(component)
        if live.cancelled or selected or check.state is State.WAITING or self._transactions.under_way(check):
            return
        check.wanted = check.nominating = False
        others = any(other is not check for other in self._list.of(component, State.SUCCEEDED))
        if check.state is State.SUCCEEDED and (check.confirmed > live.started or not others):
            return  # it still works, or is all there is: nominated again, or given up by consent
        check.state = State.FAILED
        self._selection.settle(component, now)

    def _consent_answered(self, consent: Consent, message: stun.Message, good: bool, now: float) -> None:
        if good:
            consent.renewed(now)
        elif message.error == FORBIDDEN:
            consent.lose()
            self.events.append(ConsentLost(consent.check.component))

    # Time

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called."""
        return earliest(
            self._transactions.next_due,
            self._watch.next_due,
            self._selection.next_due,
            self._patience,
            self._around.pacer.free_at if self._checking else None,
        )

    def handle_timer(self, now: float) -> None:
        again, over = self._transactions.repeat(now)
        for live in again:
            self._around.send(live.check.base, live.data, live.check.to)
        for live in over:
            self._gave_up(live, now)
        self._selection.run(now)
        lost = self._watch.run(self._check_once, self._keep_alive, now)
        self.events += [ConsentLost(component) for component in lost]
        if self._patience is not None and now >= self._patience:
            self._lose_patience(now)
        self._after(now)

    def revoke(self, component: int) -> None:
        """The peer ended the association above: send nothing more (CONS-02)."""
        self._watch.revoke(component)

    def _check_once(self, check: Check) -> bytes:
        identifier, data = self._request(check.base, nominating=False)
        self._around.send(check.base, data, check.to)
        return identifier

    def _keep_alive(self, check: Check) -> None:
        identifier = self._around.rng.bytes(stun.TRANSACTION)
        self._around.send(check.base, stun.build(stun.INDICATION, identifier, []), check.to)

    def _lose_patience(self, now: float) -> None:
        """Declare failure of components that have nothing that works, and nothing under way (RFC 8863)."""
        undecided = False
        for component in self._around.components() - self._failed:
            if self._selection.in_use(component) is not None:
                continue
            under_way = not self._role.lite and any(self._list.of(component, *OPEN))
            if under_way or self.remote is None or not self.remote.ended:
                undecided = True
                continue
            self._failed.add(component)
            self.events.append(Failed(component))
        self._patience = now + AGAIN if undecided else None
