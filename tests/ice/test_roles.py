"""Who controls: role conflicts, lite agents, and nomination by either side."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate, stun
from ngdaemon.ice.report import Failed, RoleSwitched, Selected, Tried
from tests.ice.rig import Party, World, forge, introduce, requests
from tests.support.network import Receive

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"
SOCKET = SocketId(1)
PEER = Endpoint(ANSWERER, 5000)
LOW, HIGH = bytes(8), b"\xff" * 8


def probe(controlling: bool, claim: int, tie: bytes) -> tuple[Party, stun.Message]:
    """A full agent in that role is checked by somebody who claims a role; its answer."""
    world = World()
    party = Party(world, OFFERER, controlling=controlling)
    local = party.agent.local
    attributes = [(stun.USERNAME, f"{local.ufrag}:peer".encode()), (stun.PRIORITY, b"\x6e\0\1\0"), (claim, tie)]
    data = stun.build(stun.REQUEST, bytes(12), attributes, local.pwd.encode())
    party.receive(SOCKET, data, PEER, world.clock.now)
    answer = stun.parse(party.sent[-1][2])
    assert answer is not None
    assert answer.authentic(local.pwd.encode())
    return party, answer


@pytest.mark.parametrize(
    ("controlling", "claim", "tie", "error", "afterwards"),
    [
        (True, stun.ICE_CONTROLLING, LOW, 487, True),
        (True, stun.ICE_CONTROLLING, HIGH, 0, False),
        (False, stun.ICE_CONTROLLED, LOW, 0, True),
        (False, stun.ICE_CONTROLLED, HIGH, 487, False),
        (True, stun.ICE_CONTROLLED, HIGH, 0, True),
        (False, stun.ICE_CONTROLLING, LOW, 0, False),
    ],
)
def test_role_conflicts_are_solved_by_the_tie_breaker(
    controlling: bool, claim: int, tie: bytes, error: int, afterwards: bool
) -> None:
    """ICE-05, S09: the four conflicts of RFC 8445 §7.3.1.1, and the two cases that are none."""
    party, answer = probe(controlling, claim, tie)
    assert answer.error == error
    assert answer.kind == (stun.ERROR if error else stun.SUCCESS)
    assert party.agent.controlling is afterwards
    assert party.heard(RoleSwitched) == ([] if controlling == afterwards else [RoleSwitched(afterwards)])


@pytest.mark.parametrize("controlling", [True, False])
def test_with_equal_tie_breakers_ours_counts_as_the_greater(controlling: bool) -> None:
    """ICE-05, RFC 8445 §7.3.1.1."""
    world = World()
    party = Party(world, OFFERER, controlling=controlling)
    other = Party(world, ANSWERER, seed=2)
    party.hear(other.description())
    claim = stun.ICE_CONTROLLING if controlling else stun.ICE_CONTROLLED
    tie = requests(party)[0][1].attributes[claim]
    local = party.agent.local
    attributes = [(stun.USERNAME, f"{local.ufrag}:peer".encode()), (claim, tie)]
    party.receive(SOCKET, stun.build(stun.REQUEST, bytes(12), attributes, local.pwd.encode()), PEER, world.clock.now)
    assert party.agent.controlling


def test_who_gives_way_checks_again_with_another_tie_breaker() -> None:
    """ICE-05, RFC 8445 §7.2.5.1."""
    world = World()
    party = Party(world, OFFERER, controlling=True)
    other = Party(world, ANSWERER, seed=2)
    other.mute = True
    party.hear(other.description())
    _, check, _ = requests(party)[0]
    refusal = stun.build(stun.ERROR, check.transaction, [stun.error_code(487)], other.agent.local.pwd.encode())
    party.receive(SOCKET, refusal, PEER, world.clock.now)
    world.run(0.1)
    assert not party.agent.controlling
    again = requests(party)[-1][1]
    assert again.transaction != check.transaction
    assert again.attributes[stun.ICE_CONTROLLED] != check.attributes[stun.ICE_CONTROLLING]


@pytest.mark.parametrize("both", [True, False], ids=["both controlling", "both controlled"])
@pytest.mark.parametrize("seed", range(6))
def test_two_agents_of_the_same_role_find_out_and_connect(both: bool, seed: int) -> None:
    """ICE-05."""
    world = World()
    one = Party(world, OFFERER, controlling=both, seed=seed)
    other = Party(world, ANSWERER, controlling=both, seed=seed + 100)
    introduce(one, other)
    assert world.until(one) < 1.5
    assert world.until(other) < 1.5
    assert one.agent.controlling is not other.agent.controlling


def test_a_forged_487_switches_nothing() -> None:
    world = World()
    party = Party(world, OFFERER, controlling=True)
    other = Party(world, ANSWERER)
    party.hear(other.description())
    (_, check, _), *_ = requests(party)
    for password in (None, b"guess" * 6):
        forged = stun.build(stun.ERROR, check.transaction, [stun.error_code(487)], password)
        assert not party.agent.receive(SOCKET, forged, PEER, world.clock.now)
    assert party.agent.controlling


def test_a_full_agent_controls_a_lite_peer() -> None:
    """ICE-05, ICE-01: whoever it was that offered."""
    world = World()
    full = Party(world, OFFERER, controlling=False, seed=1)
    lite = Party(world, ANSWERER, lite=True, seed=2)
    introduce(full, lite)
    assert full.heard(RoleSwitched) == [RoleSwitched(True)]
    assert world.until(full) < 1.0
    assert world.until(lite) < 1.0


def test_a_lite_agent_that_offered_is_controlled_by_a_full_peer() -> None:
    """ICE-05, ICE-01: also when the peer nominates before its answer is here."""
    world = World()
    lite = Party(world, ANSWERER, controlling=True, lite=True, seed=2)
    full = Party(world, OFFERER, seed=1)
    full.hear(lite.description())
    world.run(0.5)
    assert full.agent.selected(1) is not None
    lite.hear(full.description())
    assert not lite.agent.controlling
    assert lite.agent.selected(1) is not None


def test_a_lite_agent_sends_no_checks_and_follows_those_of_the_peer() -> None:
    """ICE-01, CONS-03."""
    world = World()
    full = Party(world, "10.0.0.7", controlling=True, seed=1)
    router = full.behind("198.51.100.77", symmetric=True)
    lite = Party(world, ANSWERER, lite=True, seed=2)
    introduce(full, lite)
    world.until(lite)
    world.run(60.0, step=0.1)
    assert requests(lite) == []
    pair = lite.agent.may_send(1)
    assert pair is not None
    assert pair.remote == router.outside(PEER)
    assert lite.agent.accepted(SOCKET) == {pair.remote}
    assert full.agent.may_send(1) is not None, "the lite side did not answer consent checks"


def test_a_lite_agent_that_nobody_checks_fails() -> None:
    """ICE-01: it waits as patiently as a full one."""
    world = World()
    lite = Party(world, ANSWERER, lite=True)
    full = Party(world, OFFERER, controlling=True, seed=2)
    lite.hear(full.description())
    world.run(39.0, step=0.1)
    assert not lite.heard(Failed)
    world.run(1.0, step=0.1)
    assert lite.heard(Failed) == [Failed(1, Tried(candidates=1, unusable=0, heard=False, lite=True))]
    assert lite.sent == []


def test_a_lite_agent_insists_that_its_peer_controls() -> None:
    """ICE-05: its tie-breaker does not matter."""
    world = World()
    lite = Party(world, ANSWERER, lite=True)
    lite.receive(SOCKET, forge(lite, controlling=False), Endpoint(OFFERER, 5000), world.clock.now)
    answer = stun.parse(lite.sent[-1][2])
    assert answer is not None
    assert answer.error == 487
    assert not lite.agent.controlling


def test_two_lite_agents_take_their_best_candidates() -> None:
    """ICE-05, RFC 8445 §8.2: nobody checks, the offerer controls."""
    world = World()
    offerer = Party(world, OFFERER, "198.51.100.2", controlling=True, lite=True, seed=1)
    answerer = Party(world, ANSWERER, lite=True, seed=2)
    introduce(offerer, answerer)
    pair = offerer.agent.may_send(1)
    mirrored = answerer.agent.may_send(1)
    assert pair is not None
    assert mirrored is not None
    assert (pair.local, pair.remote) == (Endpoint(OFFERER, 5000), PEER)
    assert (mirrored.local, mirrored.remote) == (pair.remote, pair.local)
    assert offerer.agent.accepts(SOCKET, PEER)
    assert offerer.agent.controlling
    assert not answerer.agent.controlling
    world.run(5.0)
    assert requests(offerer) == requests(answerer) == []


def test_a_lite_agent_keeps_an_idle_path_open() -> None:
    """ICE-11, TIM-07: a Binding indication every 15 s."""
    world = World()
    offerer = Party(world, OFFERER, controlling=True, lite=True, seed=1)
    answerer = Party(world, ANSWERER, lite=True, seed=2)
    introduce(offerer, answerer)
    began = world.clock.now
    world.run(31.0)
    sent = [(round(at - began), data[:2], to) for at, _, data, to in offerer.sent]
    assert sent == [(15, b"\0\x11", PEER), (30, b"\0\x11", PEER)]


class Aggressor:
    """A controlling peer with several addresses, that says USE-CANDIDATE whenever it likes."""

    def __init__(self, world: World, *, lite: bool = False) -> None:
        self.world = world
        self.peer = Party(world, ANSWERER, "203.0.113.2", controlling=True, seed=5)
        self.party = Party(world, OFFERER, lite=lite, seed=6)
        self.count = 0
        self.dead: set[Endpoint] = set()
        self.party.hear(self.peer.description())
        for local in self.peer.bases.values():
            world.network.attach(local, self._answer(local))

    def _answer(self, local: Endpoint) -> Receive:
        def receive(data: bytes, source: Endpoint, now: float) -> None:
            message = stun.parse(data)
            if message is None or message.kind != stun.REQUEST or local in self.dead:
                return
            mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(source, message.transaction))
            password = self.peer.agent.local.pwd.encode()
            self.world.network.send(stun.build(stun.SUCCESS, message.transaction, [mapped], password), local, source)

        return receive

    def nominate(self, socket: int) -> None:
        """Say USE-CANDIDATE from that address."""
        self.count += 1
        data = forge(
            self.party,
            peer=self.peer.agent.local.ufrag,
            extra=((stun.USE_CANDIDATE, b""),),
            transaction=self.count.to_bytes(12),
        )
        self.world.network.send(data, self.peer.bases[SocketId(socket)], Endpoint(OFFERER, 5000))
        self.world.run(0.2)

    @property
    def chosen(self) -> Endpoint | None:
        pair = self.party.agent.selected(1)
        return pair and pair.remote


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_of_pairs_nominated_aggressively_the_best_is_taken(lite: bool) -> None:
    """RFC 5245 §8.1.1.2: who names several within a short time means the best of them."""
    aggressor = Aggressor(World(), lite=lite)
    aggressor.nominate(2)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(2)]
    aggressor.nominate(1)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(1)]
    aggressor.nominate(2)
    aggressor.world.run(2.0)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(1)]
    assert len(aggressor.party.heard(Selected)) == 2


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_a_peer_that_moves_to_a_lesser_pair_later_is_followed(lite: bool) -> None:
    """S05: browsers nominate again when their network changes."""
    aggressor = Aggressor(World(), lite=lite)
    aggressor.nominate(1)
    aggressor.world.run(3.5)
    aggressor.nominate(2)
    aggressor.world.run(0.5)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(2)]


def test_a_pair_that_worked_long_ago_is_checked_before_it_is_taken() -> None:
    """CONS-01: its consent is old; nothing is sent there before it answers again."""
    aggressor = Aggressor(World())
    aggressor.nominate(2)
    aggressor.nominate(1)
    aggressor.world.run(60.0, step=0.1)
    aggressor.dead.add(aggressor.peer.bases[SocketId(2)])
    aggressor.nominate(2)
    aggressor.world.run(5.0)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(1)]
    aggressor.dead.clear()
    aggressor.nominate(2)
    aggressor.world.run(5.0)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(2)]


def test_lost_consent_does_not_come_back_by_another_nomination() -> None:
    """CONS-01: only a restart brings it back."""
    aggressor = Aggressor(World())
    aggressor.nominate(1)
    aggressor.dead.update(aggressor.peer.bases.values())
    aggressor.world.run(31.0, step=0.1)
    assert aggressor.party.agent.may_send(1) is None
    aggressor.dead.clear()
    aggressor.nominate(2)
    aggressor.nominate(1)
    aggressor.world.run(5.0)
    assert aggressor.party.agent.may_send(1) is None


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_a_nomination_before_the_answer_is_not_forgotten(lite: bool) -> None:
    """ICE-06: a later check without USE-CANDIDATE does not take it back."""
    world = World()
    ours = Party(world, OFFERER, lite=lite, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    for number, extra in enumerate((((stun.USE_CANDIDATE, b""),), ())):
        data = forge(ours, peer=peer.agent.local.ufrag, extra=extra, transaction=number.to_bytes(12))
        ours.receive(SOCKET, data, PEER, world.clock.now)
    ours.hear(peer.description())
    world.run(0.2)
    assert ours.agent.selected(1) is not None


def test_another_pair_is_nominated_when_the_best_one_dies() -> None:
    """The best path worked once and is gone when we nominate it: the next one is taken before consent is lost."""
    world = World()
    ours = Party(world, OFFERER, controlling=True, seed=1)
    peer = Party(world, ANSWERER, "203.0.113.2", seed=2)
    ours.hear(peer.description())
    world.run(0.045)
    world.network.detach(peer.bases[SocketId(1)])
    began = world.clock.now
    while (pair := ours.agent.may_send(1)) is None or pair.remote != peer.bases[SocketId(2)]:
        world.run(0.01)
        assert world.clock.now - began < 10.0
    assert ours.agent.selected(1) is None, "media goes on before the nomination is through"
    assert world.until(ours) < 1.0
    assert ours.agent.selected(1) == pair


def test_a_peer_whose_former_address_is_dead_is_followed_at_once() -> None:
    """S05: the address changes right after the call was set up; it takes less than a second."""
    aggressor = Aggressor(World())
    aggressor.nominate(1)
    aggressor.dead.add(aggressor.peer.bases[SocketId(1)])
    aggressor.nominate(2)
    aggressor.world.run(0.7)
    assert aggressor.chosen == aggressor.peer.bases[SocketId(2)]


@pytest.mark.parametrize("moving", ["controlling", "controlled"])
def test_a_client_whose_nat_forgets_it_is_found_again(moving: str) -> None:
    """S05: after an address change in a call, media follows within a second of the client's next check."""
    world = World()
    gateway = Party(world, OFFERER, controlling=moving == "controlled", seed=1)
    client = Party(world, "10.0.0.7", controlling=moving == "controlling", seed=2)
    router = client.behind("203.0.113.99", symmetric=True)
    introduce(gateway, client)
    world.until(gateway)
    world.run(10.0)
    router.rebind()
    before = len(client.sent)
    while len(client.sent) == before:
        world.run(0.05)
    data = forge(
        gateway, peer=client.agent.local.ufrag, controlling=moving == "controlling", transaction=b"consent test",
        extra=((stun.USE_CANDIDATE, b""),) if moving == "controlling" else (),
    )  # fmt: skip
    router.send(data, Endpoint(OFFERER, 5000))
    world.run(1.0)
    pair = gateway.agent.may_send(1)
    assert pair is not None
    assert pair.remote == router.outside(Endpoint(OFFERER, 5000))


