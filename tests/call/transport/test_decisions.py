"""What the log, `query` and the last line of a call say when ICE, a handshake or SRTP comes to nothing."""

import logging
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.call.transport import decisions
from ngdaemon.dtls import states as dtls
from ngdaemon.ice import report as ice
from ngdaemon.ice.candidate import RTP
from ngdaemon.media.forwarder import SocketCounters, Unreadable
from tests.support import sdp, secured
from tests.support.daemon import CALL, Daemon
from tests.support.peer import TO_PLAIN, Peer, Site, call_to_phone, verdicts
from tests.support.sdp import audio

BROWSER, PHONE = Endpoint("198.51.100.1", 50000), audio("198.51.100.2", 4000)
ALERT = b"\x15\xfe\xfd\x00\x00" + bytes(5) + b"\x09\x00\x02\x02\x2e"
"""certificate_unknown, in clear."""


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == logging.WARNING]


def last_words(daemon: Daemon, log: pytest.LogCaptureFixture) -> str:
    """The line of the deleted call."""
    daemon.command("delete", delete_delay=0)
    return next(text for record in log.records if (text := record.getMessage()).startswith("call ended"))


def call_of_passive(site: Site, *, ice: bool, mute: bool = False) -> Peer:
    """A call in which the peer is to begin the handshake."""
    peer = Peer(site, BROWSER, ice=ice)
    peer.mute = mute
    site.daemon.offer(peer.describe("active"), **TO_PLAIN)
    peer.desks[RTP].receive = lambda *_: None  # type: ignore[method-assign]
    peer.desks[RTP].transmits = list  # type: ignore[method-assign]
    peer.hear(site.daemon.answer(PHONE))
    return peer


def test_each_event_of_a_transport_has_a_line() -> None:
    assert set(decisions.LINES) == {*get_args(dtls.Event), *get_args(ice.Event)}


