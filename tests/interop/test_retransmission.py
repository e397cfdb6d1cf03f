"""Lost datagrams between the proxy and the media node."""

import pytest

from .scenario import Callee, Caller, sdp
from .site import Site
from .tap import Datagram, Tap

pytestmark = pytest.mark.interop

CALL = "lost@example.com"


def test_repeated_request_gets_the_same_reply_and_is_done_once(new_site: Site) -> None:
    new_site.start(NG_TIMEOUT_MS="200")
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    bob.register()
    control = Tap(new_site.core, "lo")
    _drop_first_reply(new_site)
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()
    offers = _messages(control, b"7:command5:offer")
    control.close()
    assert len(offers) == 2
    assert offers[0].data == offers[1].data
    new_site.tolerate("timeout waiting reply")


def _drop_first_reply(site: Site) -> None:
    """Lose the next datagram that leaves the media node's control port."""
    port = str(site.node.port)
    site.core.run("nft", "add table inet loss")
    site.core.run("nft", "add chain inet loss out { type filter hook output priority filter; }")
    site.core.run("nft", f"add rule inet loss out udp sport {port} numgen inc mod 1000000 0 drop")


def _messages(control: Tap, part: bytes) -> list[Datagram]:
    return [datagram for datagram in control.datagrams() if datagram.outgoing and part in datagram.data]
