"""Blocks of calls, parties and flows beside each other (ng-protocol.md §2.7)."""

from typing import Any

import pytest

from ngdaemon.media.plan import Carries
from tests.support.daemon import Daemon
from tests.support.sdp import audio, sdp

ALICE, BOB = "198.51.100.1", "198.51.100.2"
DIRECTIONAL: dict[str, Any] = {"flags": ["directional"]}
HELD = {
    "media": lambda route: route.only is not None,
    "DTMF": lambda route: bool(route.dropped),
    "silence": lambda route: bool(route.silenced),
}


def call_of() -> Daemon:
    daemon = Daemon()
    events = "a=rtpmap:101 telephone-event/8000"
    daemon.offer(audio(ALICE, 4000, events, formats="0 101"))
    daemon.answer(audio(BOB, 5000, events, formats="0 101"))
    return daemon


def held(daemon: Daemon, what: str) -> str:
    """The parties from whom that is held back."""
    names = {1: "a", 3: "b"}
    routes = [route for route in daemon.plan().routes if route.carries is Carries.RTP and HELD[what](route)]
    return "".join(sorted(names[route.source] for route in routes))


@pytest.mark.parametrize(
    ("what", "on", "off"),
    [
        ("media", "block media", "unblock media"),
        ("DTMF", "block DTMF", "unblock DTMF"),
        ("silence", "silence media", "unsilence media"),
    ],
)
@pytest.mark.parametrize(("keys", "parties"), [({}, "ab"), ({"from_tag": "a", **DIRECTIONAL}, "a")])
def test_on_and_off(what: str, on: str, off: str, keys: dict[str, Any], parties: str) -> None:
    daemon = call_of()
    for _ in range(2):
        assert daemon.command(on, **keys) == {"result": "ok"}
        assert held(daemon, what) == parties
        assert [held(daemon, other) for other in HELD if other != what] == ["", ""]
    for _ in range(2):
        assert daemon.command(off, **keys) == {"result": "ok"}
        assert held(daemon, what) == ""


def test_unblocking_the_call_leaves_parties_blocked_unless_all_is_said() -> None:
    daemon = call_of()
    daemon.command("block media", from_tag="a", **DIRECTIONAL)
    daemon.command("block media")
    daemon.command("unblock media")
    assert held(daemon, "media") == "a"
    daemon.command("unblock media", all="all")
    assert held(daemon, "media") == ""


def test_unblocking_a_party_leaves_the_call_blocked() -> None:
    daemon = call_of()
    daemon.command("block media")
    daemon.command("unblock media", from_tag="a", **DIRECTIONAL)
    assert held(daemon, "media") == "ab"


def test_blocks_outlive_further_signalling() -> None:
    daemon = call_of()
    daemon.command("block DTMF", from_tag="a", **DIRECTIONAL)
    daemon.command("silence media")
    events = "a=rtpmap:101 telephone-event/8000"
    daemon.offer(audio(ALICE, 4000, events, formats="0 101"), to_tag="b")
    daemon.answer(audio(BOB, 5000, events, formats="0 101"))
    assert (held(daemon, "DTMF"), held(daemon, "silence")) == ("a", "ab")


def test_a_known_tag_counts_without_flag() -> None:
    """D-TAGS."""
    daemon = call_of()
    daemon.command("block media", from_tag="a")
    assert held(daemon, "media") == "a"


def test_a_block_is_no_signalling() -> None:
    daemon = call_of()
    before = {socket.latch.generation for socket in daemon.plan().sockets}
    daemon.command("block media")
    assert {socket.latch.generation for socket in daemon.plan().sockets} == before


@pytest.mark.parametrize(("on", "off"), [("block media", "unblock media"), ("silence media", "unsilence media")])
def test_media_that_cannot_be_looked_into_is_held_back_whole(on: str, off: str) -> None:
    """Fax cannot be told from its control packets, nor made silent. DTMF is none of its."""
    daemon = Daemon()
    daemon.offer(sdp(ALICE, "m=image 4000 udptl t38"))
    daemon.answer(sdp(BOB, "m=image 5000 udptl t38"))
    before = daemon.plan().routes
    assert daemon.command("block DTMF", from_tag="a")["result"] == "ok"
    assert daemon.plan().routes == before
    assert daemon.command(on, from_tag="a")["result"] == "ok"
    assert {int(route.source) for route in daemon.plan().routes} == {3, 4}
    assert daemon.command(off, from_tag="a")["result"] == "ok"
    assert daemon.plan().routes == before
