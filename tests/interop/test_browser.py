"""Browsers call phones and are called by them through the shipped WebRTC configuration, and both hear each other."""

import re

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Playwright

from .baresip import DTLS, PLAIN, SDES
from .chromium import SHIPPED_PAGE, BrowserPhone
from .gateway import daemon_under_test
from .proxy import WSS_PORT
from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .waiting import wait_for

pytestmark = [pytest.mark.interop, pytest.mark.browser]

CALL = "browser@example.com"
KINDS = {"plain": PLAIN, "sdes": SDES, "dtls": DTLS}


def test_browser_calls_a_plain_phone(web_site: Site) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    alice.call("bob")
    _check_talk(alice, bob)
    alice.do("hangUp")
    callee.finish()
    alice.wait_for_state("Terminated")


def test_plain_phone_calls_a_browser(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye(), CALL)
    _check_talk(bob, alice)
    caller.go()
    caller.finish()
    bob.wait_for_state("Terminated")


@pytest.mark.parametrize("kind", KINDS)
def test_browser_calls_baresip(web_site: Site, kind: str) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.phone(f"{kind}-bob", tone=1000)
    baresip = bob.baresip("auto", KINDS[kind])
    alice.call(bob.user)
    alice.wait_for_state("Established")
    alice.hear(bob)
    wait_for(lambda: alice.voice.is_heard_in(baresip.heard()), "the browser on baresip's tape")
    wait_for(lambda: alice.stats()["reportedBack"], "baresip's report on what it heard")
    baresip.command("hangup")
    alice.wait_for_state("Terminated")


@pytest.mark.parametrize("kind", KINDS)
def test_baresip_calls_a_browser(web_site: Site, kind: str) -> None:
    alice, bob = web_site.phone(f"{kind}-alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    baresip = alice.baresip("manual", KINDS[kind])
    baresip.command("dial", f"sip:bob@{web_site.core.address}")
    bob.wait_for_state("Established")
    bob.hear(alice)
    wait_for(lambda: bob.voice.is_heard_in(baresip.heard()), "the browser on baresip's tape")
    baresip.command("hangup")
    bob.wait_for_state("Terminated")


def test_browser_calls_a_browser(web_site: Site) -> None:
    """One of them comes over a WebSocket without TLS, as from a web server in front of the proxy."""
    alice = web_site.browser("alice", tone=700)
    bob = web_site.browser("bob", tone=1000, takes_calls=True, scheme="ws")
    alice.call("bob")
    for browser, other in ((alice, bob), (bob, alice)):
        browser.wait_for_state("Established")
        browser.hear(other)
        assert browser.stats()["dtls"] == "connected"
    alice.do("hangUp")
    bob.wait_for_state("Terminated")


def test_browser_behind_nat_calls_and_is_called(web_site: Site) -> None:
    """Its addresses are of no use to anybody: media finds the way by what its checks show."""
    web_site.start_browser(behind_nat=True)
    alice, bob = web_site.browser("alice", tone=700, takes_calls=True), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).hung_up(), "out@example.com")
    alice.call("bob")
    _check_talk(alice, bob)
    assert web_site.core.address.rpartition(".")[0] not in alice.do("sdp")["local"]
    alice.do("hangUp")
    callee.finish()
    alice.do("forget")
    caller = bob.play(Caller("bob", "alice").invite(sdp()).answered(180).talk(bob.sound).gate().bye(), "in@example.com")
    _check_talk(alice, bob)
    caller.go()
    caller.finish()


def test_browser_offers_video_to_a_phone_that_has_none(web_site: Site) -> None:
    """Its two medias share one transport; the phone is shown two, refuses one, and audio goes on."""
    alice, bob = web_site.browser("alice", tone=700, video=True), web_site.phone("bob", tone=1000)
    bob.register()
    refusing = sdp() + "m=video 0 RTP/AVP 96\n"
    callee = bob.play(Callee("bob").invited().answer(refusing).talk(bob.sound).hung_up(), CALL)
    alice.call("bob")
    _check_talk(alice, bob)
    offer, answer = bob.wait_for_request("INVITE").sdp, alice.do("sdp")["remote"]
    assert len(set(re.findall(r"(?m)^m=\w+ (\d+) ", offer))) == 2
    assert "a=group:BUNDLE" not in offer
    assert re.search(r"(?m)^m=video 0 ", answer)
    alice.do("hangUp")
    callee.finish()


