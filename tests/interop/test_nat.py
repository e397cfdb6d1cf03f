"""Phones behind a router that gives their packets another address and other ports."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .tap import media_endpoints

pytestmark = pytest.mark.interop

CALL = "nat@example.com"


def test_caller_behind_nat_is_called_back_by_media_and_requests(site: Site) -> None:
    alice, bob = site.phone_behind_nat("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).gate().bye(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).hung_up(), CALL)
    bob.hear(alice)
    alice.hear(bob)
    _check_hidden(alice)
    (offer,), (answer,) = site.control.requests("offer"), site.control.requests("answer")
    assert b"SIP-source-address" in offer.body[b"flags"]
    assert b"SIP-source-address" not in answer.body.get(b"flags", [])
    callee.go()
    callee.finish()
    caller.finish()


def test_registered_phone_behind_nat_is_reached(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone_behind_nat("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    _check_hidden(bob)
    caller.go()
    caller.finish()
    callee.finish()


def test_caller_behind_nat_offers_again(site: Site) -> None:
    alice, bob = site.phone_behind_nat("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(sdp(version=2)).hung_up(), CALL
    )
    caller = alice.play(
        Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().reinvite(sdp(version=2)).gate().bye(),
        CALL,
    )
    bob.hear(alice)
    alice.hear(bob)
    caller.go()
    bob.wait_for_request("ACK", 2)
    bob.hear(alice)
    alice.hear(bob)
    caller.go()
    caller.finish()
    callee.finish()


def test_way_to_a_phone_behind_nat_is_kept_open(new_site: Site) -> None:
    new_site.start(NAT_PING_SECONDS="1")
    bob, carol = new_site.phone_behind_nat("bob"), new_site.phone("carol")
    bob.register()
    carol.register()
    bob.wait_for_request("OPTIONS")
    assert not [message for message in carol.tap.sip(outgoing=False) if message.first_line.startswith("OPTIONS ")]


def _check_hidden(phone: Phone) -> None:
    """What the phone says of itself is of no use to others, or the test would prove nothing."""
    endpoints = [endpoint for message in phone.tap.sip(outgoing=True) for endpoint in media_endpoints(message.sdp)]
    assert {endpoint.address for endpoint in endpoints} == {phone.address}
    assert phone.address.startswith("10.")
