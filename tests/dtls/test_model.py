"""Any order of handshakes, descriptions, losses, renewals and strangers: what must hold after every step (MOD-04)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.component import Component
from ngdaemon.dtls.fingerprint import Fingerprint
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import KEYS_USABLE, Established, Event, State
from tests.dtls.rig import OURS, A, B, C, component, identity, remote

D = identity(4)
PATHS = (Endpoint("198.51.100.2", 1), Endpoint("198.51.100.2", 2), Endpoint("203.0.113.3", 3))
PARTIES = (B, C, D)
"""Who is at each path."""


class Calls(RuleBasedStateMachine):
    """One component of ours, and three parties that each may be, or become, the peer."""

    @initialize(vouched=st.booleans())
    def begin(self, vouched: bool) -> None:
        self.now = 100.0
        self.vouched = vouched
        self.us = component(A, Policy(hold=60.0))
        self.parties = [self._party(whose) for whose in PARTIES]
        self.wires: dict[tuple[Endpoint, Endpoint], list[bytes]] = {}
        self.events: list[Event] = []
        self.announced: set[Fingerprint] = set()
        self.current: frozenset[Fingerprint] | None = None
        self.role: Role | None = None
        self.ended = False

    def _party(self, whose: Identity) -> Component:
        return component(whose)

    def _collect(self) -> None:
        for path, datagram in self.us.transmits():
            self.wires.setdefault((OURS, path), []).append(datagram)
        for at, party in zip(PATHS, self.parties, strict=True):
            for to, datagram in party.transmits():
                self.wires.setdefault((at, to), []).append(datagram)
            party.events()
        self.events += self.us.events()

    @rule(which=st.integers(0, 2), active=st.booleans())
    def party_begins(self, which: int, active: bool) -> None:
        self.parties[which].expect(remote(A), Role.ACTIVE if active else Role.PASSIVE, self.now)
        self.parties[which].reach(OURS, self.now)
        self._collect()

    @rule(which=st.integers(0, 2))
    def party_restarts(self, which: int) -> None:
        self.parties[which] = self._party(PARTIES[which])

    @rule(which=st.integers(0, 2), up=st.booleans(), count=st.integers(1, 6))
    def carry(self, which: int, up: bool, count: int) -> None:
        """Carry what waits between a party and us, and what comes of it."""
        for _ in range(count):
            self._deliver(which, up)
            up = not up

    @rule(which=st.integers(0, 2), begins=st.booleans())
    def carry_on(self, which: int, begins: bool) -> None:
        """Carry until there is silence, and perhaps have the party begin before."""
        if begins:
            self.party_begins(which, active=True)
        for _ in range(8):
            self._deliver(which, up=True)
            self._deliver(which, up=False)

    def _deliver(self, which: int, up: bool) -> None:
        path = PATHS[which]
        ends = (path, OURS) if up else (OURS, path)
        for datagram in self.wires.pop(ends, []):
            if up:
                self.us.receive(path, datagram, self.now, self.vouched)
            else:
                self.parties[which].receive(OURS, datagram, self.now, vouched=True)
        self._collect()

    @rule(which=st.integers(0, 2), up=st.booleans())
    def lose(self, which: int, up: bool) -> None:
        path = PATHS[which]
        self.wires.pop((path, OURS) if up else (OURS, path), None)

    @rule(source=st.integers(0, 2), to=st.integers(0, 2))
    def forge(self, source: int, to: int) -> None:
        """What one party sent comes to us from the address of another."""
        for datagram in self.wires.get((PATHS[source], OURS), []):
            if datagram[13:14] == b"\x01" or source == to:  # clear messages of a peer's own flow cannot be told apart
                self.us.receive(PATHS[to], datagram, self.now, self.vouched)
        self._collect()

    @precondition(lambda self: not self.ended)
    @rule(
        whom=st.sets(st.sampled_from(PARTIES), min_size=1, max_size=2),
        role=st.sampled_from(Role),
        final=st.booleans(),
        tls_id=st.sampled_from([None, "x" * 20]),
        where=st.integers(0, 2),
    )
    def description(self, whom: set[Identity], role: Role, final: bool, tls_id: str | None, where: int) -> None:
        self.current = frozenset(each.fingerprint() for each in whom)
        self.announced |= self.current
        self.role = role
        self.us.expect(Remote(self.current, None, tls_id, final), role, self.now)
        self.us.reach(PATHS[where], self.now)
        self._collect()

    @rule(seconds=st.sampled_from([0.05, 0.4, 1.0, 5.5, 31.0]))
    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        for each in (self.us, *self.parties):
            while (due := each.next_timeout()) is not None and due <= end:
                self.now = max(self.now, due)
                each.handle_timer(self.now)
        self.now = end
        self._collect()

    @rule()
    def hang_up(self) -> None:
        self.us.close(self.now)
        self._collect()
        assert self.us.keys() == ((), None)

    @invariant()
    def only_announced_parties_have_keys(self) -> None:
        """FP-10."""
        receive, send = self.us.keys()
        usable = [each for each in self.us._associations if each.state in KEYS_USABLE]
        assert len(receive) == len(usable)
        assert (send is None) is (not usable)
        for each in usable:
            assert each.seen in self.announced
        verified = [each for each in usable if each.state is State.VERIFIED]
        assert len(verified) <= 1
        for each in verified:
            assert self.current is not None
            assert each.seen in self.current

    @invariant()
    def keys_come_with_an_event(self) -> None:
        assert bool(self.us.keys()[0]) <= any(isinstance(event, Established) for event in self.events)

    @invariant()
    def state_is_bounded(self) -> None:
        """TIM-13."""
        unfinished = [each for each in self.us._associations if each.state is State.HANDSHAKING]
        assert sum(each.role is Role.PASSIVE for each in unfinished) <= 4
        assert sum(each.role is Role.ACTIVE for each in unfinished) <= 1
        assert sum(each.state is State.DRAINING for each in self.us._associations) <= 2

    @invariant()
    def a_path_is_held_or_verified_only_by_its_own_association(self) -> None:
        for path in self.us.held_paths():
            assert any(each.path == path and each.state is State.KEYED for each in self.us._associations)
        if self.us.keys()[1] is not None:
            assert self.us.verified_path in PATHS

    @invariant()
    def it_can_always_be_told(self) -> None:
        status = self.us.status()
        assert status.role is self.role
        assert (status.state is State.VERIFIED) is any(each.state is State.VERIFIED for each in self.us._associations)


Calls.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


TestCalls = Calls.TestCase


@pytest.mark.parametrize("described", range(5))
@pytest.mark.parametrize("whose", [B, C], ids=["right", "wrong"])
@pytest.mark.parametrize("final", [True, False])
def test_fp_10_the_description_may_come_between_any_two_datagrams(described: int, whose: Identity, final: bool) -> None:
    """Each place of the answer among the datagrams of a handshake with us as server, right and wrong, fork or not."""
    us, peer = component(A), component(B)
    peer.expect(remote(A), Role.ACTIVE, 0.0)
    peer.reach(OURS, 0.0)
    step = 0
    while True:
        if step == described:
            us.expect(remote(whose, final), Role.PASSIVE, 0.0)
        up = peer.transmits()
        for _, datagram in up:
            us.receive(PATHS[0], datagram, 0.0, vouched=True)
        down = us.transmits()
        for _, datagram in down:
            peer.receive(OURS, datagram, 0.0)
        step += 1
        if not up and not down and step > described:
            break
    assert (us.keys()[1] is not None) is (whose is B)
    assert us.held_paths() == (frozenset() if whose is B or final else {PATHS[0]})
