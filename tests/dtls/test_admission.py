"""How often a stranger may begin a handshake."""

import pytest

from ngdaemon.dtls.admission import FURTHER_STARTS, MAX_NETWORKS, STARTS, WINDOW, Admission
from ngdaemon.dtls.hello import read_opening
from ngdaemon.dtls.records import Content, record, whole
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Established, Failed, Mismatch
from tests.dtls.rig import COOKIES, OURS, PEER, STRANGER, A, B, C, Site, component, pair, remote, same_keys
from tests.dtls.test_hello import hello


def test_hs_09_an_address_begins_so_often_in_a_window() -> None:
    admission = Admission()
    assert [admission.permits("192.0.2.1", 0.1 * at) for at in range(STARTS + 2)] == [True] * STARTS + [False] * 2
    assert admission.permits("192.0.2.2", 1.0)
    assert admission.permits("192.0.2.1", WINDOW)


@pytest.mark.parametrize(
    ("addresses", "most"),
    [
        ([f"2001:db8:0:1::{number:x}" for number in range(1000)], STARTS),
        ([f"192.0.2.{number}" for number in range(65)], 65 + FURTHER_STARTS),
        ([f"2001:db8:0:{number:x}::1" for number in range(5000)], MAX_NETWORKS + FURTHER_STARTS),
        ([f"10.0.{number // 250}.{number % 250}" for number in range(5000)], MAX_NETWORKS + FURTHER_STARTS),
    ],
    ids=["one IPv6 network", "some addresses", "many IPv6 networks", "many addresses"],
)
def test_s21_hs_09_whoever_has_many_addresses_begins_no_more_handshakes(addresses: list[str], most: int) -> None:
    admission = Admission()
    permitted = sum(admission.permits(addresses[at % len(addresses)], at * 0.0001) for at in range(10_000))
    assert permitted == most
    assert len(admission._begun) <= MAX_NETWORKS
    assert admission.permits("198.51.100.1", 1.0 + WINDOW), "it is never over"


def test_s04_who_begins_for_the_first_time_is_not_kept_out_by_those_who_do_again_and_again() -> None:
    """HS-09: strangers at 60 addresses use up whatever more than once a window there is."""
    admission = Admission()
    for at in range(10_000):
        admission.permits(f"192.0.2.{at % 60}", at * 0.0001)
    assert admission.permits("198.51.100.1", 1.0)


def test_s04_a_stranger_that_connects_again_and_again_does_not_keep_the_peer_out() -> None:
    """It passes the cookie each time, and has the wrong certificate each time."""
    site = Site()
    us = site.end(OURS, A)
    us.vouched = lambda _: False
    us.expect(remote(B), Role.PASSIVE)
    for number in range(3 * STARTS):
        stranger = site.end(STRANGER._replace(port=1000 + number), C)
        stranger.expect(remote(A), Role.ACTIVE)
        stranger.reach(OURS)
        site.run(0.06)
    assert sum(isinstance(event, Mismatch) for event in us.happened) == STARTS
    peer = site.end(PEER, B)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    site.run(1.0)
    assert us.happened[-1] == Established(PEER)
    assert same_keys(us.component, peer.component)


def test_s06_refused_strangers_are_told_of_a_few_times_only() -> None:
    us = component(A)
    for number in range(1000):
        source = STRANGER._replace(port=number)
        opening = read_opening(hello(suites=b"\0\0"))
        assert opening is not None
        body = hello(suites=b"\0\0", cookie=COOKIES.make(source, opening, 0.0))
        us.receive(source, record(Content.HANDSHAKE, 0, 1, whole(1, 1, body)), 0.0)
    assert len(us.events()) == len(us.transmits()) == STARTS


BAD_HELLOS = {
    "refused by us, for two reasons in turn": lambda number: (
        hello(random=number.to_bytes(32), suites=b"\0\0") if number % 2 else hello(extensions=b"")
    ),
    "refused by OpenSSL": lambda number: hello(random=number.to_bytes(32)),
}


@pytest.mark.parametrize("kind", BAD_HELLOS)
def test_s06_hs_09_after_a_hello_in_vain_those_from_the_peers_address_need_a_cookie(kind: str) -> None:
    """S04, S21: somebody forges the source that is vouched for. It costs no handshakes, and the peer gets in."""
    site, us, peer = pair(ours=Role.PASSIVE)
    got = sent = 0
    for number in range(1000):
        datagram = record(Content.HANDSHAKE, 0, 0, whole(1, 0, BAD_HELLOS[kind](number)))
        us.component.receive(PEER, datagram, site.clock.now, vouched=True)
        got += len(datagram)
        sent += sum(len(answer) for _, answer in us.component.transmits())
        us.happened += us.component.events()
    assert [type(event) for event in us.happened] == [Failed]
    assert us.component._associations == []
    assert sent <= got
    peer.reach(OURS)
    site.run(1.0, until=lambda: us.verified and peer.verified)
    assert same_keys(us.component, peer.component)


def test_s06_a_peer_that_fails_again_and_again_begins_so_often_in_a_window() -> None:
    """HS-09: the one at the address that is vouched for, which answers each cookie."""
    us = component(A)
    for number in range(1000):
        body = hello(random=number.to_bytes(32), suites=b"\0\0")
        opening = read_opening(body)
        assert opening is not None
        us.receive(PEER, record(Content.HANDSHAKE, 0, 0, whole(1, 0, body)), 0.0, vouched=True)
        cookie = COOKIES.make(PEER, opening.of_anyone(), 0.0)
        body = hello(random=number.to_bytes(32), suites=b"\0\0", cookie=cookie)
        us.receive(PEER, record(Content.HANDSHAKE, 0, 1, whole(1, 1, body)), 0.0, vouched=True)
    assert len(us.events()) == 1 + STARTS
