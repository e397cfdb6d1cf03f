"""The daemon without I/O: datagrams in, replies out, whatever comes."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.commands import table
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.config import Config
from ngdaemon.controller import IDENTITIES
from tests.support import sdp
from tests.support.daemon import CALL, INTERFACES, Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_a_phone_cannot_speak_to_the_control_port_through_a_media_port_s13(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    port = sdp.port(daemon.offer(audio(ALICE)))
    for place in (0, 1):
        assert daemon.controller.receive(b"1 d7:command4:pinge", Endpoint("192.0.2.1", port + place), 0.0) is None
    assert daemon.controller.receive(b"1 d7:command4:pinge", Endpoint("192.0.2.2", port), 0.0) is not None
    assert messages(caplog, logging.WARNING) == [
        f"dropped a control message that was relayed to us as media at 192.0.2.1:{port}"
    ]


def test_a_reply_that_fits_no_datagram_is_replaced_by_a_short_one() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, *[f"m=audio {4000 + 2 * place} RTP/AVP 0" for place in range(120)]))
    assert daemon.refusal("query").startswith("Reply of ")
    reply = daemon.command("delete", delete_delay=0)
    assert reply["result"] == "ok"
    assert reply["warning"].endswith("octets is too long for a datagram (limit 65507)")
    assert daemon.forwarder.bound == {}


def test_a_new_quarantine_holds_for_ports_that_are_closed_from_then_on() -> None:
    daemon = Daemon(port_min=30000, port_max=30003, port_quarantine=60)
    daemon.offer(audio(ALICE))
    daemon.command("delete", delete_delay=0)
    assert daemon.refusal("offer", sdp=audio(ALICE), from_tag="a") == "Ran out of ports"
    daemon = Daemon(port_min=30000, port_max=30003, port_quarantine=60)
    daemon.offer(audio(ALICE))
    daemon.controller.reconfigure(replace(daemon.config, port_quarantine=0))
    daemon.command("delete", delete_delay=0)
    assert daemon.offer(audio(ALICE))


# ------------------------------------------------------------------------------------------------------------- framing


@pytest.mark.parametrize(
    ("datagram", "reply"),
    [
        (b"1 d7:command4:pinge", b"1 d6:result4:ponge"),
        (b'1 {"command":"ping"}', b'1 {"result":"pong"}'),
        (b"8c2f_77_1 d7:command4:pinge", b"8c2f_77_1 d6:result4:ponge"),
        (b"\xff\x00 d7:command4:pinge", b"\xff\x00 d6:result4:ponge"),
        (b"1 d7:command4:pinge trailing", b"1 d6:result4:ponge"),
    ],
)
def test_a_reply_has_the_cookie_and_the_format_of_its_request(datagram: bytes, reply: bytes) -> None:
    assert Daemon().exchange(datagram) == reply


@pytest.mark.parametrize("datagram", [b"", b" ", b"cookie", b" d7:command4:pinge", b"d7:command4:pinge"])
def test_a_datagram_without_a_cookie_is_dropped(datagram: bytes) -> None:
    assert Daemon().exchange(datagram) is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "Invalid data (no payload)"),
        (b"x", "Invalid NG data format"),
        (b" d7:command4:pinge", "Invalid NG data format"),
        (b"l4:pinge", "Invalid NG data format"),
        (b"d7:command", "Could not decode bencode dictionary"),
        (b"d7:command999999999999:pinge", "Could not decode bencode dictionary"),
        (b"d7:command-1:pinge", "Could not decode bencode dictionary"),
        (b"d7:command04:pinge", "Could not decode bencode dictionary"),
        (b"di1e4:pinge", "Could not decode bencode dictionary"),
        (b"d" * 60000, "Could not decode bencode dictionary"),
        (b"d1:a" + b"l" * 60000, "Message nested deeper than 32 levels"),
        (b"d", 'Dictionary contains no key "command"'),
        (b"de", 'Dictionary contains no key "command"'),
    ],
)
def test_a_document_that_cannot_be_understood_is_answered_with_what_is_wrong(document: bytes, reason: str) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    plan = daemon.plan()
    expected = b"1 d6:result5:error12:error-reason%d:%be" % (len(reason), reason.encode())
    assert daemon.exchange(b"1 " + document) == expected
    assert daemon.plan() == plan
    assert daemon.calls() == [CALL]


@pytest.mark.parametrize(
    "document", [b"{", b'{"command":"ping"', b'{"command":"ping",}', b"{\xff}", b"{" * 60000, b'{"a":' * 9000]
)
def test_json_that_cannot_be_understood_is_answered_in_json(document: bytes) -> None:
    reply = Daemon().exchange(b"1 " + document, "1")
    assert reply is not None
    tree = json.loads(reply)
    assert tree == {"result": "error", "error-reason": tree["error-reason"]}
    assert tree["error-reason"]


def test_the_bounds_of_documents_are_those_of_the_settings() -> None:
    nested = b'1 {"command":"ping","x":' + b"[" * 10 + b"]" * 10 + b"}"
    assert Daemon().exchange(nested) == b'1 {"result":"pong"}'
    refused = Daemon(max_depth=5).exchange(nested)
    assert refused is not None
    assert b"error" in refused


TEXTS = st.sampled_from(
    ("offer", "answer", "delete", "query", "a", "b", CALL, "", audio(ALICE), audio(BOB), "IP4", "x")
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers(-(2**31), 2**31) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ("sdp", "call-id", "from-tag", "to-tag", "via-branch", "flags", "direction", "received-from", "address", "label",
     "replace", "rtcp-mux", "codec", "sdp-attr", "all", "TOS", "limit", "body", "delete-delay", "rtpp-flags", "ptime",
     "media-address", "address-family", "transport-protocol", "sdp-media-remove", "extmap", "supports", "metadata")
)  # fmt: skip
COMMANDS = st.sampled_from([row.name for row in table.ROWS])


@given(st.lists(st.tuples(COMMANDS, st.dictionaries(KEYS, VALUES, max_size=8)), min_size=1, max_size=6))
def test_any_values_of_any_keys_are_answered(requests: list[tuple[str, dict[str, Any]]]) -> None:
    daemon = Daemon()
    for command, keys in requests:
        reply = daemon.ask({"call-id": CALL, "from-tag": "a", **keys, "command": command})
        assert reply["result"] in ("ok", "pong", "error")
        assert reply.get("error-reason") != "Internal error"


@given(st.binary(max_size=200) | st.binary(max_size=100).map(b"1 d7:command5:offer".__add__))
def test_any_bytes_are_answered_or_dropped(datagram: bytes) -> None:
    reply = Daemon().exchange(datagram)
    cookie, space, _ = datagram.partition(b" ")
    if cookie and space:
        assert reply is not None
        assert reply.startswith(cookie + b" ")
    else:
        assert reply is None


def test_bytes_that_are_no_utf8_pass_through() -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE, 4000, "a=x:\udcff\udc80"), call="\udcfe")
    assert sdp.attribute(told, "x") == "\udcff\udc80"
    assert daemon.calls() == ["\udcfe"]


# ---------------------------------------------------------------------------------------------------- retransmissions


def request(cookie: str, command: str = "offer", text: str = audio(ALICE)) -> bytes:
    body = {"command": command, "call-id": CALL, "from-tag": "a", "sdp": text}
    return f"{cookie} {json.dumps(body)}".encode()


def test_a_request_that_comes_again_gets_the_same_bytes_and_is_not_run_again() -> None:
    daemon = Daemon()
    first = daemon.exchange(request("1"))
    generations = {socket.latch.generation for socket in daemon.plan().sockets}
    daemon.wait(29)
    assert daemon.exchange(request("1")) == first
    assert {socket.latch.generation for socket in daemon.plan().sockets} == generations
    assert len(daemon.forwarder.bound) == 4


def test_the_cookie_alone_decides() -> None:
    daemon = Daemon()
    first = daemon.exchange(request("1"))
    assert daemon.exchange(b"1 d7:command4:pinge") == first
    assert daemon.exchange(b"1 ") == first
    other = daemon.controller.receive(b"1 x", Endpoint("192.0.2.1", 2223), daemon.clock.now)
    assert other == first


@pytest.mark.parametrize("document", [b"nonsense", b"d7:command5:query7:call-id1:xe"])
def test_errors_are_kept_as_well(document: bytes) -> None:
    daemon = Daemon()
    first = daemon.exchange(b"1 " + document)
    assert first is not None
    assert b"error" in first
    daemon.offer(audio(ALICE), call="x")
    assert daemon.exchange(b"1 " + document) == first


def test_a_cookie_may_be_used_again_after_a_minute() -> None:
    daemon = Daemon()
    daemon.exchange(b"1 d7:command5:query7:call-id4:calle")
    daemon.offer(audio(ALICE))
    daemon.wait(61)
    reply = daemon.exchange(b"1 d7:command5:query7:call-id4:calle")
    assert reply is not None
    assert b"error" not in reply.split(b"4:tags")[0]


# ------------------------------------------------------------------------------------------------------------- failures


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Makes a command fail for calls whose id begins with "bad"."""

    def break_command(name: str, error: Exception) -> None:
        row = table.TABLE[name]
        handler = row.handler
        assert handler is not None

        def broken(service: Service, asked: Asked) -> Reply:
            if (asked.options.call_id or "").startswith("bad"):
                raise error
            return handler(service, asked)

        monkeypatch.setitem(table.TABLE, name, row._replace(handler=broken))

    return break_command