def test_browsers_see_each_other(web_site: Site) -> None:
    alice = web_site.browser("alice", tone=700, video=True)
    bob = web_site.browser("bob", tone=1000, video=True, takes_calls=True)
    alice.call("bob")
    for browser, other in ((alice, bob), (bob, alice)):
        browser.wait_for_state("Established")
        browser.hear(other)
        browser.see()
    alice.do("hangUp")
    bob.wait_for_state("Terminated")


@pytest.mark.skipif(daemon_under_test() == "rtpengine", reason="its query tells nothing of verdicts")
@pytest.mark.parametrize("calls", [True, False], ids=["caller", "callee"])
def test_browser_whose_certificate_is_not_the_signalled_one_gets_nothing(web_site: Site, calls: bool) -> None:
    """FP-10, FP-11: no packet passes in either direction, whether the handshake or the SDP comes first."""
    browser = web_site.browser("eve", tone=700, takes_calls=True)
    phone = web_site.phone("bob", tone=1000)
    browser.do("lie")
    if calls:
        phone.register()
        play = phone.play(Callee("bob").invited().answer(sdp()).talk(phone.sound).hung_up(), CALL)
        browser.call("bob")
    else:
        play = phone.play(Caller("bob", "eve").invite(sdp()).answered(180).talk(phone.sound).hung_up(), CALL)
    browser.wait_for_state("Established")
    wait_for(lambda: "mismatch" in _verdicts(web_site), "the verdict of the media node")
    said = phone.tap.mark()
    wait_for(lambda: len(phone.tap.rtp(outgoing=True, since=said)) >= 25, "half a second of talk")
    assert not phone.tap.rtp(outgoing=False)
    assert not browser.tap.rtp(outgoing=False)
    browser.do("hangUp")
    play.finish()


def test_browser_is_asked_to_offer(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    caller = Caller("alice", "bob").invite("").answered(180, body_in_ack=sdp()).talk(alice.sound).gate().bye()
    call = alice.play(caller, CALL)
    _check_talk(bob, alice)
    call.go()
    call.finish()


def test_browser_and_desk_phone_of_a_user_ring_together(web_site: Site) -> None:
    """Each is offered what it understands. The browser takes the call, the desk phone falls silent."""
    alice = web_site.phone("alice", tone=1000)
    desk, browser = web_site.phone("bob"), web_site.browser("bob", tone=700)
    desk.register()
    ringing = desk.play(Callee("bob").invited().ring().cancelled(), CALL)
    calls = Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye()
    caller = alice.play(calls, CALL)
    browser.wait_for_call()
    wait_for(lambda: len(web_site.control.requests("offer")) == 2, "an offer for each of them")
    desk.wait_for_request("INVITE")
    browser.do("accept")
    ringing.finish()
    _check_talk(browser, alice)
    caller.go()
    caller.finish()
    desk_offer, web_offer = sorted(
        (request.body[b"transport-protocol"] for request in web_site.control.requests("offer")), key=len
    )
    assert (desk_offer, web_offer) == (b"RTP/AVP", b"UDP/TLS/RTP/SAVPF")


def test_two_pages_of_a_user_ring_together(web_site: Site) -> None:
    """Each has a transport and certificates of its own; the page that does not take the call falls silent."""
    alice = web_site.phone("alice", tone=1000)
    first, second = web_site.browser("bob", tone=440), web_site.browser("bob", tone=700)
    calls = Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye()
    caller = alice.play(calls, CALL)
    first.wait_for_call()
    second.wait_for_call()
    second.do("accept")
    first.wait_for_state("Terminated")
    _check_talk(second, alice)
    caller.go()
    caller.finish()
    offers = [request.body for request in web_site.control.requests("offer")]
    assert len({offer[b"via-branch"] for offer in offers}) == 2


def test_browser_stays_in_a_call_for_longer_than_consent_lasts(web_site: Site) -> None:
    """CONS-01: each side goes on asking and being answered; else audio would end after 30 seconds at the latest."""
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob, packets=35 * 50)
    _check_talk(alice, bob)
    alice.do("hangUp")
    callee.finish()


