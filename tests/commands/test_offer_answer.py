"""`offer` and `answer`: what is refused with which words (ng-protocol.md §2.3), and that nothing else changes."""

import logging
from typing import Any

import pytest

from tests.support import sdp, secured
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


@pytest.mark.parametrize("command", ["offer", "answer"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "Failed to parse SDP"),
        (audio(ALICE).replace("v=0", "v=1"), "Failed to parse SDP"),
        (audio(ALICE) + "x=1\r\n", "Failed to parse SDP"),
        (audio(ALICE, 65536), "Failed to parse SDP"),
        (audio("host.example.com"), "Failed to parse SDP"),
        (audio(ALICE).replace(f"c=IN IP4 {ALICE}\r\n", ""), "Incomplete SDP specification"),
        (audio(ALICE, formats="128"), "Incomplete SDP specification"),
        (sdp.sdp(ALICE), "Error rewriting SDP"),
        ("", "Error rewriting SDP"),
    ],
)
def test_what_is_no_usable_description(command: str, text: str, reason: str) -> None:
    daemon = Daemon()
    assert daemon.refusal(command, sdp=text, from_tag="a", to_tag="b") == reason
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    plan, query = daemon.plan(), daemon.command("query")
    assert daemon.refusal(command, sdp=text, from_tag="a", to_tag="b") == reason
    assert daemon.plan() == plan
    assert daemon.command("query") == query


def test_a_description_without_medias_comes_back_empty() -> None:
    reply = Daemon().command("offer", sdp="", from_tag="a")
    assert reply == {"result": "error", "error-reason": "Error rewriting SDP", "sdp": ""}


@pytest.mark.parametrize(
    ("settings", "text", "reason"),
    [
        ({"max_sdp": 300}, audio(ALICE, 4000, "a=" + "x" * 300), "SDP too long (limit 300 octets)"),
        ({"max_medias": 2}, sdp.sdp(ALICE, *["m=audio 4000 RTP/AVP 0"] * 3), "Too many medias in SDP (limit 2)"),
        (
            {"max_candidates": 1},
            audio(ALICE, 4000, *["a=candidate:1 1 UDP 1 198.51.100.1 4000 typ host"] * 2),
            "Too many candidates in SDP (limit 1 a media)",
        ),
        ({"reject_invalid_sdp": True}, audio(ALICE) + "\r\njunk\r\n", "Failed to parse SDP"),
    ],
)
def test_bounds_are_those_of_the_settings(settings: dict[str, Any], text: str, reason: str) -> None:
    assert Daemon(**settings).refusal("offer", sdp=text, from_tag="a") == reason
    assert Daemon().offer(text)


def test_an_answer_to_a_call_that_was_never_offered() -> None:
    daemon = Daemon()
    assert daemon.refusal("answer", sdp=audio(BOB), from_tag="a", to_tag="b") == "Unknown call-id"
    assert daemon.calls() == []


def test_an_answer_to_oneself() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    assert daemon.refusal("answer", sdp=audio(BOB), from_tag="a", to_tag="a") == "Invalid dialogue association"


def test_tags_that_are_swapped_or_unknown_make_new_parties() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB), from_tag="b", to_tag="a")
    daemon.answer(audio(BOB), from_tag="x", to_tag="y")
    assert daemon.command("query")["result"] == "ok"


def test_the_reply_is_the_description_alone() -> None:
    daemon = Daemon()
    assert list(daemon.command("offer", sdp=audio(ALICE), from_tag="a")) == ["sdp", "result"]


def test_later_metadata_replaces_earlier() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), metadata="one")
    daemon.answer(audio(BOB), metadata="two")
    daemon.offer(audio(ALICE), to_tag="b")
    query = daemon.command("query")
    assert query["metadata"] == "two"
    assert [leg["metadata"] for leg in query["tags"].values()] == ["one", "two"]


def test_a_final_answer_ends_the_search_for_further_ones() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB), sip_message_type="sip_reply", sip_code=183)
    daemon.answer(audio(BOB), to_tag="b2", sip_message_type="sip_reply", sip_code=200)
    assert [leg.get("tag-aliases") for leg in daemon.command("query")["tags"].values()] == [None, ["b"]]
    daemon.answer(audio(BOB), to_tag="b3")
    assert list(daemon.command("query")["tags"]) == ["a", "b2", "b3"]


