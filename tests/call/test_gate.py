"""The gate of a secured leg: what opens it and what shuts it, apart from keys."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import RTCP, RTP
from ngdaemon.media.plan import Carries
from tests.support.peer import TO_PLAIN, Peer, Site, call_from_phone, call_to_phone
from tests.support.sdp import audio, port

BROWSER, PHONE = Endpoint("198.51.100.1", 50000), audio("198.51.100.2", 4000)
TO_BROWSER: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": "off",
    "rtcp_mux": ["offer", "accept"],
}


def flows(site: Site) -> set[tuple[int, int]]:
    """Between which sockets RTP may pass."""
    return {(int(route.source), int(route.sink)) for route in site.plan().routes if route.carries is Carries.RTP}


def up() -> tuple[Site, Peer]:
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    return site, browser


def test_ports_are_there_from_the_offer_on_in_both_directions() -> None:
    """GATE-01, SET-03: whoever is told a port can be heard at it at once."""
    site = Site()
    browser = Peer(site, BROWSER, controlling=False)
    told = site.daemon.offer(PHONE, **TO_BROWSER)
    assert port(told) in {local.port for _, local in site.daemon.forwarder.bound.values()}
    assert len(site.plan().sockets) == 4
    browser.hear(told)
    site.run(0.2)
    assert stun.SUCCESS in {message.kind for data in site.sent_to(BROWSER) if (message := stun.parse(data)) is not None}


@pytest.mark.parametrize("shut", ["a=inactive", "a=sendonly"])
def test_a_gate_that_is_shut_by_the_direction_still_answers_stun_and_dtls(shut: str) -> None:
    """GATE-01: no media, but checks and handshake are done when it opens."""
    site = Site()
    browser = Peer(site, BROWSER)
    site.daemon.offer(browser.describe("actpass", shut), **TO_PLAIN)
    answer = {"a=inactive": "a=inactive", "a=sendonly": "a=recvonly"}[shut]
    browser.hear(site.daemon.answer(PHONE + answer + "\r\n"))
    assert site.run(2.0, until=lambda: site.is_open(browser))
    toward = {sink for _, sink in flows(site)}
    assert int(site.facing(browser).id) not in toward
    assert (flows(site) == set()) is (shut == "a=inactive")
    site.daemon.offer(browser.describe(), to_tag="b", **TO_PLAIN)
    browser.hear(site.daemon.answer(PHONE))
    assert int(site.facing(browser).id) in {sink for _, sink in flows(site)}
    assert site.is_open(browser)


def test_a_gate_that_is_shut_by_the_script_keeps_the_keys_and_answers_checks() -> None:
    """GATE-01: `block-media` and back."""
    site, browser = up()
    before = site.facing(browser)
    assert site.daemon.command("block media", from_tag="a")["result"] == "ok"
    assert not [r for r in site.plan().routes if r.carries is Carries.RTP and r.source == before.id and r.only is None]
    sent = len(site.sent)
    site.run(12.0)
    assert site.facing(browser) == before
    assert [data for _, data, _ in site.sent[sent:]]
    site.daemon.command("unblock media", from_tag="a")
    assert site.facing(browser) == before


def test_all_traffic_may_be_dropped_while_the_handshake_goes_on() -> None:
    """GATE-01: `drop-traffic` of the offer."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE, drop_traffic="start")
    assert site.run(2.0, until=lambda: site.is_open(browser))
    assert flows(site) == set()


def test_the_ports_of_a_deleted_call_stay_out_of_use_for_a_while() -> None:
    """GATE-05, TIM-10: late packets do not hit a new call."""
    site, browser = up()
    old = {local for _, local in site.daemon.forwarder.bound.values()}
    site.daemon.command("delete", delete_delay=0)
    assert site.daemon.forwarder.bound == {}
    other = Peer(site, Endpoint("198.51.100.9", 50900), seed=2)
    site.daemon.offer(other.describe(), call="next", **TO_PLAIN)
    assert old.isdisjoint(local for _, local in site.daemon.forwarder.bound.values())
    sent = len(site.sent)
    browser.flush()
    for data, source, to in list(browser.datagrams[-3:]):
        site.network.send(data, source, to)
    site.run(0.2)
    assert not site.sent[sent + 1 :]


