"""Browsers and phones call each other through the shipped WebRTC configuration, and hear each other."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site

pytestmark = [pytest.mark.interop, pytest.mark.browser]

CALL = "browser@example.com"


def test_browser_calls_a_plain_phone(web_site: Site) -> None:
    alice, bob = web_site.browser("alice", tone=700), web_site.phone("bob", tone=1000)
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    alice.call("bob")
    alice.wait_for_state("Established")
    alice.hear(bob)
    bob.hear(alice)
    alice.do("hangUp")
    callee.finish()
    alice.wait_for_state("Terminated")


def test_plain_phone_calls_a_browser(web_site: Site) -> None:
    alice, bob = web_site.phone("alice", tone=1000), web_site.browser("bob", tone=700, takes_calls=True)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye(), CALL)
    bob.wait_for_state("Established")
    bob.hear(alice)
    alice.hear(bob)
    caller.go()
    caller.finish()
    bob.wait_for_state("Terminated")
