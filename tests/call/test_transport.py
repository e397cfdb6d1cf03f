"""A secured leg from its first offer to its last handshake: what becomes of ICE and DTLS in the plans of its call."""

from ngdaemon.base.endpoint import Endpoint
from tests.support.peer import Peer, Site, call_to_phone
from tests.support.sdp import audio

BROWSER = Endpoint("198.51.100.1", 50000)
PHONE = "198.51.100.2"


def test_keys_are_in_the_plan_only_after_the_peer_is_verified() -> None:
    """FP-10, MBX-07, MBX-08, S07."""
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, audio(PHONE, 4000), ICE="remove")
    assert site.is_shut(browser)
    assert site.run(2.0, until=lambda: browser.verified)
    assert site.is_open(browser)
    before = [plan for plan in site.plans() if all(not s.protection or s.protection.send is None for s in plan.sockets)]
    assert len(before) > 1