class TestIce:
    def trickling(self, site: Site, *lines: str) -> Peer:
        """A call of a browser that says that more candidates may come, and never that they have ended."""
        peer = Peer(site, BROWSER)
        peer.mute = True
        text = peer.describe("actpass", "a=ice-options:trickle", *lines)
        site.daemon.offer(text, **TO_PLAIN)
        site.daemon.answer(PHONE)
        return peer

    def test_a_browser_that_no_check_reaches_is_logged_although_it_trickles(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        """ICE-12: its offer never says that the candidates have ended."""
        site = Site()
        self.trickling(site)
        site.run(39.0)
        assert warnings(log) == []
        assert verdicts(site, "a")["RTP"]["ICE"] == {"state": "checking"}
        site.run(15.0)
        assert warnings(log) == [
            "audio: ICE: no pair of candidates works for 40 s: no answer from 1 candidate; "
            "no check of the peer came; media waits"
        ]
        assert "DTLS pending (nothing heard), ICE checking, in 0 packets" in last_words(site.daemon, log)

    def test_a_browser_that_hides_its_addresses_is_told_apart(self, log: pytest.LogCaptureFixture) -> None:
        """mDNS names in place of addresses, and nothing comes from it either."""
        site = Site()
        peer = Peer(site, BROWSER)
        peer.mute = True
        hidden = peer.describe("actpass", "a=ice-options:trickle").replace(
            f" {BROWSER.address} {BROWSER.port} typ", f" 7c0e5b5e.local {BROWSER.port} typ"
        )
        site.daemon.offer(hidden, **TO_PLAIN)
        site.daemon.answer(PHONE)
        site.run(41.0)
        assert warnings(log) == [
            "audio: ICE: no pair of candidates works for 40 s: none of its 1 candidates can be checked, "
            "names or forbidden addresses; no check of the peer came; media waits"
        ]

    def test_a_failure_says_what_was_tried(self, log: pytest.LogCaptureFixture) -> None:
        site = Site()
        peer = Peer(site, BROWSER)
        peer.mute = True
        site.daemon.offer(peer.describe(), **TO_PLAIN)
        site.daemon.answer(PHONE)
        site.run(42.0)
        assert warnings(log) == [
            "audio: ICE failed: no pair of candidates works in 40 s: no answer from 1 candidate; "
            "no check of the peer came"
        ]
        assert "DTLS pending (nothing heard), ICE failed" in last_words(site.daemon, log)


class TestHello:
    @pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
    def test_a_peer_that_should_begin_and_does_not_is_logged_once(
        self, ice: bool, log: pytest.LogCaptureFixture
    ) -> None:
        """TIM-03: the time of a handshake counts from where the peer could have begun."""
        site = Site()
        call_of_passive(site, ice=ice)
        site.run(29.0)
        assert warnings(log) == []
        found = verdicts(site, "a")["RTP"]["DTLS"]
        assert (found["state"], found["verdict"], found["role"], found["received"]) == ("new", "pending", "passive", 0)
        site.run(25.0)
        assert warnings(log) == [
            f"audio: DTLS: no ClientHello from {BROWSER} in 30 s, media waits for it; "
            "datagrams: 0 received, 0 sent, 0 dropped"
        ]

    def test_one_that_has_begun_is_not_complained_about(self, log: pytest.LogCaptureFixture) -> None:
        site = Site()
        peer = Peer(site, BROWSER)
        site.daemon.offer(peer.describe("active"), **TO_PLAIN)
        peer.hear(site.daemon.answer(PHONE))
        assert site.run(3.0, until=lambda: site.is_open(peer))
        site.run(35.0)
        assert warnings(log) == []
        words = last_words(site.daemon, log)
        assert "DTLS verified AEAD_AES_256_GCM, ICE selected, in 0 packets" in words

    def test_a_second_agreement_waits_anew(self, log: pytest.LogCaptureFixture) -> None:
        site = Site()
        peer = call_of_passive(site, ice=False)
        site.run(31.0)
        site.daemon.offer(peer.describe("active", "a=tls-id:" + "x" * 20), to_tag="b", **TO_PLAIN)
        site.daemon.answer(PHONE)
        site.run(29.0)
        assert len(warnings(log)) == 1
        site.run(2.0)
        assert len(warnings(log)) == 2


class TestAlert:
    def test_the_first_alert_of_a_peer_is_logged_and_stands_in_the_last_line(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        """HS-11: noted, not obeyed; a browser that refuses our certificate says it once, in clear."""
        site = Site()
        peer = Peer(site, BROWSER, ice=False)
        site.filter = lambda data, source, to: False
        call_to_phone(site, peer, PHONE)
        for _ in range(10):
            site.network.send(ALERT, BROWSER, peer.told[RTP])
            site.run(0.1)
        assert warnings(log) == [
            f"audio: DTLS alert certificate_unknown from {BROWSER} during the handshake: not authentic and not obeyed; "
            "if it is the peer's own, the handshake will time out"
        ]
        assert "DTLS pending (last alert certificate_unknown?)" in last_words(site.daemon, log)


class TestVain:
    def test_a_failed_handshake_is_not_forgotten_when_it_is_for_the_peer_to_begin_again(self) -> None:
        """FP-14: `query` says what the log has said."""
        site = Site()
        peer = Peer(site, BROWSER, ice=False)
        site.daemon.offer(peer.describe("active"), **TO_PLAIN)
        peer.hear(site.daemon.answer(PHONE))
        peer.mute = True  # its hello is under way
        site.run(31.0)
        found = verdicts(site, "a")["RTP"]["DTLS"]
        assert (found["state"], found["verdict"], found["reason"]) == ("failed", "failed", "timeout")


class TestUnreadable:
    def event(self, daemon: Daemon, port: int) -> Unreadable:
        return Unreadable(CallId(CALL), daemon.socket_at(port), BROWSER, 20, daemon.clock.now)

    def test_wrong_keys_are_a_warning_counted_and_in_the_last_line(self, log: pytest.LogCaptureFixture) -> None:
        daemon = Daemon()
        daemon.offer(secured.savp(BROWSER.address, secured.crypto()), transport_protocol="RTP/AVP")
        caller = sdp.port(daemon.answer(PHONE))
        daemon.forwarder.events = [self.event(daemon, caller)]
        daemon.controller.handle_events(daemon.clock.now)
        (line,) = [record for record in log.records if record.levelno == logging.WARNING]
        assert line.getMessage() == (
            f"media from {BROWSER} to audio port {caller} dropped: none of the first 20 packets is authentic; "
            "the sender has other keys than it signalled, or does not encrypt"
        )
        assert (line.name, line.__dict__["tag"]) == ("ngdaemon.crypto", "a")
        assert daemon.ask({"command": "statistics"})["statistics"]["securitystatistics"]["srtpunreadable"] == 1
        counted = SocketCounters(errors_in=157, unauthenticated=150, replayed=3, withheld=9, unkeyed=40)
        daemon.forwarder.counted = {daemon.socket_at(caller): counted}
        words = last_words(daemon, log)
        assert "SDES AES_CM_128_HMAC_SHA1_80, in 0 packets" in words
        assert "9 withheld while there were no keys, nothing accepted" in words
        assert "dropped 157 (40 before there were keys and 110 not authentic and 3 received before and 4 mal" in words

    def test_a_call_does_not_fill_the_log_with_it(self, log: pytest.LogCaptureFixture) -> None:
        """S06."""
        daemon = Daemon()
        daemon.offer(secured.savp(BROWSER.address, secured.crypto()), transport_protocol="RTP/AVP")
        caller = sdp.port(daemon.answer(PHONE))
        for _ in range(1000):
            daemon.forwarder.events.append(self.event(daemon, caller))
        daemon.controller.handle_events(daemon.clock.now)
        assert 1 <= len(warnings(log)) < 10


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_what_is_agreed_is_for_debugging_and_shows_no_key(level: int, caplog: pytest.LogCaptureFixture) -> None:
    """S17."""
    daemon = Daemon()
    with caplog.at_level(level, "ngdaemon.crypto"):
        daemon.offer(secured.savp(BROWSER.address, secured.crypto()), transport_protocol="UDP/TLS/RTP/SAVPF")
        daemon.answer(secured.browser("198.51.100.2", "active"))
    lines = [record.getMessage() for record in caplog.records if record.name == "ngdaemon.crypto"]
    expected = [
        "audio: SDES agreed, AES_CM_128_HMAC_SHA1_80",
        f"audio: DTLS agreed, we are passive, its certificate has to be sha-256 {secured.PRINT}",
    ]
    assert lines[-2:] == (expected if level == logging.DEBUG else [])
    assert "A" * 40 not in caplog.text


def test_keys_that_were_never_agreed_on_are_told_in_the_last_line(log: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(secured.savp(BROWSER.address, secured.crypto()), transport_protocol="RTP/AVP")
    assert "no keys agreed, in 0 packets" in last_words(daemon, log)


def test_list_sessions_says_how_a_leg_is_secured() -> None:
    site = Site()
    peer = Peer(site, BROWSER)
    call_to_phone(site, peer, PHONE)
    site.run(5.0)
    text = site.daemon.ask({"command": "cli", "body": f"list sessions {CALL}"})["response"]
    assert ", DTLS verified AEAD_AES_256_GCM, ICE selected, in 0 packets" in text


def test_statistics_count_what_becomes_of_handshakes_and_checks() -> None:
    site = Site()
    peer = Peer(site, BROWSER)
    call_to_phone(site, peer, PHONE)
    site.run(5.0)
    peer.mute = True
    site.run(40.0)
    counted: dict[str, Any] = site.daemon.ask({"command": "statistics"})["statistics"]["securitystatistics"]
    assert {name for name, count in counted.items() if count} == {"dtlsverified", "iceselected", "iceconsentlost"}
    assert counted["dtlsverified"] == 1
