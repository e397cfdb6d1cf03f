"""One call, several phones: each fork has media of its own until one of them takes the call."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site
from .tap import media_endpoints
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "fork@example.com"


def test_one_phone_answers_and_the_other_is_cancelled(site: Site) -> None:
    alice, desk, mobile = site.phone("alice"), site.phone("bob"), site.phone("bob")
    for phone in (desk, mobile):
        phone.register()
    lost = mobile.play(Callee("bob").invited().ring().cancelled(), CALL)
    won = desk.play(Callee("bob").invited().ring().gate().answer(sdp()).talk(desk.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180, 180).talk(alice.sound).gate().bye(), CALL)
    wait_for(lambda: len(alice.replies(180)) == 2, "both phones to ring")
    won.go()
    alice.hear(desk)
    desk.hear(alice)
    lost.finish()
    alice.hear(desk)
    desk.hear(alice)
    assert not mobile.tap.rtp(outgoing=False)
    assert desk.told() != mobile.told()
    caller.go()
    caller.finish()
    won.finish()


def test_early_media_of_one_phone_gives_way_to_the_phone_that_answers(site: Site) -> None:
    alice, desk, mobile = site.phone("alice"), site.phone("bob"), site.phone("bob")
    for phone in (desk, mobile):
        phone.register()
    lost = mobile.play(Callee("bob").invited().ring(sdp()).talk(mobile.sound).cancelled(), CALL)
    won = desk.play(Callee("bob").invited().gate().answer(sdp()).talk(desk.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(183).talk(alice.sound).gate().bye(), CALL)
    alice.hear(mobile)
    won.go()
    lost.finish()
    desk.hear(alice)
    alice.hear(desk)
    caller.go()
    caller.finish()
    won.finish()


def test_busy_phone_leaves_the_other_ringing(site: Site) -> None:
    alice, desk, mobile = site.phone("alice"), site.phone("bob"), site.phone("bob")
    for phone in (desk, mobile):
        phone.register()
    busy = mobile.play(Callee("bob").invited().refuse(486), CALL)
    won = desk.play(Callee("bob").invited().ring().gate().answer(sdp()).talk(desk.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered(180).talk(alice.sound).gate().bye(), CALL)
    busy.finish()
    won.go()
    alice.hear(desk)
    desk.hear(alice)
    caller.go()
    caller.finish()
    won.finish()


def test_caller_gives_up_while_both_phones_ring(site: Site) -> None:
    alice, desk, mobile = site.phone("alice"), site.phone("bob"), site.phone("bob")
    for phone in (desk, mobile):
        phone.register()
    ringing = [phone.play(Callee("bob").invited().ring().cancelled(), CALL) for phone in (desk, mobile)]
    caller = alice.play(
        Caller("alice", "bob").invite(sdp()).expect_reply(180, 100).expect_reply(180).gate().cancel(), CALL
    )
    caller.go()
    caller.finish()
    for call in ringing:
        call.finish()
    told = {endpoint for phone in (desk, mobile) for endpoint in media_endpoints(phone.wait_for_request("INVITE").sdp)}
    assert len(told) == 2
