"""Lost datagrams between the proxy and the media node."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site

pytestmark = pytest.mark.interop

CALL = "lost@example.com"


def test_repeated_request_gets_the_same_reply_and_is_done_once(new_site: Site) -> None:
    new_site.start(NG_TIMEOUT_MS="200")
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    bob.register()
    _drop_first_reply(new_site)
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()
    first, second = new_site.control.requests("offer")
    assert first == second
    lost, arrived = [reply for reply in new_site.control.replies("ok") if reply.cookie == first.cookie]
    assert lost == arrived
    new_site.tolerate("timeout waiting reply")


def _drop_first_reply(site: Site) -> None:
    """Lose the next datagram that comes from the media node's control port."""
    port = str(site.node.port)
    site.core.run("nft", "add table inet loss")
    site.core.run("nft", "add chain inet loss in { type filter hook input priority filter; }")
    site.core.run("nft", f"add rule inet loss in udp sport {port} numgen inc mod 1000000 0 drop")
