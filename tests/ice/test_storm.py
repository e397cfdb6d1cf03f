"""Calls in bad weather: restarts, new bindings, lost peers, impostors; by seed, so that each failure repeats."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice.checklist import MAX_PAIRS
from ngdaemon.ice.remotes import MAX_REMOTE
from tests.ice.rig import Party, World, forge, introduce
from tests.support.network import Weather
from tests.support.rng import SeededRng

GATEWAY, CLIENT, PUBLIC = "198.51.100.1", "10.0.0.7", "203.0.113.99"


class Storm:
    """A gateway and a client behind a NAT, to which things happen."""

    def __init__(self, seed: int) -> None:
        self.rng = SeededRng(seed)
        self.world = World(Weather(loss=0.1, doubling=0.1, delay=0.02, jitter=0.1), seed)
        controlling = self.rng.chance(0.5)
        lite = not controlling and self.rng.chance(0.3)
        self.gateway = Party(self.world, GATEWAY, components=2, controlling=controlling, lite=lite, seed=seed + 1)
        self.client = Party(self.world, CLIENT, controlling=not controlling, seed=seed + 2)
        self.router = self.client.behind(PUBLIC, symmetric=self.rng.chance(0.5))

    def strike(self) -> None:
        """One of the things that happen."""
        what = (self.introduce, self.restart, self.rebind, self.silence, self.noise, self.impostor, self.multiplex)
        what[self.rng.below(len(what))]()
        self.world.run(self.rng.between(0.0, 8.0), step=0.05)
        self.look()

    def introduce(self) -> None:
        introduce(self.client, self.gateway)

    def restart(self) -> None:
        controlling = self.rng.chance(0.5)
        for party, role in ((self.gateway, controlling), (self.client, not controlling)):
            if self.rng.chance(0.8):
                party.agent.restart(party.renew(), controlling=role)
        if self.rng.chance(0.7):
            self.introduce()

    def rebind(self) -> None:
        self.router.rebind()

    def silence(self) -> None:
        self.client.mute = not self.client.mute

    def noise(self) -> None:
        source = Endpoint("192.0.2.66", self.rng.below(60000) + 1)
        for _ in range(20):
            data = b"\0" + self.rng.bytes(self.rng.below(80))
            self.gateway.receive(SocketId(1), data, source, self.world.clock.now)

    def impostor(self) -> None:
        """Many sources that know our password."""
        peer = self.client.agent.local.ufrag
        for _ in range(30):
            source = Endpoint("192.0.2.77", self.rng.below(60000) + 1)
            data = forge(self.gateway, peer=peer, transaction=self.rng.bytes(12), controlling=self.rng.chance(0.5))
            self.gateway.receive(SocketId(1), data, source, self.world.clock.now)

    def multiplex(self) -> None:
        self.gateway.agent.drop_component(2)

    def look(self) -> None:
        """What holds at all times."""
        for party in (self.gateway, self.client):
            agent = party.agent
            for session in agent._sessions():
                assert len(session._list) <= MAX_PAIRS
                assert len(session._remotes) <= MAX_REMOTE
                assert len(session._early) <= 100
            pair = agent.may_send(1)
            if pair is not None:
                assert agent.accepts(pair.socket, pair.remote), "who is sent to may answer"
            party.agent.handle_timer(self.world.clock.now)
            party.settle()
            due = agent.next_timeout()
            assert due is None or due > self.world.clock.now, "the timer spins"


@pytest.mark.parametrize("seed", range(40))
def test_after_a_storm_a_restart_connects(seed: int) -> None:
    """S05, S09, ICE-08: nothing raises, nothing grows, no timer spins, and a proper restart always mends the call."""
    storm = Storm(seed)
    for _ in range(15):
        storm.strike()
    storm.client.mute = False
    storm.multiplex()
    lite = storm.gateway.agent.lite
    storm.gateway.agent.restart(storm.gateway.renew(), controlling=not lite)
    storm.client.agent.restart(storm.client.renew(), controlling=lite)
    storm.introduce()
    began = storm.world.clock.now
    while not (storm.gateway.agent.complete and storm.client.agent.complete):
        storm.world.run(0.1, step=0.02)
        assert storm.world.clock.now - began < 30.0
    chosen = storm.gateway.agent.may_send(1)
    assert chosen is not None
    assert chosen.remote == storm.router.outside(Endpoint(GATEWAY, 5000))