def test_call_that_a_browser_declines_leaves_nothing(web_site: Site) -> None:
    alice, bob = web_site.phone("alice"), web_site.browser("bob", tone=700)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).refused(480, 180), CALL)
    bob.wait_for_call()
    bob.do("decline")
    caller.finish()


def test_call_that_a_browser_gives_up_leaves_nothing(web_site: Site) -> None:
    alice, baresip = web_site.browser("alice", tone=700), web_site.phone("bob").baresip()
    alice.call("bob")
    alice.wait_for_state("Ringing")
    alice.do("hangUp")
    baresip.wait_for_event("CALL_CLOSED")
    alice.wait_for_state("Terminated")


def test_page_that_was_closed_is_not_called(web_site: Site) -> None:
    alice, bob = web_site.phone("alice"), web_site.browser("bob", tone=700)
    bob.leave()
    alice.play(Caller("alice", "bob").invite(sdp()).refused(404), CALL).finish()


@pytest.mark.skipif(daemon_under_test() == "rtpengine", reason="it takes sha-1")
def test_refused_answer_of_a_browser_fails_the_call(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    bob.do("weaken")
    alice.play(Caller("alice", "bob").invite(sdp()).refused(488, 180), CALL).finish()
    bob.wait_for_state("Established")
    bob.wait_for_state("Terminated")
    assert not [message for message in alice.tap.sip(outgoing=False) if message.sdp]
    web_site.tolerate("proxy replied with error")


def test_page_that_is_shipped_calls(web_site: Site) -> None:
    """The telephone of docs/webrtc.md, by its buttons."""
    bob = web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(
        Callee("bob").invited().ring().answer(sdp()).talk(bob.sound)
        .accept_reinvite(sdp("a=recvonly", version=2)).accept_reinvite(sdp(version=3)).hung_up(),
        CALL,
    )  # fmt: skip
    page = web_site.start_browser().open(f"https://telephone.example/{SHIPPED_PAGE.name}", "page-shipped.log")
    page.fill("#server", f"wss://{web_site.core.address}:{WSS_PORT}")
    for button, status in (("register", "registered"), ("call", "talking")):
        page.click(f"#{button}")
        _wait_for_status(page, status)
    wait_for(lambda: len(bob.tap.rtp(outgoing=False)) >= 25, "the user of the page at bob")
    page.click("#hold")
    bob.wait_for_request("ACK", 2)
    page.click("#resume")
    bob.wait_for_request("ACK", 3)
    page.click("#hangup")
    callee.finish()
    _wait_for_status(page, "the call is over")
    page.fill("#callee", "nobody")
    page.click("#call")
    _wait_for_status(page, "refused: 404 Not Found")


def test_page_of_a_strange_origin_is_refused(new_site: Site, playwright: Playwright) -> None:
    new_site.playwright = playwright
    new_site.start_webrtc(WEB_ORIGINS='"^https://intranet\\.example$"')
    with pytest.raises(PlaywrightError, match="WebSocket closed"):
        new_site.browser("alice", tone=700)


def _wait_for_status(page: Page, status: str) -> None:
    page.wait_for_function("text => document.getElementById('status').value === text", arg=status)


def _verdicts(site: Site) -> list[str]:
    """What the media node says of the DTLS handshakes of its only call."""
    (call,) = site.node.calls()
    tags = site.node.ask(command="query", call_id=call.decode())[b"tags"].values()
    dtls = [media.get(b"security", {}).get(b"RTP", {}).get(b"DTLS", {}) for tag in tags for media in tag[b"medias"]]
    return [one[b"verdict"].decode() for one in dtls if one]


def _check_talk(browser: BrowserPhone, phone: Phone) -> None:
    """Both hear each other, and the browser knows that this was encrypted."""
    browser.wait_for_state("Established")
    browser.hear(phone)
    phone.hear(browser)
    stats = browser.stats()
    assert (stats["dtls"], stats["ice"], stats["lost"]) == ("connected", "connected", 0)
    assert stats["srtp"].startswith(("SRTP_AEAD_AES_", "SRTP_AES128_CM_HMAC_SHA1_80"))
