"""What the log says of requests."""

import logging
from typing import Any

import pytest

from ngdaemon.commands.journal import MOST_WORDS
from tests.support import sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [item.getMessage() for item in caplog.records if item.levelno == level and item.name == "ngdaemon.control"]


def identity(record: logging.LogRecord) -> tuple[str, str]:
    return record.__dict__["call"], record.__dict__["tag"]


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("command", ["offer", "answer"])
def test_a_refused_call_is_a_warning_with_its_tag(caplog: pytest.LogCaptureFixture, command: str) -> None:
    daemon = Daemon()
    daemon.refusal(command, from_tag="a", to_tag="b", sdp="nonsense")
    (record,) = caplog.records
    assert (record.levelno, identity(record)) == (logging.WARNING, (CALL, "a"))
    assert record.getMessage() == (f"{command} from 192.0.2.50:5060 refused: Failed to parse SDP (line 1: not v=0)")


def test_other_refusals_are_not(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    with caplog.at_level(logging.INFO):
        daemon.refusal("query", from_tag="a")
    (record,) = caplog.records
    assert (record.levelno, identity(record)) == (logging.INFO, (CALL, "a"))


def test_each_call_that_fails_has_a_line_however_often_it_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    for call in ("one", "two"):
        for _ in range(5):
            daemon.refusal("answer", call=call, from_tag="a", to_tag="b", sdp=audio(BOB))
    assert [identity(record)[0] for record in caplog.records] == ["one", "two"]
    daemon.wait(11)
    daemon.refusal("answer", call="one", from_tag="a", to_tag="b", sdp=audio(BOB))
    assert caplog.records[-1].getMessage().endswith("refused: Unknown call-id (4 more like this before)")


@pytest.mark.parametrize(
    "line",
    [
        "a=crypto:1 X inline:SECRET\rx",
        " a=crypto:1 X inline:SECRET",
        "crypto:1 X inline:SECRET",
        "inline:SECRET",
        "SECRET",
        "x=a:SECRET",
        "m=a=ice-pwd:SECRET",
        "m=audio SECRET RTP/AVP 0",
        "c=IN IP4 SECRET",
        "o=SECRET",
        "v=SECRET",
    ],
)
def test_a_refused_line_is_numbered_and_not_shown(caplog: pytest.LogCaptureFixture, line: str) -> None:
    """S17: it may be, or hold, a key that was wrapped or went astray."""
    with caplog.at_level(logging.DEBUG):
        Daemon().refusal("offer", from_tag="a", sdp=sdp.sdp(ALICE, "m=audio 4000 RTP/SAVP 0", line))
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "refused: Failed to parse SDP (line 7: " in record.getMessage()
    assert "SECRET" not in record.getMessage()


@pytest.mark.parametrize(
    ("settings", "text", "keys", "reason"),
    [
        ({}, sdp.sdp(ALICE), {}, "Error rewriting SDP (the SDP has no m= line)"),
        (
            {},
            sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "c=IN IP4 nowhere"),
            {},
            "Failed to parse SDP (line 7: c= without a numeric address of the family that it names)",
        ),
        (
            {},
            audio(ALICE),
            {"flags": ["SIP-source-address"]},
            "Incomplete SDP specification (its address is to be that of SIP, and received-from is missing)",
        ),
        (
            {},
            sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 999"),
            {},
            "Incomplete SDP specification (format 1 of an m-line is no payload type)",
        ),
        ({"max_sdp": 20}, audio(ALICE), {}, "SDP too long (limit 20 octets) (max-sdp)"),
        ({"max_calls": 0, "max_sessions": 0}, audio(ALICE), {}, "Parallel session limit reached (max-sessions = 0)"),
    ],
)
def test_the_log_says_more_than_the_reply(
    caplog: pytest.LogCaptureFixture, settings: dict[str, Any], text: str, keys: dict[str, Any], reason: str
) -> None:
    told = Daemon(**settings).refusal("offer", from_tag="a", sdp=text, **keys)
    assert lines(caplog, logging.WARNING) == [f"offer from 192.0.2.50:5060 refused: {reason}"]
    assert told == reason.rpartition(" (")[0]