def test_each_association_gets_one_good_bye_when_the_call_ends() -> None:
    """GATE-05, HS-17: RTP and RTCP apart have two; a call that times out says it as well as one that is deleted."""
    for ending in ("delete", "timeout"):
        site = Site(timeout=20, silent_timeout=20, offer_timeout=20)
        browser = Peer(site, BROWSER, ice=False, mux=False)
        call_to_phone(site, browser, PHONE)
        assert site.run(2.0, until=lambda site=site, browser=browser: browser.verified())  # type: ignore[misc]
        site.run(1.0)
        sent = len(site.sent)
        if ending == "delete":
            site.daemon.command("delete", delete_delay=0)
        site.run(25.0)
        assert site.daemon.calls() == []
        byes = [(source, data[0]) for source, data, _ in site.sent[sent:]]
        assert byes == [(browser.told[RTP], 21), (browser.told[RTCP], 21)]
        assert [desk.verified_path for desk in browser.desks.values()] == [None, None]


def test_no_key_of_a_deleted_call_is_left_anywhere_in_the_daemon() -> None:
    """GATE-05, KEY-07: nothing refers to it any more."""
    site, browser = up()
    key = site.protection(browser).send
    assert key is not None
    site.daemon.command("delete", delete_delay=0)
    site.daemon.forwarder.history.clear()
    assert not site.daemon.forwarder.plans
    kept = site.daemon.controller._service.registry.transports
    assert (kept._calls, kept._links, kept._sockets) == ({}, {}, {})


def test_a_leg_that_is_ended_alone_says_good_bye_and_the_others_go_on() -> None:
    """GATE-05, MOD-01: one branch of a fork is deleted."""
    site = Site()
    branches = []
    for number in range(2):
        branch = Peer(site, Endpoint(f"198.51.100.{20 + number}", 40000), controlling=False, seed=2 + number)
        branch.hear(site.daemon.offer(PHONE, via_branch=f"branch{number}", **TO_BROWSER))
        branches.append(branch)
    for number, branch in enumerate(branches):
        site.daemon.answer(branch.answer(), via_branch=f"branch{number}", to_tag=f"b{number}", flags=["provisional"])
    assert site.run(3.0, until=lambda: all(site.is_open(branch) for branch in branches))
    sent = len(site.sent)
    site.daemon.command("delete", from_tag="b0", delete_delay=0)
    site.run(1.0)
    assert [to for _, data, to in site.sent[sent:] if data[0] == 21] == [branches[0].bases[branches[0].socket()].at]
    assert site.is_open(branches[1])


def test_a_secured_leg_that_times_out_in_its_handshake_keeps_the_call_no_longer_than_media_would() -> None:
    """GATE-03: datagrams that prove nothing are no sign of life."""
    site = Site(timeout=10, silent_timeout=10, offer_timeout=10)
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    browser.mute = True
    for _ in range(30):
        for data in (stun.binding_request_bare(bytes(12)), stun.build(stun.INDICATION, bytes(12), [])):
            site.network.send(data, BROWSER, browser.told[RTP])
        site.network.send(b"\x16\xfe\xfd" + bytes(40), BROWSER, browser.told[RTP])
        site.run(0.5)
    assert site.daemon.calls() == []


def test_a_secured_call_from_a_phone_comes_up_like_one_to_it() -> None:
    """GATE-01."""
    site = Site()
    browser = Peer(site, BROWSER, controlling=False)
    call_from_phone(site, browser, PHONE, **TO_BROWSER)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    assert len(flows(site)) >= 2
