"""What the log says of media: where peers are, whose packets are dropped, and what was planned."""

import logging

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.call.reporting.notices import MOST_LEARNED
from ngdaemon.media.forwarder import Learned, Stranger
from tests.support import sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

ALICE, BOB, CAROL = "198.51.100.1", "198.51.100.2", "198.51.100.3"


def call_of(daemon: Daemon) -> tuple[int, int]:
    """A call that is set up; the ports that the callee and the caller send to."""
    offer = daemon.offer(audio(ALICE, 4000))
    return sdp.port(offer), sdp.port(daemon.answer(audio(BOB, 5000)))


def test_a_learned_peer_is_logged_once_it_is_sure(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    socket, peer = daemon.socket_at(caller), Endpoint(CAROL, 7000)
    daemon.forwarder.events = [
        Learned(CallId(CALL), socket, peer, confirmed=False),
        Learned(CallId(CALL), socket, peer, confirmed=True),
    ]
    with caplog.at_level(logging.INFO):
        daemon.controller.handle_events(daemon.clock.now)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"audio peer learned at 198.51.100.3:7000, port {caller}: media goes there; signalled is {ALICE}:4000"
    )
    assert (record.__dict__["call"], record.__dict__["tag"]) == (CALL, "a")


def test_a_peer_where_it_is_signalled_or_was_before_is_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    """At each hold and each deletion learning begins anew: that is no news."""
    daemon = Daemon()
    _, caller = call_of(daemon)
    socket = daemon.socket_at(caller)
    with caplog.at_level(logging.DEBUG, "ngdaemon.call"):
        for peer in (Endpoint(ALICE, 4000), Endpoint(CAROL, 7000), Endpoint(CAROL, 7000), Endpoint(CAROL, 7001)):
            daemon.forwarder.events = [Learned(CallId(CALL), socket, peer, confirmed=True)]
            daemon.controller.handle_events(daemon.clock.now)
    found = [(item.levelno, item.getMessage().partition(", ")[0]) for item in caplog.records]
    assert found == [
        (logging.DEBUG, "audio peer learned at 198.51.100.1:4000"),
        (logging.INFO, "audio peer learned at 198.51.100.3:7000"),
        (logging.DEBUG, "audio peer learned at 198.51.100.3:7000"),
        (logging.INFO, "audio peer learned at 198.51.100.3:7001"),
    ]


def test_peers_that_move_all_the_time_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """S06: `media-handover`, and two who send in turn."""
    daemon = Daemon()
    _, caller = call_of(daemon)
    socket = daemon.socket_at(caller)
    with caplog.at_level(logging.INFO):
        for number in range(1000):
            peer = Endpoint(CAROL, 7000 + number % 2)
            daemon.forwarder.events = [Learned(CallId(CALL), socket, peer, confirmed=True)]
            daemon.controller.handle_events(daemon.clock.now)
    assert len(caplog.records) == MOST_LEARNED


def test_a_peer_that_is_not_sure_yet_is_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee, _ = call_of(daemon)
    daemon.forwarder.events = [Learned(CallId(CALL), daemon.socket_at(callee), Endpoint(CAROL, 7000), confirmed=False)]
    with caplog.at_level(logging.DEBUG):
        daemon.controller.handle_events(daemon.clock.now)
    (record,) = [item for item in caplog.records if item.name == "ngdaemon.call"]
    assert record.getMessage() == f"audio peer seen at 198.51.100.3:7000, port {callee}: not sure yet"
    assert (record.levelno, record.__dict__["tag"]) == (logging.DEBUG, "b")


@pytest.mark.parametrize("rtcp", [0, 1])
def test_a_stranger_is_named_once_with_what_to_do(caplog: pytest.LogCaptureFixture, rtcp: int) -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    for source in (CAROL, CAROL, "198.51.100.4"):
        socket = daemon.socket_at(caller + rtcp)
        daemon.forwarder.events = [Stranger(CallId(CALL), socket, Endpoint(source, 7777), daemon.clock.now)]
        daemon.controller.handle_events(daemon.clock.now)
    assert [record.getMessage() for record in caplog.records] == [
        f"media from {source}:7777 to audio port {caller + rtcp} dropped: signalled is 198.51.100.1:{4000 + rtcp}; "
        "if this is the phone, see SIP-source-address / received-from"
        for source in (CAROL, "198.51.100.4")
    ]
    assert {(item.levelno, item.__dict__["call"], item.__dict__["tag"]) for item in caplog.records} == {
        (logging.WARNING, CALL, "a")
    }


def test_media_ahead_of_the_answer_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    callee = sdp.port(daemon.offer(audio(ALICE, 4000)))
    event = Stranger(CallId(CALL), daemon.socket_at(callee), Endpoint(BOB, 5000), daemon.clock.now)
    daemon.forwarder.events = [event, Stranger(CallId("gone"), event.socket, event.source, event.at)]
    with caplog.at_level(logging.INFO):
        daemon.controller.handle_events(daemon.clock.now)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == (
        f"early media from 198.51.100.2:5000 to audio port {callee} dropped: no answer yet says where its party is"
    )


def test_plans_are_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon()
    with caplog.at_level(logging.DEBUG, "ngdaemon.call"):
        callee, caller = call_of(daemon)
    lines = [record.getMessage() for record in caplog.records]
    numbers = {port: daemon.socket_at(port) for port in (callee, caller)}
    assert (
        f"{numbers[callee]}: (untagged) audio {callee}, peer unknown, from nobody yet, learning heuristic" in lines[0]
    )
    assert f"{numbers[caller]}: a audio {caller}, peer {ALICE}:4000, from {ALICE}, learning heuristic" in lines[-2]
    assert f"{numbers[callee]} > {numbers[caller]} RTP" in lines[-1]
