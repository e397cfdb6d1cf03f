"""Consent (RFC 7675): asked for again and again, lost for good, and not to be had from strangers."""

from itertools import pairwise

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import stun
from ngdaemon.ice.report import ConsentLost
from tests.ice.rig import Party, World, introduce, requests

OFFERER, ANSWERER = "198.51.100.1", "203.0.113.1"
SOCKET = SocketId(1)
PEER = Endpoint(ANSWERER, 5000)


def connected(*, controlling: bool = True) -> tuple[World, Party, Party]:
    """A call that is up for some seconds."""
    world = World()
    ours = Party(world, OFFERER, controlling=controlling, seed=1)
    peer = Party(world, ANSWERER, controlling=not controlling, seed=2)
    introduce(ours, peer)
    world.until(ours)
    world.until(peer)
    world.run(1.0)
    return world, ours, peer


def test_consent_is_asked_for_every_four_to_six_seconds() -> None:
    """CONS-01, TIM-06, ICE-11: each time a new transaction, once; so the path is never silent for 15 s."""
    world, ours, _ = connected()
    start = world.clock.now
    world.run(200.0)
    found = requests(ours, after=start)
    times = [at for at, _, _ in found]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert 30 < len(times) < 52
    assert all(4.0 <= gap <= 6.02 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.5, "the times are not random"
    assert len({message.transaction for _, message, _ in found}) == len(found)
    assert not any(stun.USE_CANDIDATE in message.attributes for _, message, _ in found)
    assert ours.agent.may_send(1) is not None


@pytest.mark.parametrize("controlling", [True, False])
def test_sending_stops_when_the_peer_goes_mute(controlling: bool) -> None:
    """S10, CONS-01, TIM-06: 30 s ± 6 after the last answer."""
    world, ours, peer = connected(controlling=controlling)
    world.run(17.0)
    peer.mute = True
    went = world.clock.now
    while ours.agent.may_send(1) is not None:
        assert world.clock.now - went < 60.0
        world.run(0.1)
    assert 24.0 <= world.clock.now - went <= 30.2
    assert ours.heard(ConsentLost) == [ConsentLost(1)]


def test_what_is_lost_is_not_revived_by_late_answers() -> None:
    """S10, CONS-01."""
    world, ours, peer = connected()
    peer.mute = True
    silent = world.clock.now
    world.run(31.0, step=0.1)
    assert ours.agent.may_send(1) is None
    password = peer.agent.local.pwd.encode()
    for _, message, _ in requests(ours, after=silent):
        mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(Endpoint(OFFERER, 5000), message.transaction))
        late = stun.build(stun.SUCCESS, message.transaction, [mapped], password)
        assert not ours.agent.receive(SOCKET, late, PEER, world.clock.now)
    peer.mute = False
    world.run(30.0, step=0.1)
    assert ours.agent.may_send(1) is None
    assert ours.heard(ConsentLost) == [ConsentLost(1)]


def test_nothing_is_asked_any_more_when_consent_is_lost() -> None:
    world, ours, peer = connected()
    peer.mute = True
    world.run(40.0, step=0.1)
    lost = world.clock.now
    world.run(60.0, step=0.1)
    assert requests(ours, after=lost) == []


def test_a_restart_brings_new_consent() -> None:
    """CONS-01, ICE-08."""
    world, ours, peer = connected()
    peer.mute = True
    world.run(31.0, step=0.1)
    peer.mute = False
    ours.agent.restart(ours.renew(), controlling=True)
    peer.agent.restart(peer.renew(), controlling=False)
    assert ours.agent.may_send(1) is None
    introduce(ours, peer)
    world.run(1.0)
    assert ours.agent.may_send(1) is not None


