"""What only the native forwarder has: threads, a border that everything crosses as plain tuples, a queue of its own."""

import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import Punted
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Protection, Route, Socket
from ngdaemon.shell.reactor import Reactor
from tests.media.judge import keys
from tests.shell.ports import CALL, HERE, check_descriptors, descriptors, free
from tests.support.native import LEFT_OUT

if LEFT_OUT:
    pytest.skip(LEFT_OUT, allow_module_level=True)

from ngdaemon.shell.native import NativeForwarder, event_of

STUN = b"\x00\x01\x00\x00" + bytes(16)
OPEN = Latch(Learning.OFF, None)
PATIENCE = 10.0


@pytest.fixture
def forwarder(reactor: Reactor) -> Iterator[NativeForwarder]:
    made = NativeForwarder(reactor, lambda: None, workers=2)
    yield made
    made.close()


@pytest.fixture
def phone() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HERE, 0))
        made.settimeout(PATIENCE)
        yield made


def planned(forwarder: NativeForwarder, call: CallId = CALL) -> tuple[SocketId, Endpoint]:
    """A port that accepts whatever comes, and leads nowhere."""
    local = free()
    number = forwarder.bind(call, local)
    forwarder.apply(call, Plan((Socket(number, None, OPEN),)))
    return number, local


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_threads_and_descriptors_end_with_it(reactor: Reactor) -> None:
    before = descriptors(), threads()
    for _ in range(5):
        made = NativeForwarder(reactor, lambda: None, workers=3)
        assert threads() == before[1] + 3
        planned(made)
        planned(made, CallId("another call"))
        made.close()
        assert (descriptors(), threads()) == before


def test_ports_leave_no_descriptor_behind(forwarder: NativeForwarder) -> None:
    check_descriptors(forwarder)


def test_without_file_descriptors_the_message_names_cause_and_remedy(forwarder: NativeForwarder) -> None:
    local = free()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(PortUnavailable, match="LimitNOFILE") as caught:
            forwarder.bind(CALL, local)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.exhausted


def test_without_a_reactor_turn_nothing_is_told_and_media_flows_all_the_same(
    forwarder: NativeForwarder, phone: socket.socket
) -> None:
    a, at = planned(forwarder)
    b = forwarder.bind(CALL, free())
    there = Endpoint(*phone.getsockname())
    forwarder.apply(CALL, Plan((Socket(a, None, OPEN), Socket(b, there, OPEN)), (Route(a, b, Carries.RTP),)))
    for number in range(100):
        packet = b"\x80\x00" + number.to_bytes(2, "big") + bytes(168)
        phone.sendto(packet, at)
        assert phone.recv(2000) == packet
    assert forwarder.octets() == 100 * 172


@pytest.mark.parametrize("name", ["", "ä-ö", "a\0b", "\0", "\0a", "\udc80\udcff", "lone \ud800", "x" * 1000])
def test_a_call_may_have_any_name(forwarder: NativeForwarder, phone: socket.socket, name: str) -> None:
    call = CallId(name)
    number, local = planned(forwarder, call)
    phone.sendto(STUN, local)
    [event] = events(forwarder, 1)
    assert isinstance(event, Punted)
    assert (event.call, event.socket, event.source) == (call, number, Endpoint(*phone.getsockname()))
    assert abs(event.at - time.monotonic()) < PATIENCE
    assert set(forwarder.counters(call)) == {number}
    assert forwarder.counters(CallId(name + "'")) == {}


def events(forwarder: NativeForwarder, count: int) -> list[object]:
    """So many events."""
    got: list[object] = []
    until = time.monotonic() + PATIENCE
    while len(got) < count and time.monotonic() < until:
        got.extend(forwarder.drain())
        time.sleep(0.001)
    return got


@pytest.mark.parametrize("address", ["phone.example.com", "\udc80", "fe80::1%lo", "1.2.3", ""])
def test_what_is_no_address_is_nowhere(forwarder: NativeForwarder, address: str) -> None:
    number, _ = planned(forwarder)
    nowhere = Endpoint(address, 9)
    latch = Latch(plausible=frozenset((address,)), sources=frozenset((nowhere,)))
    forwarder.apply(CALL, Plan((Socket(number, nowhere, latch),)))
    forwarder.send(number, STUN, nowhere)
    counted = forwarder.counters(CALL)[number]
    assert (counted.peer, counted.packets_out, counted.errors_out) == (None, 0, 0)


def test_keys_that_cannot_be_used_are_a_bug_and_not_carried(forwarder: NativeForwarder) -> None:
    number, _ = planned(forwarder)
    short = keys(1)._replace(key=b"short")
    with pytest.raises(ValueError, match="wrong length"):
        forwarder.apply(CALL, Plan((Socket(number, None, protection=Protection((short,))),)))


def test_a_mark_that_is_refused_ends_nothing(
    forwarder: NativeForwarder, phone: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    number, local = planned(forwarder)
    forwarder.apply(CALL, Plan((Socket(number, None, OPEN, tos=255),)))
    phone.sendto(STUN, local)
    events(forwarder, 1)
    assert caplog.records == []


def test_trouble_is_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert event_of(("Trouble", CALL, 7, "a packet at 192.0.2.1:30000 was not handled")) is None
    [record] = caplog.records
    assert (record.getMessage(), record.__dict__["call"]) == ("a packet at 192.0.2.1:30000 was not handled", CALL)


def test_what_control_does_with_events_is_its_own_affair(reactor: Reactor, phone: socket.socket) -> None:
    told: list[str] = []

    def fail() -> None:
        told.append("told")
        raise RuntimeError("a bug")

    made = NativeForwarder(reactor, fail)
    _, local = planned(made)
    phone.sendto(STUN, local)
    with suppress(TimeoutError):
        for _ in range(20):
            reactor.doPoll(0.05)
    assert told == ["told"]
    made.close()


def test_it_may_be_asked_from_several_threads(forwarder: NativeForwarder) -> None:
    def ask() -> None:
        for _ in range(200):
            forwarder.octets()
            forwarder.counters(CALL)
            forwarder.drain()

    number, _ = planned(forwarder)
    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for generation in range(200):
        forwarder.apply(CALL, Plan((Socket(number, None, Latch(generation=generation)),)))
    for thread in asking:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_nothing_happens_once_it_is_closed(reactor: Reactor) -> None:
    made = NativeForwarder(reactor, lambda: None)
    number, _ = planned(made)
    made.close()
    made.apply(CALL, Plan())
    made.send(number, STUN, Endpoint(HERE, 9))
    made.unbind(number)
    assert (made.counters(CALL), made.octets(), made.drain()) == ({}, 0, ())
