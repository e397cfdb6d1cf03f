"""How often a stranger may begin a handshake."""

from ngdaemon.dtls.admission import MAX_ADDRESSES, STARTS, WINDOW, Admission
from ngdaemon.dtls.hello import read_opening
from ngdaemon.dtls.records import Content, record, whole
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Established, Mismatch
from tests.dtls.rig import COOKIES, OURS, PEER, STRANGER, A, B, C, Site, component, remote, same_keys
from tests.dtls.test_hello import hello


def test_an_address_begins_so_often_in_a_window() -> None:
    admission = Admission()
    assert [admission.permits("a", 0.1 * at) for at in range(STARTS + 2)] == [True] * STARTS + [False] * 2
    assert admission.permits("b", 1.0)
    assert admission.permits("a", WINDOW)


def test_what_is_remembered_is_bounded() -> None:
    admission = Admission()
    for number in range(1000):
        admission.permits(str(number), 0.0)
    assert len(admission._begun) == MAX_ADDRESSES


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
