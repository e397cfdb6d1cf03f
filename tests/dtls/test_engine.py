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


OFFERED, CHOSEN = b"\x00\x0e\x00\x0b\x00\x08\x00\x08\x00\x07\x00\x01\x00\x02", b"\x00\x0e\x00\x05\x00\x02\x00\x08"
"""`use_srtp` as a client and as a server writes it, up to the length of the MKI."""


def with_mki(message: Message, extension: bytes, lengths_at: int) -> Message:
    """The message with an MKI of four octets in its `use_srtp`. `lengths_at`: where the length of all extensions is."""
    body = message.body
    at = body.index(extension + b"\0")
    longer = extension[:3] + bytes((extension[3] + 4,)) + extension[4:] + b"\x04" + b"mki!"
    total = int.from_bytes(body[lengths_at : lengths_at + 2], "big") + 4
    body = body[:at] + longer + body[at + len(extension) + 1 :]
    return message._replace(body=body[:lengths_at] + total.to_bytes(2, "big") + body[lengths_at + 2 :])


def test_key_03_an_offered_mki_is_not_taken() -> None:
    client, server = Engine(Role.ACTIVE, A), Engine(Role.PASSIVE, B)
    client.start()
    (hello,) = client.said().flight
    assert isinstance(hello, Message)
    suites = int.from_bytes(hello.body[36:38], "big")  # behind an empty session and an empty cookie
    assert server.take(with_mki(hello, OFFERED, 38 + suites + 2)) is Step.WAITING
    answer = server.said().flight[0]
    assert isinstance(answer, Message)
    assert CHOSEN + b"\0" in answer.body


def test_key_03_a_server_that_answers_with_an_mki_is_refused() -> None:
    for spoil in (False, True):
        client, server = greeted()
        answer, *rest = [item for item in server.said().flight if isinstance(item, Message)]
        session = answer.body[34]
        altered = with_mki(answer, CHOSEN, 35 + session + 3) if spoil else answer
        assert client.take(altered, *rest) is (Step.FAILED if spoil else Step.WAITING)
        assert ("srtp" in client.reason) is spoil