def test_a_client_may_move_more_often_than_candidates_are_kept() -> None:
    """S05: the oldest learned candidate gives way, never the one in use."""
    world = World()
    gateway = Party(world, OFFERER, lite=True, seed=1)
    client = Party(world, "10.0.0.7", controlling=True, seed=2)
    introduce(gateway, client)
    for count in range(250):
        source = Endpoint(f"192.0.2.{1 + count}", 7000)
        data = forge(
            gateway,
            peer=client.agent.local.ufrag,
            extra=((stun.USE_CANDIDATE, b""),),
            transaction=count.to_bytes(12),
        )
        gateway.receive(SOCKET, data, source, world.clock.now)
        pair = gateway.agent.may_send(1)
        assert pair is not None
        assert pair.remote == source
        assert len(gateway.agent.accepted(SOCKET)) <= 100
        world.clock.advance(4.0)


def test_a_full_list_gives_way_to_where_the_peer_is() -> None:
    """S09: 200 pairs are asked for, 100 kept, and the peer itself still gets in."""
    world = World()
    gateway = Party(world, OFFERER, "198.51.100.2", controlling=True, seed=1)
    client = Party(world, "10.0.0.7", seed=2)
    client.behind("203.0.113.99", symmetric=True)
    listed = [candidate.Candidate(str(n), 1, 9000 + n, "192.0.2.9", 1000 + n) for n in range(99)]
    gateway.hear(client.description(only=listed))
    client.hear(gateway.description())
    assert world.until(gateway) < 1.0
