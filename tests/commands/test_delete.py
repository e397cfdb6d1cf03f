"""`delete`: what is found, what goes, and what is told of it (ng-protocol.md §2.4)."""

from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB, CAROL = "198.51.100.1", "198.51.100.2", "198.51.100.3"
NOT_FOUND = "Call-ID not found or tags didn't match"


def call_of() -> Daemon:
    daemon = Daemon()
    daemon.offer(audio(ALICE), via_branch="x")
    daemon.answer(audio(BOB), via_branch="x")
    return daemon


def forked() -> Daemon:
    """A call that was offered to two branches and answered by neither."""
    daemon = Daemon()
    for branch in ("x", "y"):
        daemon.offer(audio(ALICE), via_branch=branch)
    return daemon


@pytest.mark.parametrize(
    ("keys", "gone"),
    [
        ({}, True),
        ({"from_tag": "a"}, True),
        ({"from_tag": "b"}, True),
        ({"from_tag": "a", "to_tag": "b"}, True),
        ({"from_tag": "b", "to_tag": "a"}, True),
        ({"from_tag": "a", "via_branch": "x"}, True),
        ({"from_tag": "a", "via_branch": "wrong"}, True),
        ({"from_tag": "a", "to_tag": "wrong"}, True),
        ({"from_tag": "a", "to_tag": "wrong", "flags": ["to-tag"]}, False),
        ({"from_tag": "wrong"}, False),
        ({"from_tag": "a", "to_tag": "wrong", "rtpp_flags": "delete-delay=0"}, True),
        ({"from_tag": "a", "to_tag": "b", "rtpp_flags": "to-tag=b delete-delay=0"}, True),
        ({"call": "another"}, False),
    ],
)
def test_what_is_found(keys: dict[str, Any], gone: bool) -> None:
    """Among them D-TAGS: a to-tag that is known counts without flag."""
    daemon = call_of()
    reply = daemon.command("delete", delete_delay=0, **keys)
    assert reply["result"] == "ok"
    assert (reply.get("warning") is None) is gone
    assert daemon.calls() == ([] if gone else ["call"])
    if not gone:
        assert reply == {"warning": NOT_FOUND, "result": "ok"}
        assert daemon.refusal("delete", **{**keys, "flags": [*keys.get("flags", []), "fatal"]}) == NOT_FOUND
        assert daemon.calls() == ["call"]


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ({"from_tag": "a", "via_branch": "x"}, ["a", "<untagged 2>"]),
        ({"from_tag": "a", "via_branch": "y"}, ["a", "<untagged 1>"]),
        ({"from_tag": "a"}, []),
        ({}, []),
    ],
)
def test_a_branch_or_the_whole_call(keys: dict[str, Any], left: list[str]) -> None:
    daemon = forked()
    daemon.command("delete", delete_delay=0, **keys)
    if not left:
        assert daemon.calls() == []
        return
    tags = daemon.command("query")["tags"]
    assert [name for name in tags if "local port" in tags[name]["medias"][0]["streams"][0]] == left
    assert len(daemon.forwarder.bound) == 4


def test_the_last_branch_takes_the_call_with_it() -> None:
    daemon = forked()
    daemon.command("delete", from_tag="a", via_branch="x", delete_delay=0)
    daemon.command("delete", from_tag="a", via_branch="y", delete_delay=0)
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}


def test_those_joined_to_nobody_else_go_with_a_party_and_other_pairs_stay() -> None:
    daemon = call_of()
    daemon.offer(audio(CAROL), from_tag="c", via_branch="y")
    daemon.answer(audio(BOB), from_tag="c", to_tag="d", via_branch="y")
    daemon.command("delete", from_tag="a", delete_delay=0)
    tags = daemon.command("query")["tags"]
    assert [name for name in tags if "local port" in tags[name]["medias"][0]["streams"][0]] == ["c", "d"]


def test_an_ended_branch_is_not_found_again() -> None:
    daemon = forked()
    daemon.answer(audio(BOB), via_branch="x")
    daemon.answer(audio(CAROL), to_tag="c", via_branch="y")
    daemon.command("delete", from_tag="a", to_tag="b", flags=["to-tag"], delete_delay=0)
    assert daemon.calls() == ["call"]
    reply = daemon.command("delete", from_tag="a", to_tag="b", flags=["to-tag", "fatal"], delete_delay=0)
    assert reply["error-reason"] == NOT_FOUND


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({}, ["a", "b"]),
        ({"from_tag": "a"}, ["a", "b"]),
        ({"from_tag": "b"}, ["b", "a"]),
        ({"from_tag": "a", "to_tag": "b"}, ["b", "a"]),
    ],
)
def test_the_reply_is_that_of_a_query(keys: dict[str, Any], shown: list[str]) -> None:
    daemon = call_of()
    query = daemon.command("query", **keys)
    reply = daemon.command("delete", delete_delay=30, **keys)
    assert list(reply["tags"]) == shown
    assert reply == query


def test_a_second_delete_names_no_port() -> None:
    """D-CLOSED."""
    daemon = call_of()
    first = daemon.command("delete", from_tag="a")
    assert all("local port" in leg["medias"][0]["streams"][0] for leg in first["tags"].values())
    second = daemon.command("delete", from_tag="a", delete_delay=0)
    assert list(second["tags"]) == ["a", "b"]
    assert all("local port" not in leg["medias"][0]["streams"][0] for leg in second["tags"].values())
    assert daemon.forwarder.bound == {}


def test_a_fast_delete_tells_nothing() -> None:
    daemon = call_of()
    assert daemon.command("delete", flags=["fast"], delete_delay=0) == {"result": "ok"}
    assert daemon.calls() == []


@pytest.mark.parametrize("key", ["delete-delay", "delete delay", "delete_delay"])
def test_spellings_of_the_delay(key: str) -> None:
    daemon = call_of()
    daemon.ask({"command": "delete", "call-id": "call", key: 0})
    assert daemon.calls() == []


def test_a_deleted_call_is_shown_and_counted_until_its_delay_is_over() -> None:
    daemon = call_of()
    daemon.command("delete")
    assert daemon.calls() == ["call"]
    assert list(daemon.command("query")["tags"]) == ["a", "b"]


def test_an_offer_after_the_end_makes_a_new_call() -> None:
    daemon = call_of()
    daemon.command("delete", delete_delay=0)
    daemon.wait(1)
    daemon.offer(audio(ALICE))
    assert daemon.command("query")["created"] == 1_700_000_001
    assert list(daemon.command("query")["tags"]) == ["a", "<untagged 1>"]
