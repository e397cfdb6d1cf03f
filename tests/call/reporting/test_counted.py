"""What is told of a media that ICE has moved to another local address than the first one."""

import logging

import pytest

from ngdaemon.base.endpoint import Endpoint, Interface
from ngdaemon.base.ids import CallId
from ngdaemon.media.forwarder import SocketCounters, SsrcCounters, Stranger
from tests.support.daemon import CALL
from tests.support.peer import Peer, Site, call_to_phone
from tests.support.sdp import audio

FIRST, SECOND = "192.0.2.1", "192.0.2.2"
BROWSER, PHONE = Endpoint("198.51.100.1", 50000), audio("198.51.100.2", 4000)


@pytest.fixture
def site() -> Site:
    """A call that is up, of a browser that reaches our second address only."""
    interfaces = tuple(Interface("default", address, address) for address in (FIRST, SECOND))
    site = Site(interfaces=interfaces)
    peer = Peer(site, BROWSER)
    site.filter = lambda data, source, to: source.address == SECOND
    call_to_phone(site, peer, PHONE)
    site.run(5.0)
    return site


def browser_sent(site: Site) -> Endpoint:
    """Count media of the browser; where it came in."""
    path = next(socket.id for socket in site.plan().sockets if socket.signalled == BROWSER)
    sources = (SsrcCounters(7, 90, 9000, 0, 0, 0, 0),)
    site.daemon.forwarder.counted[path] = SocketCounters(90, 9000, 1, 80, 8000, peer=BROWSER, sources=sources)
    local = site.daemon.forwarder.bound[path][1]
    first = next(number for number, (_, at) in site.daemon.forwarder.bound.items() if at.address == FIRST)
    site.daemon.forwarder.counted[first] = SocketCounters(10, 1000, 0, 2, 200, control_packets=2, control_bytes=200)
    assert local.address == SECOND
    return local


def test_query_shows_the_port_in_use_and_all_that_came(site: Site) -> None:
    local = browser_sent(site)
    reply = site.daemon.command("query")
    stream = reply["tags"]["a"]["medias"][0]["streams"][0]
    assert (stream["local address"], stream["local port"]) == (SECOND, local.port)
    assert stream["stats"] == {"packets": 100, "bytes": 10000, "errors": 1}
    assert stream["stats_out"]["packets"] == 82
    assert reply["totals"]["RTP"]["packets"] == 100
    assert reply["SSRC"]["7"]["packets"] == 90
    assert reply["tags"]["b"]["medias"][0]["egress SSRCs"][0]["SSRC"] == 7


def test_the_last_line_does_so_too(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    local = browser_sent(site)
    with caplog.at_level(logging.INFO):
        site.daemon.command("delete", delete_delay=0)
    assert (
        f"a audio: {BROWSER} <> {SECOND}:{local.port}, DTLS verified AEAD_AES_256_GCM, ICE selected, "
        "in 100 packets 10000 bytes, lost 0, out 80 packets 8000 bytes and 2 of ICE and DTLS, dropped 1"
    ) in caplog.text
    totals = site.daemon.ask({"command": "statistics"})["statistics"]["totalstatistics"]
    assert (totals["zerowaystreams"], totals["onewaystreams"]) == (0, 1)


def test_what_happens_at_the_other_address_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    path = next(socket.id for socket in site.plan().sockets if socket.signalled == BROWSER)
    port = site.daemon.forwarder.bound[path][1].port
    event = Stranger(CallId(CALL), path, Endpoint("203.0.113.9", 9), site.clock.now)
    site.daemon.forwarder.events = [event]
    with caplog.at_level(logging.INFO):
        site.daemon.controller.handle_events(site.clock.now)
    assert f"media from 203.0.113.9:9 to audio port {port} dropped" in caplog.text
