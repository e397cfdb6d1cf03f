"""ClientHello before OpenSSL: what is read, what is refused, and the cookie that asks strangers to show themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.dtls.engine import Engine
from ngdaemon.dtls.hello import (
    COOKIE_SECONDS,
    HANDSHAKE_FAILURE,
    INSUFFICIENT_SECURITY,
    PROTOCOL_VERSION,
    Cookies,
    Opening,
    hello_verify_request,
    read_hello,
    read_opening,
    refusal,
    without_cookie,
)
from ngdaemon.dtls.reassembly import Message
from ngdaemon.dtls.records import RECORD_HEADER, Content, fragments, record, records, whole
from ngdaemon.dtls.roles import Role
from tests.dtls.rig import COOKIES, PEER, STRANGER, A

ECDSA_GCM = 0xC02B


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def extension(kind: int, body: bytes) -> bytes:
    return numbers(kind) + vector(2, body)


def use_srtp(*profiles: int) -> bytes:
    return extension(14, vector(2, numbers(*profiles)) + b"\0")


def hello(
    version: int = 0xFEFD,
    random: bytes = bytes(32),
    session: bytes = b"",
    cookie: bytes = b"",
    suites: bytes | None = None,
    extensions: bytes | None = None,
) -> bytes:
    """A valid hello, of which a test changes one thing."""
    return b"".join(
        (
            numbers(version),
            random,
            vector(1, session),
            vector(1, cookie),
            vector(2, numbers(ECDSA_GCM) if suites is None else suites),
            b"\x01\x00",
            vector(2, use_srtp(1, 7) if extensions is None else extensions),
        )
    )


def opening(body: bytes) -> Opening:
    found = read_opening(body)
    assert found is not None
    return found


def test_a_hello_is_read() -> None:
    found = read_hello(hello(random=b"r" * 32, session=b"s" * 8, cookie=b"c" * 20))
    assert found is not None
    assert found.opening == (0xFEFD, b"r" * 32, b"s" * 8, b"c" * 20, 43)
    assert found.suites == {ECDSA_GCM}
    assert found.profiles == (1, 7)
    assert refusal(found) is None


def test_the_hello_of_openssl_is_read() -> None:
    engine = Engine(Role.ACTIVE, A)
    engine.start()
    (message,) = engine.said().flight
    assert isinstance(message, Message)
    found = read_hello(message.body)
    assert found is not None
    assert refusal(found) is None
    assert found.profiles == (8, 7, 1, 2)  # KEY-01: the order of preference


@pytest.mark.parametrize(
    ("body", "alert"),
    [
        (hello(version=0xFEFF), PROTOCOL_VERSION),  # HS-01: DTLS 1.0
        (hello(version=0x0303), PROTOCOL_VERSION),
        (hello(extensions=use_srtp(1) + extension(43, vector(1, numbers(0xFEFC)))), PROTOCOL_VERSION),
        (hello(suites=numbers(0x0000, 0x0001)), HANDSHAKE_FAILURE),  # S04: null ciphers
        (hello(suites=b""), HANDSHAKE_FAILURE),
        (hello(suites=numbers(0xC02F)), HANDSHAKE_FAILURE),  # our certificates are no RSA ones
        (hello(suites=numbers(0xC009, 0x002F, 0x0005)), HANDSHAKE_FAILURE),  # HS-02: CBC, no forward secrecy, RC4
        (hello(extensions=b""), HANDSHAKE_FAILURE),  # HS-15
        (hello(extensions=extension(10, b"\0\x02\0\x1d")), HANDSHAKE_FAILURE),
        (hello(extensions=use_srtp(5, 6)), INSUFFICIENT_SECURITY),  # NULL profiles
        (hello(extensions=use_srtp()), INSUFFICIENT_SECURITY),
    ],
)
def test_hs_15_what_cannot_become_a_call_is_refused(body: bytes, alert: int) -> None:
    found = read_hello(body)
    assert found is not None
    refused = refusal(found)
    assert refused is not None
    assert refused.alert == alert


def test_hs_01_a_hello_that_also_speaks_1_3_is_welcome() -> None:
    found = read_hello(hello(extensions=use_srtp(1) + extension(43, vector(1, numbers(0xFEFC, 0xFEFD)))))
    assert found is not None
    assert refusal(found) is None


def test_a_hello_without_extensions_at_all_is_read() -> None:
    body = hello(extensions=b"")[:-2]
    found = read_hello(body)
    assert found is not None
    assert found.profiles is None


@pytest.mark.parametrize("cut", range(len(hello()) - 1))
def test_a_cut_hello_is_none(cut: int) -> None:
    whole_length = len(hello(extensions=b"")) - 2  # where a hello without extensions would end
    found = read_hello(hello()[:cut])
    assert (found is None) or cut == whole_length


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    for body in (data, hello()[:40] + data):
        read_opening(body)
        found = read_hello(body)
        if found is not None:
            refusal(found)


def test_hs_09_a_cookie_is_good_for_its_source_and_hello_alone() -> None:
    first = opening(hello(random=b"r" * 32))
    cookie = COOKIES.make(PEER, first, 0.0)

    def answered(random: bytes = b"r" * 32, session: bytes = b"", version: int = 0xFEFD) -> Opening:
        return opening(hello(version, random, session, cookie))

    assert COOKIES.valid(PEER, answered(), 0.0)
    assert not COOKIES.valid(STRANGER, answered(), 0.0)
    assert not COOKIES.valid(PEER._replace(port=1), answered(), 0.0)
    assert not COOKIES.valid(PEER, answered(random=b"x" * 32), 0.0)
    assert not COOKIES.valid(PEER, answered(session=b"s"), 0.0)
    assert not COOKIES.valid(PEER, answered(version=0xFEFC), 0.0)
    assert not COOKIES.valid(PEER, first, 0.0)
    assert not Cookies(b"another secret").valid(PEER, answered(), 0.0)


def test_hs_09_a_cookie_lasts_a_while_and_not_for_ever() -> None:
    first = opening(hello())
    for made in (0.0, COOKIE_SECONDS - 0.001):
        answered = opening(hello(cookie=COOKIES.make(PEER, first, made)))
        assert COOKIES.valid(PEER, answered, made + COOKIE_SECONDS)
        assert not COOKIES.valid(PEER, answered, made + 2 * COOKIE_SECONDS)


def test_s21_the_request_for_a_cookie_is_never_longer_than_the_hello() -> None:
    least = opening(hello(suites=b"", extensions=b""))
    asked = hello_verify_request(COOKIES.make(PEER, least, 0.0), 5)
    shortest = record(Content.HANDSHAKE, 0, 5, whole(1, 0, hello()[:36]))
    assert len(asked) <= len(shortest)


def test_the_request_for_a_cookie_bears_the_number_of_the_hello() -> None:
    (found,) = records(hello_verify_request(b"c" * 32, 77))
    assert found.sequence == 77
    assert found.raw[:3] == b"\x16\xfe\xff"
    (message,) = fragments(found.payload)
    assert (message.kind, message.sequence, message.data) == (3, 0, b"\xfe\xff\x20" + b"c" * 32)
    assert len(found.raw) == RECORD_HEADER + 12 + 3 + 32


def test_a_hello_as_it_was_before_its_cookie() -> None:
    body = hello(session=b"s" * 4, cookie=b"c" * 32)
    assert without_cookie(body, opening(body)) == hello(session=b"s" * 4)
