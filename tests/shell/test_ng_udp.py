"""Listeners on loopback, with a core that echoes."""

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from ngdaemon.base.endpoint import Endpoint, Family, family_of
from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.shell.gate import Gate
from ngdaemon.shell.ng_udp import READS_PER_WAKE, NgListener

SOCKET = {Family.IP4: socket.AF_INET, Family.IP6: socket.AF_INET6}


class Echo:
    """Answers each datagram with itself, and remembers where it came from."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, Endpoint]] = []

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> bytes | None:
        self.seen.append((datagram, source))
        return None if datagram == b"drop" else b"re " + datagram


class Wire:
    """Listeners and clients that are closed at the end."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.echo = Echo()
        self.gate = Gate(Config().allow_ng)

    def listen(self, address: str, config: Config | None = None) -> NgListener:
        local = Endpoint(address, free_port(address))
        listener = NgListener(local, config or Config(listen_ng=(local,)), self.gate, self.echo.receive)
        return self.stack.enter_context(closing(listener))

    def client(self, family: Family = Family.IP4) -> socket.socket:
        made = self.stack.enter_context(socket.socket(SOCKET[family], socket.SOCK_DGRAM))
        made.settimeout(5)
        return made


def free_port(address: str) -> int:
    with socket.socket(SOCKET[family_of(address)], socket.SOCK_DGRAM) as trial:
        trial.bind((address, 0))
        return int(trial.getsockname()[1])


def serve(listener: NgListener) -> None:
    assert select.select([listener], [], [], 5)[0], "nothing arrived"
    listener.read()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    with made.stack:
        yield made


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_request_is_answered_to_where_it_came_from(wire: Wire, address: str) -> None:
    listener = wire.listen(address)
    client = wire.client(family_of(address))
    client.sendto(b"hello", listener.local)
    serve(listener)
    reply, source = client.recvfrom(100)
    assert reply == b"re hello"
    assert source[:2] == listener.local
    assert wire.echo.seen == [(b"hello", Endpoint(address, client.getsockname()[1]))]


@pytest.mark.parametrize(("bound", "asked"), [("0.0.0.0", "127.0.0.7"), ("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_a_reply_leaves_from_the_address_that_was_asked(wire: Wire, bound: str, asked: str) -> None:
    listener = wire.listen(bound)
    client = wire.client(family_of(asked))
    for text in (b"one", b"two"):
        client.sendto(text, (asked, listener.local.port))
        serve(listener)
        reply, source = client.recvfrom(100)
        assert (reply, source[:2]) == (b"re " + text, (asked, listener.local.port))


def test_an_ipv6_listener_on_all_addresses_hears_ipv4_where_nobody_else_does(wire: Wire) -> None:
    listener = wire.listen("::")
    client = wire.client()
    client.sendto(b"hello", ("127.0.0.9", listener.local.port))
    serve(listener)
    reply, source = client.recvfrom(100)
    assert (reply, source) == (b"re hello", ("127.0.0.9", listener.local.port))
    assert wire.echo.seen[0][1].address == "127.0.0.1"


def test_both_families_can_listen_on_all_addresses_of_one_port(wire: Wire) -> None:
    port = free_port("::")
    both = (Endpoint("0.0.0.0", port), Endpoint("::", port))
    for local in both:
        wire.stack.enter_context(closing(NgListener(local, Config(listen_ng=both), wire.gate, wire.echo.receive)))


def test_no_reply_is_sent_where_there_is_none(wire: Wire) -> None:
    listener = wire.listen("127.0.0.1")
    client = wire.client()
    client.sendto(b"drop", listener.local)
    client.sendto(b"keep", listener.local)
    serve(listener)
    assert client.recv(100) == b"re keep"


def test_a_stranger_gets_no_reply_and_is_not_heard(wire: Wire) -> None:
    listener = wire.listen("127.0.0.1")
    wire.gate.allow([])
    client = wire.client()
    client.sendto(b"hello", listener.local)
    serve(listener)
    assert wire.echo.seen == []
    assert wire.gate.refused == 1


def test_a_request_that_is_too_long_is_dropped_and_named(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    listener = wire.listen("127.0.0.1", Config(max_datagram=2000))
    client = wire.client()
    client.sendto(b"x" * 2001, listener.local)
    client.sendto(b"y" * 2000, listener.local)
    serve(listener)
    assert [len(datagram) for datagram, _ in wire.echo.seen] == [2000]
    assert "dropped an NG request of 2001 octets" in caplog.text


def test_the_longest_datagram_there_is_arrives_whole(wire: Wire) -> None:
    listener = wire.listen("127.0.0.1")
    wire.client().sendto(b"z" * 65507, listener.local)
    serve(listener)
    assert len(wire.echo.seen[0][0]) == 65507


def test_a_reply_that_fits_no_datagram_is_named_and_ends_nothing(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    listener = wire.listen("127.0.0.1")
    client = wire.client()
    client.sendto(b"z" * 65507, listener.local)
    client.sendto(b"next", listener.local)
    serve(listener)
    assert "cannot send a reply of 65510 octets" in caplog.text
    assert client.recv(100) == b"re next"


def test_a_burst_is_served_in_turns(wire: Wire) -> None:
    listener = wire.listen("127.0.0.1")
    client = wire.client()
    for number in range(READS_PER_WAKE + 3):
        client.sendto(b"%d" % number, listener.local)
    serve(listener)
    assert len(wire.echo.seen) == READS_PER_WAKE
    serve(listener)
    assert len(wire.echo.seen) == READS_PER_WAKE + 3


@pytest.mark.parametrize(
    ("address", "level", "option"),
    [
        ("127.0.0.1", socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
def test_replies_are_marked(wire: Wire, address: str, level: int, option: int) -> None:
    listener = wire.listen(address, Config(control_tos=184, control_pmtu="dont"))
    opened = socket.socket(fileno=socket.dup(listener.fileno()))
    with opened:
        assert opened.getsockopt(level, option) == 184


def test_a_taken_port_is_one_readable_mistake(wire: Wire) -> None:
    listener = wire.listen("127.0.0.1")
    with pytest.raises(
        ConfigError, match=rf"listen-ng: 127\.0\.0\.1:{listener.local.port}: another program has this port"
    ):
        NgListener(listener.local, Config(), wire.gate, wire.echo.receive)


def test_a_foreign_address_is_one_readable_mistake(wire: Wire) -> None:
    with pytest.raises(ConfigError, match="not an address of this host"):
        NgListener(Endpoint("198.51.100.9", 2223), Config(), wire.gate, wire.echo.receive)
