"""One ICE session: from one pair of credentials to the next (RFC 8445 §9: a restart begins a new one).

The session keeps the checklist, decides what is selected, and watches over consent. Which messages are for it, and that
they are authentic as far as our password tells, is the agent's business.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.base.sources import Rng
from ngdaemon.ice import candidate as candidates
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.checklist import OPEN, UNCHECKED, Base, Check, Checklist, State
from ngdaemon.ice.consent import EXPIRY, KEEPALIVE, Consent, Due
from ngdaemon.ice.credentials import Credentials
from ngdaemon.ice.pacing import TA, Pacer
from ngdaemon.ice.report import ConsentLost, Event, Failed, Pair, Remote, RoleSwitched, Selected, Transmit, Usable
from ngdaemon.ice.transaction import RTO, Transaction, Transactions

MAX_REMOTE = 100
"""Remote candidates, signalled and learned, and early checks that are remembered (ng-protocol.md §4.8)."""
NOMINATION = 0.1
"""Seconds after the first working pair in which a better one may still turn up, before we nominate."""
PATIENCE = 39.5
"""Seconds after the peer's SDP before failure is declared (RFC 8863 §4): its checks may reach us yet."""
LINGER = 3.0
"""Seconds after completion for which unselected sockets stay open (TIM-07), and after a nomination for which only a
better pair takes its place."""

Policy = Callable[[Endpoint], bool]
"""Says whether checks may be sent to an address (S13)."""


@dataclass(slots=True)
class Surroundings:
    """What all sessions of an agent share."""

    rng: Rng
    pacer: Pacer
    permitted: Policy
    bases: dict[SocketId, Base] = field(default_factory=dict)
    out: list[Transmit] = field(default_factory=list)

    def components(self) -> set[int]:
        return {base.component for base in self.bases.values()}


