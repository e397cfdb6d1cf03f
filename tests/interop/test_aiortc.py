"""aiortc and a plain phone, with the test in the place of the proxy."""

from collections.abc import Iterator
from typing import Any

import pytest

from .aiortc_peer import AiortcPeer
from .site import Phone, Site
from .tap import media_endpoints
from .voice import Voice
from .waiting import wait_for

pytestmark = pytest.mark.interop

CALL = "aiortc@example.com"
PORT = 7000
TO_PLAIN: dict[str, Any] = {"transport_protocol": "RTP/AVP", "ICE": "remove", "rtcp_mux": ["demux"]}
TO_WEBRTC: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": ["off"],
    "rtcp_mux": ["require"],
    "flags": ["generate-mid"],
}


@pytest.fixture
def peer(site: Site) -> Iterator[AiortcPeer]:
    host = site.network.host("aiortc", 50)
    peer = AiortcPeer("aiortc", host, Voice("aiortc"))
    try:
        yield peer
    finally:
        peer.close()


def test_aiortc_calls_a_plain_phone(site: Site, peer: AiortcPeer) -> None:
    bob = site.phone("bob")
    offer = _ask(site, "offer", peer.offer(), **TO_PLAIN)
    assert "RTP/AVP 8" in offer
    answer = _ask(site, "answer", _plain(bob))
    assert "UDP/TLS/RTP/SAVPF 8" in answer
    peer.accept(answer)
    _check_talk(peer, bob, offer)
    _hang_up(site)


def test_plain_phone_calls_aiortc(site: Site, peer: AiortcPeer) -> None:
    alice = site.phone("alice")
    offer = _ask(site, "offer", _plain(alice), **TO_WEBRTC)
    answer = _ask(site, "answer", peer.answer(offer))
    assert "RTP/AVP 8" in answer
    _check_talk(peer, alice, answer)
    _hang_up(site)


def _check_talk(peer: AiortcPeer, phone: Phone, told: str) -> None:
    """The phone speaks to where it was told to, and both hear each other, sample by sample."""
    phone.talk(PORT, next(media_endpoints(told)))
    wait_for(lambda: peer.state == "connected", "ICE and DTLS of aiortc")
    phone.hear(peer)
    wait_for(lambda: phone.voice.is_heard_in(peer.heard()), f"{phone.user} on aiortc's tape")


def _ask(site: Site, command: str, sdp: str, **keys: Any) -> str:
    if command == "answer":
        keys["to_tag"] = "b"
    reply = site.node.ask(command=command, call_id=CALL, from_tag="a", sdp=sdp, replace=["origin"], **keys)
    assert reply[b"result"] == b"ok", reply
    sdp_out: bytes = reply[b"sdp"]
    return sdp_out.decode()


def _hang_up(site: Site) -> None:
    assert site.node.ask(command="delete", call_id=CALL, from_tag="a")[b"result"] == b"ok"


def _plain(phone: Phone) -> str:
    lines = [
        "v=0", f"o=- 1 1 IN IP4 {phone.address}", "s=-", f"c=IN IP4 {phone.address}", "t=0 0",
        f"m=audio {PORT} RTP/AVP 8", "a=rtpmap:8 PCMA/8000",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines)
