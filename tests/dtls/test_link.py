"""Handshakes over bad paths, and attacks on them: two components, a seeded network, a clock of their own."""

import itertools
from collections.abc import Callable

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.records import Content, fragment, fragments, record, records, whole
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Established
from tests.dtls.rig import (
    OURS,
    PEER,
    STRANGER,
    A,
    B,
    C,
    Site,
    component,
    connected,
    go,
    identity,
    pair,
    remote,
    same_keys,
)
from tests.dtls.test_hello import hello
from tests.support.network import Weather
from tests.support.rng import SeededRng


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("ours", Role)
def test_hs_04_a_handshake_survives_loss_reordering_and_doubling(seed: int, ours: Role) -> None:
    """With a third of all datagrams lost it still takes its time, but comes to the same end."""
    weather = Weather(loss=0.3, doubling=0.2, delay=0.02, jitter=0.08)
    site, us, peer = pair(seed, weather, ours=ours)
    us.vouched = peer.vouched = lambda source: seed % 2 == 0
    go(us, peer)
    site.run(30.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)
    assert us.happened == [Established(PEER)]


def losing(site: Site, is_lost: Callable[[int], bool]) -> None:
    """Lose datagrams by their number, from 1."""
    numbers, network_send = itertools.count(1), site.network.send

    def send(data: bytes, source: Endpoint, to: Endpoint) -> None:
        if not is_lost(next(numbers)):
            network_send(data, source, to)

    site.network.send = send  # type: ignore[method-assign]


@pytest.mark.parametrize("ours", Role)
@pytest.mark.parametrize("lost", range(1, 7))
def test_hs_04_any_single_lost_datagram_costs_one_timeout(lost: int, ours: Role) -> None:
    site, us, peer = pair(ours=ours)
    losing(site, lambda number: number == lost)
    go(us, peer)
    start = site.clock.now
    site.run(5.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)
    assert site.clock.now - start < 0.4 + 0.1


@pytest.mark.parametrize("ours", Role)
@pytest.mark.parametrize("lost", range(1, 6))
def test_hs_04_the_first_datagrams_lost_cost_their_timeouts(lost: int, ours: Role) -> None:
    """A phone whose way opens late: 0.4 s until the first is said again, then twice as long each time."""
    site, us, peer = pair(ours=ours)
    losing(site, lambda number: number <= lost)
    go(us, peer)
    start = site.clock.now
    site.run(30.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)
    assert site.clock.now - start < 0.4 * (2**lost - 1) + 0.1


@pytest.mark.parametrize("mtu", [548, 300])
def test_hs_07_a_narrow_path_is_found(mtu: int) -> None:
    """Datagrams above the size vanish, as where fragments of IP are dropped."""
    site, us, peer = pair()
    network_send = site.network.send

    def narrow(data: bytes, source: Endpoint, to: Endpoint) -> None:
        if len(data) <= mtu:
            network_send(data, source, to)

    site.network.send = narrow  # type: ignore[method-assign]
    for end in (us, peer):
        end.component._policy = Policy(mtu=1200 if mtu >= 548 else mtu)
    go(us, peer)
    site.run(10.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)


@pytest.mark.parametrize("vouched", [True, False])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_s23_a_hello_cut_and_shuffled_on_the_way_connects(vouched: bool, order: tuple[int, ...]) -> None:
    site, us, peer = pair(ours=Role.PASSIVE)
    us.vouched = lambda source: vouched
    network_send = site.network.send

    def cutting(data: bytes, source: Endpoint, to: Endpoint) -> None:
        found = records(data)
        if source != PEER or len(found) != 1 or found[0].payload[0] != 1:
            network_send(data, source, to)
            return
        (piece,) = fragments(found[0].payload)
        size = len(piece.data) // 3 + 1
        cuts = [
            fragment(1, piece.length, piece.sequence, at, piece.data[at : at + size]) for at in range(0, 3 * size, size)
        ]
        for at in order:
            network_send(record(Content.HANDSHAKE, 0, 100 + at, cuts[at]), source, to)

    site.network.send = cutting  # type: ignore[method-assign]
    peer.reach(OURS)
    site.run(2.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)


def null_cipher_hello() -> bytes:
    return record(Content.HANDSHAKE, 0, 0, whole(1, 0, hello(suites=b"\x00\x00")))


@pytest.mark.parametrize("ours", Role)
@pytest.mark.parametrize("source", [STRANGER, PEER], ids=["another address", "the peer's address"])
def test_s04_a_spray_throughout_the_setup_does_not_stop_it(ours: Role, source: Endpoint) -> None:
    """Null-cipher hellos, well-formed hellos, alerts and junk, many to each datagram of the handshake.

    From the peer's own address what claims to be the peer's next message cannot be told from it in DTLS 1.2, so junk of
    that kind comes from strangers only.
    """
    site, us, peer = pair(ours=ours)
    us.vouched = lambda path: path == PEER
    forger = component(C)
    forger.expect(remote(A), Role.ACTIVE, 0.0)
    forger.reach(OURS, 0.0)
    junk = [
        null_cipher_hello(),
        forger.transmits()[0][1],
        record(Content.ALERT, 0, 0, b"\x02\x28"),
        record(Content.ALERT, 1, 0, b"\x02\x28"),
        record(Content.HANDSHAKE, 1, 0, bytes(60)),
        record(Content.CHANGE_CIPHER_SPEC, 0, 0, b"\x01"),
        b"\x16\xfe\xfd",
        bytes(range(20, 64)) * 9,
    ]
    if source == STRANGER:
        junk += [
            record(Content.HANDSHAKE, 0, 0, whole(kind, number, bytes(80)))
            for kind in (2, 11, 16, 20)
            for number in (0, 1)
        ]

    def spray() -> bool:
        for datagram in junk * 5:
            us.receive(datagram, source, site.clock.now)
        return us.verified and peer.verified

    if ours is Role.PASSIVE and source == PEER:
        peer.reach(
            OURS
        )  # an attacker who is first with the peer's address takes its place until a cookie tells them apart
        site.run(0.012)
    go(us, peer)
    site.run(5.0, until=spray)
    for _ in range(20):
        spray()
    site.run(1.0)
    assert same_keys(us.component, peer.component)
    assert Established(PEER) in us.happened


