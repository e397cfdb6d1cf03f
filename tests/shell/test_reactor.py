"""The daemon's reactor, without making it the reactor of this process."""

import socket
import time
from collections.abc import Iterator

import pytest

from ngdaemon.shell.reactor import Reactor


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.setblocking(False)
        yield one, other


def test_its_clock_is_monotonic(reactor: Reactor) -> None:
    before = time.monotonic()
    assert before <= reactor.seconds() <= time.monotonic()


def test_a_watched_descriptor_is_served_while_it_can_be_read(
    reactor: Reactor, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    read: list[bytes] = []
    reactor.watch(one.fileno(), lambda: read.append(one.recv(100)))
    other.send(b"a")
    other.send(b"b")
    reactor.doPoll(1.0)
    reactor.doPoll(1.0)
    reactor.doPoll(0.0)
    assert read == [b"a", b"b"]


def test_a_descriptor_is_left_alone_once_it_is_not_watched(
    reactor: Reactor, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    read: list[bytes] = []
    reactor.watch(one.fileno(), lambda: read.append(one.recv(100)))
    reactor.unwatch(one.fileno())
    reactor.unwatch(one.fileno())
    other.send(b"a")
    reactor.doPoll(0.0)
    assert read == []


def test_a_failing_callback_is_logged_and_ends_nothing(
    reactor: Reactor, pair: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = pair

    def fail() -> None:
        one.recv(100)
        raise RuntimeError("broken")

    reactor.watch(one.fileno(), fail)
    other.send(b"a")
    reactor.doPoll(1.0)
    assert "broken" in caplog.text


def test_timers_and_calls_from_elsewhere_still_work(reactor: Reactor) -> None:
    done: list[str] = []
    reactor.callLater(0.0, done.append, "timer")
    reactor.callFromThread(done.append, "call")
    reactor.runUntilCurrent()
    reactor.doPoll(0.0)
    reactor.runUntilCurrent()
    assert sorted(done) == ["call", "timer"]