@pytest.mark.parametrize(
    "keys",
    [
        {"sip_code": 200},
        {"sip_message_type": "sip_request", "sip_code": 200},
        {"sip_message_type": "sip_reply", "sip_code": 200, "flags": ["provisional"]},
        {"sip_message_type": "sip_reply", "sip_code": 199},
        {"sip_message_type": "sip_reply"},
    ],
)
def test_an_answer_that_is_not_known_to_be_final_is_provisional(keys: dict[str, Any]) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB), **keys)
    daemon.answer(audio(BOB), to_tag="b2")
    assert list(daemon.command("query")["tags"]) == ["a", "b2"]


def test_a_party_does_not_answer_itself_by_another_of_its_tags() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    daemon.answer(audio(BOB), to_tag="c")
    reason = daemon.refusal("answer", sdp=audio(BOB, 7000), from_tag="b", to_tag="c")
    assert reason == "Invalid dialogue association"
    daemon.command("delete", delete_delay=0)
    assert daemon.forwarder.bound == {}


def test_the_number_of_parties_of_a_call_is_bounded() -> None:
    daemon = Daemon(max_parties=3)
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    daemon.offer(audio(ALICE), to_tag="c")
    before = daemon.plan()
    reason = daemon.refusal("offer", sdp=audio(ALICE), from_tag="a", to_tag="d")
    assert reason == "Too many parties in call (limit 3)"
    assert daemon.plan() == before


def test_what_no_reply_has_room_for_changes_nothing() -> None:
    """An offer that is told nobody would hold its ports for nothing."""
    daemon = Daemon()
    medias = [f"m=audio {4000 + 2 * number} RTP/AVP 0" for number in range(128)]
    reason = daemon.refusal(
        "offer", from_tag="a", sdp=sdp.sdp("198.51.100.1", *medias), transport_protocol="RTP/SAVPF", ICE="force"
    )
    assert "too long for a reply" in reason
    assert daemon.calls() == []
    assert not daemon.forwarder.bound


@pytest.mark.parametrize("command", ["offer", "answer"])
def test_a_refused_line_is_logged_once_and_counted(command: str, caplog: pytest.LogCaptureFixture) -> None:
    """ERR-09: the log and the counters tell what only the reply would, which proxies do not look into."""
    bad = "m=video 4002 UDP/TLS/RTP/SAVP 31\r\na=setup:active\r\na=fingerprint:sha-256 AA:BB\r\n"
    daemon = Daemon()
    if command == "answer":
        clear = "m=video 4002 RTP/AVP 31\r\n"
        daemon.offer(audio(ALICE) + clear, transport_protocol="UDP/TLS/RTP/SAVP")
        good = secured.browser(BOB, "active")
    else:
        good = secured.savp(ALICE, secured.crypto())
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            keys = {"from_tag": "a", "to_tag": "b"} if command == "answer" else {"from_tag": "a"}
            assert daemon.command(command, sdp=good + bad, **keys)["warnings"]
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert line.startswith(f"refused in the {command}: video 2:fingerprint")
    assert line.endswith("; the call goes on without it")
    counted = daemon.ask({"command": "statistics"})["statistics"]["securitystatistics"]
    assert (counted["refusedmedias"], counted["refusedrequests"]) == (3, 0)


def test_many_refused_medias_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """S06."""
    bad = [f"m=audio {4000 + 2 * number} RTP/SAVP 0" for number in range(100)]
    bad.append("m=inline:SECRET 5000 RTP/SAVP 0")
    told = Daemon().command("offer", from_tag="a", sdp=sdp.sdp(ALICE, "m=audio 3000 RTP/AVP 0", *bad))
    assert len(told["warnings"]) == 101
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "refused in the offer: audio 2, audio 3, audio 4, audio 5 and 97 more:keying (" in line
    assert "SECRET" not in line


def test_a_refused_call_is_counted() -> None:
    daemon = Daemon()
    daemon.command("offer", sdp=secured.savp(ALICE), from_tag="a")
    daemon.command("offer", sdp="hello", from_tag="a")
    counted = daemon.ask({"command": "statistics"})["statistics"]["securitystatistics"]
    assert (counted["refusedmedias"], counted["refusedrequests"]) == (0, 1)
