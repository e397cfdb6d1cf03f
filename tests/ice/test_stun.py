"""STUN messages: the vectors of RFC 5769, what is refused, and that nothing raises."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.ice import stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1"
    "51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
IP4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599"
    "fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
IP6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5"
    "bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)


def parsed(data: bytes) -> stun.Message:
    message = stun.parse(data)
    assert message is not None
    return message


def test_request_of_rfc5769_2_1() -> None:
    """ICE-04: attributes of a check, by the published vector."""
    message = parsed(REQUEST)
    assert message.kind == stun.REQUEST
    assert message.transaction == TRANSACTION
    assert message.username == "evtj:h6vY"
    assert message.number(stun.PRIORITY) == 0x6E0001FF
    assert message.number(stun.ICE_CONTROLLED) == 0x932FF9B151263B36
    assert message.authentic(PASSWORD)
    assert not message.authentic(PASSWORD + b"x")
    assert message.unknown == []


@pytest.mark.parametrize(
    ("data", "mapped"),
    [
        (IP4, Endpoint("192.0.2.1", 32853)),
        (IP6, Endpoint("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
    ids=["ip4", "ip6"],
)
def test_responses_of_rfc5769_2_2_and_2_3(data: bytes, mapped: Endpoint) -> None:
    message = parsed(data)
    assert message.kind == stun.SUCCESS
    assert message.authentic(PASSWORD)
    assert message.mapped == mapped


@pytest.mark.parametrize("endpoint", [Endpoint("192.0.2.1", 32853), Endpoint("2001:db8::7", 9)])
def test_what_is_built_is_parsed(endpoint: Endpoint) -> None:
    mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(endpoint, TRANSACTION))
    message = parsed(stun.build(stun.SUCCESS, TRANSACTION, [mapped, stun.error_code(487)], PASSWORD))
    assert message.mapped == endpoint
    assert message.error == 487
    assert message.authentic(PASSWORD)


def test_our_integrity_and_fingerprint_are_those_of_the_vector() -> None:
    """What we build octet by octet, from the attributes of RFC 5769 2.2 but for its odd padding."""
    software = (0x8022, b"test vector")
    mapped = (stun.XOR_MAPPED_ADDRESS, stun.mask(Endpoint("192.0.2.1", 32853), TRANSACTION))
    built = stun.build(stun.SUCCESS, TRANSACTION, [software, mapped], PASSWORD)
    assert len(built) == len(IP4)
    assert built[:35] == IP4[:35]
    assert built[36:48] == IP4[36:48]


@pytest.mark.parametrize("data", [REQUEST, IP4, IP6], ids=["request", "ip4", "ip6"])
def test_each_single_flipped_bit_is_noticed(data: bytes) -> None:
    """S09: a wrong FINGERPRINT, or a wrong anything, makes a message unusable.

    But for the name of the last attribute: another one than FINGERPRINT is one that nobody vouches for.
    """
    for at in (bit for bit in range(len(data) * 8) if bit // 8 not in (len(data) - 8, len(data) - 7)):
        damaged = bytearray(data)
        damaged[at // 8] ^= 1 << at % 8
        message = stun.parse(bytes(damaged))
        assert message is None or not message.authentic(PASSWORD)


@pytest.mark.parametrize("length", range(len(REQUEST)))
def test_truncated_messages_are_none(length: int) -> None:
    assert stun.parse(REQUEST[:length]) is None


def test_attributes_that_reach_past_the_end_are_refused() -> None:
    """S09: bad lengths."""
    header = b"\0\1\0\x08" + REQUEST[4:20]
    for claimed in range(5, 0x10000, 251):
        assert stun.parse(header + b"\0\6" + claimed.to_bytes(2) + b"abcd") is None


@pytest.mark.parametrize(("size", "known"), [(512, True), (513, False), (600, False)])
def test_long_usernames_are_refused(size: int, known: bool) -> None:
    """STUN-01, S09: the 513-octet username."""
    data = stun.build(stun.REQUEST, TRANSACTION, [(stun.USERNAME, b"a" * size)], PASSWORD)
    assert (stun.parse(data) is not None) is known


@pytest.mark.parametrize("name", sorted(stun.LENGTHS))
def test_attributes_of_fixed_length_have_it(name: int) -> None:
    right = stun.LENGTHS[name]
    for size in {0, 1, 3, 4, 8, 12, 19, 20, 21} - {right}:
        assert stun.parse(stun.build(stun.REQUEST, TRANSACTION, [(name, bytes(size))])) is None


def test_what_follows_the_integrity_counts_for_nothing() -> None:
    """RFC 8489 §14.5: nobody vouches for USE-CANDIDATE behind MESSAGE-INTEGRITY."""
    plain = stun.build(stun.REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b")], PASSWORD)[:-8]
    longer = plain[:2] + (len(plain) - 16).to_bytes(2) + plain[4:] + b"\0\x25\0\0"
    message = parsed(longer)
    assert message.authentic(PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


def test_a_fingerprint_is_the_last_attribute() -> None:
    """RFC 8489 §14.7: what follows it is not covered by it."""
    head = stun.build(stun.REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b")])
    longer = head[:2] + (len(head) - 16).to_bytes(2) + head[4:-8]
    covered = zlib.crc32(longer) ^ 0x5354554E
    assert stun.parse(longer + b"\x80\x28\0\4" + covered.to_bytes(4) + b"\x80\x22\0\0") is None


def test_the_first_of_equal_attributes_counts() -> None:
    twice = [(stun.PRIORITY, bytes(4)), (stun.PRIORITY, b"\0\0\0\1")]
    assert parsed(stun.build(stun.REQUEST, TRANSACTION, twice)).number(stun.PRIORITY) == 0


def test_unknown_required_attributes_are_listed() -> None:
    data = stun.build(stun.REQUEST, TRANSACTION, [(0x0019, bytes(4)), (0xC001, bytes(4)), (0x7FFF, b"")])
    assert parsed(data).unknown == [0x0019, 0x7FFF]


@pytest.mark.parametrize(
    "value", [b"", b"\0\1", b"\0\1\0\0abc", b"\0\3\0\0abcd", b"\0\2\0\0abcd", b"\0\1\0\0abcde", bytes(20)]
)
def test_malformed_addresses_are_none(value: bytes) -> None:
    assert stun.unmask(value, TRANSACTION) is None


@pytest.mark.parametrize("value", [b"", b"\0\0\4", b"\0\0\2\0", b"\0\0\7\0", b"\0\0\4\x64"])
def test_malformed_error_codes_are_zero(value: bytes) -> None:
    assert parsed(stun.build(stun.ERROR, TRANSACTION, [(stun.ERROR_CODE, value)])).error == 0


def test_usernames_that_are_no_text_are_none() -> None:
    assert parsed(stun.build(stun.REQUEST, TRANSACTION, [(stun.USERNAME, b"\xff\xfe")])).username is None


def test_bare_request_is_the_header_alone() -> None:
    """MBX-01: 20 octets without credentials."""
    data = stun.binding_request_bare(TRANSACTION)
    assert data == bytes.fromhex("000100002112a442") + TRANSACTION
    assert stun.is_bare_request(data)


@pytest.mark.parametrize(("source", "size"), [(Endpoint("192.0.2.1", 7), 32), (Endpoint("2001:db8::1", 7), 44)])
def test_bare_response_has_the_mapped_address_and_nothing_else(source: Endpoint, size: int) -> None:
    """MBX-02: 32 octets on IPv4, 44 on IPv6."""
    data = stun.bare_response(stun.binding_request_bare(TRANSACTION), source)
    assert len(data) == size
    message = parsed(data)
    assert (message.kind, message.transaction, message.mapped) == (stun.SUCCESS, TRANSACTION, source)
    assert list(message.attributes) == [stun.XOR_MAPPED_ADDRESS]


def test_requests_with_credentials_are_not_bare() -> None:
    assert not stun.is_bare_request(REQUEST)
    assert not stun.is_bare_request(IP4)
    assert not stun.is_bare_request(stun.build(stun.REQUEST, TRANSACTION, [(0x0019, b"")]))
    assert stun.is_bare_request(stun.build(stun.REQUEST, TRANSACTION, [(0x8022, b"phone")]))


def test_a_message_shows_no_content() -> None:
    """S17: usernames and integrity stay out of logs."""
    assert "evtj" not in repr(parsed(REQUEST))


def exercise(data: bytes) -> None:
    """Everything that is done with a datagram."""
    message = stun.parse(data)
    stun.is_bare_request(data)
    if message is not None:
        message.authentic(PASSWORD)
        assert isinstance(message.unknown, list)
        assert message.username is None or len(message.username) <= 512
        assert 0 <= message.error < 700
        assert message.mapped is None or message.mapped.port >= 0
        assert message.number(stun.PRIORITY) is None or stun.PRIORITY in message.attributes


@given(st.binary(max_size=600))
def test_no_datagram_raises(data: bytes) -> None:
    """STUN-01, S09: 0 to 600 octets of anything."""
    exercise(data)


@given(st.binary(max_size=580), st.sampled_from(sorted(stun.KINDS)))
def test_no_body_raises(body: bytes, kind: int) -> None:
    """STUN-01, S09: a right header with anything behind it."""
    body = body[: len(body) & ~3]
    exercise(kind.to_bytes(2) + len(body).to_bytes(2) + REQUEST[4:20] + body)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=80)), max_size=12))
def test_no_attributes_raise(attributes: list[tuple[int, bytes]]) -> None:
    """STUN-01, S09: any attributes, rightly framed."""
    exercise(stun.build(stun.REQUEST, TRANSACTION, attributes, PASSWORD))
    exercise(stun.build(stun.ERROR, TRANSACTION, attributes))
