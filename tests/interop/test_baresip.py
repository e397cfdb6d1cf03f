"""Another kind of phone: baresip, whose own ears are asked too."""

import pytest

from .baresip import BaresipPhone
from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "baresip@example.com"


def test_baresip_calls_sipp(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    baresip = alice.baresip()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    baresip.command("dial", f"sip:bob@{site.core.address}")
    baresip.wait_for_event("CALL_ESTABLISHED")
    alice.hear(bob)
    bob.hear(alice)
    _check_tape(baresip, bob)
    baresip.command("hangup")
    callee.finish()


def test_sipp_calls_baresip(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    baresip = bob.baresip(answer="auto")
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180, 183).talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    _check_tape(baresip, alice)
    caller.go()
    caller.finish()
    baresip.wait_for_event("CALL_CLOSED")


def test_baresip_holds_and_resumes(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    baresip = alice.baresip()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound)
        .accept_reinvite(sdp("a=recvonly", version=2)).hush()
        .accept_reinvite(sdp(version=3)).talk_on().hung_up(),
        CALL,
    )  # fmt: skip
    baresip.command("dial", f"sip:bob@{site.core.address}")
    alice.hear(bob)
    bob.hear(alice)
    baresip.command("hold")
    bob.wait_for_request("ACK", 2)
    baresip.command("resume")
    bob.wait_for_request("ACK", 3)
    alice.hear(bob)
    bob.hear(alice)
    baresip.command("hangup")
    callee.finish()


def test_baresip_calls_baresip_between_the_families(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob", ipv6=True)
    caller, callee = alice.baresip(), bob.baresip(answer="auto")
    caller.command("dial", f"sip:bob@{site.core.address}")
    alice.hear(bob)
    bob.hear(alice)
    _check_tape(caller, bob)
    _check_tape(callee, alice)
    callee.command("hangup")
    caller.wait_for_event("CALL_CLOSED")


def _check_tape(baresip: BaresipPhone, other: Phone) -> None:
    wait_for(lambda: other.voice.is_heard_in(baresip.heard()), f"{other.user} on baresip's tape")
