"""All associations of a component: who is let in, who is believed, and what a description selects."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.component import ICE_PATH
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Closed, Established, Failed, Held, Mismatch, Retired, State
from ngdaemon.srtp.keys import Keys
from tests.dtls.rig import (
    OURS,
    PEER,
    STRANGER,
    A,
    B,
    C,
    End,
    Site,
    component,
    connected,
    go,
    identity,
    pair,
    remote,
    same_keys,
)

NO_KEYS: tuple[tuple[Keys, ...], None] = ((), None)


def settled(site: Site, *ends: End) -> None:
    """Let handshakes end that will end."""
    site.run(2.0)


@pytest.mark.parametrize("ours", Role)
def test_both_ends_get_the_same_keys(ours: Role) -> None:
    site, us, peer = pair(ours=ours)
    go(us, peer)
    settled(site)
    assert same_keys(us.component, peer.component)
    assert us.happened == [Established(PEER)]
    assert peer.happened == [Established(OURS)]
    assert us.component.verified_path == PEER


def test_mod_02_each_component_has_an_association_of_its_own() -> None:
    """HS-14: those of RTP and RTCP are under way at the same time, in either order."""
    site = Site()
    ends = []
    for port in (40001, 40000):
        us, peer = site.end(Endpoint("192.0.2.1", port), A), site.end(Endpoint("198.51.100.2", port), B)
        us.expect(remote(B), Role.ACTIVE)
        peer.expect(remote(A), Role.PASSIVE)
        go(us, peer)
        ends.append((us, peer))
    settled(site)
    assert all(same_keys(us.component, peer.component) for us, peer in ends)
    assert ends[0][0].component.keys()[1] != ends[1][0].component.keys()[1]


def test_set_03_a_hello_is_answered_before_the_answer_comes() -> None:
    site = Site()
    us, peer = site.end(OURS, A), site.end(PEER, B)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    settled(site)
    assert us.component.status().state is State.KEYED
    us.expect(remote(B), Role.PASSIVE)
    assert us.happened == [Held(PEER), Established(PEER)]
    assert same_keys(us.component, peer.component)


def test_fp_10_keys_stay_hidden_until_the_answer_names_the_certificate() -> None:
    site = Site()
    us, peer = site.end(OURS, A), site.end(PEER, B)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    settled(site)
    assert us.component.keys() == NO_KEYS
    assert us.component.held_paths() == {PEER}
    assert us.component.verified_path is None
    us.expect(remote(B), Role.PASSIVE)
    assert us.component.held_paths() == frozenset()
    assert us.component.keys()[1] is not None


def test_fp_10_an_answer_that_names_another_certificate_rejects_a_finished_handshake() -> None:
    site = Site()
    us, peer = site.end(OURS, A), site.end(PEER, C)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    settled(site)
    us.expect(remote(B), Role.PASSIVE)
    assert us.happened == [Held(PEER), Mismatch(PEER, C.fingerprint())]
    assert us.component.keys() == NO_KEYS
    assert us.component.held_paths() == frozenset()
    settled(site)
    assert peer.happened[-1] == Closed(OURS)  # by the fatal alert
    assert peer.component.status().alert == "bad_certificate"


@pytest.mark.parametrize("ours", Role)
def test_fp_11_another_certificate_than_announced_ends_the_handshake(ours: Role) -> None:
    site = Site()
    us, wrong = site.end(OURS, A), site.end(PEER, C)
    us.expect(remote(B), ours)
    wrong.expect(remote(A), ours.other)
    go(us, wrong)
    settled(site)
    assert us.happened == [Mismatch(PEER, C.fingerprint())]
    assert us.component.keys() == NO_KEYS
    assert us.component.status().state is State.REJECTED


@pytest.mark.parametrize("then", ["nothing", "another try"])
def test_fp_14_why_a_handshake_came_to_nothing_is_told_until_one_does_not(then: str) -> None:
    site = Site()
    us, wrong = site.end(OURS, A), site.end(PEER, C)
    us.expect(remote(B), Role.PASSIVE)
    wrong.expect(remote(A), Role.ACTIVE)
    go(us, wrong)
    settled(site)
    assert us.component.status().state is State.REJECTED
    if then == "another try":
        wrong.component.expect(remote(A), Role.ACTIVE, site.clock.now, renew=True)
        wrong.flush()
        site.run(1.0, until=lambda: us.component.status().state is State.HANDSHAKING)
        assert us.component.status().state is State.HANDSHAKING
    assert us.component.status().reason == "the certificate is not the announced one"
    right = site.end(Endpoint("198.51.100.2", 50002), B)
    right.expect(remote(A), Role.ACTIVE)
    right.reach(OURS)
    site.run(1.0, until=lambda: us.verified)
    assert us.component.status().reason == ""


def test_fp_11_the_wrong_client_gets_no_keys_either() -> None:
    """Our Finished is withheld, so that nobody ever talks to a party that was not verified."""
    site = Site()
    us, wrong = site.end(OURS, A), site.end(PEER, C)
    us.expect(remote(B), Role.PASSIVE)
    wrong.expect(remote(A), Role.ACTIVE)
    wrong.reach(OURS)
    settled(site)
    assert wrong.component.keys() == NO_KEYS
    assert wrong.component.status().alert == "bad_certificate?"


def test_fp_11_the_right_peer_connects_after_a_wrong_one() -> None:
    """MBX-10: the port stays open to others."""
    site = Site()
    us, wrong, right = site.end(OURS, A), site.end(STRANGER, C), site.end(PEER, B)
    us.vouched = lambda source: source == PEER
    us.expect(remote(B), Role.PASSIVE)
    for peer in (wrong, right):
        peer.expect(remote(A), Role.ACTIVE)
        peer.reach(OURS)
        settled(site)
    assert us.happened == [Mismatch(STRANGER, C.fingerprint()), Established(PEER)]
    assert same_keys(us.component, right.component)


def test_fp_12_an_answer_of_one_fork_does_not_end_the_handshake_of_another() -> None:
    site = Site()
    us, first, second = site.end(OURS, A), site.end(PEER, B), site.end(STRANGER, C)
    for fork in (first, second):
        fork.expect(remote(A), Role.ACTIVE)
        fork.reach(OURS)
    settled(site)
    us.expect(remote(B, final=False), Role.PASSIVE)
    assert us.component.verified_path == PEER
    assert us.component.held_paths() == {STRANGER}
    us.expect(remote(C), Role.PASSIVE)
    assert us.component.verified_path == STRANGER
    assert same_keys(us.component, second.component)


def test_mod_03_the_answer_selects_among_handshakes_side_by_side() -> None:
    site = Site()
    us = site.end(OURS, A)
    forks = [site.end(Endpoint("198.51.100.9", 7000 + number), identity(10 + number)) for number in range(4)]
    for fork in forks:
        fork.expect(remote(A), Role.ACTIVE)
        fork.reach(OURS)
    settled(site)
    assert us.component.held_paths() == {fork.at for fork in forks}
    chosen = forks[2]
    us.expect(Remote(frozenset({chosen.component._identity.fingerprint()})), Role.PASSIVE)
    assert us.component.verified_path == chosen.at
    assert us.component.held_paths() == frozenset()
    assert same_keys(us.component, chosen.component)


def test_tim_13_of_more_than_four_unfinished_handshakes_the_oldest_goes() -> None:
    site = Site()
    us = component(A)
    clients = [site.end(Endpoint("198.51.100.9", 7000 + number), identity(number)) for number in range(5)]
    for client in clients:
        client.expect(remote(A), Role.ACTIVE)
        client.reach(OURS)
        us.receive(client.at, client.sent[-1][1], site.clock.now, vouched=True)
    assert len(us._associations) == 4
    assert clients[0].at not in {each.path for each in us._associations}


def test_tim_13_who_is_not_vouched_for_never_takes_the_place_of_one_who_is() -> None:
    site = Site()
    us = site.end(OURS, A)
    us.vouched = lambda source: source == PEER
    genuine = site.end(PEER, B)
    genuine.expect(remote(A), Role.ACTIVE)
    genuine.reach(OURS)
    site.network.detach(PEER)  # its handshake stays unfinished
    site.run(0.02)
    for number in range(12):
        crowd = site.end(Endpoint("203.0.113.3", 7000 + number), C)
        crowd.expect(remote(A), Role.ACTIVE)
        crowd.reach(OURS)
        site.run(0.03)  # hello, cookie, hello
        site.network.detach(crowd.at)
    assert PEER in {each.path for each in us.component._associations}


def test_tim_13_a_stranger_is_not_let_in_where_all_places_are_taken_by_vouched_ones() -> None:
    site = Site()
    us = site.end(OURS, A)
    us.vouched = lambda source: source.address == PEER.address
    for number in range(4):
        unfinished = site.end(Endpoint(PEER.address, 7000 + number), B)
        unfinished.expect(remote(A), Role.ACTIVE)
        unfinished.reach(OURS)
        site.run(0.015)
        site.network.detach(unfinished.at)
    stranger = site.end(STRANGER, C)
    stranger.expect(remote(A), Role.ACTIVE)
    stranger.reach(OURS)
    site.run(0.5)
    assert {each.path.address for each in us.component._associations} == {PEER.address}
    assert us.component.held_paths() == frozenset()


def test_a_peer_that_starts_anew_before_it_finished_has_one_handshake() -> None:
    site, us, peer = pair(ours=Role.PASSIVE)
    peer.reach(OURS)
    site.network.detach(PEER)
    site.run(0.03)  # our answer finds nobody
    again = site.end(PEER, B)
    again.expect(remote(A), Role.ACTIVE)
    again.reach(OURS)
    site.run(0.035)
    assert len(us.component._associations) == 1
    site.run(1.0)
    assert same_keys(us.component, again.component)


def test_hs_09_a_stranger_must_show_a_cookie() -> None:
    site, us, peer = pair(ours=Role.PASSIVE)
    us.vouched = lambda source: False
    peer.reach(OURS)
    settled(site)
    first_answer = us.sent[0][1]
    assert first_answer[13] == 3  # HelloVerifyRequest
    assert same_keys(us.component, peer.component)


def test_hs_09_a_vouched_source_need_not() -> None:
    site, us, peer = pair(ours=Role.PASSIVE)
    peer.reach(OURS)
    settled(site)
    assert us.sent[0][1][13] == 2  # ServerHello
    assert same_keys(us.component, peer.component)


def test_hs_12_the_client_starts_when_it_has_a_description_and_a_path() -> None:
    for described_first in (True, False):
        us = component(A)
        for step in (described_first, not described_first):
            assert us.transmits() == []
            if step:
                us.expect(remote(B), Role.ACTIVE, 0.0)
            else:
                us.reach(PEER, 0.0)
        assert [path for path, _ in us.transmits()] == [PEER]


def test_hs_12_a_client_whose_peer_moves_before_it_answers_starts_anew_there() -> None:
    us = component(A)
    us.expect(remote(B), Role.ACTIVE, 0.0)
    us.reach(STRANGER, 0.0)
    us.reach(PEER, 0.1)
    us.reach(PEER, 0.2)
    assert [path for path, _ in us.transmits()] == [STRANGER, PEER]


@pytest.mark.parametrize(("round_trip", "wait"), [(0.1, 0.15), (0.5, 0.75), (0.001, 0.05)])
def test_tim_02_a_known_round_trip_time_sets_the_first_wait(round_trip: float, wait: float) -> None:
    us = component(A)
    us.measured(round_trip)
    us.expect(remote(B), Role.ACTIVE, 0.0)
    us.reach(PEER, 0.0)
    assert us.next_timeout() == pytest.approx(wait)


def test_hs_13_all_pairs_of_ice_are_one_path() -> None:
    us, peer = component(A), component(B)
    us.expect(remote(B), Role.ACTIVE, 0.0)
    peer.expect(remote(A), Role.PASSIVE, 0.0)
    us.reach(ICE_PATH, 0.0)
    for _ in range(4):
        for end, other in ((us, peer), (peer, us)):
            for path, datagram in end.transmits():
                assert path == ICE_PATH
                other.receive(ICE_PATH, datagram, 0.0, vouched=True)
    assert same_keys(us, peer)


def test_hs_17_a_deleted_call_says_goodbye_once() -> None:
    site, us, peer = connected()
    before = len(us.sent)
    us.close()
    us.close()
    assert len(us.sent) == before + 1
    settled(site)
    assert peer.happened[-1] == Closed(OURS)
    assert us.component.keys() == NO_KEYS
    assert us.component.next_timeout() is None


def test_hs_16_a_close_notify_ends_sending_and_is_reported() -> None:
    site, us, peer = connected()
    peer.close()
    settled(site)
    assert us.happened == [Established(PEER), Closed(PEER)]
    assert us.component.keys() == NO_KEYS
    assert us.component.status().state is State.CLOSED


def test_hs_20_a_forged_hello_from_the_peers_own_address_changes_nothing() -> None:
    site, us, peer = connected(ours=Role.PASSIVE)
    keys = us.component.keys()
    forger = component(C)
    forger.expect(remote(A), Role.ACTIVE, 0.0)
    forger.reach(OURS, 0.0)
    (_, hello), *_ = forger.transmits()
    before = len(us.sent)
    for _ in range(100):
        us.receive(hello, PEER, site.clock.now)
    assert us.component.keys() == keys
    assert len(us.component._associations) == 1
    assert sum(len(datagram) for _, datagram in us.sent[before:]) <= 100 * len(hello)
    settled(site)
    assert us.happened == [Established(PEER)]
    assert same_keys(us.component, peer.component)


def test_hs_20_a_peer_that_starts_anew_on_its_path_takes_over_when_it_is_verified() -> None:
    site, us, _ = connected(ours=Role.PASSIVE)
    old = us.component.keys()
    again = site.end(PEER, B)  # the same party after a restart
    again.expect(remote(A), Role.ACTIVE)
    again.reach(OURS)
    site.run(0.035)  # hello, cookie, hello: under way
    assert us.component.keys() == old
    settled(site)
    assert same_keys(us.component, again.component)
    assert us.component.keys()[0][1] == old[0][0]  # what is still under way can be read


def test_hs_20_a_party_with_another_certificate_does_not_take_over() -> None:
    site, us, _ = connected(ours=Role.PASSIVE)
    old = us.component.keys()
    other = site.end(PEER, C)
    other.expect(remote(A), Role.ACTIVE)
    other.reach(OURS)
    settled(site)
    assert us.component.keys() == old
    assert us.happened == [Established(PEER), Mismatch(PEER, C.fingerprint())]


@pytest.mark.parametrize("ours", Role)
def test_tid_06_a_renewal_sends_on_the_old_association_until_the_new_one_is_verified(ours: Role) -> None:
    site, us, peer = connected(ours=ours)
    (old_receive,), old_send = us.component.keys()
    us.expect(remote(B, tls_id="b" * 20), ours)
    peer.expect(remote(A, tls_id="a" * 20), ours.other)
    assert us.component.keys() == ((old_receive,), old_send)
    assert us.component.verified_path == PEER
    site.run(1.0, until=lambda: len(us.component.keys()[0]) == 2)
    receive, send = us.component.keys()
    assert receive[1] == old_receive
    assert receive[0] != old_receive
    assert send != old_send
    site.run(1.0, until=lambda: len(peer.component.keys()[0]) == 2)
    assert same_keys(us.component, peer.component)
    site.run(5.5)
    assert len(us.component.keys()[0]) == 1  # TIM-09
    assert same_keys(us.component, peer.component)
    assert us.happened == [Established(PEER), Established(PEER), Retired(PEER)]


def test_tid_06_a_renewal_that_fails_ends_the_old_association_too() -> None:
    site, us, _ = connected()
    site.network.detach(PEER)
    us.expect(remote(B, tls_id="b" * 20), Role.ACTIVE)
    site.run(31.0)
    assert us.happened[1:] == [Retired(PEER), Failed(PEER, "timeout")]
    assert us.component.keys() == NO_KEYS


def test_tid_02_the_same_description_again_changes_nothing() -> None:
    site, us, _ = connected()
    keys, sent = us.component.keys(), len(us.sent)
    us.expect(remote(B), Role.ACTIVE)
    us.reach(PEER)
    settled(site)
    assert us.component.keys() == keys
    assert len(us.sent) == sent


@pytest.mark.parametrize(
    ("whose", "role", "renew"),
    [
        (remote(B, tls_id="x" * 20), Role.ACTIVE, False),
        (remote(C), Role.ACTIVE, False),
        (Remote(frozenset({B.fingerprint(), C.fingerprint()})), Role.ACTIVE, False),
        (remote(B), Role.PASSIVE, False),
        (remote(B), Role.ACTIVE, True),
    ],
    ids=["tls-id", "certificate", "set", "role", "transport"],
)
def test_tid_02_what_asks_for_another_association(whose: Remote, role: Role, renew: bool) -> None:
    _, us, _ = connected()
    us.expect(whose, role, renew)
    assert us.component._associations[0].state is State.DRAINING


@pytest.mark.parametrize("known", [B, C], ids=["answer follows", "another answer follows"])
def test_fp_12_a_peer_may_begin_anew_before_it_answers_our_later_offer(known: Identity) -> None:
    """Its certificate is a new one; with `final` off nobody takes it for an impostor before the answer is there."""
    site, us, _ = connected(ours=Role.PASSIVE)
    us.expect(remote(B, final=False), Role.PASSIVE)
    old = us.component.keys()
    renewed = site.end(PEER, C)
    renewed.expect(remote(A), Role.ACTIVE)
    renewed.reach(OURS)
    settled(site)
    assert us.component.keys() == old
    assert us.component.held_paths() == {PEER}
    us.expect(remote(known, tls_id="n" * 20), Role.PASSIVE)
    assert same_keys(us.component, renewed.component) is (known is C)


def test_a_client_pays_no_heed_to_hellos() -> None:
    site, us, _ = connected()
    other = component(C)
    other.expect(remote(A), Role.ACTIVE, 0.0)
    other.reach(OURS, 0.0)
    before = len(us.sent)
    for _, hello in other.transmits():
        us.receive(hello, PEER, site.clock.now)
    assert len(us.sent) == before
    assert us.component.status().dropped == 1


def test_tim_03_a_handshake_that_leads_nowhere_ends_after_thirty_seconds() -> None:
    site, us, _ = pair()
    site.network.detach(PEER)
    us.reach(PEER)
    site.run(29.9)
    assert us.happened == []
    site.run(0.2)
    assert us.happened == [Failed(PEER, "timeout")]
    assert us.component.status().state is State.FAILED
    assert us.component.next_timeout() is None


def test_mod_04_a_finished_handshake_that_nobody_asks_for_is_dropped_in_the_end() -> None:
    site = Site()
    us, peer = site.end(OURS, A, Policy(hold=3.0)), site.end(PEER, B)
    peer.expect(remote(A), Role.ACTIVE)
    peer.reach(OURS)
    site.run(1.0)
    assert us.component.held_paths() == {PEER}
    site.run(3.0)
    assert us.component.held_paths() == frozenset()
    assert us.component.status().state is State.REJECTED
    us.expect(remote(B), Role.PASSIVE)
    assert us.component.keys() == NO_KEYS


def test_held_handshakes_are_bounded() -> None:
    site = Site()
    us = site.end(OURS, A, Policy(held=2))
    for number in range(4):
        peer = site.end(Endpoint("198.51.100.9", 7000 + number), B)
        peer.expect(remote(A), Role.ACTIVE)
        peer.reach(OURS)
        site.run(0.5)
    assert us.component.held_paths() == {Endpoint("198.51.100.9", 7002), Endpoint("198.51.100.9", 7003)}


def test_fp_14_what_there_is_to_tell() -> None:
    site, us, _ = pair()
    before = us.component.status()
    assert (before.state, before.seen, before.profile, before.verify_seconds) == (State.NEW, "", "", None)
    assert before.hash == "sha-256"
    us.reach(PEER)
    settled(site)
    status = us.component.status()
    assert status.state is State.VERIFIED
    assert status.role is Role.ACTIVE
    assert status.expected == (B.fingerprint().text(),)
    assert status.seen == B.fingerprint().text()
    assert status.profile == "AEAD_AES_256_GCM"
    assert status.verify_seconds == pytest.approx(0.04)
    assert (status.received, status.sent, status.dropped) == (2, 2, 0)


def test_key_07_no_key_is_ever_shown() -> None:
    _, us, _ = connected()
    receive, send = us.component.keys()
    assert send is not None
    shown = " ".join(
        map(repr, (us.component.status(), us.happened, receive, send, us.component.keys(), A, vars(us.component)))
    )
    for keys in (*receive, send):
        for secret in (keys.key, keys.salt):
            assert secret.hex() not in shown
            assert repr(secret)[2:-1] not in shown


def test_no_datagram_makes_a_component_raise() -> None:
    us = component(A)
    for first in range(256):
        for length in (0, 1, 12, 13, 14, 40, 200):
            us.receive(STRANGER, (bytes((first, 0xFE, 0xFD)) * 70)[:length], 0.0, vouched=True)
    assert us.keys() == NO_KEYS
    assert us.transmits() == []
