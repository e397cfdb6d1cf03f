"""A secured leg with ICE, from its first offer to the end of the call: what ICE and DTLS make of its plans."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.call.model import LocalPort
from ngdaemon.call.planner import plan
from ngdaemon.dtls.roles import Role
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.plan import Carries, Learning, Plan
from tests.support.network import Weather
from tests.support.peer import TO_PLAIN, Peer, Site, call_from_phone, call_to_phone
from tests.support.sdp import attribute, audio

BROWSER = Endpoint("198.51.100.1", 50000)
PHONE = audio("198.51.100.2", 4000)
STRANGER = Endpoint("203.0.113.3", 6666)

SECURED: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": "off",
    "rtcp_mux": ["offer"],
}


def is_dtls(data: bytes) -> bool:
    return 20 <= data[0] < 64


@pytest.mark.parametrize("answers", Role)
def test_keys_are_in_the_plan_only_after_the_peer_that_offered_is_verified(answers: Role) -> None:
    """FP-10, MBX-07, MBX-08, HS-12, S07."""
    site = Site()
    browser = Peer(site, BROWSER)
    setup = "actpass" if answers is Role.ACTIVE else "active"
    site.daemon.offer(browser.describe(setup), **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert site.is_shut(browser)
    assert site.run(2.0, until=lambda: browser.verified())
    assert site.is_open(browser)
    assert site.plan().sockets == site.plans()[-1].sockets
    assert all(map(keyless, site.plans()[:-1]))


@pytest.mark.parametrize("answers", Role)
def test_keys_are_in_the_plan_only_after_the_peer_that_answered_is_verified(answers: Role) -> None:
    """FP-10, MBX-07, MBX-08, HS-12, S07."""
    site = Site()
    browser = Peer(site, BROWSER, answers=answers)
    call_from_phone(site, browser, PHONE, **SECURED)
    assert site.is_shut(browser)
    assert site.run(2.0, until=lambda: browser.verified())
    assert site.is_open(browser)
    assert all(map(keyless, site.plans()[:-1]))


def keyless(made: Plan) -> bool:
    """Whether no secured socket of a plan can pass anything."""
    found = [socket.protection for socket in made.sockets if socket.protection is not None]
    return bool(found) and all(item.send is None and item.receive == () for item in found)


def test_the_plain_leg_is_never_protected_and_the_secured_one_always() -> None:
    """FP-10, MBX-08, S07: from the first plan on."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    site.run(1.0, until=lambda: browser.verified())
    for each in site.plans():
        facing = {bool(socket.protection) for socket in each.sockets if socket.id == site.facing(browser).id}
        assert facing == {True}
        assert [socket.protection for socket in each.sockets[-2:]] == [None, None]


@pytest.mark.parametrize("seed", range(5))
def test_a_handshake_gets_through_a_network_that_loses_and_reorders(seed: int) -> None:
    """HS-04, HS-05: a third of all datagrams is lost."""
    site = Site(Weather(loss=0.33, doubling=0.1, delay=0.01, jitter=0.05), seed)
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(25.0, until=lambda: browser.verified() and site.is_open(browser))


def test_a_peer_that_starts_before_our_check_is_answered_when_it_succeeds() -> None:
    """HS-10: its hello comes one packet after its check, and our flight is kept until the pair works."""
    site = Site()
    browser = Peer(site, BROWSER, answers=Role.ACTIVE, controlling=False)
    told = site.daemon.offer(PHONE, **SECURED)
    browser.hear(told)
    assert site.run(2.0, until=lambda: browser.desks[RTP].status().sent > 0)
    site.run(0.02)
    assert not [data for data in site.sent_to(BROWSER) if is_dtls(data)]
    site.daemon.answer(browser.answer())
    began = site.clock.now
    assert site.run(2.0, until=lambda: site.is_open(browser))
    assert site.clock.now - began < 0.3


