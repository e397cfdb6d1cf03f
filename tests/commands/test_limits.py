"""Load limits (ng-protocol.md §1.5): only for new calls, with the texts that make proxies try another node."""

from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import audio

OFFER = {"command": "offer", "from-tag": "a", "sdp": audio("198.51.100.1")}
SUPPORTS = {"supports": ["load limit"]}
ERROR = {"result": "error", "error-reason": "Parallel session limit reached"}


@pytest.mark.parametrize(
    ("settings", "load", "message"),
    [
        ({"max_sessions": 0}, {}, "Parallel session limit reached"),
        ({"max_calls": 1}, {}, None),
        ({"max_load": 2.0}, {"average": 2.0}, "Load limit exceeded"),
        ({"max_load": 2.0}, {"average": 1.9}, None),
        ({"max_cpu": 80.0}, {"cpu": 80.0}, "CPU usage limit exceeded"),
        ({"max_cpu": 80.0}, {"cpu": 79.0}, None),
        ({"max_bandwidth": 1000}, {"octets": 1000.0}, "Bandwidth limit exceeded"),
        ({"max_bandwidth": 1000}, {"octets": 999.0}, None),
        ({"max_load": 2.0, "max_cpu": 80.0}, {"average": 3.0, "cpu": 90.0}, "Load limit exceeded"),
        ({"max_sessions": 0, "max_load": 2.0}, {"average": 3.0}, "Parallel session limit reached"),
        ({}, {"average": 99.0, "cpu": 100.0, "octets": 1e12}, None),
    ],
)
def test_a_new_call_at_a_limit(settings: dict[str, Any], load: dict[str, float], message: str | None) -> None:
    daemon = Daemon(**settings)
    for name, value in load.items():
        setattr(daemon.load, name, value)
    for call, supports in (("plain", {}), ("knowing", SUPPORTS)):
        reply = daemon.ask({**OFFER, **supports, "call-id": call})
        if message is None:
            assert reply["result"] == "ok"
            daemon.command("delete", call=call, delete_delay=0)
        else:
            assert reply == ({"result": "load limit", "message": message} if supports else ERROR)
    assert daemon.calls() == []


@pytest.mark.parametrize("setting", ["max_sessions", "max_calls"])
def test_the_number_of_calls_is_bounded(setting: str) -> None:
    settings: dict[str, Any] = {setting: 2}
    daemon = Daemon(**settings)
    for number in range(2):
        daemon.offer(audio("198.51.100.1"), call=f"call {number}")
    assert daemon.ask({**OFFER, "call-id": "call 2"}) == ERROR
    daemon.command("delete", call="call 0", delete_delay=0)
    assert daemon.ask({**OFFER, "call-id": "call 2"})["result"] == "ok"


def test_known_calls_are_served_whatever_the_load() -> None:
    daemon = Daemon(max_load=2.0)
    daemon.offer(audio("198.51.100.1"))
    daemon.load.average = 50.0
    assert daemon.answer(audio("198.51.100.2"))
    assert daemon.offer(audio("198.51.100.1"), to_tag="b")
    assert daemon.command("query")["result"] == "ok"
    assert daemon.command("delete")["result"] == "ok"


def test_other_words_are_no_support_of_load_limits() -> None:
    daemon = Daemon(max_sessions=0)
    for supports in (["load-limit"], ["Load Limit"], []):
        assert daemon.ask({**OFFER, "supports": supports, "call-id": "call"}) == ERROR