def test_s04_a_forged_hello_that_is_first_with_the_peers_address_only_costs_time() -> None:
    site, us, peer = pair(ours=Role.PASSIVE)
    forger = component(C)
    forger.expect(remote(A), Role.ACTIVE, 0.0)
    forger.reach(OURS, 0.0)
    us.receive(forger.transmits()[0][1], PEER, site.clock.now)
    site.run(0.05)
    peer.reach(OURS)
    start = site.clock.now
    site.run(5.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)
    assert site.clock.now - start < 0.5


def test_s05_a_peer_behind_a_nat_connects_within_a_second() -> None:
    """The fix for S04 must not lock out a peer whose address is not the signalled one."""
    site = Site()
    us, peer = site.end(OURS, A), site.end(Endpoint("2001:db8::7", 61000), B)
    us.vouched = lambda source: source == PEER
    us.expect(remote(B), Role.PASSIVE)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    start = site.clock.now
    site.run(5.0, until=lambda: us.verified and peer.verified)
    assert site.clock.now - start < 1.0
    assert us.component.verified_path == peer.at


def test_hs_09_a_thousand_spoofed_hellos_leave_nothing_behind() -> None:
    us = component(A)
    us.expect(remote(B), Role.PASSIVE, 0.0)
    got = sent = 0
    for number in range(1000):
        random = number.to_bytes(32, "big")
        datagram = record(Content.HANDSHAKE, 0, 0, whole(1, 0, hello(random=random)))
        us.receive(Endpoint(f"203.0.113.{number % 250}", number), datagram, 0.0)
        got += len(datagram)
        sent += sum(len(answer) for _, answer in us.transmits())
    assert sent <= got
    assert us._associations == []
    assert us._desk._waiting == {}
    assert us.events() == []
    assert us.next_timeout() is None


def test_s21_refused_hellos_of_strangers_get_no_more_than_they_sent() -> None:
    us = component(A)
    datagram = null_cipher_hello()
    for vouched in (True, False):
        us.receive(STRANGER, datagram, 0.0, vouched)
        assert sum(len(answer) for _, answer in us.transmits()) <= len(datagram)


def test_hs_15_a_refusal_is_told_once() -> None:
    us = component(A)
    for _ in range(50):
        us.receive(PEER, null_cipher_hello(), 0.0, vouched=True)
    assert len(us.events()) == 1
    assert us.keys() == ((), None)


def test_hs_11_a_record_from_another_path_never_reaches_an_association() -> None:
    site, us, peer = connected(ours=Role.PASSIVE)
    seal = peer.component._associations[0]._sender.seal
    assert seal is not None
    goodbye = seal.seal(Content.ALERT, b"\x01\x00")
    us.receive(goodbye, STRANGER, site.clock.now)
    assert us.happened == [Established(PEER)]
    us.receive(goodbye, PEER, site.clock.now)
    assert len(us.happened) == 2


def test_hs_06_a_flight_cut_into_tiny_shuffled_overlapping_fragments_connects() -> None:
    site, us, peer = pair()
    rng = SeededRng(5)
    network_send = site.network.send

    def shredding(data: bytes, source: Endpoint, to: Endpoint) -> None:
        clear = [each for each in records(data) if each.epoch == 0 and each.content == Content.HANDSHAKE]
        rest = [each.raw for each in records(data) if each not in clear]
        shreds = []
        for each in clear:
            (piece,) = fragments(each.payload)
            if piece.kind == 1:
                rest.append(each.raw)
                continue
            for at in range(0, max(piece.length, 1), 60):
                part = piece.data[at : at + 70]  # 10 octets overlap the next
                shreds.append(fragment(piece.kind, piece.length, piece.sequence, at, part))
        for number in range(len(shreds) - 1, 0, -1):
            other = rng.below(number + 1)
            shreds[number], shreds[other] = shreds[other], shreds[number]
        for number, shred in enumerate(shreds):
            network_send(record(Content.HANDSHAKE, 0, number, shred), source, to)
        for raw in rest:
            network_send(raw, source, to)

    site.network.send = shredding  # type: ignore[method-assign]
    go(us, peer)
    site.run(2.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)


def test_a_hundred_handshakes_at_once() -> None:
    site = Site(weather=Weather(loss=0.05, delay=0.01, jitter=0.05))
    pairs = []
    for number in range(100):
        mine, theirs = identity(1000 + number), identity(2000 + number)
        us = site.end(Endpoint("192.0.2.1", 20000 + number), mine)
        peer = site.end(Endpoint("198.51.100.2", 20000 + number), theirs)
        us.expect(remote(theirs), Role.ACTIVE)
        peer.expect(remote(mine), Role.PASSIVE)
        pairs.append((us, peer))
    for us, peer in pairs:
        go(us, peer)
    site.run(30.0, until=lambda: all(us.verified and peer.verified for us, peer in pairs))
    assert all(same_keys(us.component, peer.component) for us, peer in pairs)
    assert len({us.component.keys()[1] for us, _ in pairs}) == 100