def test_checks_that_are_ahead_of_the_answer_are_answered_and_taken_up_by_it() -> None:
    """ICE-06: our password is all that it takes."""
    site = Site()
    browser = Peer(site, BROWSER, controlling=False)
    browser.hear(site.daemon.offer(PHONE, **SECURED))
    site.run(0.5)
    answers = [stun.parse(data) for data in site.sent_to(BROWSER)]
    assert answers
    assert all(item is not None and item.kind == stun.SUCCESS for item in answers)
    assert site.facing(browser).latch.sources == frozenset((BROWSER,))
    assert site.facing(browser).signalled is None
    text = browser.answer()
    hidden = "\r\n".join(line for line in text.split("\r\n") if not line.startswith("a=candidate"))
    site.daemon.answer(hidden)
    assert site.run(1.0, until=lambda: site.facing(browser).signalled == BROWSER)


def test_a_hello_of_a_stranger_gets_nothing_on_a_leg_with_ice() -> None:
    """HS-10, STUN-02, HS-11: and changes nothing for the peer."""
    site = Site()
    browser = Peer(site, BROWSER, answers=Role.ACTIVE, controlling=False)
    browser.hear(site.daemon.offer(PHONE, **SECURED))
    stranger = Peer(site, STRANGER, ice=False, seed=9)
    stranger.hear(site.daemon.offer(PHONE, **SECURED))
    site.run(1.0)
    assert stranger.desks[RTP].status().sent > 0
    assert site.sent_to(STRANGER) == []
    site.daemon.answer(browser.answer())
    assert site.run(3.0, until=lambda: site.is_open(browser))
    assert site.sent_to(STRANGER) == []


def test_media_is_taken_only_from_sources_that_ice_vouches_for() -> None:
    """STUN-02, S08: whatever the SDP says; and a check of a stranger who knows no password adds none."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.facing(browser).latch.sources == frozenset()
    assert site.run(2.0, until=lambda: site.is_open(browser))
    ours = attribute(site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN), "ice-ufrag")
    forged = stun.build(stun.REQUEST, bytes(12), [(stun.USERNAME, f"{ours}:x".encode())], b"guessed")
    site.network.send(forged, STRANGER, browser.told[RTP])
    before = site.facing(browser)
    site.run(0.5)
    assert site.facing(browser) == before
    assert before.latch.sources == frozenset((BROWSER,))
    assert before.signalled == BROWSER


def test_rtp_and_rtcp_apart_have_a_handshake_each() -> None:
    """MOD-02, MUX-07, HS-14: two sets of keys; the one that is done first opens alone."""
    site = Site()
    browser = Peer(site, BROWSER, mux=False)
    call_to_phone(site, browser, PHONE)
    rtcp = browser.told[RTCP]
    site.filter = lambda data, source, to: source != rtcp or not is_dtls(data)
    assert site.run(2.0, until=lambda: site.is_open(browser, RTP))
    assert site.is_shut(browser, RTCP)
    site.filter = lambda data, source, to: True
    assert site.run(5.0, until=lambda: site.is_open(browser, RTCP))
    assert site.protection(browser, RTP).send != site.protection(browser, RTCP).send
    assert set(site.protection(browser, RTP).receive).isdisjoint(site.protection(browser, RTCP).receive)


def test_rtcp_mux_in_the_answer_ends_the_second_component(caplog: pytest.LogCaptureFixture) -> None:
    """MUX-02: its port was open until then; its handshake is not waited for."""
    site = Site()
    browser = Peer(site, BROWSER, controlling=False)
    told = site.daemon.offer(PHONE, **SECURED)
    browser.hear(told)
    assert "2 UDP" in told
    second = Endpoint(browser.told[RTP].address, browser.told[RTP].port + 1)
    site.daemon.answer(browser.answer())
    assert site.run(2.0, until=lambda: site.is_open(browser))
    assert {to for source, _, to in site.sent if source == second} == set()
    assert {"RTP"} == set(site.daemon.command("query")["tags"]["b"]["medias"][0]["security"])
    site.run(45.0)
    assert "ICE failed" not in caplog.text


def test_consent_that_is_lost_ends_all_sending_until_ice_is_restarted() -> None:
    """CONS-01, S10: the peer falls silent, and what it says later does not revive it."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    browser.mute = True
    began = site.clock.now
    assert site.run(40.0, until=lambda: site.facing(browser).signalled is None)
    assert 24.0 <= site.clock.now - began <= 36.0
    browser.mute = False
    sent = len(site.sent)
    site.run(20.0)
    assert site.facing(browser).signalled is None
    assert not [data for _, data, _ in site.sent[sent:] if stun.parse(data) is None]
    browser.restart_ice()
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert site.run(3.0, until=lambda: site.facing(browser).signalled == BROWSER)
    assert site.is_open(browser)


