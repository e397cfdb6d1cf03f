"""ICE restarts: new credentials on both sides, while media goes on."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import stun
from ngdaemon.ice.report import ConsentLost, Restarted, Selected
from tests.ice.rig import Party, World, introduce, requests

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"
SOCKET = SocketId(1)


def connected() -> tuple[World, Party, Party]:
    world = World()
    ours = Party(world, OFFERER, controlling=True, seed=1)
    peer = Party(world, ANSWERER, seed=2)
    introduce(ours, peer)
    world.until(ours)
    world.until(peer)
    ours.events.clear()
    peer.events.clear()
    return world, ours, peer


def test_our_restart_keeps_the_old_pair_until_the_new_one_is_nominated() -> None:
    """ICE-08: media never stops."""
    world, ours, peer = connected()
    old = ours.agent.selected(1)
    before = ours.agent.local
    ours.agent.restart(ours.renew(), controlling=True)
    assert ours.agent.local != before
    assert ours.agent.remote is None
    assert ours.agent.selected(1) == ours.agent.may_send(1) == old
    world.run(5.0)
    assert ours.agent.may_send(1) == old
    peer.agent.restart(peer.renew(), controlling=False)
    peer.hear(ours.description())
    ours.hear(peer.description())
    for _ in range(100):
        assert ours.agent.may_send(1) is not None
        assert peer.agent.may_send(1) is not None
        world.run(0.01)
    assert len(ours.heard(Selected)) == len(peer.heard(Selected)) == 1
    assert not ours.heard(Restarted), "it was ours"


def test_a_restart_moves_to_another_address_in_less_than_a_second() -> None:
    """S05, ICE-08: the client went to another network and restarted."""
    world, ours, peer = connected()
    ours.agent.restart(ours.renew(), controlling=False)
    peer.agent.restart(peer.renew(), controlling=True)
    world.network.detach(Endpoint(ANSWERER, 5000))
    peer.agent.drop_base(SOCKET)
    moved = peer.add(1, "203.0.113.77", port=7000)
    ours.hear(peer.description(only=peer.candidates[-1:]))
    peer.hear(ours.description())
    began = world.clock.now
    while (pair := ours.agent.selected(1)) is None or pair.remote != Endpoint("203.0.113.77", 7000):
        world.run(0.01)
        assert world.clock.now - began < 1.0
    assert ours.agent.accepted(SOCKET) == {Endpoint("203.0.113.77", 7000)}
    world.run(0.05)
    assert peer.agent.selected(1) is not None
    assert peer.agent.may_send(1) is not None
    assert moved != SOCKET


def test_a_restart_by_the_peer_is_reported() -> None:
    """ICE-08: both ufrag and pwd changed."""
    world, ours, peer = connected()
    peer.agent.restart(peer.renew(), controlling=False)
    ours.hear(peer.description())
    assert ours.heard(Restarted) == [Restarted()]
    peer.hear(ours.description())
    world.run(1.0)
    assert len(ours.heard(Selected)) == 1


def test_checks_under_the_former_credentials_are_answered_until_the_new_pair_is_there() -> None:
    """ICE-08: the peer has not seen our new SDP yet, and its consent must not run out."""
    world, ours, peer = connected()
    ours.agent.restart(ours.renew(), controlling=True)
    world.run(60.0, step=0.1)
    assert not peer.heard(ConsentLost)
    assert not ours.heard(ConsentLost)
    assert peer.agent.may_send(1) is not None
    assert ours.agent.may_send(1) is not None


def test_consent_of_the_former_pair_may_be_lost_during_a_restart() -> None:
    """CONS-01."""
    world, ours, peer = connected()
    ours.agent.restart(ours.renew(), controlling=True)
    peer.mute = True
    world.run(37.0, step=0.1)
    assert ours.agent.may_send(1) is None
    assert ours.heard(ConsentLost) == [ConsentLost(1)]


def test_the_former_credentials_count_for_nothing_afterwards() -> None:
    world, ours, peer = connected()
    former = ours.agent.local
    old_checks = [message for _, message, _ in requests(peer)]
    ours.agent.restart(ours.renew(), controlling=True)
    peer.agent.restart(peer.renew(), controlling=False)
    introduce(ours, peer)
    world.run(1.0)
    for message in old_checks:
        assert message.authentic(former.pwd.encode())
        assert not ours.agent.receive(SOCKET, message.data, Endpoint(ANSWERER, 5000), world.clock.now)


@pytest.mark.parametrize("times", [2, 3])
def test_restarts_that_overtake_each_other_end_well(times: int) -> None:
    world, ours, peer = connected()
    for _ in range(times):
        ours.agent.restart(ours.renew(), controlling=True)
        world.run(0.02)
    assert ours.agent.may_send(1) is not None
    peer.agent.restart(peer.renew(), controlling=False)
    introduce(ours, peer)
    world.run(1.0)
    assert len(ours.heard(Selected)) == 1
    assert ours.agent.may_send(1) is not None


def test_a_restart_keeps_no_selection_of_a_dropped_component() -> None:
    world = World()
    ours = Party(world, OFFERER, components=2, controlling=True, seed=1)
    peer = Party(world, ANSWERER, components=2, seed=2)
    introduce(ours, peer)
    world.until(ours, 1)
    world.until(ours, 2)
    for party, controlling in ((ours, True), (peer, False)):
        party.agent.restart(party.renew(), controlling=controlling)
        party.agent.drop_component(2)
    introduce(ours, peer)
    world.run(1.0)
    assert ours.agent.complete
    assert ours.agent.may_send(2) is None


def test_restart_of_a_lite_agent() -> None:
    """ICE-08, ICE-01."""
    world = World()
    full = Party(world, OFFERER, controlling=True, seed=1)
    lite = Party(world, ANSWERER, lite=True, seed=2)
    introduce(full, lite)
    world.until(lite)
    lite.events.clear()
    for party, controlling in ((full, True), (lite, False)):
        party.agent.restart(party.renew(), controlling=controlling)
        assert party.agent.may_send(1) is not None
    introduce(full, lite)
    world.run(1.0)
    assert len(lite.heard(Selected)) == 1
    assert lite.agent.may_send(1) is not None
    assert all(stun.USE_CANDIDATE not in message.attributes for _, message, _ in requests(lite))


def test_the_former_session_looks_for_no_better_pairs_any_more() -> None:
    """ICE-08: after a restart its consent is kept up, and nothing else is sent under its credentials."""
    world = World()
    ours = Party(world, OFFERER, "198.51.100.2", seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    deaf = [peer.candidates[0]._replace(port=port, foundation=str(port), priority=port) for port in range(7000, 7010)]
    ours.hear(peer.description(only=[*peer.candidates, *deaf]))
    world.run(0.2)
    assert ours.agent.may_send(1) is not None
    former = peer.agent.local.ufrag
    ours.agent.restart(ours.renew(), controlling=False)
    ours.agent.drop_base(SocketId(2))
    ours.sent.clear()
    world.run(12.0)
    sent = [(message, to) for _, message, to in requests(ours) if (message.username or "").startswith(former)]
    assert sent
    assert {to for _, to in sent} == {Endpoint(ANSWERER, 5000)}


def test_a_role_conflict_of_the_former_session_is_its_own_affair() -> None:
    world, ours, _ = connected()
    ours.agent.restart(ours.renew(), controlling=True)
    session = ours.agent._sessions()[1]
    former = session.local
    assert session.remote
    attributes = [
        (stun.USERNAME, f"{former.ufrag}:{session.remote.ufrag}".encode()),
        (stun.ICE_CONTROLLING, b"\xff" * 8),
    ]
    data = stun.build(stun.REQUEST, b"conflicting!", attributes, former.pwd.encode())
    assert ours.agent.receive(SOCKET, data, Endpoint(ANSWERER, 5000), world.clock.now)
    assert ours.agent.controlling
    assert ours.agent.events() == []


def test_a_restarting_peer_that_does_not_know_our_new_credentials_yet_is_not_answered() -> None:
    """Chromium would keep the pair that works with our old ones, and never try the new ones."""
    world, ours, _ = connected()
    local = ours.agent.local
    ours.sent.clear()
    attributes = [(stun.USERNAME, f"{local.ufrag}:newer".encode()), (stun.ICE_CONTROLLING, b"\xff" * 8)]
    data = stun.build(stun.REQUEST, b"too-early!!!", attributes, local.pwd.encode())
    assert not ours.agent.receive(SOCKET, data, Endpoint(ANSWERER, 5001), world.clock.now)
    assert ours.agent.dropped == 1
    assert ours.sent == []