def test_a_load_limit_is_named_with_its_value(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon(max_load=2.0)
    daemon.load.average = 2.5
    daemon.refusal("offer", from_tag="a", sdp=audio(ALICE))
    assert lines(caplog, logging.WARNING) == [
        "offer from 192.0.2.50:5060 refused: Load limit exceeded (max-load = 2, now 2.5)"
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"transport_protocol": "RTP/SAVP", "sdes": ["off"], "dtls": "off", "record_call": "yes"}, "record-call"),
        ({"flags": ["webrtc", "mix"], "dtls": "off"}, "mix"),
    ],
)
def test_a_refusal_names_the_word_that_caused_it_and_none_is_called_ignored(
    caplog: pytest.LogCaptureFixture, keys: dict[str, Any], words: str
) -> None:
    Daemon().refusal("offer", from_tag="a", sdp=audio(ALICE), **keys)
    (line,) = lines(caplog, logging.WARNING)
    assert f"; not supported by this version: {words}" in line


# -------------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("trust-adress", " (did you mean trust-address?)"),
        ("recieved-from", " (did you mean received-from?)"),
        ("make-coffee", ""),
    ],
)
def test_an_unknown_word_is_reported_once_with_what_may_be_meant(
    caplog: pytest.LogCaptureFixture, flag: str, hint: str
) -> None:
    daemon = Daemon()
    for call in ("one", "two"):
        daemon.offer(audio(ALICE), call=call, flags=[flag])
    (record,) = caplog.records
    assert record.getMessage() == f"unknown option {flag} is ignored{hint}"
    assert identity(record) == ("one", "a")


def test_an_unknown_word_that_may_be_a_key_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """S17: unquoted, a line in `sdp-attr` of `rtpp-flags` falls apart into words."""
    key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    Daemon().offer(audio(ALICE), rtpp_flags=f"sdp-attr-add-audio-crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key} {key}")
    assert "unknown option inline:(hidden) is ignored" in caplog.text
    assert key not in caplog.text


def test_reported_words_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    for number in range(MOST_WORDS + 10):
        daemon.command("ping", flags=[f"{number:b} zzz"])
    assert len(lines(caplog, logging.WARNING)) == MOST_WORDS


# ------------------------------------------------------------------------------------------------------------ successes


def test_what_was_not_found_does_not_look_like_a_success(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Daemon().command("delete", from_tag="a")
    assert lines(caplog, logging.INFO) == ["delete from 192.0.2.50:5060: Call-ID not found or tags didn't match"]


def test_the_line_of_a_console_is_shown_and_bounded(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    with caplog.at_level(logging.INFO):
        daemon.ask({"command": "cli", "body": "list numsessions"})
        daemon.ask({"command": "cli", "body": "x" * 1000})
    assert lines(caplog, logging.INFO) == [
        "cli from 192.0.2.50:5060: list numsessions",
        f"cli from 192.0.2.50:5060: {'x' * 200}",
    ]


# ------------------------------------------------------------------------------------------------------------ debugging


def test_requests_and_replies_are_shown_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        told = Daemon().offer(audio(ALICE, 4000))
    request, reply = lines(caplog, logging.DEBUG)
    assert request.startswith('request of 192.0.2.50:5060: {"call-id": "call", "command": "offer", ')
    assert "m=audio 4000" in request
    assert reply.startswith("reply to 192.0.2.50:5060: {")
    assert f"m=audio {sdp.port(told)}" in reply
    assert {identity(record) for record in caplog.records if record.name == "ngdaemon.control"} == {(CALL, "a")}


def test_they_are_not_even_made_where_they_are_not_printed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise AssertionError

    monkeypatch.setattr("ngdaemon.commands.journal.shown", fail)
    monkeypatch.setattr("ngdaemon.call.reporting.notices._socket", fail)
    with caplog.at_level(logging.INFO):
        daemon = Daemon()
        daemon.offer(audio(ALICE))
        daemon.answer(audio(BOB))


def test_no_key_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20|1:4"
    daemon = Daemon()
    with caplog.at_level(logging.DEBUG):
        daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/SAVP 0", crypto, "a=x"))
        daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/SAVP 0", crypto))
        daemon.command("query")
    assert key not in caplog.text
    assert "a=crypto:(hidden)" in caplog.text
    assert "a=x" in caplog.text
