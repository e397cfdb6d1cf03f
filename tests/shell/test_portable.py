"""What only the portable forwarder has: sockets of this process, and the reactor that it lives in."""

import errno
import logging
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.plan import Latch, Learning, Plan, Socket
from ngdaemon.media.ports import TAKEN_REST, Ports, PortsExhausted
from ngdaemon.media.stream import Stream
from ngdaemon.shell.portable import PortableForwarder
from ngdaemon.shell.portable_socket import DATAGRAM, UdpSocket
from ngdaemon.shell.reactor import Reactor
from tests.shell.ports import CALL, HERE, check_descriptors, descriptors, free
from tests.support.rng import SeededRng


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def forwarder(reactor: Reactor, woken: list[str]) -> Iterator[PortableForwarder]:
    made = PortableForwarder(reactor, lambda: woken.append("woken"))
    yield made
    made.close()


@pytest.fixture
def phone() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HERE, 0))
        yield made


def planned(forwarder: PortableForwarder) -> tuple[SocketId, Endpoint]:
    """A port that accepts whatever comes, and leads nowhere."""
    local = free()
    number = forwarder.bind(CALL, local)
    forwarder.apply(CALL, Plan((Socket(number, None, Latch(Learning.OFF, None)),)))
    return number, local


def test_without_file_descriptors_the_message_names_cause_and_remedy(forwarder: PortableForwarder) -> None:
    forwarder.bind(CALL, free())
    local = free()
    before = descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(PortUnavailable) as caught:
            forwarder.bind(CALL, local)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught.value.exhausted
    assert "file descriptor" in str(caught.value)
    assert "LimitNOFILE" in str(caught.value)
    assert descriptors() == before


def test_no_descriptor_is_left_behind(forwarder: PortableForwarder) -> None:
    check_descriptors(forwarder)


def test_pairs_that_can_only_be_half_bound_leave_no_descriptor_behind_s19(forwarder: PortableForwarder) -> None:
    """Another program has the odd ports of the range."""
    with ExitStack() as stack:
        first, last = odd_ports_taken(stack)
        ports = Ports(first, last, 0.0, SeededRng())
        before = descriptors()
        for attempt in range(300):
            with pytest.raises(PortsExhausted):
                ports.open(CALL, HERE, True, forwarder, attempt * TAKEN_REST)
            assert descriptors() == before
        assert ports.used(HERE) == 0


def odd_ports_taken(stack: ExitStack) -> tuple[int, int]:
    """A range of which this test has all odd ports."""
    while True:
        first = free().port & ~1
        taken = ExitStack()
        try:
            for port in range(first + 1, first + 8, 2):
                taken.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((HERE, port))
        except (OSError, OverflowError):
            taken.close()
            continue
        stack.enter_context(taken)
        return first, first + 7


def test_closing_ends_all_calls(reactor: Reactor) -> None:
    before = descriptors()
    forwarder = PortableForwarder(reactor, lambda: None)
    for name in ("a", "b"):
        number = forwarder.bind(CallId(name), free())
        forwarder.apply(CallId(name), Plan((Socket(number, Endpoint(HERE, 9), pierce=True),)))
    forwarder.bind(CALL, free())
    forwarder.close()
    assert descriptors() == before
    assert forwarder.counters(CallId("a")) == {}
    assert list(reactor.getDelayedCalls()) == []


def test_a_bug_ends_nothing_and_is_logged_once_with_its_call(
    forwarder: PortableForwarder,
    reactor: Reactor,
    phone: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Stream, "_receive", fail)
    number, local = planned(forwarder)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            phone.sendto(b"\x80", local)
            reactor.doPoll(1.0)
    [record] = caplog.records
    assert record.exc_info is not None
    assert vars(record)["call"] == CALL
    assert forwarder.counters(CALL)[number].errors_in == 3
    monkeypatch.undo()
    phone.sendto(b"\x80\x00" + bytes(10), local)
    reactor.doPoll(1.0)
    assert forwarder.counters(CALL)[number].packets_in == 1


def test_what_control_does_with_events_cannot_stop_the_media(
    reactor: Reactor, phone: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    forwarder = PortableForwarder(reactor, fail)
    number, local = planned(forwarder)
    phone.sendto(b"\x00" * 20, local)
    phone.sendto(b"\x80\x00" + bytes(10), local)
    with caplog.at_level(logging.ERROR):
        reactor.doPoll(1.0)
        reactor.doPoll(1.0)
    assert [record.message for record in caplog.records] == ["events were not handled"]
    assert forwarder.counters(CALL)[number].packets_in == 1
    forwarder.close()


def test_control_may_end_the_call_while_it_takes_in_events(reactor: Reactor, phone: socket.socket) -> None:
    ended: list[int] = []

    def end() -> None:
        ended.append(len(opened.drain()))
        opened.apply(CALL, Plan())

    opened = PortableForwarder(reactor, end)
    _, local = planned(opened)
    for _ in range(3):
        phone.sendto(b"\x00" * 20, local)
    for _ in range(3):
        reactor.doPoll(0.01)
    assert ended == [1]
    assert opened.counters(CALL) == {}


def test_an_error_of_the_receiving_socket_is_counted_and_ends_nothing(
    forwarder: PortableForwarder, reactor: Reactor, phone: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = free()
    number = forwarder.bind(CALL, local)
    opened = forwarder._sockets[number]
    recvfrom = opened.recvfrom
    failures = [ConnectionRefusedError(), OSError(errno.EHOSTUNREACH, "no route")]

    def failing(size: int) -> tuple[bytes, tuple[str, int]]:
        if failures:
            raise failures.pop()
        return recvfrom(size)

    monkeypatch.setattr(opened, "recvfrom", failing)
    forwarder.apply(CALL, Plan((Socket(number, None, Latch(Learning.OFF, None)),)))
    phone.sendto(b"\x80\x00" + bytes(10), local)
    for _ in range(3):
        reactor.doPoll(1.0)
    counted = forwarder.counters(CALL)[number]
    assert (counted.errors_in, counted.packets_in) == (2, 1)


def test_octets_are_those_that_were_sent(forwarder: PortableForwarder, phone: socket.socket) -> None:
    number, _ = planned(forwarder)
    forwarder.send(number, b"12345", Endpoint(*phone.getsockname()))
    assert forwarder.octets() == 5
    forwarder.apply(CALL, Plan())
    assert forwarder.octets() == 5


def test_drops_of_the_kernel_are_told_once(phone: socket.socket) -> None:
    opened = UdpSocket(free())
    total = 3000
    for _ in range(total):
        phone.sendto(b"x", opened.local)
    kept = 0
    while True:
        try:
            opened.recvfrom(DATAGRAM)
        except BlockingIOError:
            break
        kept += 1
    assert kept < total
    assert opened.take_drops() == total - kept
    assert opened.take_drops() == 0
    opened.close()


@pytest.mark.parametrize("tos", [0, 184, 255, None])
def test_a_mark_that_is_refused_ends_nothing(tos: int | None) -> None:
    opened = UdpSocket(free())
    opened.close()
    opened.mark(tos)
    assert opened.tos == tos
