"""Which party or flow a command is about (ng-protocol.md §2.2, §2.7)."""

from typing import Any

import pytest

from ngdaemon.media.plan import Carries
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def call_of() -> Daemon:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000), label="caller")
    daemon.answer(audio(BOB, 5000), label="callee")
    return daemon


def silenced(daemon: Daemon) -> set[str]:
    """The parties whose audio is silenced."""
    names = {1: "a", 3: "b"}
    return {names[route.source] for route in daemon.plan().routes if route.carries is Carries.RTP and route.silenced}


@pytest.mark.parametrize(
    ("keys", "parties"),
    [
        ({}, {"a", "b"}),
        ({"from_tag": "a"}, {"a"}),
        ({"from_tag": "b"}, {"b"}),
        ({"label": "callee"}, {"b"}),
        ({"from_label": "callee"}, {"b"}),
        ({"address": ALICE}, {"a"}),
        ({"label": "callee", "address": ALICE, "from_tag": "a"}, {"b"}),
        ({"address": ALICE, "from_tag": "b"}, {"a"}),
        ({"from_tag": "a", "flags": ["all"]}, {"a", "b"}),
        ({"from_tag": "a", "all": "all"}, {"a", "b"}),
        ({"label": "nobody", "all": "all"}, {"a", "b"}),
        ({"from_tag": "a", "to_tag": "b"}, {"a"}),
        ({"from_tag": "a", "to_label": "callee"}, {"a"}),
        ({"from_tag": "a", "all": "offer-answer"}, {"a"}),
        ({"all": "flows"}, {"a", "b"}),
    ],
)
def test_who_is_meant(keys: dict[str, Any], parties: set[str]) -> None:
    daemon = call_of()
    assert daemon.command("silence media", **keys) == {"result": "ok"}
    assert silenced(daemon) == parties


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"label": "nobody"}, "No monologue matching the given label"),
        ({"address": "host"}, "Failed to parse network address"),
        ({"address": "198.51.100.77"}, "Failed to match address to any tag"),
        ({"from_tag": "nobody"}, "From-tag given, but no such tag exists"),
        ({"from_tag": "a", "to_tag": "nobody"}, "Media flow not found (to-tag not found)"),
        ({"from_tag": "a", "to_label": "nobody"}, "Media flow not found (to-label not found)"),
        ({"from_tag": "a", "to_tag": "a"}, "Media flow not found (to-tag not subscribed)"),
        ({"from_tag": "a", "all": "except-offer-answer"}, "No eligible media subscriptions found"),
        ({"from_tag": "a", "all": "not-offer-answer"}, "No eligible media subscriptions found"),
        ({"call": "unknown"}, "Unknown call-ID"),
    ],
)
def test_who_is_not_found(keys: dict[str, Any], reason: str) -> None:
    daemon = call_of()
    plan = daemon.plan()
    assert daemon.refusal("silence media", **keys) == reason
    assert daemon.plan() == plan


@pytest.mark.parametrize("command", ["block media", "block DTMF", "start forwarding", "stop forwarding"])
def test_a_tag_that_proxies_always_send_counts_when_it_is_meant(command: str) -> None:
    daemon = call_of()
    for keys in (
        {"from_tag": "nobody"},
        {"from_tag": "nobody", "rtpp_flags": ""},
        {"from_tag": "a", "rtpp_flags": "trust-address"},
    ):
        assert daemon.command(command, **keys) == {"result": "ok"}
    reason = "From-tag given, but no such tag exists"
    assert daemon.refusal(command, from_tag="nobody", flags=["directional"]) == reason
    assert daemon.refusal(command, rtpp_flags="from-tag=nobody") == reason


@pytest.mark.parametrize(
    ("keys", "parties"),
    [
        ({"from_tag": "a"}, {"a"}),
        ({"from_tag": "a", "rtpp_flags": ""}, {"a", "b"}),
        ({"from_tag": "a", "rtpp_flags": "directional"}, {"a"}),
        ({"rtpp_flags": "from-tag=a"}, {"a"}),
        ({"from_tag": "nobody"}, {"a", "b"}),
    ],
)
def test_a_party_that_is_blocked(keys: dict[str, Any], parties: set[str]) -> None:
    daemon = call_of()
    assert daemon.command("block media", **keys) == {"result": "ok"}
    names = {1: "a", 3: "b"}
    found = {
        names[item.source] for item in daemon.plan().routes if item.carries is Carries.RTP and item.only is not None
    }
    assert found == parties
