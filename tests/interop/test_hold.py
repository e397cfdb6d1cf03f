"""Hold and resume, in each way that phones say it (RFC 3264 §8.4, RFC 6337 §5.3)."""

import re
from dataclasses import dataclass

import pytest

from .gateway import daemon_under_test
from .scenario import Callee, Caller, sdp
from .site import Site
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "hold@example.com"


@dataclass(frozen=True)
class Hold:
    """What the holding side offers, what the held one reads (a pattern) and answers, and whether it hears music."""

    offer: str
    told: str
    answer: str
    music: bool


SENDONLY = Hold(sdp("a=sendonly", version=2), r"(?m)^a=sendonly\r$", sdp("a=recvonly", version=2), music=True)
INACTIVE = Hold(sdp("a=inactive", version=2), r"(?m)^a=inactive\r$", sdp("a=inactive", version=2), music=False)
ZERO_ADDRESS = Hold(
    sdp(address="0.0.0.0", version=2), r"(?m)^c=IN IP4 0\.0\.0\.0\r$", sdp("a=recvonly", version=2), music=False
)
HOLDS = {"sendonly": SENDONLY, "inactive": INACTIVE, "zero address": ZERO_ADDRESS}


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS.keys())
def test_caller_holds_and_resumes(site: Site, hold: Hold) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = Callee("bob").invited().answer(sdp()).talk(bob.sound)
    callee.accept_reinvite(hold.answer).hush().accept_reinvite(sdp(version=3)).talk_on().hung_up()
    caller = Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate()
    if hold.music:
        caller.reinvite(hold.offer).gate().reinvite(sdp(version=3))
    else:
        caller.hush().reinvite(hold.offer).gate().reinvite(sdp(version=3)).talk_on()
    callee_call, caller_call = bob.play(callee, CALL), alice.play(caller.gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)

    caller_call.go()
    bob.wait_for_request("ACK", 2)
    assert re.search(hold.told, bob.wait_for_request("INVITE", 2).sdp)
    if hold.music:
        bob.hear(alice)

    caller_call.go()
    bob.wait_for_request("ACK", 3)
    assert not re.search(hold.told, bob.wait_for_request("INVITE", 3).sdp)
    alice.hear(bob)
    bob.hear(alice)
    caller_call.go()
    caller_call.finish()
    callee_call.finish()


@pytest.mark.skipif(daemon_under_test() == "rtpengine", reason="rtpengine 10.5 relays it")
@pytest.mark.parametrize("hold", [SENDONLY, INACTIVE], ids=["sendonly", "inactive"])
def test_phone_that_talks_on_while_held_is_not_heard(site: Site, hold: Hold) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(
        Callee("bob").invited().answer(sdp()).talk(bob.sound).accept_reinvite(hold.answer).hung_up(), CALL
    )
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered().gate().reinvite(hold.offer).gate().bye(), CALL)
    alice.hear(bob)
    caller.go()
    bob.wait_for_request("ACK", 2)
    held, said = alice.tap.mark(), bob.tap.mark()
    wait_for(lambda: len(bob.tap.rtp(outgoing=True, since=said)) >= 25, "half a second of talk")
    assert not alice.tap.rtp(outgoing=False, since=held)
    caller.go()
    caller.finish()
    callee.finish()