@pytest.mark.parametrize("fault", ["password", "transaction", "source", "socket", "no mapped address", "unsigned"])
def test_forged_consent_is_ignored(fault: str) -> None:
    """S10: only the peer itself, where it is, renews consent."""
    world = World()
    ours = Party(world, OFFERER, "198.51.100.2", controlling=True, seed=1)
    peer = Party(world, ANSWERER, seed=2)
    introduce(ours, peer)
    world.until(ours)
    world.run(1.0)
    peer.mute = True
    start = world.clock.now
    answered = 0
    while ours.agent.may_send(1) is not None and world.clock.now < start + 60.0:
        world.run(0.5)
        waiting = requests(ours, after=start)
        for _, message, _ in waiting[answered:]:
            mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(Endpoint(OFFERER, 5000), message.transaction))
            password = None if fault == "unsigned" else peer.agent.local.pwd.encode()
            forged = stun.build(
                stun.SUCCESS,
                bytes(12) if fault == "transaction" else message.transaction,
                [] if fault == "no mapped address" else [mapped],
                b"guessed password" if fault == "password" else password,
            )
            source = Endpoint("192.0.2.66", 5000) if fault == "source" else PEER
            socket = SocketId(2) if fault == "socket" else SOCKET
            assert not ours.agent.receive(socket, forged, source, world.clock.now)
        answered = len(waiting)
    assert answered >= 4
    assert ours.agent.may_send(1) is None


def refuse(world: World, ours: Party, password: bytes | None, code: int) -> None:
    """Answer the next consent check with an error."""
    start = world.clock.now
    while not requests(ours, after=start):
        world.run(0.1)
    _, message, _ = requests(ours, after=start)[0]
    data = stun.build(stun.ERROR, message.transaction, [stun.error_code(code)], password)
    ours.receive(SOCKET, data, PEER, world.clock.now)


def test_the_peer_takes_its_consent_back() -> None:
    """CONS-02: 403 to a consent check stops sending at once."""
    world, ours, peer = connected()
    peer.mute = True
    refuse(world, ours, peer.agent.local.pwd.encode(), 403)
    assert ours.agent.may_send(1) is None
    assert ours.heard(ConsentLost) == [ConsentLost(1)]


def test_nobody_else_takes_it_back() -> None:
    """CONS-02, S10: an error that is not authentic, or another one, counts for nothing."""
    world, ours, peer = connected()
    peer.mute = True
    refuse(world, ours, None, 403)
    refuse(world, ours, b"guessed password", 403)
    refuse(world, ours, peer.agent.local.pwd.encode(), 500)
    assert ours.agent.may_send(1) is not None


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_an_association_that_the_peer_closed_takes_its_consent_along(lite: bool) -> None:
    """CONS-02: after an authenticated close_notify, nothing is sent before a restart."""
    world = World()
    ours = Party(world, OFFERER, lite=lite, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    introduce(peer, ours)
    world.until(ours)
    ours.agent.revoke(1)
    assert ours.agent.may_send(1) is None
    world.run(20.0, step=0.1)
    assert ours.agent.may_send(1) is None
    assert peer.agent.may_send(1) is not None, "its checks are still answered"
    ours.agent.restart(ours.renew(), controlling=False)
    peer.agent.restart(peer.renew(), controlling=True)
    introduce(peer, ours)
    world.run(1.0)
    assert ours.agent.may_send(1) is not None


def test_each_component_has_its_own_consent() -> None:
    world = World()
    ours = Party(world, OFFERER, components=2, controlling=True, seed=1)
    peer = Party(world, ANSWERER, components=2, seed=2)
    introduce(ours, peer)
    world.until(ours, 1)
    world.until(ours, 2)
    world.network.detach(peer.bases[SocketId(2)])
    world.run(37.0, step=0.1)
    assert ours.agent.may_send(1) is not None
    assert ours.agent.may_send(2) is None
    assert ours.heard(ConsentLost) == [ConsentLost(2)]


def test_consent_is_needed_before_nomination_too() -> None:
    """CONS-01: a controlling peer that never nominates is sent to for as long as it answers."""
    world = World()
    ours = Party(world, OFFERER, seed=1)
    peer = Party(world, ANSWERER, controlling=True, seed=2)
    ours.hear(peer.description())
    world.run(0.5)
    assert ours.agent.selected(1) is None
    assert ours.agent.may_send(1) is not None
    world.run(60.0, step=0.1)
    assert ours.agent.may_send(1) is not None
    peer.mute = True
    world.run(31.0, step=0.1)
    assert ours.agent.may_send(1) is None
