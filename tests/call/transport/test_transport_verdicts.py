"""Who is let in: fingerprints against certificates, whichever of handshake and description comes first."""

import logging
from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.call.negotiation import causes
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Failed
from ngdaemon.ice.candidate import RTCP, RTP
from tests.support.peer import TO_PLAIN, Peer, Site, call_from_phone, call_to_phone, identity, verdicts
from tests.support.sdp import attribute, audio, sdp

BROWSER, OTHER = Endpoint("198.51.100.1", 50000), Endpoint("198.51.100.7", 50700)
PHONE = audio("198.51.100.2", 4000)

WITH_ICE: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": "off",
    "rtcp_mux": ["offer"],
}
WITHOUT: dict[str, Any] = {**WITH_ICE, "ICE": "remove"}
RINGING: dict[str, Any] = {"sip_code": 183, "sip_message_type": "reply"}
OK: dict[str, Any] = {"sip_code": 200, "sip_message_type": "reply"}


def ways(ice: bool) -> dict[str, Any]:
    return WITH_ICE if ice else WITHOUT


def never_opened(site: Site) -> bool:
    """Whether no plan ever had a key."""
    found = [socket.protection for plan in site.plans() for socket in plan.sockets if socket.protection is not None]
    return bool(found) and all(item.send is None and item.receive == () for item in found)


@pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
class TestOrder:
    """FP-10: the comparison is made at both moments."""

    def test_a_handshake_before_the_answer_opens_nothing_until_the_answer_names_its_certificate(
        self, ice: bool
    ) -> None:
        """FP-10, MOD-04, SET-03, S07: SET-03 because the hello comes before the answer."""
        site = Site()
        browser = Peer(site, BROWSER, ice=ice, controlling=False)
        browser.hear(site.daemon.offer(PHONE, **ways(ice)))
        site.run(2.0)
        assert never_opened(site)
        if not ice:
            assert browser.desks[RTP].verified_path is not None
        site.daemon.answer(browser.answer())
        assert site.run(2.0, until=lambda: site.is_open(browser))
        assert verdicts(site, "b")["RTP"]["DTLS"]["verdict"] == "verified"

    def test_a_handshake_before_an_answer_that_names_another_certificate_opens_nothing(
        self, ice: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """FP-10, ERR-08, ERR-09: not before the answer and not after it; the log and `query` say why."""
        site = Site()
        browser = Peer(site, BROWSER, ice=ice, controlling=False, claims=identity(5))
        browser.hear(site.daemon.offer(PHONE, **ways(ice)))
        site.run(2.0)
        with caplog.at_level(logging.INFO, "ngdaemon.crypto"):
            site.daemon.answer(browser.answer(), **RINGING)
            site.run(2.0)
            assert never_opened(site)
            reply = site.daemon.command("answer", from_tag="a", to_tag="b", sdp=browser.answer(), **OK)
            site.run(2.0)
        assert never_opened(site)
        if ice:
            assert reply["result"] == "ok"
            assert verdicts(site, "b")["RTP"]["DTLS"]["verdict"] == "mismatch"
            assert "its certificate is" in caplog.text
        else:
            assert (reply["result"], reply["sip-code"]) == ("error", 488)

    def test_an_answer_that_names_another_certificate_than_comes_opens_nothing(
        self, ice: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """FP-10, FP-11: the description is first."""
        site = Site()
        browser = Peer(site, BROWSER, ice=ice, controlling=False, claims=identity(5), answers=Role.PASSIVE)
        with caplog.at_level(logging.INFO, "ngdaemon.crypto"):
            call_from_phone(site, browser, PHONE, **ways(ice))
            site.run(5.0)
        assert never_opened(site)
        assert verdicts(site, "b")["RTP"]["DTLS"]["verdict"] == "mismatch"
        assert f"signalled is {identity(5).fingerprint().text()}" in caplog.text

    def test_an_offer_that_names_another_certificate_than_comes_opens_nothing(
        self, ice: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """FP-10: the wrong one offered."""
        site = Site()
        browser = Peer(site, BROWSER, ice=ice, claims=identity(5))
        with caplog.at_level(logging.INFO, "ngdaemon.crypto"):
            call_to_phone(site, browser, PHONE)
            site.run(5.0)
        assert never_opened(site)
        assert verdicts(site, "a")["RTP"]["DTLS"]["verdict"] == "mismatch"
        assert caplog.text.count("its certificate is") == 1

    def test_a_fingerprint_that_is_corrected_later_lets_the_same_peer_in(self, ice: bool) -> None:
        """FP-13, TID-02: another fingerprint is another association, which the genuine peer may begin."""
        site = Site()
        browser = Peer(site, BROWSER, ice=ice, claims=identity(5))
        call_to_phone(site, browser, PHONE)
        site.run(5.0)
        assert never_opened(site)
        browser.claims = browser.identity
        browser.renew_desks()
        site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
        browser.hear(site.daemon.answer(PHONE))
        assert site.run(5.0, until=lambda: site.is_open(browser))


def test_an_answer_that_contradicts_the_handshake_of_its_sender_is_refused_and_changes_nothing() -> None:
    """ERR-08, FP-12: not so while it is provisional; and the true one is taken afterwards."""
    site = Site()
    phone = Peer(site, BROWSER, ice=False, controlling=False, claims=identity(5))
    phone.hear(site.daemon.offer(PHONE, **WITHOUT))
    assert site.run(2.0, until=phone.verified)
    before = site.plan()
    assert site.daemon.refusal("answer", from_tag="a", to_tag="b", sdp=phone.answer()) == (
        "no acceptable media security: 1:fingerprint"
    )
    assert site.plan() == before
    assert phone.verified()
    phone.claims = phone.identity
    site.daemon.answer(phone.answer())
    assert site.is_open(phone)


def test_the_refusal_of_such_an_answer_names_its_cause() -> None:
    """ERR-08."""
    site = Site()
    phone = Peer(site, BROWSER, ice=False, controlling=False, claims=identity(5))
    phone.hear(site.daemon.offer(PHONE, **WITHOUT))
    assert site.run(2.0, until=phone.verified)
    reply = site.daemon.command("answer", from_tag="a", to_tag="b", sdp=phone.answer())
    assert reply["warnings"] == [f"no acceptable media security: 1:fingerprint ({causes.MISMATCH.text})"]


@pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
def test_the_final_answer_decides_though_it_repeats_a_provisional_one(ice: bool) -> None:
    """FP-11, FP-12: both came before any handshake; whoever shakes hands with another certificate is refused then."""
    site = Site()
    browser = Peer(site, BROWSER, ice=ice, controlling=False, claims=identity(5))
    browser.mute = True
    browser.hear(site.daemon.offer(PHONE, **ways(ice)))
    site.daemon.answer(browser.answer(), **RINGING)
    site.daemon.answer(browser.answer(), **OK)
    site.run(1.0)
    browser.mute = False
    site.run(10.0)
    assert verdicts(site, "b")["RTP"]["DTLS"]["verdict"] == "mismatch"
    assert never_opened(site)


FAX = "m=image {} udptl t38"


@pytest.mark.parametrize("role", [Role.ACTIVE, Role.PASSIVE], ids=["active", "passive"])
@pytest.mark.parametrize("instead", [FAX, "m=audio 0 UDP/TLS/RTP/SAVPF 0"], ids=["fax", "port 0"])
def test_media_that_comes_back_has_another_association_and_says_so(role: Role, instead: str) -> None:
    """TID-01, TID-02: the former one was closed with its media, so that its tls-id is no more told."""
    site = Site()
    phone = Peer(site, BROWSER, ice=False, tls_id="a" * 20, answers=role)
    first = site.daemon.offer(PHONE, **WITHOUT)
    phone.hear(first, final=False)
    site.daemon.answer(phone.answer())
    assert site.run(5.0, until=lambda: site.is_open(phone))
    away = {"sdp": sdp("198.51.100.2", instead.format(4000))}
    assert site.daemon.command("offer", from_tag="a", to_tag="b", **away)["result"] == "ok"
    away = {"sdp": sdp("198.51.100.1", instead.format(50000))}
    assert site.daemon.command("answer", from_tag="a", to_tag="b", **away)["result"] == "ok"
    site.run(1.0)
    again = site.daemon.offer(PHONE, to_tag="b", **WITHOUT)
    assert attribute(again, "setup") == "actpass"
    assert attribute(again, "tls-id") not in ("", attribute(first, "tls-id"))
    phone.hear(again, final=False)
    site.daemon.answer(phone.answer())
    assert site.run(5.0, until=lambda: site.is_open(phone))


def test_what_strangers_have_shown_is_held_against_nobody() -> None:
    """ERR-08, MBX-10: a handshake from elsewhere does not refuse the answer of the peer."""
    site = Site()
    phone = Peer(site, BROWSER, ice=False, controlling=False)
    told = site.daemon.offer(PHONE, **WITHOUT)
    stranger = Peer(site, OTHER, ice=False, seed=9)
    stranger.hear(told)
    assert site.run(2.0, until=stranger.verified)
    phone.hear(told)
    site.daemon.answer(phone.answer())
    assert site.run(2.0, until=lambda: site.is_open(phone))


def test_a_wrong_peer_that_is_first_leaves_the_port_open_to_the_right_one() -> None:
    """FP-11, MBX-10: with the description known, the wrong one is refused and the right one let in."""
    site = Site()
    browser = Peer(site, BROWSER, ice=False, controlling=False)
    browser.hear(site.daemon.offer(PHONE, **WITHOUT))
    wrong = Peer(site, OTHER, ice=False, seed=9)
    browser.mute = True
    site.daemon.answer(browser.answer())
    wrong.hear(browser.heard)
    site.run(2.0)
    assert wrong.desks[RTP].status().received > 1
    assert never_opened(site)
    browser.mute = False
    assert site.run(5.0, until=lambda: site.is_open(browser))
    assert site.facing(browser).signalled == BROWSER


def test_wrong_peers_in_number_do_not_keep_the_right_one_out() -> None:
    """MBX-10, HS-09, MOD-03: they finish their handshakes before anybody knows who is right."""
    site = Site()
    browser = Peer(site, BROWSER, ice=False, controlling=False)
    told = site.daemon.offer(PHONE, **WITHOUT)
    browser.hear(told)
    assert site.run(2.0, until=lambda: browser.verified())
    wrong = [Peer(site, Endpoint("203.0.113.9", 7000 + number), ice=False, seed=9) for number in range(6)]
    for each in wrong:
        each.hear(told)
        site.run(0.5)
    assert all(each.verified() for each in wrong)
    assert never_opened(site)
    site.daemon.answer(browser.answer())
    assert site.is_open(browser)
    site.run(1.0)
    assert site.is_open(browser)
    assert site.facing(browser).signalled == BROWSER
    assert not any(each.verified() for each in wrong)


def test_two_forks_shake_hands_on_one_port_before_either_answers() -> None:
    """MOD-03, FP-12: each answer gets the keys of its own handshake."""
    site = Site()
    one = Peer(site, BROWSER, ice=False, controlling=False)
    two = Peer(site, OTHER, ice=False, controlling=False, seed=2)
    told = site.daemon.offer(PHONE, **WITHOUT)
    for fork in (one, two):
        fork.hear(told)
    assert site.run(2.0, until=lambda: one.verified() and two.verified())
    assert never_opened(site)
    site.daemon.answer(one.answer(), to_tag="b1", **RINGING)
    site.run(0.5)
    assert site.is_open(one)
    assert site.facing(one).signalled == BROWSER
    assert two.verified()
    site.daemon.answer(two.answer(), to_tag="b2", **OK)
    site.run(0.5)
    assert site.is_open(two)
    assert site.facing(two).signalled == OTHER


@pytest.mark.parametrize("first", [0, 1])
def test_two_forks_with_ice_check_and_say_hello_on_one_port_before_either_answers(
    first: int, caplog: pytest.LogCaptureFixture
) -> None:
    """MOD-03, ICE-06, HS-10: neither disturbs the handshake of the other, whichever answers first."""
    site = Site()
    forks = [Peer(site, BROWSER, controlling=False), Peer(site, OTHER, controlling=False, seed=2)]
    told = site.daemon.offer(PHONE, **WITH_ICE)
    for fork in forks:
        fork.hear(told)
    assert site.run(2.0, until=lambda: all(fork.desks[RTP].status().sent for fork in forks))
    site.run(1.0)
    one, two = forks[first], forks[1 - first]
    site.daemon.answer(one.answer(), to_tag="b1", **RINGING)
    assert site.run(2.0, until=lambda: site.is_open(one))
    site.daemon.answer(two.answer(), to_tag="b2", **OK)
    assert site.run(2.0, until=lambda: site.is_open(two))
    assert not [event for fork in forks for event in fork.events if isinstance(event, Failed)]
    assert site.facing(two).signalled == two.bases[two.socket()].at
    assert "DTLS failed" not in caplog.text


def test_a_provisional_answer_does_not_reject_the_handshake_of_another_fork() -> None:
    """FP-12: the verdict waits, whether the handshake was before the 183 or comes after it."""
    site = Site()
    one = Peer(site, BROWSER, ice=False, controlling=False)
    two = Peer(site, OTHER, ice=False, controlling=False, seed=2)
    told = site.daemon.offer(PHONE, **WITHOUT)
    one.hear(told)
    assert site.run(2.0, until=lambda: one.verified())
    site.daemon.answer(one.answer(), to_tag="b1", flags=["provisional"])
    two.hear(told)
    assert site.run(2.0, until=lambda: two.verified())
    site.run(5.0)
    assert two.verified()
    assert site.is_open(one)
    site.daemon.answer(two.answer(), to_tag="b2", **OK)
    site.run(0.5)
    assert site.is_open(two)


def test_a_final_answer_rejects_whoever_is_not_named_by_it() -> None:
    """FP-12: the same description again, this time in the 200."""
    site = Site()
    one = Peer(site, BROWSER, ice=False, controlling=False)
    two = Peer(site, OTHER, ice=False, controlling=False, seed=2)
    told = site.daemon.offer(PHONE, **WITHOUT)
    for fork in (one, two):
        fork.hear(told)
    assert site.run(2.0, until=lambda: one.verified() and two.verified())
    text = one.answer()
    site.daemon.answer(text, to_tag="b1", **RINGING)
    site.run(0.5)
    assert two.verified()
    site.daemon.answer(text, to_tag="b1", **OK)
    site.run(0.5)
    assert not two.verified()
    assert site.is_open(one)


@pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
def test_a_peer_that_is_reoffered_may_shake_hands_anew_before_its_answer_says_so(ice: bool) -> None:
    """FP-12, SET-03, TID-06: an answer is on its way, so nothing is rejected by the description before it."""
    site = Site()
    peer = Peer(site, BROWSER, ice=ice, controlling=False)
    call_from_phone(site, peer, PHONE, **ways(ice))
    assert site.run(2.0, until=lambda: site.is_open(peer))
    before = site.protection(peer)
    told = site.daemon.offer(PHONE, to_tag="b", **ways(ice))
    peer.renew_desks(seed=3)
    peer.hear(told)
    site.run(2.0)
    assert peer.desks[RTP].status().sent > 0
    assert site.protection(peer)._replace(hold=before.hold) == before
    site.daemon.answer(peer.answer())
    assert site.run(2.0, until=lambda: site.is_open(peer))
    assert site.protection(peer).send != before.send


def test_a_mismatch_on_rtcp_leaves_rtp_alone() -> None:
    """MOD-02, FP-10: each component is judged by itself."""
    site = Site()
    browser = Peer(site, BROWSER, ice=False, mux=False, controlling=False)
    browser.impersonate(RTCP, 9)
    call_from_phone(site, browser, PHONE, **WITHOUT)
    assert site.run(3.0, until=lambda: site.is_open(browser, RTP))
    site.run(3.0)
    assert site.is_shut(browser, RTCP)
    assert verdicts(site, "b")["RTCP"]["DTLS"]["verdict"] == "mismatch"
