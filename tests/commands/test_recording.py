"""Recording and forwarding without a recorder: `ok`, and nothing happens (ng-protocol.md §2.6)."""

import pytest

from tests.support.daemon import Daemon
from tests.support.sdp import audio


@pytest.mark.parametrize("command", ["start recording", "stop recording", "pause recording"])
def test_recording(command: str, caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    daemon.offer(audio("198.51.100.1"))
    plan = daemon.plan()
    assert daemon.command(command, from_tag="nobody") == {"result": "ok"}
    assert daemon.plan() == plan
    assert f"{command} has no effect: no recording is configured" in [item.getMessage() for item in caplog.records]
    assert daemon.refusal(command, call="unknown") == "Unknown call-id"


@pytest.mark.parametrize("command", ["start forwarding", "stop forwarding"])
def test_forwarding(command: str) -> None:
    daemon = Daemon()
    daemon.offer(audio("198.51.100.1"))
    plan = daemon.plan()
    assert daemon.command(command) == {"result": "ok"}
    assert daemon.plan() == plan
    assert daemon.refusal(command, call="unknown") == "Unknown call-ID"


def test_metadata_is_kept_for_query() -> None:
    daemon = Daemon()
    daemon.offer(audio("198.51.100.1"))
    plan = daemon.plan()
    daemon.command("start recording", metadata="queue=5", from_tag="a")
    daemon.command("stop recording")
    tree = daemon.command("query")
    assert (tree["metadata"], tree["tags"]["a"]["metadata"]) == ("queue=5", "queue=5")
    daemon.command("start recording", metadata="queue=6")
    tree = daemon.command("query")
    assert (tree["metadata"], tree["tags"]["a"]["metadata"]) == ("queue=6", "queue=5")
    assert daemon.plan() == plan
