"""When calls end: timeouts and deletions, by a clock that a test moves (ng-protocol.md §2.4, §5.4)."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import SocketCounters, Tapped
from ngdaemon.media.plan import Carries
from tests.support import packets, sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

ALICE, BOB, CAROL = "198.51.100.1", "198.51.100.2", "198.51.100.3"

COUNTERS = {
    "TIMEOUT": "timeoutsessions",
    "SILENT_TIMEOUT": "silenttimeoutsessions",
    "OFFER_TIMEOUT": "offertimeoutsessions",
    "FINAL_TIMEOUT": "finaltimeoutsessions",
    "REGULAR": "regularterminatedsessions",
    "FORCED": "forcedterminatedsessions",
}


def a_daemon(timeout: int = 60, final_timeout: int = 0) -> Daemon:
    return Daemon(timeout=timeout, silent_timeout=600, offer_timeout=300, final_timeout=final_timeout, delete_delay=30)


def call_of(daemon: Daemon, *attributes: str) -> tuple[int, int]:
    """A call that is set up; the ports that the callee and the caller send to."""
    offer = daemon.offer(audio(ALICE, 4000, *attributes))
    return sdp.port(offer), sdp.port(daemon.answer(audio(BOB, 5000, *attributes)))


def lives(daemon: Daemon) -> bool:
    up = CALL in daemon.calls()
    assert up is bool(daemon.forwarder.bound)
    return up


def ended(daemon: Daemon) -> list[str]:
    """Why calls ended, from the counters."""
    totals = daemon.ask({"command": "statistics"})["statistics"]["totalstatistics"]
    return [name for name, key in COUNTERS.items() for _ in range(totals[key])]


# ------------------------------------------------------------------------------------------------------------ timeouts


def test_a_call_without_media_ends_after_the_timeout() -> None:
    daemon = a_daemon()
    call_of(daemon)
    daemon.wait(59.9)
    assert lives(daemon)
    daemon.wait(0.2)
    assert not lives(daemon)
    assert ended(daemon) == ["TIMEOUT"]


def test_media_of_one_side_keeps_the_call_alive() -> None:
    daemon = a_daemon()
    _, caller = call_of(daemon)
    for _ in range(10):
        daemon.wait(50)
        daemon.receive_media(caller)
    daemon.wait(59)
    assert lives(daemon)
    daemon.wait(2)
    assert ended(daemon) == ["TIMEOUT"]


def test_rtcp_keeps_the_call_alive_as_well() -> None:
    daemon = a_daemon()
    callee, _ = call_of(daemon)
    daemon.wait(50)
    daemon.receive_media(callee + 1)
    daemon.wait(50)
    assert lives(daemon)


def test_signalling_begins_the_time_anew() -> None:
    daemon = a_daemon()
    call_of(daemon)
    daemon.wait(50)
    daemon.offer(audio(ALICE, 4000), to_tag="b")
    daemon.wait(50)
    assert lives(daemon)
    daemon.wait(11)
    assert ended(daemon) == ["TIMEOUT"]


def test_a_call_on_hold_ends_after_the_silent_timeout() -> None:
    daemon = a_daemon()
    call_of(daemon, "a=inactive")
    daemon.wait(599)
    assert lives(daemon)
    daemon.wait(2)
    assert ended(daemon) == ["SILENT_TIMEOUT"]


def test_a_stream_that_may_send_decides_when_others_are_silent() -> None:
    daemon = a_daemon()
    daemon.offer(audio(ALICE, 4000, "a=sendonly"))
    daemon.answer(audio(BOB, 5000, "a=recvonly"))
    daemon.wait(61)
    assert ended(daemon) == ["TIMEOUT"]


def test_a_call_that_nobody_answers_ends_after_the_offer_timeout() -> None:
    daemon = a_daemon()
    daemon.offer(audio(ALICE, 4000))
    daemon.wait(299)
    assert lives(daemon)
    daemon.wait(2)
    assert ended(daemon) == ["OFFER_TIMEOUT"]


def test_a_branch_that_lost_does_not_keep_the_call_alive() -> None:
    daemon = a_daemon()
    daemon.offer(audio(ALICE, 4000), via_branch="x")
    daemon.offer(audio(ALICE, 4000), via_branch="y")
    daemon.answer(audio(BOB, 5000), via_branch="x")
    daemon.wait(61)
    assert ended(daemon) == ["TIMEOUT"]


def test_every_call_ends_after_the_final_timeout() -> None:
    daemon = a_daemon(final_timeout=100)
    _, caller = call_of(daemon)
    for _ in range(9):
        daemon.wait(10)
        daemon.receive_media(caller)
        daemon.offer(audio(ALICE, 4000), to_tag="b")
    assert lives(daemon)
    daemon.wait(10.1)
    assert ended(daemon) == ["FINAL_TIMEOUT"]


def test_timeouts_of_one_call_are_not_those_of_another() -> None:
    daemon = a_daemon()
    for number in range(5):
        daemon.offer(audio(ALICE, 4000), call=f"call {number}")
        daemon.answer(audio(BOB, 5000), call=f"call {number}")
        daemon.wait(10)
    daemon.wait(21)
    assert daemon.calls() == ["call 2", "call 3", "call 4"]


def test_nothing_is_due_when_there_are_no_calls() -> None:
    daemon = a_daemon()
    assert daemon.controller.next_timeout() is None
    call_of(daemon)
    daemon.wait(1000)
    assert daemon.controller.next_timeout() is None


# ----------------------------------------------------------------------------------------------------------- deletions


def test_a_deleted_call_lives_on_for_the_delay() -> None:
    daemon = a_daemon()
    call_of(daemon)
    plan = daemon.plan()
    assert daemon.command("delete")["result"] == "ok"
    daemon.wait(29.9)
    assert lives(daemon)
    assert daemon.plan() == plan
    daemon.wait(0.2)
    assert not lives(daemon)
    assert ended(daemon) == ["REGULAR"]


@pytest.mark.parametrize(("delay", "seconds"), [(5, 5), ("5", 5), (-1, 30), ("soon", 30), (100, 100)])
def test_the_delay_of_the_request_goes_before_that_of_the_daemon(delay: object, seconds: int) -> None:
    daemon = a_daemon(timeout=1000)
    call_of(daemon)
    daemon.command("delete", delete_delay=delay)
    daemon.wait(seconds - 0.1)
    assert lives(daemon)
    daemon.wait(0.2)
    assert not lives(daemon)


def test_no_delay_is_at_once() -> None:
    daemon = a_daemon()
    call_of(daemon)
    daemon.command("delete", delete_delay=0)
    assert not lives(daemon)
    assert ended(daemon) == ["REGULAR"]


@pytest.mark.parametrize("command", ["offer", "answer"])
def test_a_deleted_call_is_revived_by_signalling(command: str) -> None:
    daemon = a_daemon()
    callee, caller = call_of(daemon)
    daemon.command("delete")
    daemon.wait(29)
    if command == "offer":
        assert sdp.port(daemon.offer(audio(ALICE, 4000), to_tag="b")) == callee
    else:
        assert sdp.port(daemon.answer(audio(BOB, 5000))) == caller
    daemon.wait(50)
    assert lives(daemon)
    daemon.wait(11)
    assert ended(daemon) == ["TIMEOUT"]


def test_a_query_revives_nothing() -> None:
    daemon = a_daemon()
    call_of(daemon)
    daemon.command("delete")
    daemon.command("query")
    daemon.command("block media")
    daemon.wait(31)
    assert not lives(daemon)


def test_a_timeout_ends_a_deleted_call_before_a_long_delay_does(caplog: pytest.LogCaptureFixture) -> None:
    daemon = a_daemon()
    call_of(daemon)
    daemon.command("delete", delete_delay=1000)
    with caplog.at_level(logging.INFO):
        daemon.wait(61)
    assert not lives(daemon)
    assert ended(daemon) == ["REGULAR"]
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()[:20]) == (logging.INFO, "call ended (REGULAR)")


@pytest.mark.parametrize(
    ("direction", "answered", "seconds", "words"),
    [
        ("sendrecv", True, 60, "(TIMEOUT) after 60.0 s, no media for 60 s (timeout): "),
        ("inactive", True, 600, "(SILENT_TIMEOUT) after 600.0 s, silent for 600 s (silent-timeout): "),
        ("inactive", False, 300, "(OFFER_TIMEOUT) after 300.0 s, no answer and no media for 300 s (offer-timeout): "),
    ],
)
def test_a_timeout_is_a_warning_that_names_its_setting(
    caplog: pytest.LogCaptureFixture, direction: str, answered: bool, seconds: int, words: str
) -> None:
    daemon = a_daemon()
    daemon.offer(audio(ALICE, 4000, f"a={direction}"))
    if answered:
        daemon.answer(audio(BOB, 5000, f"a={direction}"))
    daemon.wait(seconds + 1)
    (record,) = [item for item in caplog.records if item.levelno == logging.WARNING]
    assert record.getMessage().startswith(f"call ended {words}")
    assert record.__dict__["call"] == CALL


def forked() -> Daemon:
    """A call that was offered to three branches."""
    daemon = a_daemon()
    for branch in ("x", "y", "z"):
        daemon.offer(audio(ALICE, 4000), via_branch=branch)
    return daemon


def branches(daemon: Daemon) -> str:
    """The branches that have ports."""
    tags = daemon.command("query")["tags"].values()
    return "".join(
        leg["via-branch"] for leg in tags if "via-branch" in leg and "local port" in leg["medias"][0]["streams"][0]
    )


def test_deleted_branches_end_each_in_its_time() -> None:
    daemon = forked()
    daemon.command("delete", from_tag="a", via_branch="x")
    daemon.wait(10)
    daemon.command("delete", from_tag="a", via_branch="y", delete_delay=40)
    assert branches(daemon) == "xyz"
    daemon.wait(21)
    assert branches(daemon) == "yz"
    daemon.wait(20)
    assert branches(daemon) == "z"
    assert len(daemon.forwarder.bound) == 4


def test_a_deleted_branch_ends_although_another_one_answers() -> None:
    daemon = forked()
    daemon.command("delete", from_tag="a", via_branch="x")
    daemon.answer(audio(BOB, 5000), via_branch="y")
    daemon.wait(31)
    assert branches(daemon) == "yz"


def test_a_deleted_branch_is_revived_by_its_own_answer() -> None:
    daemon = forked()
    daemon.command("delete", from_tag="a", via_branch="x")
    daemon.answer(audio(BOB, 5000), via_branch="x")
    daemon.wait(31)
    assert branches(daemon) == "xyz"


def test_a_branch_that_is_deleted_does_not_revive_the_call() -> None:
    daemon = forked()
    daemon.command("delete")
    daemon.command("delete", from_tag="a", via_branch="x", delete_delay=200)
    daemon.wait(31)
    assert not lives(daemon)


def test_the_call_ends_with_its_last_branch() -> None:
    daemon = forked()
    for branch in ("x", "y"):
        daemon.command("delete", from_tag="a", via_branch=branch)
    daemon.command("delete", from_tag="a", via_branch="z", delete_delay=0)
    assert branches(daemon) == "xy"
    daemon.wait(31)
    assert not lives(daemon)
    assert ended(daemon) == ["REGULAR"]


OPERATIONS = st.one_of(
    st.builds(lambda seconds: ("wait", seconds), st.floats(0.1, 40)),
    st.sampled_from((("offer", "x"), ("offer", "y"), ("answer", "x"), ("answer", "y"))),
    st.builds(
        lambda branch, delay: ("delete", branch, delay),
        st.sampled_from((None, "x", "y")),
        st.sampled_from((None, 0, 5, 100)),
    ),
)


@given(st.lists(OPERATIONS, max_size=15))
def test_no_call_outlives_its_last_signal_by_more_than_its_timeouts(operations: list[tuple[object, ...]]) -> None:
    daemon = a_daemon()
    for name, *arguments in operations:
        if name == "wait":
            daemon.wait(arguments[0])  # type: ignore[arg-type]
        elif name == "offer":
            daemon.command("offer", sdp=audio(ALICE, 4000), from_tag="a", via_branch=arguments[0])
        elif name == "answer":
            branch = arguments[0]
            daemon.command("answer", sdp=audio(BOB, 5000), from_tag="a", to_tag=f"to {branch}", via_branch=branch)
        else:
            branch, delay = arguments
            daemon.command("delete", from_tag="a" if branch else None, via_branch=branch, delete_delay=delay)
        if lives(daemon):
            due = daemon.controller.next_timeout()
            assert due is not None
            assert due <= daemon.clock.now + 300
    daemon.wait(301)
    assert not lives(daemon)
    assert daemon.controller.next_timeout() is None


# ------------------------------------------------------------------------------------------------------ end and events


def test_closing_ends_every_call() -> None:
    daemon = a_daemon()
    for name in ("one", "two"):
        daemon.offer(audio(ALICE, 4000), call=name)
    daemon.controller.close(daemon.clock.now)
    assert daemon.calls() == []
    assert daemon.forwarder.bound == {}
    assert daemon.forwarder.plans == {}
    assert ended(daemon) == ["FORCED", "FORCED"]


def test_the_end_of_a_call_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    daemon = a_daemon()
    with caplog.at_level(logging.INFO):
        _, caller = call_of(daemon)
        daemon.receive_media(caller, 100)
        daemon.wait(12.3)
        daemon.command("delete", delete_delay=0)
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("call ended")]
    assert len(lines) == 1
    assert lines[0].startswith("call ended (REGULAR) after 12.3 s: a audio: 198.51.100.1:4000 <> 192.0.2.1:")
    assert "in 100 packets 17200 bytes" in lines[0]


def test_what_the_forwarder_reports_of_rtcp_is_in_the_query() -> None:
    daemon = a_daemon()
    callee, caller = call_of(daemon)
    daemon.receive_media(caller, ssrc=0x11)
    now = daemon.clock.now
    report = packets.sender_report(0x11, ntp=0x0001_0000_0000_0000)
    of_callee = packets.receiver_report(0x22, [packets.block(0x11, lost=3, last_report=0x0000_0000, delay=0)])
    socket = daemon.socket_at(caller)
    daemon.forwarder.events = [
        Tapped(CallId(CALL), socket, Carries.RTCP, report, now),
        Tapped(CallId(CALL), daemon.socket_at(callee), Carries.RTCP, of_callee, now + 0.1),
        Tapped(CallId("gone"), socket, Carries.RTCP, report, now),
        Tapped(CallId(CALL), socket, Carries.RTCP, b"\x80\xc8", now),
    ]
    daemon.controller.handle_events(now)
    assert daemon.forwarder.events == []
    assert daemon.command("query")["SSRC"]["17"]["packets"] == 1


def test_deletes_that_wait_cost_other_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """S20: with hundreds of them pending, neither a request nor a timer looks at another call than its own."""
    daemon = a_daemon()
    for number in range(300):
        daemon.offer(audio(ALICE), call=f"call {number}")
        assert daemon.command("delete", call=f"call {number}", delete_delay=1000)["result"] == "ok"
    asked: list[CallId] = []
    counters = daemon.forwarder.counters

    def watched(call: CallId) -> dict[SocketId, SocketCounters]:
        asked.append(call)
        return counters(call)

    monkeypatch.setattr(daemon.forwarder, "counters", watched)
    daemon.offer(audio(BOB), call="another")
    daemon.answer(audio(CAROL), call="another")
    daemon.wait(10)
    assert set(asked) <= {CallId("another")}
