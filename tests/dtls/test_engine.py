"""OpenSSL on its ideal wire: whole messages in, whole messages out, and no word from its clock."""

import pytest

from ngdaemon.dtls.engine import Engine, Step
from ngdaemon.dtls.reassembly import Message
from ngdaemon.dtls.roles import Role
from tests.dtls.rig import A, B


def greeted() -> tuple[Engine, Engine]:
    """A client, and a server that heard its hello."""
    client, server = Engine(Role.ACTIVE, A), Engine(Role.PASSIVE, B)
    assert client.start() is Step.WAITING
    (hello,) = client.said().flight
    assert isinstance(hello, Message)
    assert server.take(hello) is Step.WAITING
    return client, server


def test_messages_are_never_cut() -> None:
    _, server = greeted()
    flight = server.said().flight
    assert [(item.kind, item.sequence) for item in flight if isinstance(item, Message)] == [
        (2, 0),
        (11, 1),
        (12, 2),
        (13, 3),
        (14, 4),
    ]


def test_what_openssl_says_again_by_its_own_clock_is_passed_over() -> None:
    """Its first timer takes a real second; ours are the only ones that count (HS-04)."""
    client, server = greeted()
    flight = server.said().flight
    assert client.take(*(item for item in flight if isinstance(item, Message))) is Step.WAITING
    assert [type(item).__name__ for item in client.said().flight] == ["Message"] * 3 + ["Clear", "Sealed"]
    for engine in (client, server):
        connection = engine._connection
        while connection.DTLSv1_get_timeout() != 0.0:
            pass
        assert connection.DTLSv1_handle_timeout()
        assert engine.said() == ([], [])


@pytest.mark.parametrize("size", [0, 1, 20000, 70000])
def test_a_message_of_any_size_is_taken_and_a_wrong_one_fails(size: int) -> None:
    client, _ = greeted()
    assert client.take(Message(2, 0, bytes(size))) is Step.FAILED
    assert client.reason
