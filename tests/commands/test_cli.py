"""Lines of the command line interface through the control port (ng-protocol.md §9.6)."""

import json

import pytest

from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def run(daemon: Daemon, line: str) -> str:
    reply = daemon.ask({"command": "cli", "body": line})
    assert reply["result"] == "ok"
    assert isinstance(reply["response"], str)
    return reply["response"]


@pytest.mark.parametrize(
    ("line", "response"),
    [
        ("make coffee", "Unknown command: make\n"),
        ("list coffee", "Unknown command: coffee\n"),
        ("list", "More parameters required.\n"),
        ("list sessions", "More parameters required.\n"),
        ("set timeout", "More parameters required.\n"),
        ("set coffee 1", "Unknown command: coffee\n"),
        ("terminate", "More parameters required.\n"),
        ("terminate unknown", "\nCall Id not found (unknown).\n\n"),
        ("list sessions unknown", "\nCall Id not found (unknown).\n\n"),
        ("list sessions all", "No sessions on this media relay.\n"),
        ("list sessions foreign", "No sessions on this media relay.\n"),
        (" ", "Unknown command: \n"),
    ],
)
def test_what_cannot_be_done(line: str, response: str) -> None:
    assert run(Daemon(), line) == response


def test_a_line_is_needed() -> None:
    for body in (None, ""):
        assert Daemon().refusal("cli", body=body) == "No 'body' in message"


@pytest.mark.parametrize(
    ("name", "before", "value", "after"),
    [
        ("maxsessions", "Maximum sessions configured on rtpengine: -1\n", "100", "100"),
        ("timeout", "TIMEOUT=60\n", "90", "90"),
        ("silenttimeout", "SILENT_TIMEOUT=3600\n", "7200", "7200"),
        ("finaltimeout", "FINAL_TIMEOUT=0\n", "86400", "86400"),
        ("offertimeout", "OFFER_TIMEOUT=3600\n", "180", "180"),
        ("deletedelay", "30\n", "0", "0"),
        ("loglevel", "6\n", "7", "7"),
        ("loglevel", "6\n", "100", "7"),
    ],
)
def test_a_setting(name: str, before: str, value: str, after: str) -> None:
    daemon = Daemon()
    assert run(daemon, f"list {name}") == run(daemon, f"get {name}") == before
    assert run(daemon, f"set {name} {value}") == f"Success setting {name} to {after}\n"
    assert run(daemon, f"list {name}").endswith(f"{after}\n")


@pytest.mark.parametrize(
    "line",
    ["set timeout 0", "set timeout -1", "set maxsessions -2", "set deletedelay soon", f"set timeout {'9' * 100}"],
)
def test_a_value_that_a_setting_does_not_have(line: str) -> None:
    daemon = Daemon()
    _, name, value = line.split()
    before = run(daemon, f"list {name}")
    assert run(daemon, line).startswith(f"Fail setting {name} to {value}; it is not a number from ")
    assert run(daemon, f"list {name}") == before


def test_a_changed_setting_has_its_effect() -> None:
    daemon = Daemon()
    assert run(daemon, "set maxsessions 0") == "Success setting maxsessions to 0\n"
    assert daemon.refusal("offer", from_tag="a", sdp=audio(ALICE)) == "Parallel session limit reached"
    assert run(daemon, "set maxsessions -1") == "Success setting maxsessions to -1; disable feature\n"
    daemon.offer(audio(ALICE))
    run(daemon, "set deletedelay 5")
    daemon.command("delete")
    daemon.wait(5.1)
    assert daemon.calls() == []


def test_sessions_are_counted_and_listed() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), call="one")
    daemon.offer(audio(ALICE), call="two")
    daemon.command("delete", call="two")
    assert run(daemon, "list numsessions") == (
        "Current sessions own: 2\nCurrent sessions foreign: 0\nCurrent sessions total: 2\n"
    )
    assert run(daemon, "list sessions all").splitlines() == [
        "ID: one | del:n | creat:  1700000000 | prx:192.0.2.50:5060 | redis:-1 | frgn:n | rec:n",
        "ID: two | del:y | creat:  1700000000 | prx:192.0.2.50:5060 | redis:-1 | frgn:n | rec:n",
    ]


def test_one_session_in_detail() -> None:
    daemon = Daemon()
    callee = sdp.port(daemon.offer(audio(ALICE), label="A", TOS=184))
    caller = sdp.port(daemon.answer(audio(BOB, 5000)))
    daemon.wait(2)
    daemon.receive_media(caller, 3)
    assert run(daemon, "list sessions call").splitlines() == [
        "",
        "callid: call",
        "created: 1700000000",
        "proxy: 192.0.2.50:5060",
        "tos: 184",
        "last_signal: 1700000000",
        "--- Tag 'a', label 'A', branch '', callduration 2.00",
        "------ Media #1 (audio over RTP/AVP)",
        f"-------- 198.51.100.1:4000 <> 192.0.2.1:{caller}, in 3 packets 516 bytes, lost 0, out 0 packets 0 bytes",
        "--- Tag 'b', label '', branch '', callduration 2.00",
        "------ Media #1 (audio over RTP/AVP)",
        f"-------- 198.51.100.2:5000 <> 192.0.2.1:{callee}, "
        "in 0 packets 0 bytes, lost 0, out 0 packets 0 bytes, nothing received",
    ]


def test_statistics_are_those_of_the_command() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    tree = json.loads(run(daemon, "list jsonstats"))
    assert tree["currentstatistics"]["sessionstotal"] == 1
    assert tree["totalstatistics"]["managedsessions"] == 1


def test_interfaces() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    assert run(daemon, "list interfaces").splitlines()[:3] == [
        "Interface 'int' address '192.0.2.1' (IPv4)",
        " Port range: 30000 - 39999",
        " Ports used: 4 / 10000 (  0.0%)",
    ]


def test_an_operator_ends_calls() -> None:
    daemon = Daemon()
    for name in ("one", "two", "three"):
        daemon.offer(audio(ALICE), call=name)
    assert run(daemon, "terminate one") == "\nCall Id (one) successfully terminated by operator.\n\n"
    assert daemon.calls() == ["two", "three"]
    run(daemon, "terminate foreign")
    assert daemon.calls() == ["two", "three"]
    run(daemon, "terminate all")
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}
    totals = daemon.ask({"command": "statistics"})["statistics"]["totalstatistics"]
    assert totals["forcedterminatedsessions"] == 3


def test_help_lists_commands_that_exist() -> None:
    lines = run(Daemon(), "help").splitlines()
    assert [line.split()[0] for line in lines] == ["list", "list", "set", "terminate", "help"]
    for words in (lines[0].replace("[ all | own | foreign | CALL-ID ]", "all"), lines[1]):
        for word in words.removeprefix("list ").split(" | "):
            assert "Unknown command" not in run(Daemon(), f"list {word}")
    for word in lines[2].removeprefix("set ").removesuffix(" VALUE").split(" | "):
        assert "Success" in run(Daemon(), f"set {word} 5")
