"""New offers inside a call: media moves, the call lives on."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "reinvite@example.com"
NEW_PORT = 8000
MOVED = sdp(port=str(NEW_PORT), version=2)
SAME = sdp(version=2)


def test_caller_moves_to_another_port(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(SAME).talk(bob.sound).hung_up(), CALL
    )
    caller = alice.play(
        Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().hush().reinvite(MOVED).gate().bye(),
        CALL,
    )
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    bob.wait_for_request("ACK", 2)
    alice.talk_from(NEW_PORT)
    bob.hear(alice)
    assert {packet.datagram.destination.port for packet in alice.hear(bob)} == {NEW_PORT}
    caller.go()
    caller.finish()
    callee.finish()


def test_callee_moves_to_another_port(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).gate().hush().reinvite(MOVED).hung_up(), CALL
    )
    caller = alice.play(
        Caller("alice", "bob")
        .invite(sdp())
        .answered()
        .talk(alice.sound)
        .accept_reinvite(SAME)
        .talk(alice.sound)
        .gate()
        .bye(),
        CALL,
    )
    alice.hear(bob)
    bob.hear(alice)
    callee.go()
    alice.wait_for_request("ACK")
    bob.talk_from(NEW_PORT)
    alice.hear(bob)
    assert {packet.datagram.destination.port for packet in bob.hear(alice)} == {NEW_PORT}
    caller.go()
    caller.finish()
    callee.finish()


def test_caller_moves_by_update(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = Callee("bob").invited().answer(sdp()).talk(bob.sound)
    callee.expect("UPDATE").reply(200, SAME).talk(bob.sound).hung_up()
    caller = Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate()
    caller.hush().update(MOVED).gate().bye()
    callee_call, caller_call = bob.play(callee, CALL), alice.play(caller, CALL)
    alice.hear(bob)
    bob.hear(alice)
    caller_call.go()
    wait_for(lambda: len(alice.replies(200)) == 2, "the answer to the UPDATE")
    alice.talk_from(NEW_PORT)
    bob.hear(alice)
    assert {packet.datagram.destination.port for packet in alice.hear(bob)} == {NEW_PORT}
    caller_call.go()
    caller_call.finish()
    callee_call.finish()


def test_offer_without_change_leaves_the_media_where_it_is(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(SAME).hung_up(), CALL)
    caller = alice.play(
        Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().reinvite(SAME).gate().bye(), CALL
    )
    alice.hear(bob)
    bob.hear(alice)
    begin_alice, begin_bob = alice.tap.mark(), bob.tap.mark()
    caller.go()
    bob.wait_for_request("ACK", 2)
    alice.hear(bob, packets=50, since=begin_alice)
    bob.hear(alice, packets=50, since=begin_bob)
    caller.go()
    caller.finish()
    callee.finish()


def test_refused_offer_leaves_the_call_as_it_was(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).expect("INVITE").refuse(488).hung_up(), CALL
    )
    caller = alice.play(
        Caller("alice", "bob")
        .invite(sdp())
        .answered()
        .talk(alice.sound)
        .gate()
        .refused_reinvite(SAME, 488)
        .gate()
        .bye(),
        CALL,
    )
    alice.hear(bob)
    bob.hear(alice)
    begin_alice, begin_bob = alice.tap.mark(), bob.tap.mark()
    caller.go()
    bob.wait_for_request("ACK", 2)
    alice.hear(bob, packets=50, since=begin_alice)
    bob.hear(alice, packets=50, since=begin_bob)
    caller.go()
    caller.finish()
    callee.finish()


def test_reinvite_without_offer_has_the_other_side_describe(site: Site) -> None:
    alice, bob = site.phone("alice", ipv6=True), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(SAME).hung_up(), CALL)
    caller = alice.play(
        Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().reinvite("", SAME).gate().bye(), CALL
    )
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    assert bob.wait_for_request("ACK", 2).sdp
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()
