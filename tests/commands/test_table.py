"""The command table: names, required keys, and what is said where one is missing (ng-protocol.md §2)."""

from typing import Any

import pytest

from ngdaemon.commands.table import ROWS
from tests.support.daemon import Daemon
from tests.support.sdp import audio

WHOLE: dict[str, Any] = {"sdp": audio("198.51.100.1"), "call-id": "call", "from-tag": "a", "to-tag": "b"}
NEEDED = {
    "sdp": "No SDP body in message",
    "call-id": "No call-id in message",
    "from-tag": "No from-tag in message",
    "to-tag": "No to-tag in message",
}


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        ("offer", ("sdp", "call-id", "from-tag")),
        ("answer", ("sdp", "call-id", "from-tag", "to-tag")),
        ("delete", ("call-id",)),
        ("query", ("call-id",)),
        *(
            (command, ("call-id",))
            for command in (
                *("block DTMF", "unblock DTMF", "block media", "unblock media", "silence media", "unsilence media"),
                *("start recording", "stop recording", "pause recording", "start forwarding", "stop forwarding"),
            )
        ),
        ("publish", ("sdp",)),
        ("subscribe request", ("call-id",)),
        ("subscribe answer", ("sdp", "call-id", "to-tag")),
        ("unsubscribe", ("call-id", "to-tag")),
        ("create", ()),
        ("create answer", ("sdp", "call-id", "from-tag")),
        ("list", ()),
        ("statistics", ()),
        ("ping", ()),
    ],
)
def test_required_keys(command: str, needs: tuple[str, ...]) -> None:
    daemon = Daemon()
    daemon.offer(audio("198.51.100.1"))
    for key, reason in NEEDED.items():
        request = {name: value for name, value in WHOLE.items() if name != key} | {"command": command}
        reply = daemon.ask(request)
        if key in needs:
            assert reply == {"result": "error", "error-reason": reason}
        else:
            assert reply.get("error-reason") != reason


@pytest.mark.parametrize("value", [17, ["call"], {"call": 1}])
def test_a_key_of_another_type_is_missing(value: object) -> None:
    daemon = Daemon()
    assert daemon.ask({**WHOLE, "command": "query", "call-id": value})["error-reason"] == "No call-id in message"


def test_an_empty_call_id_is_none_but_an_empty_tag_is_one() -> None:
    daemon = Daemon()
    assert daemon.refusal("offer", call="", sdp=audio("198.51.100.1"), from_tag="a") == "No call-id in message"
    assert daemon.offer(audio("198.51.100.1"), from_tag="")


def test_the_first_missing_key_is_named() -> None:
    daemon = Daemon()
    for key, reason in NEEDED.items():
        assert daemon.ask({"command": "answer", **WHOLE, key: 0}) == {"result": "error", "error-reason": reason}
        later = dict.fromkeys(list(NEEDED)[list(NEEDED).index(key) :], 0)
        assert daemon.ask({"command": "answer", **WHOLE, **later}) == {"result": "error", "error-reason": reason}


@pytest.mark.parametrize("command", ["make coffee", "", "Offer", "PING", "play dtmf", "offer ", "block-media"])
def test_an_unknown_command(command: str) -> None:
    assert Daemon().ask({**WHOLE, "command": command}) == {
        "result": "error",
        "error-reason": "Unrecognized command",
    }


@pytest.mark.parametrize("command", [{}, {"command": 1}, {"command": ["ping"]}, {"command": {"ping": 1}}])
def test_no_command(command: dict[str, Any]) -> None:
    assert Daemon().ask({"call-id": "call", **command}) == {
        "result": "error",
        "error-reason": 'Dictionary contains no key "command"',
    }


@pytest.mark.parametrize("command", [row.name for row in ROWS if row.handler is None])
def test_a_command_that_is_not_there_yet_says_so(command: str) -> None:
    assert Daemon().ask({**WHOLE, "command": command}) == {
        "result": "error",
        "error-reason": f'Command "{command}" is not supported by this version',
    }


def test_ping() -> None:
    assert Daemon().ask({"command": "ping"}) == {"result": "pong"}
