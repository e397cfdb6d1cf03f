"""A secured leg without ICE: who may shake hands, where media goes, and what strangers can do about it."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.dtls.roles import Role
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.plan import Hold, Learning
from tests.support.peer import TO_PLAIN, Peer, Site, call_from_phone, call_to_phone
from tests.support.sdp import audio

PEER, MOVED = Endpoint("198.51.100.1", 50000), Endpoint("198.51.100.1", 51000)
NAT = Endpoint("198.51.100.99", 61000)
STRANGER = Endpoint("203.0.113.3", 6666)
PHONE = audio("198.51.100.2", 4000)
BARE = bytes.fromhex("000100002112a442") + bytes(12)
TLS_ID = "x" * 32

SECURED: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVP",
    "ICE": "remove",
    "SDES": "off",
    "rtcp_mux": ["offer"],
}


def is_dtls(data: bytes) -> bool:
    return 20 <= data[0] < 64


def hellos(site: Site) -> list[Endpoint]:
    """Where the daemon sent hellos."""
    return [to for _, data, to in site.sent if data[0] == 22 and data[13] == 1]


def up(role: Role = Role.ACTIVE, **of_peer: Any) -> tuple[Site, Peer]:
    """A call from a secured peer to a phone that is up. `role` is the peer's."""
    site = Site()
    peer = Peer(site, PEER, ice=False, **of_peer)
    setup = "active" if role is Role.ACTIVE else "passive"
    site.daemon.offer(peer.describe(setup), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    assert site.run(3.0, until=lambda: site.is_open(peer))
    return site, peer


def reoffer(site: Site, peer: Peer, setup: str = "actpass", **keys: Any) -> None:
    """A re-INVITE of the peer, answered."""
    site.daemon.offer(peer.describe(setup), to_tag="b", **{**TO_PLAIN, **keys})
    peer.hear(site.daemon.answer(PHONE))


@pytest.mark.parametrize("role", Role)
def test_a_peer_without_ice_gets_keys_and_is_sent_to_where_it_signalled(role: Role) -> None:
    """HS-12, MBX-03, FP-10: our hello leaves whatever becomes of STUN."""
    site, peer = up(role)
    assert site.facing(peer).signalled == PEER
    assert hellos(site) == ([PEER] if role is Role.PASSIVE else [])


def test_a_peer_behind_a_nat_is_sent_to_where_it_shook_hands() -> None:
    """MBX-04: a verified handshake is what moves the destination."""
    site = Site()
    peer = Peer(site, NAT, ice=False)
    hidden = peer.describe("active").replace(NAT.address, "10.0.0.5").replace(str(NAT.port), "5000")
    site.daemon.offer(hidden, **TO_PLAIN)
    told = site.daemon.answer(PHONE)
    peer.hear(told)
    assert site.facing(peer).signalled == Endpoint("10.0.0.5", 5000)
    assert site.run(3.0, until=lambda: site.is_open(peer))
    assert site.facing(peer).signalled == NAT
    assert next(data[13] for data in site.sent_to(NAT) if data[0] == 22) == 3  # a cookie was asked for


def test_only_the_signalled_endpoint_needs_no_cookie() -> None:
    """HS-09: neither another host, nor another port of that host."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    site.daemon.offer(peer.describe("active"), **TO_PLAIN)
    told = site.daemon.answer(PHONE)
    for place in (MOVED, STRANGER):
        other = Peer(site, place, ice=False, seed=9)
        other.hear(told)
        site.run(0.1)
        assert site.sent_to(place)[0][13] == 3
        other.mute = True
    peer.hear(told)
    site.run(0.1)
    assert site.sent_to(PEER)[-1][13] != 3


def test_a_thousand_hellos_of_strangers_get_no_more_than_cookies() -> None:
    """HS-09, S21: less goes out than comes in, and nothing is kept."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    site.daemon.offer(peer.describe("active"), **TO_PLAIN)
    told = site.daemon.answer(PHONE)
    stranger = Peer(site, STRANGER, ice=False, seed=9)
    stranger.hear(told)
    hello = stranger.datagrams[-1][0]
    stranger.mute = True
    for number in range(1000):
        site.network.send(hello, Endpoint(STRANGER.address, 7000 + number), stranger.told[RTP])
    sent = len(site.sent)
    site.run(1.0)
    assert sum(len(data) for _, data, _ in site.sent[sent:]) <= 1000 * len(hello)
    peer.hear(told)
    assert site.run(1.0, until=lambda: site.is_open(peer))


def test_a_passive_end_opens_the_way_with_one_stun_request() -> None:
    """MBX-01: exactly one, from the port of the handshake, whose answer nobody waits for."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    site.daemon.offer(peer.describe("active"), **TO_PLAIN)
    site.daemon.answer(PHONE)
    site.run(5.0)
    requests = [data for data in site.sent_to(PEER) if stun.is_bare_request(data)]
    assert len(requests) == 1
    reoffer(site, peer, "active")
    assert site.run(1.0, until=lambda: site.is_open(peer))
    assert [data for data in site.sent_to(PEER) if stun.is_bare_request(data)] == requests


def test_an_active_end_and_one_that_is_verified_already_open_no_way() -> None:
    """MBX-01, MBX-03."""
    site, _ = up(Role.PASSIVE)
    assert not [data for data in site.sent_to(PEER) if stun.is_bare_request(data)]
    early = Site()
    phone = Peer(early, PEER, ice=False)
    phone.hear(early.daemon.offer(PHONE, **SECURED))
    assert early.run(1.0, until=lambda: phone.verified())
    early.daemon.answer(phone.answer())
    early.run(1.0)
    assert early.is_open(phone)
    assert not [data for data in early.sent_to(PEER) if stun.is_bare_request(data)]


def test_a_stun_request_without_credentials_is_answered_but_not_too_often() -> None:
    """MBX-02: 32 octets; strangers do not use up what is for the peer."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    told = site.daemon.offer(PHONE, **SECURED)
    peer.hear(told)
    site.daemon.answer(peer.answer())
    for number in range(100):
        site.network.send(BARE, Endpoint(STRANGER.address, 7000 + number), peer.told[RTP])
    site.network.send(BARE, PEER, peer.told[RTP])
    site.run(0.1)
    answers = [data for _, data, to in site.sent if data[:2] == b"\x01\x01" and to.address == STRANGER.address]
    assert 0 < len(answers) <= 10
    mine = [data for data in site.sent_to(PEER) if data[:2] == b"\x01\x01"]
    assert [len(data) for data in mine] == [32]
    parsed = stun.parse(mine[0])
    assert parsed is not None
    assert parsed.mapped == PEER


def test_datagrams_in_the_peers_name_at_another_port_of_ours_move_nothing() -> None:
    """HS-11, MBX-04, S01: the way to a verified peer is that of its handshake."""
    site, peer = up(mux=False)
    assert site.run(2.0, until=lambda: site.is_open(peer, RTCP))
    before = site.plan().sockets
    hello = next(data for data, _, _ in peer.datagrams if data[0] == 22)
    for data in (hello, b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", b"\x17" + bytes(40)):
        site.network.send(data, PEER, peer.told[RTCP])
        site.network.send(data, Endpoint(PEER.address, PEER.port + 1), peer.told[RTP])
    site.run(1.0)
    assert site.plan().sockets == before


def test_strangers_in_number_do_not_make_the_way_to_a_peer_behind_a_nat_forgotten() -> None:
    """HS-11, MBX-05."""
    site = Site()
    peer = Peer(site, NAT, ice=False)
    site.daemon.offer(peer.describe("active").replace(NAT.address, "10.0.0.5"), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    assert site.run(3.0, until=lambda: site.is_open(peer))
    before = site.plan().sockets
    for number in range(200):
        site.network.send(b"\x16\xfe\xfd" + bytes(30), Endpoint(STRANGER.address, 7000 + number), peer.told[RTP])
    site.run(1.0)
    reoffer(site, peer, "active", replace=["origin"])
    assert [item.signalled for item in site.plan().sockets][:1] == [item.signalled for item in before][:1]


def test_a_hello_in_the_peers_name_in_the_middle_of_a_call_changes_nothing() -> None:
    """HS-20, HS-11, MBX-10: it needs a cookie, and the live association goes on."""
    site, peer = up()
    before = site.plan()
    forger = Peer(site, STRANGER, ice=False, seed=9)
    forger.hear(peer.heard)
    hello = next(data for data, _, _ in forger.datagrams if data[0] == 22 and data[13] == 1)
    forger.mute = True
    site.run(0.1)
    for _ in range(5):
        site.network.send(hello, PEER, peer.told[RTP])
        site.run(0.2)
    assert site.is_open(peer)
    assert site.facing(peer).protection == before.sockets[0].protection


def test_forged_alerts_do_not_disturb_a_handshake() -> None:
    """HS-11: what is not authentic is noted, not obeyed."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    fatal = b"\x15\xfe\xfd\x00\x00" + bytes(5) + b"\x09\x00\x02\x02\x28"
    call_to_phone(site, peer, PHONE)
    for _ in range(20):
        site.network.send(fatal, PEER, peer.told[RTP])
        site.run(0.003)
    assert site.run(3.0, until=lambda: site.is_open(peer))


def test_after_verification_nothing_but_an_exchange_moves_the_destination() -> None:
    """MBX-05: another handshake from a third place is refused, and learning stays within what is plausible."""
    site, peer = up()
    before = site.facing(peer)
    other = Peer(site, STRANGER, ice=False, seed=9)
    other.hear(peer.heard)
    site.run(2.0)
    assert not other.verified()
    assert site.facing(peer).signalled == PEER
    assert site.facing(peer).latch.plausible == before.latch.plausible == frozenset((PEER.address,))
    assert site.facing(peer).latch.learning is Learning.HEURISTIC


@pytest.mark.parametrize("role", Role)
def test_another_fingerprint_in_a_reoffer_is_sent_with_the_old_keys_until_it_is_verified(role: Role) -> None:
    """TID-06, TID-02, MOD-04: no gap; afterwards both are received with for a while."""
    site, peer = up(role)
    before = site.protection(peer)
    peer.renew_desks(seed=4)
    peer.mute = True
    text = peer.describe("active" if role is Role.ACTIVE else "passive")
    site.daemon.offer(text, to_tag="b", **TO_PLAIN)
    told = site.daemon.answer(PHONE)
    assert site.protection(peer) == before
    site.run(1.0)
    assert site.protection(peer) == before
    peer.mute = False
    peer.hear(told)
    assert site.run(4.0, until=lambda: site.is_open(peer) and peer.verified())
    after = site.protection(peer)
    assert after.send not in (None, before.send)
    assert after.receive[1:] == before.receive
    site.run(10.0)
    assert site.protection(peer).receive == after.receive[:1]


def test_a_reoffer_with_another_fingerprint_that_never_comes_leaves_no_keys_in_the_end() -> None:
    """TID-06, FP-13: the old association does not outlive what was agreed on."""
    site, peer = up()
    peer.claims = Peer(site, STRANGER, ice=False, seed=9).identity
    peer.mute = True
    reoffer(site, peer, "active")
    assert site.run(60.0, until=lambda: site.is_shut(peer))


@pytest.mark.parametrize("tls_id", ["", TLS_ID], ids=["no tls-id", "tls-id"])
def test_a_hold_keeps_the_association(tls_id: str) -> None:
    """TID-02, SET-01, MOD-01: nothing about it has changed."""
    site, peer = up(tls_id=tls_id)
    before, sent = site.protection(peer), len([1 for _, data, _ in site.sent if is_dtls(data)])
    site.daemon.offer(peer.describe("actpass", "a=sendonly"), to_tag="b", **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE + "a=recvonly\r\n"))
    site.run(3.0)
    assert site.protection(peer) == before
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == sent


def test_what_the_far_leg_does_leaves_the_association_alone() -> None:
    """TID-08, MOD-01: it is put on hold, comes back, and forks."""
    site, peer = up(tls_id=TLS_ID)
    before, sent = site.protection(peer), len([1 for _, data, _ in site.sent if is_dtls(data)])
    for direction in ("a=sendonly", "a=sendrecv"):
        text = site.daemon.offer(PHONE + direction + "\r\n", from_tag="b", to_tag="a", **SECURED)
        peer.hear(text)
        site.daemon.answer(peer.answer(), from_tag="b", to_tag="a")
    site.run(3.0)
    assert site.protection(peer) == before
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == sent


def test_a_peer_with_a_tls_id_that_moves_takes_its_association_along() -> None:
    """TID-05, TID-02: media goes to the new address, with the keys that there are."""
    site, peer = up(tls_id=TLS_ID)
    before, sent = site.protection(peer), len([1 for _, data, _ in site.sent if is_dtls(data)])
    text = peer.describe().replace(f"m=audio {PEER.port}", f"m=audio {MOVED.port}")
    site.daemon.offer(text, to_tag="b", **TO_PLAIN)
    site.daemon.answer(PHONE)
    site.run(1.0)
    assert site.facing(peer).signalled == MOVED
    assert site.protection(peer) == before
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == sent


def test_a_peer_without_tls_id_that_moves_gets_another_association() -> None:
    """TID-02, TID-06: old keys until it is verified."""
    site, peer = up(Role.PASSIVE)
    before = site.protection(peer)
    peer.bases.clear()
    peer.open(MOVED)
    peer.renew_desks()
    reoffer(site, peer, "passive")
    assert site.protection(peer) == before
    assert site.run(3.0, until=lambda: site.is_open(peer))
    assert site.protection(peer).send != before.send
    assert site.facing(peer).signalled == MOVED
    assert hellos(site)[-1] == MOVED


def test_what_is_only_offered_moves_no_association() -> None:
    """TID-02, SDES-10: a re-INVITE of a peer that moves may be refused yet."""
    site, _ = up(Role.PASSIVE)
    sent = len(hellos(site))
    peer = site.peers[0]
    moving = peer.describe().replace(f"m=audio {PEER.port}", f"m=audio {MOVED.port}")
    before = site.protection(peer)
    site.daemon.offer(moving, to_tag="b", **TO_PLAIN)
    site.run(2.0)
    assert len(hellos(site)) == sent
    assert site.protection(peer) == before
    site.daemon.answer(PHONE)
    site.run(0.5)
    assert hellos(site)[sent] == MOVED


def test_a_peer_behind_a_nat_that_shakes_hands_at_another_port_of_ours_is_sent_to_from_there() -> None:
    """TID-05, MBX-04: the way is that of the association in force."""
    site = Site()
    peer = Peer(site, NAT, ice=False)

    def hidden(text: str) -> str:
        return text.replace(NAT.address, "10.0.0.5").replace(f"m=audio {NAT.port}", "m=audio 5000")

    site.daemon.offer(hidden(peer.describe("active")), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    assert site.run(3.0, until=lambda: site.is_open(peer))
    old = site.facing(peer).id
    text = site.daemon.offer(audio("198.51.100.9", 4444), from_tag="b", to_tag="a", **SECURED)
    peer.renew_desks(seed=3)
    peer.hear(text)
    site.daemon.answer(hidden(peer.answer()), from_tag="b", to_tag="a")
    assert site.run(3.0, until=lambda: site.is_open(peer))
    assert site.facing(peer).id != old
    assert site.facing(peer).signalled == NAT


def test_who_is_held_until_the_answer_is_who_has_shaken_hands() -> None:
    """MBX-06, HS-10: media of nobody else waits; where SDES may be chosen it cannot be known whose it is."""
    site = Site()
    peer = Peer(site, NAT, ice=False, controlling=False)
    peer.hear(site.daemon.offer(PHONE, **SECURED))
    assert site.protection(peer).hold == Hold(frozenset())
    assert site.run(2.0, until=peer.verified)
    assert site.protection(peer).hold == Hold(frozenset((NAT,)))
    plausible = site.facing(peer).latch.plausible
    assert plausible is not None
    assert NAT.address in plausible
    either = Site()
    phone = Peer(either, PEER, ice=False, controlling=False)
    phone.hear(either.daemon.offer(PHONE, **{**SECURED, "SDES": None}))
    assert either.protection(phone).hold == Hold(None)


def test_a_handshake_is_a_sign_of_life() -> None:
    """GATE-03: unlike datagrams that prove nothing."""
    site = Site(timeout=10, silent_timeout=10, offer_timeout=10)
    peer = Peer(site, PEER, ice=False)
    site.daemon.offer(peer.describe("active"), **TO_PLAIN)
    told = site.daemon.answer(PHONE)
    site.run(8.0)
    peer.hear(told)
    site.run(8.0)
    assert site.daemon.calls() == ["call"]
    site.run(8.0)
    assert site.daemon.calls() == []


def test_a_leg_that_is_told_other_ports_is_sent_to_from_them() -> None:
    """TID-05, SET-03: the far side moves, so that a leg without ICE gets new ports."""
    site, peer = up(tls_id=TLS_ID)
    old = peer.told[RTP]
    far = audio("198.51.100.9", 4444)
    text = site.daemon.offer(far, from_tag="b", to_tag="a", **SECURED)
    peer.hear(text)
    site.daemon.answer(peer.answer(), from_tag="b", to_tag="a")
    assert peer.told[RTP] != old
    site.run(1.0)
    assert site.facing(peer).signalled == PEER
    assert site.protection(peer).send is not None
    sink = site.facing(peer).id
    assert sink in {route.sink for route in site.plan().routes}


def test_a_good_bye_of_the_peer_ends_sending_but_not_the_call() -> None:
    """HS-16, CONS-02: and a re-INVITE of the far leg does not begin another handshake."""
    site, peer = up(Role.PASSIVE)
    peer.close()
    assert site.run(0.1, until=lambda: site.is_shut(peer))
    sent = len(hellos(site))
    site.daemon.offer(PHONE + "a=sendonly\r\n", from_tag="b", to_tag="a", **SECURED)
    site.run(2.0)
    assert site.is_shut(peer)
    assert len(hellos(site)) == sent
    assert site.daemon.calls() == ["call"]


def test_rtp_and_rtcp_apart_shake_hands_at_their_own_ports() -> None:
    """MOD-02, HS-14, MUX-07."""
    site = Site()
    peer = Peer(site, PEER, ice=False, mux=False, answers=Role.PASSIVE)
    call_from_phone(site, peer, PHONE, **{**SECURED, "rtcp_mux": ["demux"]})
    assert site.run(3.0, until=lambda: site.is_open(peer, RTP) and site.is_open(peer, RTCP))
    assert set(hellos(site)) == {PEER, Endpoint(PEER.address, PEER.port + 1)}
    assert site.protection(peer, RTP).send != site.protection(peer, RTCP).send
    assert site.facing(peer, RTCP).signalled == Endpoint(PEER.address, PEER.port + 1)


def test_a_handshake_that_is_blocked_is_over_in_time_and_the_gate_stays_shut(caplog: pytest.LogCaptureFixture) -> None:
    """MBX-11, OSR-02, MBX-07: it is said in the log, with what was sent and received."""
    site = Site()
    peer = Peer(site, PEER, ice=False)
    peer.mute = True
    site.daemon.offer(peer.describe("passive"), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    site.run(31.0)
    assert site.is_shut(peer)
    assert "DTLS failed with 198.51.100.1:50000: timeout" in caplog.text
    assert "0 received" in caplog.text


def test_a_peer_that_begins_anew_is_taken_when_it_is_verified() -> None:
    """HS-20: the live association carries media until then."""
    site, peer = up()
    before, start = site.protection(peer), len(site.plans())
    peer.renew_desks()
    peer.hear(peer.heard)
    assert site.run(3.0, until=peer.verified)
    assert site.run(1.0, until=lambda: site.is_open(peer))
    for plan in site.plans()[start:]:
        found = next(socket.protection for socket in plan.sockets if socket.id == site.facing(peer).id)
        assert found is not None
        assert found.send in (before.send, site.protection(peer).send)
    assert site.protection(peer).send != before.send


class Garbler(Peer):
    """Its first flight as a server arrives broken, or all of them, as if somebody had forged them."""

    def __init__(self, site: Site, *ports: Endpoint, always: bool = False, **keys: Any) -> None:
        super().__init__(site, *ports, **keys)
        self.left = 1000 if always else 1

    def send(self, socket: SocketId, data: bytes, to: Endpoint) -> None:
        if data[0] == 22 and data[13] == 2 and self.left:
            self.left -= 1
            data = data[:27] + bytes(32) + data[59:]  # the server's random, which is signed
        super().send(socket, data, to)


def test_a_handshake_that_is_broken_by_a_forged_flight_is_begun_again() -> None:
    """HS-11, MBX-10: what is in clear may be anybody's; soon afterwards the peer gets another hello."""
    site = Site()
    peer = Garbler(site, PEER, ice=False)
    site.daemon.offer(peer.describe("passive"), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    assert site.run(2.0, until=lambda: site.is_open(peer))
    assert peer.left == 0


def test_a_handshake_that_breaks_each_time_is_given_up() -> None:
    """HS-15, OSR-02: three attempts, no more."""
    site = Site()
    peer = Garbler(site, PEER, ice=False, always=True)
    site.daemon.offer(peer.describe("passive"), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    site.run(20.0)
    assert site.is_shut(peer)
    randoms = {data[27:59] for _, data, _ in site.sent if data[0] == 22 and data[13] == 1}
    assert len(randoms) == 3
