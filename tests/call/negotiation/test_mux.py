"""rtcp-mux in offers and answers (RFC 5761, RFC 8035, RFC 8858)."""

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import attribute, port

from .described import DTLS, A, B, dtls, phone

_PLAIN = phone(B, "RTP/AVP")
_OFFERS = {
    "nothing": (),
    "rtcp-mux": ("a=rtcp-mux",),
    "rtcp-mux-only": ("a=rtcp-mux", "a=rtcp-mux-only"),
}


@pytest.mark.parametrize(
    ("offered", "words", "muxed"),
    [
        pytest.param("nothing", [], False, id="MUX-01 nothing"),
        pytest.param("nothing", ["accept"], False, id="MUX-01 nothing to accept"),
        pytest.param("rtcp-mux", ["accept"], True, id="MUX-01 accepted"),
        pytest.param("rtcp-mux", ["reject"], False, id="MUX-01 rejected"),
        pytest.param("rtcp-mux-only", ["accept"], True, id="MUX-01 the only way"),
    ],
)
def test_the_answer_follows_offer_and_policy(offered: str, words: list[str], muxed: bool) -> None:
    """MUX-01: an answer never says rtcp-mux-only, and the other leg does not come into it."""
    daemon = Daemon()
    daemon.offer(phone(A, "RTP/AVP", *_OFFERS[offered]), rtcp_mux=[*words, "demux"])
    answer = daemon.answer(_PLAIN)
    assert (attribute(answer, "rtcp-mux") is not None) is muxed
    assert attribute(answer, "rtcp-mux-only") is None
    rtcp = attribute(answer, "rtcp")
    if rtcp is not None:
        assert int(rtcp.split()[0]) == port(answer) + (0 if muxed else 1)


def test_an_offer_that_leaves_no_choice_has_no_second_port_mux_03() -> None:
    told = Daemon().offer(_PLAIN, rtcp_mux=["require"], transport_protocol=DTLS, ICE="force")
    assert attribute(told, "rtcp-mux") is not None
    assert attribute(told, "rtcp") in (None, str(port(told)))
    assert all(line.split()[1] == "1" for line in told.splitlines() if line.startswith("a=candidate:"))


def test_forks_may_answer_differently_mux_04() -> None:
    """MUX-04: the port for RTCP stays open for the fork that does not multiplex."""
    daemon = Daemon()
    told = daemon.offer(phone(A, "RTP/AVP"), rtcp_mux=["offer"])
    open_ports = {port(told), port(told) + 1}
    muxed = phone("198.51.100.11", "RTP/AVP", "a=rtcp-mux")
    for answer, tag, mux in ((muxed, "b1", True), (phone(B, "RTP/AVP"), "b2", False)):
        daemon.answer(answer, to_tag=tag)
        assert open_ports <= {local.port for _, local in daemon.forwarder.bound.values()}
        (socket,) = (socket for socket in daemon.plan().sockets if socket.id == daemon.socket_at(port(told)))
        assert socket.muxed is mux


def test_a_later_offer_keeps_mux_mux_05() -> None:
    daemon = Daemon()
    daemon.offer(_PLAIN, transport_protocol=DTLS, ICE="force", rtcp_mux=["offer"])
    daemon.answer(dtls(A, setup="active"))
    again = daemon.offer(_PLAIN)
    assert attribute(again, "rtcp-mux") is not None


def test_browsers_are_offered_mux_mux_06() -> None:
    told = Daemon().offer(_PLAIN, flags=["WebRTC"])
    assert attribute(told, "rtcp-mux") is not None
