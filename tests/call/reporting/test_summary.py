"""The log line at the end of a call."""

import logging

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.call.registry import Ending
from ngdaemon.media.forwarder import SocketCounters, SsrcCounters
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def last_words(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> str:
    """What is logged when the call is deleted."""
    with caplog.at_level(logging.INFO):
        daemon.command("delete", delete_delay=0)
    (record,) = [item for item in caplog.records if item.getMessage().startswith("call ended")]
    assert record.__dict__["call"] == "call"
    return record.getMessage()


def test_what_each_party_sent_and_where_it_was(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee, caller = sdp.port(daemon.offer(audio(ALICE, 4000))), sdp.port(daemon.answer(audio(BOB, 5000)))
    source = SsrcCounters(1, 100, 17200, 0, 0, 0, lost=4)
    daemon.forwarder.counted = {
        daemon.socket_at(caller): SocketCounters(100, 17200, 2, 50, 8600, sources=(source,)),
        daemon.socket_at(caller + 1): SocketCounters(1, 60, 3),
        daemon.socket_at(callee): SocketCounters(50, 8600, 0, 100, 17200),
    }
    daemon.wait(2)
    assert last_words(daemon, caplog) == (
        f"call ended (REGULAR) after 2.0 s: "
        f"a audio: 198.51.100.1:4000 <> 192.0.2.1:{caller}, in 100 packets 17200 bytes, lost 4, "
        f"out 50 packets 8600 bytes, dropped 5 (5 malformed, refused or too many at once); "
        f"b audio: 198.51.100.2:5000 <> 192.0.2.1:{callee}, in 50 packets 8600 bytes, lost 0, "
        f"out 100 packets 17200 bytes"
    )


@pytest.mark.parametrize(
    ("errors", "strangers", "words"),
    [
        (3, 3, ", dropped 3 (3 from strangers)"),
        (3, 0, ", dropped 3 (3 malformed, refused or too many at once)"),
        (3, 1, ", dropped 3 (1 from strangers and 2 malformed, refused or too many at once)"),
        (0, 0, ""),
    ],
)
def test_what_was_dropped_and_why(errors: int, strangers: int, words: str, caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    counters = SocketCounters(packets_in=1, bytes_in=172, errors_in=errors, strangers=strangers)
    daemon.forwarder.counted = {daemon.socket_at(caller): counters}
    assert f"out 0 packets 0 bytes{words}; b audio" in last_words(daemon, caplog)


def test_a_party_that_said_nothing_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    words = last_words(daemon, caplog)
    assert "a audio: 198.51.100.1:4000" in words
    assert "untagged" not in words


def test_a_call_without_media(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=message 2855 TCP/MSRP *"))
    assert last_words(daemon, caplog) == "call ended (REGULAR) after 0.0 s: no media"


def test_why_packets_were_dropped_and_where_the_last_stranger_was(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    daemon.forwarder.counted = {
        daemon.socket_at(caller): SocketCounters(0, 0, 7, strangers=4, stranger=Endpoint("10.9.0.5", 7777)),
        daemon.socket_at(caller + 1): SocketCounters(0, 0, 1, strangers=1, stranger=Endpoint("10.9.0.5", 7778)),
    }
    words = last_words(daemon, caplog)
    expected = (
        "nothing accepted, dropped 8 (5 from strangers, the last one at 10.9.0.5:7777 and "
        "3 malformed, refused or too many at once); b audio"
    )
    assert expected in words


def test_what_a_party_sent_before_its_answer_was_early_and_no_attack(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee = sdp.port(daemon.offer(audio(ALICE, 4000)))
    daemon.answer(audio(BOB, 5000))
    daemon.forwarder.counted = {
        daemon.socket_at(callee): SocketCounters(9, 900, 2, strangers=2, stranger=Endpoint("10.9.0.5", 7777)),
        daemon.socket_at(callee + 1): SocketCounters(1, 60, 1, strangers=1, stranger=Endpoint(BOB, 5001)),
    }
    assert last_words(daemon, caplog).endswith(
        f"dropped 3 (1 early, the last one at {BOB}:5001 and 2 from strangers, the last one at 10.9.0.5:7777)"
    )


def test_a_party_that_never_answered_is_shown_when_something_was_dropped(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee = sdp.port(daemon.offer(audio(ALICE, 4000)))
    daemon.forwarder.counted = {daemon.socket_at(callee): SocketCounters(errors_in=150, strangers=150)}
    assert f"(untagged) audio: nowhere <> 192.0.2.1:{callee}, in 0 packets" in last_words(daemon, caplog)
    assert "dropped 150 (150 from strangers)" in caplog.text


def test_medias_of_a_bundle_are_named_where_their_packets_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    medias = ("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 X/90000", "m=video 4002 RTP/AVP 97", "a=rtpmap:97 Y/90000")
    grouped = (medias[0], medias[1], "a=mid:0", medias[2], medias[3], "a=mid:1")
    daemon.offer(sdp.sdp(ALICE, "a=group:BUNDLE 0 1", *grouped), bundle="accept")
    caller = sdp.port(daemon.answer(sdp.sdp(BOB, *medias)))
    words = last_words(daemon, caplog)
    assert f"a audio+video: {ALICE}:4000 <> 192.0.2.1:{caller}, " in words
    assert "b audio: " in words
    assert "b video: " in words


def test_what_ice_and_dtls_sent_is_no_media(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    counted = SocketCounters(packets_out=36, bytes_out=5570, control_packets=10, control_bytes=1270)
    daemon.forwarder.counted = {daemon.socket_at(caller): counted}
    assert "out 26 packets 4300 bytes and 10 of ICE and DTLS, nothing received" in last_words(daemon, caplog)


def test_a_party_that_never_sent_is_marked_unless_it_need_not_send(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee = sdp.port(daemon.offer(audio(ALICE, 4000, "a=recvonly")))
    daemon.answer(audio(BOB, 5000, "a=sendonly"))
    words = last_words(daemon, caplog)
    assert words.endswith(f"192.0.2.1:{callee}, in 0 packets 0 bytes, lost 0, out 0 packets 0 bytes, nothing received")
    assert words.count("nothing received") == 1


def test_a_party_that_sent_to_a_former_port_has_sent(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    daemon.receive_media(caller)
    daemon.offer(audio(BOB, 5002), from_tag="b", to_tag="a")
    moved = sdp.port(daemon.answer(audio(ALICE, 4000), from_tag="b", to_tag="a"))
    words = last_words(daemon, caplog)
    assert moved
    assert "nothing received" not in words.split("; b audio")[0]
    assert "nothing received" in words.split("; b audio")[1]


def test_every_ending_has_its_counter() -> None:
    totals = Daemon().ask({"command": "statistics"})["statistics"]["totalstatistics"]
    assert all(totals[ending.value] == 0 for ending in Ending)