def test_a_good_bye_of_the_peer_ends_sending_at_once_but_not_the_call() -> None:
    """CONS-02, HS-16."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    browser.close()
    assert site.run(0.1, until=lambda: site.is_shut(browser))
    assert site.facing(browser).signalled is None
    sent = len(site.sent)
    site.run(30.0)
    assert not [data for _, data, _ in site.sent[sent:] if is_dtls(data)]
    checks = [stun.parse(data) for _, data, _ in site.sent[sent:]]
    assert not [item for item in checks if item is not None and item.kind == stun.REQUEST]
    assert site.daemon.calls() == ["call"]


def test_a_change_of_pair_takes_the_association_along() -> None:
    """HS-13: in the middle of a call, with the same keys and no other handshake."""
    wifi, mobile = BROWSER, Endpoint("198.51.100.77", 40000)
    site = Site()
    browser = Peer(site, wifi, mobile)
    site.network.detach(mobile)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    before, handshakes = site.protection(browser), len([1 for _, data, _ in site.sent if is_dtls(data)])
    assert site.facing(browser).signalled == wifi
    site.network.attach(mobile, lambda data, source, now: browser.receive(list(browser.bases)[1], data, source, now))
    site.network.detach(wifi)
    browser.restart_ice()
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert site.run(10.0, until=lambda: site.facing(browser).signalled == mobile)
    assert site.protection(browser) == before
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == handshakes


def test_a_change_of_pair_in_the_middle_of_a_handshake_does_not_begin_it_anew() -> None:
    """HS-13: what was said on the one pair goes on on the other."""
    wifi, mobile = BROWSER, Endpoint("198.51.100.77", 40000)
    site = Site()
    browser = Peer(site, wifi, mobile)
    call_to_phone(site, browser, PHONE)
    site.filter = lambda data, source, to: not is_dtls(data) or to == mobile
    agent = browser.agent
    assert agent is not None
    assert site.run(2.0, until=lambda: any(is_dtls(data) for _, data, _ in site.sent))
    hello = next(data for _, data, _ in site.sent if is_dtls(data))
    site.network.detach(wifi)
    browser.restart_ice()
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert site.run(15.0, until=lambda: site.is_open(browser))
    hellos = [data for _, data, _ in site.sent if data[0] == 22 and data[13] == 1]
    assert {data[25:59] for data in hellos} == {hello[25:59]}  # the random of one and the same hello


def test_an_ice_restart_leaves_media_and_keys_alone() -> None:
    """ICE-08, TID-02: the old pair carries media until the new one is there; no handshake."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    before, plans = site.facing(browser), len(site.plans())
    handshakes = len([1 for _, data, _ in site.sent if is_dtls(data)])
    browser.restart_ice()
    old = browser.told[RTP]
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    site.run(3.0)
    assert browser.told[RTP] == old
    for each in site.plans()[plans:]:
        socket = next(item for item in each.sockets if item.id == before.id)
        assert (socket.signalled, socket.protection) == (BROWSER, before.protection)
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == handshakes


def test_media_flows_on_through_a_former_port_until_ice_finds_the_new_one() -> None:
    """ICE-08: the far side moves; whatever ports the leg is told then, nothing is interrupted."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    site.daemon.offer(audio("198.51.100.9", 4444), from_tag="b", to_tag="a", transport_protocol="UDP/TLS/RTP/SAVPF")
    assert [socket.signalled for socket in site.plan().sockets].count(BROWSER) == 1
    sink = next(socket.id for socket in site.plan().sockets if socket.signalled == BROWSER)
    assert sink in {route.sink for route in site.plan().routes}


def test_a_port_of_a_former_exchange_is_sent_from_as_long_as_ice_uses_it() -> None:
    """ICE-08, HS-13: nothing but ICE says when a pair is over."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    registry = site.daemon.controller._service.registry
    call = registry.get(CallId("call"))
    assert call is not None
    leg, media = call.legs[0], call.legs[0].medias[0]
    assert media.ports is not None
    new = media.ports._replace(rtp=LocalPort(SocketId(77), 30000))
    moved = media._replace(ports=new, former=(media.ports,))
    call = call._replace(legs=(leg._replace(medias=(moved,)), *call.legs[1:]))
    made = plan(call, Learning.HEURISTIC, registry.transports.links(call.id))
    old = media.ports.rtp.socket
    assert {socket.id: socket.signalled for socket in made.sockets if socket.id in (old, 77)} == {
        old: BROWSER,
        77: None,
    }
    sinks = {route.sink for route in made.routes if route.carries is Carries.RTP}
    assert old in sinks
    assert 77 not in sinks


