"""IPv4 and IPv6 phones with each other."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site

pytestmark = pytest.mark.interop

CALL = "family@example.com"


@pytest.mark.parametrize(
    ("caller_ipv6", "callee_ipv6"),
    [(False, True), (True, False), (True, True)],
    ids=["IPv4 to IPv6", "IPv6 to IPv4", "IPv6 to IPv6"],
)
@pytest.mark.parametrize("late", [False, True], ids=["early offer", "late offer"])
def test_phones_of_either_family_hear_each_other(site: Site, caller_ipv6: bool, callee_ipv6: bool, late: bool) -> None:
    alice, bob = site.phone("alice", ipv6=caller_ipv6), site.phone("bob", ipv6=callee_ipv6)
    bob.register()
    early_body, late_body = ("", sdp()) if late else (sdp(), "")
    callee = bob.play(Callee("bob").invited().ring().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(
        Caller("alice", "bob").invite(early_body).answered(180, body_in_ack=late_body).talk(alice.sound).gate().bye(),
        CALL,
    )
    alice.hear(bob)
    bob.hear(alice)
    for phone, ipv6 in ((alice, caller_ipv6), (bob, callee_ipv6)):
        assert (":" in phone.told().address) is ipv6
    caller.go()
    caller.finish()
    callee.finish()