def test_a_failure_in_one_call_is_logged_with_its_traceback_and_ends_nothing_else(
    failing: Callable[[str, Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), call="good")
    daemon.offer(audio(ALICE), call="bad")
    plans = dict(daemon.forwarder.plans)
    failing("offer", ZeroDivisionError("a bug"))
    assert daemon.refusal("offer", call="bad", sdp=audio(ALICE), from_tag="a") == "Internal error"
    (record,) = [item for item in caplog.records if item.levelno == logging.ERROR]
    assert record.getMessage() == "offer from 192.0.2.50:5060 failed"
    assert record.__dict__["call"] == "bad"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    assert daemon.forwarder.plans == plans
    assert set(daemon.calls()) == {"good", "bad"}
    assert daemon.answer(audio(BOB), call="good")
    assert daemon.answer(audio(BOB), call="bad")


def test_a_failure_inside_an_exchange_gives_back_what_it_opened(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    plan, query = daemon.plan(), daemon.command("query")

    def broken(*_: object) -> list[str]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("ngdaemon.call.negotiation.rewrite.session_lines", broken)
    assert daemon.refusal("offer", sdp=audio(ALICE, 4444), from_tag="a", to_tag="b") == "Internal error"
    assert daemon.refusal("offer", call="new", sdp=audio(ALICE), from_tag="a") == "Internal error"
    monkeypatch.undo()
    assert daemon.plan() == plan
    assert daemon.command("query") == query
    assert daemon.calls() == [CALL]
    assert len(daemon.forwarder.bound) == 4
    interfaces = daemon.ask({"command": "statistics"})["statistics"]["interfaces"]
    assert interfaces[0]["ports"]["used"] == 4


def test_a_failed_reoffer_leaves_the_call_as_it_was() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    plan, query = daemon.plan(), daemon.command("query")
    texts = (
        "nonsense",
        audio(ALICE, 4444) + "m=audio 4446\r\n",
        sdp.sdp(ALICE, "m=audio 4444 RTP/AVP 0", "m=audio 4446 RTP/AVP 999"),
        sdp.sdp(ALICE, "m=audio 4444 RTP/AVP 0", "c=IN IP4 nowhere"),
    )
    for text in texts:
        assert daemon.refusal("offer", sdp=text, from_tag="a", to_tag="b")
        assert daemon.plan() == plan
        assert daemon.command("query") == query
    wrong = {"audio": {"explode": ["x"]}}
    assert daemon.refusal("offer", sdp=audio(ALICE, 4444), from_tag="a", to_tag="b", sdp_attr=wrong)
    assert daemon.plan() == plan
    interfaces = daemon.ask({"command": "statistics"})["statistics"]["interfaces"]
    assert interfaces[0]["ports"]["used"] == 4


# ----------------------------------------------------------------------------------------------------------------- log


def test_one_line_for_each_command_and_none_for_those_of_monitoring(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    with caplog.at_level(logging.INFO):
        daemon.offer(audio(ALICE))
        daemon.answer(audio(BOB))
        for command in ("ping", "list", "statistics", "query"):
            daemon.command(command)
        daemon.command("delete")
        daemon.refusal("query", call="unknown")
    assert messages(caplog, logging.INFO) == [
        "offer from 192.0.2.50:5060",
        "answer from 192.0.2.50:5060",
        "delete from 192.0.2.50:5060",
        "query from 192.0.2.50:5060 refused: Unknown call-id",
    ]
    assert {record.__dict__["call"] for record in caplog.records} == {CALL, "unknown"}


def test_an_option_that_is_not_supported_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    for call in ("one", "two"):
        daemon.offer(audio(ALICE), call=call, media_echo="both", flags=["inject-DTMF"])
    assert sorted(messages(caplog, logging.WARNING)) == [
        "inject-dtmf is not supported by this version and is ignored",
        "media-echo is not supported by this version and is ignored",
    ]


def test_unknown_options_are_named_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    with caplog.at_level(logging.INFO):
        daemon.offer(audio(ALICE), flags=["make-coffee"], strange="x")
    assert messages(caplog, logging.WARNING) == [
        "unknown option make-coffee is ignored",
        "unknown option strange is ignored",
    ]


def test_complaints_about_bad_datagrams_are_held_back(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    for _ in range(100):
        daemon.exchange(b"nonsense")
    for number in range(100):
        daemon.exchange(b"%d nonsense" % number)
    assert messages(caplog, logging.WARNING) == [
        "dropped a control message without a cookie from 192.0.2.50",
        "refused a control message from 192.0.2.50: Invalid NG data format",
    ]
    daemon.wait(11)
    daemon.exchange(b"nonsense")
    assert messages(caplog, logging.WARNING)[2:] == [
        "dropped a control message without a cookie from 192.0.2.50 (99 more like this before)"
    ]


def test_a_refused_call_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    Daemon(max_sessions=0).refusal("offer", from_tag="a", sdp=audio(ALICE))
    assert messages(caplog, logging.WARNING) == [
        "offer from 192.0.2.50:5060 refused: Parallel session limit reached (max-sessions = 0)"
    ]


# ------------------------------------------------------------------------------------------------------------ settings


def test_settings_change_while_calls_are_up() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.controller.reconfigure(Config(interfaces=INTERFACES, max_sessions=1, delete_delay=5, max_depth=4))
    assert daemon.refusal("offer", call="new", from_tag="a", sdp=audio(ALICE)) == "Parallel session limit reached"
    deep = daemon.exchange(b'1 {"command":"ping","x":[[[[[]]]]]}')
    assert deep is not None
    assert b"error" in deep
    daemon.command("delete")
    daemon.wait(6)
    assert daemon.calls() == []


def test_ports_of_an_interface_are_those_that_it_was_given() -> None:
    ranges = (("192.0.2.2", Config(port_min=50000, port_max=50003).ports("192.0.2.2")),)
    daemon = Daemon(port_ranges=ranges)
    told = daemon.offer(audio(ALICE), direction=["int", "ext"])
    assert 50000 <= sdp.port(told) <= 50002
    assert daemon.forwarder.ports_of(CallId(CALL))[0] < 40000
    interfaces = daemon.ask({"command": "statistics"})["statistics"]["interfaces"]
    assert [(item["ports"]["min"], item["ports"]["max"]) for item in interfaces[:2]] == [(30000, 39999), (50000, 50003)]


def test_certificates_are_made_ahead_one_at_a_time_until_there_are_enough() -> None:
    """FP-08: no request waits for one, and nothing else waits for long."""
    controller = Daemon().controller
    looks = [controller.prepare() for _ in range(IDENTITIES + 2)]
    assert looks == [False] * (IDENTITIES - 1) + [True] * 3
    assert len(controller._identities) == IDENTITIES
