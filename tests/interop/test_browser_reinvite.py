"""New offers in a browser's call: hold, a phone that moves, and ICE that starts over."""

import re

import pytest

from .baresip import SDES
from .chromium import BrowserPhone
from .scenario import Callee, Caller, sdp
from .site import Site
from .waiting import wait_for

pytestmark = [pytest.mark.interop, pytest.mark.browser]

CALL = "reoffer@example.com"
NEW_PORT = 8000


def test_browser_holds_and_resumes(web_site: Site) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound)
        .accept_reinvite(sdp("a=recvonly", version=2)).hush()
        .accept_reinvite(sdp(version=3)).talk_on().hung_up(),
        CALL,
    )  # fmt: skip
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    alice.do("hold")
    assert re.search(r"(?m)^a=sendonly\r$", bob.wait_for_request("INVITE", 2).sdp)
    alice.wait_for_silence()
    alice.do("resume")
    alice.hear(bob)
    bob.hear(alice)
    alice.do("hangUp")
    callee.finish()


def test_browser_is_held_and_resumed(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    caller = Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate()
    caller.hush().reinvite(sdp("a=inactive", version=2)).gate().reinvite(sdp(version=3)).talk_on().gate().bye()
    call = alice.play(caller, CALL)
    bob.wait_for_state("Established")
    bob.hear(alice)
    alice.hear(bob)
    call.go()
    call.wait_at_gate()
    bob.wait_for_silence()
    assert _directions(bob) == ("inactive", "inactive")
    call.go()
    bob.hear(alice)
    alice.hear(bob)
    call.go()
    call.finish()


def test_browser_is_held_by_a_phone_that_encrypts(web_site: Site) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    baresip = bob.baresip("auto", SDES)
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    baresip.command("hold")
    wait_for(lambda: _directions(alice)[1] in ("sendonly", "inactive"), "the hold at alice")
    baresip.command("resume")
    wait_for(lambda: _directions(alice)[1] == "sendrecv", "the end of the hold at alice")
    alice.hear(bob)
    alice.do("hangUp")
    baresip.wait_for_event("CALL_CLOSED")


def test_phone_moves_while_it_talks_to_a_browser(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    caller = Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate()
    caller.hush().reinvite(sdp(port=str(NEW_PORT), version=2)).gate().bye()
    call = alice.play(caller, CALL)
    bob.wait_for_state("Established")
    bob.hear(alice)
    before = _transport(bob)
    call.go()
    call.wait_at_gate()
    alice.talk_from(NEW_PORT)
    bob.hear(alice)
    assert {packet.datagram.destination.port for packet in alice.hear(bob)} == {NEW_PORT}
    assert _transport(bob) == before, "the browser's transport has nothing to do with where the phone is"
    call.go()
    call.finish()


def test_browser_starts_ice_over(web_site: Site) -> None:
    """New credentials on both sides, the DTLS association stays (RFC 8842 §4)."""
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(sdp(version=2)).hung_up(), CALL
    )
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    before = _transport(alice)
    alice.do("restartIce")
    after = _transport(alice)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before if "ice" in name), "no new ICE credentials"
    assert all(before[name] == after[name] for name in before if "fingerprint" in name)
    alice.wait_for_ice("connected")
    alice.hear(bob)
    bob.hear(alice)
    assert alice.stats()["dtls"] == "connected"
    alice.do("hangUp")
    callee.finish()


def test_browser_starts_ice_over_when_its_way_was_cut(web_site: Site) -> None:
    """As when a computer leaves its network: the old paths are dead, the new ones have other ports."""
    browser = web_site.start_browser()
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(sdp(version=2)).hung_up(), CALL
    )
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    ports = {endpoint.port for endpoint in browser.host.bound()}
    every = ", ".join(map(str, sorted(ports)))
    browser.host.run("nft", "add table inet cut")
    for hook, end in (("input", "dport"), ("output", "sport")):
        browser.host.run("nft", f"add chain inet cut {hook} {{ type filter hook {hook} priority filter; }}")
        browser.host.run("nft", f"add rule inet cut {hook} udp {end} {{ {every} }} drop")
    alice.wait_for_ice("disconnected")
    alice.do("restartIce")
    alice.wait_for_ice("connected")
    alice.hear(bob)
    bob.hear(alice)
    assert alice.tap.rtp(outgoing=True)[-1].datagram.source.port not in ports
    alice.do("hangUp")
    callee.finish()


def test_browser_holds_a_browser(web_site: Site) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.browser("bob", tone=1000, takes_calls=True)
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    bob.hear(alice)
    alice.do("hold")
    assert _directions(bob) == ("recvonly", "sendonly")
    alice.do("resume")
    alice.hear(bob)
    bob.hear(alice)
    bob.do("hangUp")
    alice.wait_for_state("Terminated")


def _directions(browser: BrowserPhone) -> tuple[str, str]:
    """What the browser said and was told last: sendrecv, sendonly, recvonly or inactive."""
    sdp = browser.do("sdp")
    directions = [re.findall(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)\r$", sdp[side]) for side in sdp]
    return directions[0][-1], directions[1][-1]


def _transport(browser: BrowserPhone) -> dict[str, str]:
    """The lines that make up the transport of the call, by side and name."""
    sdp = browser.do("sdp")
    return {
        f"{side} {name}": value
        for side in sdp
        for name, value in re.findall(r"(?m)^a=(ice-ufrag|ice-pwd|fingerprint):(.*)\r$", sdp[side])
    }
