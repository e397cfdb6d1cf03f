"""What the network can make a transport do is bounded: lines of the log, plans, datagrams to third parties."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.base.throttle import INTERVAL
from ngdaemon.call.model import LocalPort
from ngdaemon.call.transport.transport import LINES, Transport
from ngdaemon.dtls.component import ICE_PATH
from ngdaemon.dtls.records import Content, record, whole
from ngdaemon.dtls.roles import Role
from ngdaemon.ice import stun
from ngdaemon.ice.agent import FIRST_NEWCOMERS, NEWCOMERS
from ngdaemon.ice.candidate import RTP
from ngdaemon.ice.selection import LINGER
from tests.dtls.test_admission import BAD_HELLOS
from tests.dtls.test_hello import hello
from tests.support.daemon import CALL
from tests.support.peer import TO_PLAIN, Peer, Site, call_to_phone
from tests.support.sdp import attribute, audio

TO_BROWSER: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": "off",
    "rtcp_mux": ["offer", "accept"],
}
BROWSER = Endpoint("198.51.100.1", 50000)
PHONE = audio("198.51.100.2", 4000)


def connected() -> tuple[Site, Peer]:
    site = Site()
    browser = Peer(site, BROWSER)
    call_to_phone(site, browser, PHONE)
    assert site.run(2.0, until=lambda: site.is_open(browser))
    site.run(1.0)
    return site, browser


def check(peer: Peer, number: int, role: int, tie: int = 0) -> bytes:
    """A check of a peer that claims a role."""
    assert peer.agent is not None
    ufrag, pwd = attribute(peer.heard, "ice-ufrag"), attribute(peer.heard, "ice-pwd")
    assert pwd is not None
    attributes = [
        (stun.USERNAME, f"{ufrag}:{peer.agent.local.ufrag}".encode()),
        (stun.PRIORITY, (1853824767).to_bytes(4)),
        (role, tie.to_bytes(8)),
    ]
    return stun.build(stun.REQUEST, number.to_bytes(12), attributes, pwd.encode())


def arrive(site: Site, peer: Peer, data: bytes, source: Endpoint) -> None:
    site.arrive(site.daemon.socket_at(peer.told[1].port), data, source, site.clock.now)


def roles(lines: pytest.LogCaptureFixture) -> list[str]:
    return [item.getMessage() for item in lines.records if "ICE: we are" in item.getMessage()]


def test_a_peer_that_changes_its_role_with_each_check_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """S06, ICE-05: some lines, then how many there would have been."""
    site, browser = connected()
    with caplog.at_level("INFO"):
        for number in range(500):
            role, tie = ((stun.ICE_CONTROLLED, 0), (stun.ICE_CONTROLLING, 2**64 - 1))[number % 2]
            arrive(site, browser, check(browser, number, role, tie), BROWSER)
        assert len(roles(caplog)) == LINES
        site.run(INTERVAL)
        arrive(site, browser, check(browser, 500, stun.ICE_CONTROLLED), BROWSER)
    told = roles(caplog)[LINES:]
    assert len(told) == 1
    assert "more like this before" in told[0]


@pytest.mark.parametrize("kind", BAD_HELLOS)
def test_hellos_with_the_source_of_the_peer_do_not_fill_the_log(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """S06, S04, HS-09, S21: nor do they cost a handshake each, nor keep the peer out."""
    site = Site()
    phone = Peer(site, BROWSER, ice=False)
    site.daemon.offer(phone.describe("active"), **TO_PLAIN)
    phone.mute = True
    phone.hear(site.daemon.answer(PHONE))
    sent, got = len(site.daemon.forwarder.sent), 0
    with caplog.at_level("INFO"):
        for number in range(500):
            datagram = record(Content.HANDSHAKE, 0, 0, whole(1, 0, BAD_HELLOS[kind](number)))
            got += len(datagram)
            arrive(site, phone, datagram, BROWSER)
    assert sum("DTLS failed" in item.getMessage() for item in caplog.records) == 1
    assert sum(len(item.data) for item in site.daemon.forwarder.sent[sent:]) <= got
    phone.mute = False
    phone.renew_desks()
    phone.hear(phone.heard)
    assert phone.role is Role.ACTIVE
    assert site.run(2.0, until=lambda: site.is_open(phone))


def test_a_peer_that_forges_the_sources_of_its_checks_makes_few_plans_and_reaches_few_victims() -> None:
    """S21, S08, S13: 1000 of them in a second; what the peer itself does goes on."""
    site, browser = connected()
    plans, sent = len(site.plans()), len(site.daemon.forwarder.sent)
    for number in range(1000):
        source = Endpoint(f"203.0.113.{1 + number % 250}", 7000 + number)
        arrive(site, browser, check(browser, number, stun.ICE_CONTROLLING), source)
        site.run(0.001)
    victims = {item.to for item in site.daemon.forwarder.sent[sent:] if item.to.address.startswith("203.0.113.")}
    most = FIRST_NEWCOMERS + 2 * NEWCOMERS
    assert len(site.plans()) - plans <= most
    assert len(victims) <= most
    assert site.facing(browser).signalled == BROWSER
    assert site.is_open(browser)


def test_a_port_of_a_former_exchange_is_no_way_in_once_ice_has_gone_elsewhere() -> None:
    """ICE-07, HS-10: three seconds after the last nomination; the port that is in use stays."""
    site, browser = connected()
    registry = site.daemon.controller._service.registry
    call = registry.get(CallId(CALL))
    assert call is not None
    leg, media = call.legs[0], call.legs[0].medias[0]
    transport: Transport = registry.transports._calls[call.id][leg.id, media.place]
    assert media.ports is not None
    used = media.ports.rtp.socket
    other = media.ports._replace(rtp=LocalPort(SocketId(77), 30000))
    now = site.clock.now

    def answers(socket: SocketId, number: int) -> bool:
        transport.transmits()
        transport.receive(socket, check(browser, number, stun.ICE_CONTROLLING), BROWSER, now)
        return any(item.socket == socket for item in transport.transmits())

    transport.update(leg, media._replace(ports=other, former=(media.ports,)), now)
    transport.handle_timer(now + LINGER)
    assert answers(used, 1), "a port that ICE uses was given up"
    assert answers(SocketId(77), 2), "a port that the leg is told was given up"
    transport.update(leg, media._replace(former=(other,)), now)
    transport.handle_timer(now + LINGER)
    assert answers(used, 3)
    assert not answers(SocketId(77), 4)


def test_a_cookie_of_one_component_is_of_no_use_to_another() -> None:
    """HS-09, HS-10: with ICE all have the same path, and whoever has a call of his own gets cookies for it."""
    site = Site()
    one, two = Peer(site, BROWSER), Peer(site, Endpoint("198.51.100.7", 50700), controlling=False, seed=2)
    two.hear(site.daemon.offer(one.describe("active"), **TO_BROWSER))
    one.hear(site.daemon.answer(two.answer()))
    registry = site.daemon.controller._service.registry
    handshakes = [item._handshakes[RTP].desk for item in registry.transports._calls[CallId(CALL)].values()]
    datagram = record(Content.HANDSHAKE, 0, 0, whole(1, 0, hello()))
    asked = []
    for desk in handshakes:
        desk.transmits()
        desk.receive(ICE_PATH, datagram, 0.0)
        asked += [data for _, data in desk.transmits()]
    assert len(asked) == len(set(asked)) == 2