class Heard(NamedTuple):
    """An authenticated check of the peer."""

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
        self.controlling = controlling
        self.lite = lite
        self.early: dict[tuple[SocketId, Endpoint], Heard] = {}
        self.events: list[Event] = []
        self._around = around
        self._remote_password = b""
        self._tie = int.from_bytes(around.rng.bytes(8))
        self._list = Checklist(controlling)
        self._transactions = Transactions()
        self._candidates: dict[tuple[int, Endpoint], Candidate] = {}
        self._accepted: dict[SocketId, set[Endpoint]] = {}
        self._selected: dict[int, Check] = {}
        self._usable: dict[int, Check] = {}
        self._consents: dict[int, Consent] = {}
        self._keepalive: dict[int, float] = {}
        self._nominate_at: dict[int, float] = {}
        self._challenges: dict[int, tuple[Check, float]] = {}
        self._patience: float | None = None
        self._failed: set[int] = set()
        self.completed_at: float | None = None

    # What there is

    def selected(self, component: int) -> Pair | None:
        return _pair(self._selected.get(component))

    def usable(self, component: int) -> Pair | None:
        """The selected pair, or the best one that works."""
        return _pair(self._in_use(component))

    def sendable(self, component: int) -> Pair | None:
        """The pair that the peer consents to be sent to on."""
        if self.lite:
            return self.usable(component)
        consent = self._consents.get(component)
        return None if consent is None or consent.lost else _pair(consent.pair)

    def accepts(self, socket: SocketId, source: Endpoint) -> bool:
        if source in self._accepted.get(socket, ()):
            return True
        return self.remote is None and (socket, source) in self.early

    def accepted(self, socket: SocketId) -> set[Endpoint]:
        early = {source for at, source in self.early if at == socket} if self.remote is None else set()
        return early | self._accepted.get(socket, set())

    def complete(self, components: set[int]) -> bool:
        return components <= self._selected.keys()

    def _in_use(self, component: int) -> Check | None:
        selected = self._selected.get(component)
        return selected or next(self._list.of(component, State.SUCCEEDED), None)

    # The peer's side becomes known

    def set_remote(self, remote: Remote, now: float) -> None:
        """Take the peer's description; called again with the same credentials, further candidates (ICE-12)."""
        known = self.remote
        if known is not None and known.ended:
            return
        self.remote = remote._replace(candidates=())
        self._remote_password = remote.pwd.encode()
        for candidate in remote.candidates:
            self._add_candidate(candidate)
        if known is None:
            self._begin(remote, now)
        self._pump(now)

    def _begin(self, remote: Remote, now: float) -> None:
        if remote.lite and not self.lite and not self.controlling:
            self._switch(controlling=True)
        if not self.lite:
            self._patience = now + PATIENCE
        elif remote.lite:
            self._agree(now)
        early, self.early = self.early, {}
        for heard in early.values():
            self._take(heard, now)

    def _agree(self, now: float) -> None:
        """Both are lite: the best pair of each component is the one, without a check (RFC 8445 §8.2)."""
        for component in sorted(self._around.components()):
            check = next(self._list.of(component, *OPEN), None)
            if check is not None:
                self._works(check, None, now)
                self._select(check, now)

    def _add_candidate(self, candidate: Candidate) -> None:
        key = (candidate.component, candidate.endpoint)
        if key in self._candidates or len(self._candidates) >= MAX_REMOTE or not candidate.usable:
            return
        if not self._may_check(candidate.endpoint):
            return
        self._candidates[key] = candidate
        for base in self._around.bases.values():
            self._form(base, candidate)

    def _may_check(self, endpoint: Endpoint) -> bool:
        own = any(base.local == endpoint for base in self._around.bases.values())
        return not own and self._around.permitted(endpoint)

    def _form(self, base: Base, candidate: Candidate) -> None:
        if base.component == candidate.component and base.local.family is candidate.endpoint.family:
            self._list.add(base, candidate)

    def add_base(self, base: Base) -> None:
        for candidate in self._candidates.values():
            self._form(base, candidate)

    def forget(self, gone: Callable[[Base], bool]) -> None:
        """Forget the pairs of bases that are no more."""
        checks = [check for check in self._list if gone(check.base)]
        for check in checks:
            component = check.component
            self._accepted.pop(check.base.socket, None)
            self._usable.pop(component, None)
            self._challenges.pop(component, None)
            if self._selected.get(component) is check:
                del self._selected[component]
            consent = self._consents.get(component)
            if consent is not None and consent.pair is check:
                del self._consents[component]
        self.early = {key: heard for key, heard in self.early.items() if not gone(heard.base)}
        self._transactions.drop({id(check) for check in checks})
        self._list.remove(checks)

    def retire(self) -> None:
        """Look for no better pairs any more: another session does. What is in use stays in use."""
        gone = [check for check in self._list if check.state in OPEN]
        self._transactions.clear()
        self._list.remove(gone)
        self._nominate_at.clear()
        self._patience = None

    # The peer checks us

    def receive_request(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> None:
        """Answer an authentic check, and do what it asks for (RFC 8445 §7.3)."""
        if self._conflicts(message):
            self._reply(stun.ERROR, message, [stun.error_code(487)], base, source)
            return
        mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(source, message.transaction))
        self._reply(stun.SUCCESS, message, [mapped], base, source)
        attributes = message.attributes
        self._take(
            Heard(
                base,
                source,
                (message.username or "").partition(":")[2],
                message.number(stun.PRIORITY) or candidates.priority(candidates.PRFLX, base.component),
                stun.USE_CANDIDATE in attributes,
            ),
            now,
        )
        self._pump(now)

    def reject(self, message: stun.Message, attributes: list[tuple[int, bytes]], base: Base, source: Endpoint) -> None:
        """Answer an authentic request with an error."""
        self._reply(stun.ERROR, message, attributes, base, source)

    def _reply(
        self, kind: int, request: stun.Message, attributes: list[tuple[int, bytes]], base: Base, to: Endpoint
    ) -> None:
        data = stun.build(kind, request.transaction, attributes, self.password)
        self._around.out.append(Transmit(base.socket, data, to))

    def _conflicts(self, message: stun.Message) -> bool:
        """Solve a role conflict (ICE-05): True if the peer has to change, otherwise we did."""
        claim = message.number(stun.ICE_CONTROLLING if self.controlling else stun.ICE_CONTROLLED)
        if claim is None:
            return False
        if self.lite:
            return not self.controlling  # whoever checks a lite agent controls
        if self.controlling == (self._tie >= claim):
            return True
        self._switch(controlling=not self.controlling)
        return False

    def _switch(self, *, controlling: bool) -> None:
        self.controlling = controlling
        self._list.take_role(controlling)
        for check in self._list:
            check.wanted = check.nominating = False
        self._nominate_at.clear()
        self.events.append(RoleSwitched(controlling))

    def _take(self, heard: Heard, now: float) -> None:
        """A check of the peer: remembered until its SDP is known (ICE-06), otherwise it triggers one of ours."""
        if self.remote is None or heard.ufrag != self.remote.ufrag:
            key = (heard.base.socket, heard.source)
            if key in self.early or len(self.early) < MAX_REMOTE:
                wanted = heard.use_candidate or (key in self.early and self.early[key].use_candidate)
                self.early[key] = heard._replace(use_candidate=wanted)
            return
        check = self._list.find(heard.base.socket, heard.source) or self._learn(heard)
        if check is None:
            return
        self._accept(check)
        if heard.use_candidate and not self.controlling:
            check.wanted, check.wanted_at = True, now
        if self.lite:
            self._works(check, None, now)
        elif check.state is not State.SUCCEEDED:
            self._transactions.cancel(check)
            check.state = State.WAITING
            self._list.trigger(check)
            return
        if check.wanted:
            self._select(check, now)

    def _accept(self, check: Check) -> None:
        self._accepted.setdefault(check.base.socket, set()).add(check.to)

    def _learn(self, heard: Heard) -> Check | None:
        """A peer-reflexive candidate (RFC 8445 §7.3.1.3); None if there is no room, or checks may not be sent there."""
        key = (heard.base.component, heard.source)
        candidate = self._candidates.get(key)
        if candidate is None:
            if not self._may_check(heard.source) or (len(self._candidates) >= MAX_REMOTE and not self._make_room()):
                return None
            name = f"learned {heard.source}"  # no peer can signal that, so it equals no other foundation
            candidate = Candidate(name, key[0], heard.priority, *heard.source, candidates.PRFLX)
            self._candidates[key] = candidate
        return self._list.add(heard.base, candidate)

    def _make_room(self) -> bool:
        """Forget the oldest learned candidate that nothing is sent to."""
        busy = {self._in_use(component) for component in self._around.components()}
        busy_with = {(check.component, check.to) for check in busy if check is not None}
        for key, candidate in self._candidates.items():
            if candidate.typ == candidates.PRFLX and key not in busy_with:
                del self._candidates[key]
                gone = [check for check in self._list if (check.component, check.to) == key]
                for check in gone:
                    self._accepted.get(check.base.socket, set()).discard(check.to)
                self._transactions.drop({id(check) for check in gone})
                self._list.remove(gone)
                return True
        return False

    # We check the peer

    def _pump(self, now: float) -> None:
        """Start the checks whose time has come."""
        if self.lite or self.remote is None:
            return
        while self._around.pacer.free_at <= now:
            check = self._list.take_next()
            if check is None:
                return
            self._around.pacer.take(now)
            self._start(check, now)

    def _start(self, check: Check, now: float) -> None:
        self._transactions.cancel(check)
        if check.state is not State.SUCCEEDED:
            check.state = State.IN_PROGRESS
        nominating = check.nominating and self.controlling
        identifier = self._around.rng.bytes(stun.TRANSACTION)
        data = self._request(check.base, identifier, nominating)
        rto = max(RTO, TA * sum(other.state in OPEN for other in self._list))
        socket, due = check.base.socket, now + rto
        self._transactions.start(
            Transaction(identifier, check, socket, check.to, data, self.controlling, nominating, rto, due)
        )
        self._around.out.append(Transmit(check.base.socket, data, check.to))

    def _request(self, base: Base, identifier: bytes, nominating: bool) -> bytes:
        assert self.remote is not None
        role = stun.ICE_CONTROLLING if self.controlling else stun.ICE_CONTROLLED
        attributes = [
            (stun.USERNAME, f"{self.remote.ufrag}:{self.local.ufrag}".encode()),
            (stun.PRIORITY, base.peer_reflexive_priority.to_bytes(4)),
            (role, self._tie.to_bytes(8)),
        ]
        if nominating:
            attributes.append((stun.USE_CANDIDATE, b""))
        return stun.build(stun.REQUEST, identifier, attributes, self._remote_password)

    def receive_response(self, message: stun.Message, base: Base, source: Endpoint, now: float) -> bool:
        """Take the answer to a check of ours; False for what is none, comes from elsewhere, or is not authentic."""
        consent = next((each for each in self._consents.values() if each.expects(message.transaction)), None)
        live = self._transactions.find(message.transaction)
        check = consent.pair if consent is not None else live.check if live is not None else None
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
        self._pump(now)
        return True

    def _answered(self, live: Transaction, mapped: Endpoint | None, now: float) -> None:
        check = live.check
        news = check.state is not State.SUCCEEDED
        self._works(check, mapped, now)
        if live.nominating and self.controlling and check.nominating:
            check.nominating = False
            self._select(check, now)
        elif check.wanted:
            self._select(check, now)
        elif news:
            self._challenge(check, now)
        self._nominate(check.component, now)

    def _refused(self, live: Transaction, error: int, now: float) -> None:
        check = live.check
        if error == 487:
            if live.controlling == self.controlling:
                self._switch(controlling=not self.controlling)
                self._tie = int.from_bytes(self._around.rng.bytes(8))
            if check.state is not State.SUCCEEDED:
                check.state = State.WAITING
            check.again = True
            self._list.trigger(check)
        else:
            self._gave_up(live, now)

    def _gave_up(self, live: Transaction, now: float) -> None:
        """A check failed, unless another one of the pair is under way. Pairs in use are the business of consent."""
        check = live.check
        if live.cancelled or self._transactions.under_way(check) or check is self._selected.get(check.component):
            return
        if check.state is State.WAITING:
            return
        check.state = State.FAILED
        check.wanted = check.nominating = False
        self._nominate(check.component, now)

    # What works, and what is taken

    def _works(self, check: Check, mapped: Endpoint | None, now: float) -> None:
        """The pair is valid: it may be sent on until a better one comes."""
        check.confirmed = now
        check.mapped = mapped or check.mapped
        self._list.succeeded(check)
        self._accept(check)
        self._settle(check.component, now)

    def _settle(self, component: int, now: float) -> None:
        """Let consent follow the pair in use, and report what there is before nomination."""
        check = self._in_use(component)
        if check is None:
            return
        if self.lite:
            self._keepalive.setdefault(component, now + KEEPALIVE)
        else:
            consent = self._consents.get(component)
            if consent is None:
                self._consents[component] = Consent(check, self._around.rng)
            elif consent.pair is not check and not consent.lost:
                consent.move(check)
        if component not in self._selected and self._usable.get(component) is not check:
            self._usable[component] = check
            self.events.append(Usable(component, _known(check)))

    def _select(self, check: Check, now: float) -> None:
        """Nominate: at once, or when a check has shown that the pair still works, or not if a better one is there."""
        component = check.component
        current = self._selected.get(component)
        if current is check:
            check.wanted = False
            return
        if not self.lite and now - check.confirmed >= EXPIRY / 2:
            self._check_again(check, now)
            return
        if current is not None and not self._gives_way(current, check, now):
            self._challenge(check, now)
            return
        self._install(check, now)

    def _gives_way(self, current: Check, check: Check, now: float) -> bool:
        """Whether a nominated pair takes the place of another one.

        Peers with aggressive nomination name several, and mean the best of them (RFC 5245 §8.1.1.2); who names a lesser
        one long after the better means it.
        """
        return self.controlling or check.priority > current.priority or now - current.wanted_at >= LINGER

    def _install(self, check: Check, now: float) -> None:
        component = check.component
        check.wanted = False
        self._selected[component] = check
        self._challenges.pop(component, None)
        least = float("inf") if self.controlling else check.priority
        idle = [other for other in self._list.of(component, *UNCHECKED) if other.priority < least]
        self._list.remove(other for other in idle if other is not check)
        for other in self._list.of(component, State.IN_PROGRESS):
            if other.priority < least:
                self._transactions.cancel(other)
        if self.completed_at is None and self.complete(self._around.components()):
            self.completed_at = now
        self.events.append(Selected(component, _known(check)))
        self._settle(component, now)

    def _check_again(self, check: Check, now: float) -> None:
        check.again = True
        self._list.trigger(check)
        self._pump(now)

    def _challenge(self, check: Check, now: float) -> None:
        """The peer turned up elsewhere: see whether it is still where it was, and follow it if not (S05)."""
        component = check.component
        current = self._selected.get(component)
        if current is None or current is check or self.lite:
            return
        self._challenges[component] = (check, now)
        self._check_again(current, now)

    def _judge(self, component: int, now: float) -> None:
        """The time of a challenge is over."""
        check, since = self._challenges.pop(component)
        current = self._selected.get(component)
        if current is None or current.confirmed >= since or check.state is not State.SUCCEEDED:
            return
        if self.controlling:
            check.nominating = True
            self._check_again(check, now)
        elif check.wanted:
            self._install(check, now)

    def _nominate(self, component: int, now: float) -> None:
        """Regular nomination: the best pair, once nothing better is to be expected (RFC 8445 §8.1.1)."""
        if not self.controlling or self.lite or component in self._selected or self.remote is None:
            return
        if any(check.nominating for check in self._list.of(component, *OPEN, State.SUCCEEDED)):
            return
        best = next(self._list.of(component, State.SUCCEEDED), None)
        if best is None:
            return
        due = self._nominate_at.setdefault(component, now + NOMINATION)
        better = any(check.priority > best.priority for check in self._list.of(component, *OPEN))
        if now >= due or (self.remote.ended and not better):
            del self._nominate_at[component]
            best.nominating = True
            self._list.trigger(best)

    # Consent, and time

    def _consent_answered(self, consent: Consent, message: stun.Message, good: bool, now: float) -> None:
        if good:
            consent.renewed(now)
        elif message.error == 403:
            consent.lose()
            self.events.append(ConsentLost(consent.pair.component))

    def next_timeout(self) -> float | None:
        """When `handle_timer` wants to be called."""
        times: Iterable[float | None] = (
            self._transactions.next_due,
            *(consent.next_due for consent in self._consents.values()),
            *self._keepalive.values(),
            *self._nominate_at.values(),
            *(since + RTO for _, since in self._challenges.values()),
            self._patience,
            self._around.pacer.free_at if not self.lite and self.remote is not None and self._list.pending else None,
        )
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        again, over = self._transactions.repeat(now)
        for live in again:
            self._around.out.append(Transmit(live.socket, live.data, live.to))
        for live in over:
            self._gave_up(live, now)
        for component in [each for each, due in self._nominate_at.items() if due <= now]:
            self._nominate(component, now)
            self._nominate_at.pop(component, None)
        for component in [each for each, (_, since) in self._challenges.items() if since + RTO <= now]:
            self._judge(component, now)
        for component, consent in self._consents.items():
            self._watch(component, consent, now)
        self._keep_alive(now)
        if self._patience is not None and now >= self._patience:
            self._lose_patience(now)
        self._pump(now)

    def _watch(self, component: int, consent: Consent, now: float) -> None:
        due = consent.due(now)
        if due is Due.CHECK:
            identifier = self._around.rng.bytes(stun.TRANSACTION)
            base = consent.pair.base
            data = self._request(base, identifier, nominating=False)
            consent.sent(identifier, now)
            self._around.out.append(Transmit(base.socket, data, consent.pair.to))
        elif due is Due.EXPIRED:
            self.events.append(ConsentLost(component))

    def note_sent(self, component: int, now: float) -> None:
        """Something was sent: no keepalive is needed for a while."""
        if component in self._keepalive:
            self._keepalive[component] = now + KEEPALIVE

    def _keep_alive(self, now: float) -> None:
        for component in [each for each, due in self._keepalive.items() if due <= now]:
            check = self._in_use(component)
            if check is None:
                del self._keepalive[component]
                continue
            self._keepalive[component] = now + KEEPALIVE
            identifier = self._around.rng.bytes(stun.TRANSACTION)
            data = stun.build(stun.INDICATION, identifier, [])
            self._around.out.append(Transmit(check.base.socket, data, check.to))

    def _lose_patience(self, now: float) -> None:
        """Declare failure of components that have nothing that works, and nothing under way (RFC 8863)."""
        assert self.remote is not None
        still = False
        for component in self._around.components() - self._failed:
            if self._in_use(component) is not None:
                continue
            if not self.remote.ended or any(self._list.of(component, *OPEN)):
                still = True
                continue
            self._failed.add(component)
            self.events.append(Failed(component))
        self._patience = now + 1.0 if still else None


def _known(check: Check) -> Pair:
    return Pair(check.base.socket, check.base.local, check.to, check.mapped)


def _pair(check: Check | None) -> Pair | None:
    return None if check is None else _known(check)
