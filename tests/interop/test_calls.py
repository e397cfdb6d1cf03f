"""Plain calls through Kamailio and the media node, to their usual ends."""

import subprocess

import pytest

from ngdaemon.base.endpoint import Endpoint

from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .tap import media_endpoints
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "plain@example.com"


def test_both_phones_hear_each_other_and_not_a_packet_is_lost(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    talks = Callee("bob").invited().ring().answer(sdp()).talk(bob.sound)
    callee = bob.play(talks.gate().hush().gate().hung_up(), CALL)
    calls = Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound)
    caller = alice.play(calls.gate().hush().gate().bye(), CALL)
    alice.hear(bob, packets=50, since=0)
    bob.hear(alice, packets=50, since=0)
    for call in (caller, callee):
        call.go()
        call.wait_at_gate()
    wait_for(lambda: _relayed(site) == _said(alice) + _said(bob), "all packets at the media node")
    alice.hear(bob, packets=_said(bob), since=0)
    bob.hear(alice, packets=_said(alice), since=0)
    callee.go()
    caller.go()
    caller.finish()
    callee.finish()
    _check_streams_with_tshark(site, bob)


def _said(phone: Phone) -> int:
    return len(phone.tap.rtp(outgoing=True))


def _relayed(site: Site) -> int:
    count: int = site.node.ask(command="query", call_id=CALL)[b"totals"][b"RTP"][b"packets"]
    return count


def _check_streams_with_tshark(site: Site, phone: Phone) -> None:
    """A judge of its own: Wireshark follows the SDP to both streams and misses nothing."""
    capture = site.folder / f"{phone.user}.pcap"
    phone.tap.write(capture)
    command = ["tshark", "-n", "-r", str(capture), "-q", "-z", "rtp,streams"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    streams = [line.split() for line in table.splitlines() if "g711A" in line]
    assert len(streams) == 2, table
    assert all(" 0 (0.0%)" in " ".join(stream) for stream in streams), table


def test_early_media_is_heard_before_the_answer(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring(sdp()).talk(bob.sound).gate().answer(sdp()).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(183).talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    assert not bob.tap.rtp(outgoing=False)
    callee.go()
    bob.hear(alice)
    alice.hear(bob)
    caller.go()
    caller.finish()
    callee.finish()


def test_late_offer_has_the_callee_describe_first(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(
        Caller("alice", "bob").invite("").answered(180, body_in_ack=sdp()).talk(alice.sound).gate().bye(), CALL
    )
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()
    answers = [
        message for message in bob.tap.sip(outgoing=False) if message.first_line.startswith("ACK ") and message.sdp
    ]
    assert len(answers) == 1


def test_cancelled_call_leaves_nothing(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().cancelled(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).expect_reply(180, 100).gate().cancel(), CALL)
    wait_for(site.node.calls, "the call at the media node")
    caller.go()
    caller.finish()
    callee.finish()


def test_busy_callee_leaves_nothing(site: Site) -> None:
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().gate().refuse(486), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).refused(486), CALL)
    wait_for(site.node.calls, "the call at the media node")
    callee.go()
    caller.finish()
    callee.finish()


def test_unanswered_call_leaves_nothing(new_site: Site) -> None:
    new_site.start(RING_MS="1000")
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().ring().cancelled(), CALL)
    alice.play(Caller("alice", "bob").invite(sdp()).refused(408, 180), CALL).finish()
    callee.finish()


def test_silent_phone_leaves_nothing(new_site: Site) -> None:
    new_site.start(SILENCE_MS="1000")
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    bob.register()
    alice.play(Caller("alice", "bob").invite(sdp()).refused(408), CALL).finish()


def test_each_phone_is_told_ports_of_its_own(site: Site) -> None:
    """Two calls at once share the node and nothing else."""
    pairs = [(site.phone("alice"), site.phone("bob")), (site.phone("carol"), site.phone("dave"))]
    calls = []
    for caller, callee in pairs:
        callee.register()
        call_id = f"{caller.user}@example.com"
        calls.append(callee.play(Callee(callee.user).invited().answer(sdp()).talk(callee.sound).hung_up(), call_id))
        calls.append(
            caller.play(
                Caller(caller.user, callee.user).invite(sdp()).answered().talk(caller.sound).gate().bye(), call_id
            )
        )
    for caller, callee in pairs:
        caller.hear(callee)
        callee.hear(caller)
    told = [endpoint for phone in site.phones for endpoint in _told(phone)]
    assert len(told) == len(set(told)) == 4
    assert all(endpoint.port % 2 == 0 for endpoint in told)
    for call in (calls[1], calls[3]):
        call.go()
    for call in calls:
        call.finish()


def _told(phone: Phone) -> set[Endpoint]:
    return {endpoint for message in phone.tap.sip(outgoing=False) for endpoint in media_endpoints(message.sdp)}
