"""`query`, `list` and `statistics`."""

from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE = "198.51.100.1"


def test_a_query_about_an_unknown_call() -> None:
    assert Daemon().refusal("query", call="unknown") == "Unknown call-id"


@pytest.mark.parametrize(
    ("keys", "count"),
    [({}, 32), ({"limit": 3}, 3), ({"limit": "3"}, 3), ({"limit": 0}, 0), ({"limit": 100}, 40), ({"limit": "x"}, 32)],
)
def test_the_list_is_as_long_as_asked_for(keys: dict[str, Any], count: int) -> None:
    daemon = Daemon()
    for number in range(40):
        daemon.offer(audio(ALICE), call=f"call {number}")
    reply = daemon.ask({"command": "list", **keys})
    assert len(reply["calls"]) == len(set(reply["calls"])) == count
    assert set(reply["calls"]) <= {f"call {number}" for number in range(40)}


@pytest.mark.parametrize("limit", [-1, "-5"])
def test_a_negative_limit(limit: object) -> None:
    reply = Daemon().ask({"command": "list", "limit": limit})
    assert reply == {"result": "error", "error-reason": "invalid limit, must be >= 0"}


def test_asking_changes_nothing() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    plan, query = daemon.plan(), daemon.command("query")
    for command in ("ping", "list", "statistics", "query"):
        daemon.command(command, from_tag="a")
    assert daemon.plan() is plan
    assert daemon.command("query") == query
