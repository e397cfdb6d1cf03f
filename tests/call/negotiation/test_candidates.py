"""ICE in offers and answers: hold, mismatch, and the default address."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from tests.support.daemon import Daemon
from tests.support.peer import TO_PLAIN, Peer, Site, call_to_phone
from tests.support.sdp import address, attribute, direction, port

from .described import DTLS, A, B, dtls, phone

_ICE = (
    "a=ice-ufrag:abcdefgh",
    "a=ice-pwd:abcdefghabcdefghabcdefgh",
    f"a=candidate:1 1 UDP 2130706431 {A} 4000 typ host",
)
_PLAIN = phone(B, "RTP/AVP")
_TO_BROWSER = {"transport_protocol": DTLS, "ICE": "force"}


@pytest.mark.parametrize("held", ["inactive", "sendonly"])
def test_hold_is_a_direction_and_not_an_address_ice_09(held: str) -> None:
    """ICE-09: the browser is told where to send, and not to."""
    daemon = Daemon()
    daemon.offer(_PLAIN, **_TO_BROWSER)
    daemon.answer(dtls(A, *_ICE, setup="active"))
    told = daemon.offer(phone(B, "RTP/AVP", f"a={held}", version=2), **_TO_BROWSER)
    assert address(told) == "192.0.2.1"
    assert direction(told) == held
    assert port(told)


@pytest.mark.parametrize(
    ("connection", "number", "mismatch"),
    [
        pytest.param(A, 4000, False, id="ICE-10 among the candidates"),
        pytest.param("198.51.100.99", 4000, True, id="ICE-10 another address"),
        pytest.param("0.0.0.0", 9, False, id="ICE-10 port 9"),
    ],
)
def test_a_default_address_that_is_no_candidate_is_a_mismatch(connection: str, number: int, mismatch: bool) -> None:
    """ICE-10: and then the answer says so, or has no candidates."""
    daemon = Daemon()
    offer = dtls(A, *_ICE, f"c=IN IP4 {connection}", port=number)
    daemon.offer(offer, transport_protocol="RTP/AVP", ICE="remove")
    answer = daemon.answer(_PLAIN)
    said = attribute(answer, "ice-mismatch") is not None
    assert said is mismatch
    assert (attribute(answer, "candidate") is None) is mismatch


def test_after_nomination_the_default_address_is_that_of_the_selected_pair_ice_13() -> None:
    """ICE-13: in a later offer to the browser, and in answers to its own."""
    site = Site()
    browser = Peer(site, Endpoint(A, 50000))
    call_to_phone(site, browser, _PLAIN)
    assert site.run(3.0, until=lambda: site.is_open(browser))
    _, selected = site.daemon.forwarder.bound[site.facing(browser).id]
    offered = site.daemon.offer(phone(B, "RTP/AVP", version=2), from_tag="b", to_tag="a", **_TO_BROWSER)
    assert (address(offered), port(offered)) == selected
    browser.hear(offered)
    site.daemon.answer(browser.describe("active"), from_tag="b", to_tag="a")
    site.daemon.offer(browser.describe("actpass"), to_tag="b", **TO_PLAIN)
    answered = site.daemon.answer(phone(B, "RTP/AVP", version=3))
    assert (address(answered), port(answered)) == selected