def test_a_handshake_that_came_to_nothing_gets_another_try_when_ice_restarts() -> None:
    """ICE-08, MBX-11: not before that, and with the same facts."""
    site = Site()
    browser = Peer(site, BROWSER)
    site.filter = lambda data, source, to: not is_dtls(data)
    call_to_phone(site, browser, PHONE)
    site.run(40.0)
    tried = len([1 for _, data, _ in site.sent if is_dtls(data)])
    site.filter = lambda data, source, to: True
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    site.run(5.0)
    assert len([1 for _, data, _ in site.sent if is_dtls(data)]) == tried
    browser.restart_ice()
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert site.run(5.0, until=lambda: site.is_open(browser))


def test_the_first_timer_of_a_handshake_follows_the_round_trip_of_the_checks() -> None:
    """TIM-02, HS-04: one and a half of it."""
    site = Site(Weather(delay=0.1))
    browser = Peer(site, BROWSER)
    hellos: list[float] = []

    def passes(data: bytes, source: Endpoint, to: Endpoint) -> bool:
        if is_dtls(data):
            hellos.append(site.clock.now)
        return not is_dtls(data)

    site.filter = passes
    call_to_phone(site, browser, PHONE)
    assert site.run(5.0, until=lambda: len(hellos) > 1)
    assert hellos[1] - hellos[0] == pytest.approx(0.3, abs=0.05)


def test_deleting_the_call_says_good_bye_and_leaves_nothing_behind() -> None:
    """HS-17, GATE-05: one close_notify."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    sent = len(site.sent)
    site.daemon.command("delete", delete_delay=0)
    site.run(0.1)
    assert [(source, data[0], to) for source, data, to in site.sent[sent:]] == [(browser.told[RTP], 21, BROWSER)]
    assert browser.desks[RTP].verified_path is None
    assert site.daemon.controller.next_timeout() is None


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.05, 0.1])
def test_a_call_may_be_deleted_in_the_middle_of_checks_and_handshakes(after: float) -> None:
    """S09: late datagrams find nobody."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    site.run(after)
    site.daemon.command("delete", delete_delay=0)
    sent = len(site.sent)
    site.settle()
    said = len(site.sent) - sent
    site.run(5.0)
    assert len(site.sent) == sent + said
    assert site.daemon.calls() == []
    assert site.daemon.controller.next_timeout() is None


def test_a_bundle_has_one_agent_and_one_handshake_for_all_its_medias() -> None:
    """MOD-02: audio and video of a browser share a port; the phone has one for each."""
    site = Site()
    browser = Peer(site, BROWSER)
    text = browser.describe("actpass", "a=mid:0").replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE 0 1\r\n")
    shared = [line for line in text.split("\r\n") if line.startswith(("a=setup", "a=finger", "a=ice", "a=rtcp-mux"))]
    text += "\r\n".join(("m=video 50000 UDP/TLS/RTP/SAVPF 97", "a=rtpmap:97 VP8/90000", "a=mid:1", *shared, ""))
    site.daemon.offer(text, **TO_PLAIN, bundle=["accept"])
    told = site.daemon.answer(PHONE + "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n")
    assert "a=group:BUNDLE 0 1" in told
    browser.hear(told)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    assert [socket.protection is not None for socket in site.plan().sockets].count(True) == 1
    into = {route.sink for route in site.plan().routes if route.carries is Carries.RTP}
    assert site.facing(browser).id in into
    assert len({data[27:59] for _, data, _ in site.sent if data[0] == 22 and data[13] == 1}) == 1
    from_browser = [route for route in site.plan().routes if route.source == site.facing(browser).id]
    assert len({route.sink for route in from_browser if route.carries is Carries.RTP}) == 2
    assert all(route.selector is not None for route in from_browser)
