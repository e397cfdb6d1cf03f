"""Phones of the load shake hands as real ones do: they check the certificate of the daemon, and their media is SRTP."""

import socket
import time

import pytest

from benchmarks import srtp
from benchmarks.calls import Call
from benchmarks.daemons import DAEMONS, Site
from benchmarks.handset import PlainPhone
from benchmarks.handshake import KEY, SUITE, Handshake, context_of, datagrams
from benchmarks.handshakes import Load, handshakes, wait_for_media
from benchmarks.measures import Effort
from benchmarks.shapes import DTLS, WEBRTC, Shape
from benchmarks.srtp import clear_packet
from benchmarks.suites import SUITES
from benchmarks.traffic import LoadError
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.certificate import Identity, make
from ngdaemon.dtls.component import Component
from ngdaemon.dtls.hello import Cookies
from ngdaemon.dtls.remote import Remote
from ngdaemon.dtls.roles import Role
from ngdaemon.shell.rng import SystemRng
from ngdaemon.shell.wall import SystemWall

PATH = Endpoint("192.0.2.1", 5000)
RNG = SystemRng()


def identity() -> Identity:
    return make(RNG, SystemWall())


def digest_of(someone: Identity) -> str:
    return someone.fingerprint().text().split()[-1]


def shake(phone: Handshake, desk: Component, theirs: Identity, role: Role) -> None:
    """Let a phone and an end of the daemon talk until both have nothing more to say."""
    desk.expect(Remote(frozenset({theirs.fingerprint()})), role, 0.0)
    desk.reach(PATH, 0.0)
    to_desk, to_phone = phone.start(), desk.transmits()
    while to_desk or to_phone:
        for datagram in to_desk:
            desk.receive(PATH, datagram, 0.0, vouched=True)
        to_desk = [answer for _, datagram in to_phone for answer in phone.receive(datagram)]
        to_phone = desk.transmits()


@pytest.mark.parametrize("role", [Role.ACTIVE, Role.PASSIVE])
def test_what_a_phone_protects_opens_with_the_keys_of_the_daemon(role: Role) -> None:
    ours, theirs = identity(), identity()
    desk = Component(ours, Cookies(RNG.bytes(32)))
    phone = Handshake(context_of(theirs), client=role is Role.PASSIVE, expected=digest_of(ours))
    shake(phone, desk, theirs, role)
    assert phone.outgoing is not None
    (keys,), _ = desk.keys()
    assert (keys.suite.name, len(keys.key)) == (SUITE, KEY)
    packet = clear_packet(7, 1)
    assert srtp.incoming(SUITE, keys.key + keys.salt).unprotect(phone.outgoing.protect(packet)) == packet


def test_a_daemon_with_another_certificate_than_announced_ends_the_measurement() -> None:
    ours, theirs = identity(), identity()
    phone = Handshake(context_of(theirs), client=True, expected=digest_of(theirs))
    with pytest.raises(LoadError, match="another certificate"):
        shake(phone, Component(ours, Cookies(RNG.bytes(32))), theirs, Role.PASSIVE)


def test_records_go_out_in_datagrams_of_the_mtu() -> None:
    records = [bytes((22, 0xFE, 0xFD)) + bytes(8) + size.to_bytes(2, "big") + bytes(size) for size in (700, 400, 75, 9)]
    assert datagrams(b"".join(records)) == [records[0] + records[1], records[2] + records[3]]
    assert datagrams(b"") == []


@pytest.mark.parametrize(("shape", "ice"), [(DTLS, False), (WEBRTC, True)], ids=lambda value: str(value))
def test_calls_reach_media_and_are_measured(shape: Shape, ice: bool, site: Site) -> None:
    effort = Effort(rounds=1, groups=1, held=1, seconds=1.0, handshakes=10, alone=3, attempts=1)
    figures = handshakes(shape, ice=ice)(DAEMONS["ngdaemon"], site, effort)
    assert figures.keys() == {f"{name}@{shape.name}" for name in ("setup", "calls", "end", "first", "last", "waited")}
    assert min(figures[f"{name}@{shape.name}"] for name in ("setup", "calls", "end", "first")) > 0
    assert figures[f"first@{shape.name}"] <= figures[f"last@{shape.name}"]
    assert {row.figure for row in SUITES["dtls"].rows if row.figure.endswith(f"@{shape.name}")} <= figures.keys()


def test_a_call_without_media_ends_the_measurement(site: Site) -> None:
    attempts = Load(DTLS, site, ice=False).attempts(2)
    with pytest.raises(LoadError, match="2 of 2 calls have no media"):
        wait_for_media(attempts, time.monotonic())
    for attempt in attempts:
        attempt.close()


def test_each_call_has_another_number_and_says_the_certificate_of_the_phones(site: Site) -> None:
    attempts = Load(WEBRTC, site, ice=True).attempts(2)
    try:
        first, second = (attempt.call for attempt in attempts)
        assert first.number != second.number
        assert first.words["fingerprint"] == second.words["fingerprint"]
        assert first.words["ufrag"] != second.words["ufrag"]
        assert f"a=ice-ufrag:{second.words['ufrag']}".encode() in second.offer()
    finally:
        for attempt in attempts:
            attempt.close()


def test_media_that_nobody_sent_ends_the_measurement(site: Site) -> None:
    port = Call(DTLS, 0, site).port
    phone = PlainPhone(site.callees, port, expected_from=3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(clear_packet(3, 9), (site.callees, port))
        phone.read(1.0)
        other.sendto(clear_packet(3, 10), (site.callees, port))
        phone.read(2.0)
        assert phone.heard_at == 1.0
        other.sendto(clear_packet(4, 9), (site.callees, port))
        with pytest.raises(LoadError, match="nobody sent"):
            phone.read(3.0)
    phone.close()
