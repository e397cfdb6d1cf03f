"""STUN messages (RFC 8489): read strictly and within bounds, written with integrity and fingerprint.

Only what ICE needs: Binding requests, responses and indications with short-term credentials. Nothing here raises on
input from the network: what is not a well-formed message is None.
"""

import hmac
import struct
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from zlib import crc32

from ngdaemon.base.endpoint import Endpoint

COOKIE = 0x2112A442
HEADER = 20
"""Octets of the header: type, length, cookie, transaction id of 12 octets."""
TRANSACTION = 12
MAX_MESSAGE = 1500
"""Octets; nothing longer is looked at."""
MAX_USERNAME = 512
"""Octets. Ours begin with a fragment of 8, the other one has at most 256 (ICE-02)."""

REQUEST = 0x0001
INDICATION = 0x0011
SUCCESS = 0x0101
ERROR = 0x0111
KINDS = frozenset((REQUEST, INDICATION, SUCCESS, ERROR))
"""Message types of the Binding method; there are no others on a media port."""

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
MESSAGE_INTEGRITY_SHA256 = 0x001C
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

KNOWN = frozenset((
    0x0001, USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES, 0x0014, 0x0015, XOR_MAPPED_ADDRESS, PRIORITY,
    USE_CANDIDATE,
))  # fmt: skip
"""Comprehension-required attributes that are understood (RFC 8489 §14); 1, 0x14 and 0x15 are MAPPED-ADDRESS, REALM and
NONCE, which say nothing here."""

LENGTHS = {
    MESSAGE_INTEGRITY: 20, FINGERPRINT: 4, PRIORITY: 4, USE_CANDIDATE: 0, ICE_CONTROLLED: 8, ICE_CONTROLLING: 8,
}  # fmt: skip
"""Attributes of a fixed length; a message with another one is malformed."""

_OPTIONAL = 0x8000
_HEAD = struct.Struct("!HHI12s")
_MASKED = struct.Struct("!BBH")
"""What is before the address in XOR-MAPPED-ADDRESS."""
_ATTRIBUTE = struct.Struct("!HH")
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_SIZE = 24
_FINGERPRINT_SIZE = 8


class Message(NamedTuple):
    """A well-formed message. Its fingerprint, if it has one, is right; its integrity is not yet looked at."""

    kind: int
    """REQUEST, INDICATION, SUCCESS or ERROR."""
    transaction: bytes
    attributes: dict[int, bytes]
    """First value of each attribute; those behind MESSAGE-INTEGRITY are left out, as nobody vouches for them."""
    data: bytes
    """The datagram."""
    integrity: int
    """Where MESSAGE-INTEGRITY begins in `data`; 0 for none."""

    def __repr__(self) -> str:
        return f"Message({self.kind:#06x}, {self.transaction.hex()})"

    @property
    def unknown(self) -> list[int]:
        """Attributes that must be understood and are not (RFC 8489 §6.3.1)."""
        return [kind for kind in self.attributes if kind < _OPTIONAL and kind not in KNOWN]

    def authentic(self, password: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and made with that password (RFC 8489 §14.5)."""
        if not self.integrity:
            return False
        # The length in the header counts to the end of the integrity, whatever follows it.
        length = self.integrity + _INTEGRITY_SIZE - HEADER
        signed = self.data[:2] + length.to_bytes(2) + self.data[4 : self.integrity]
        found = self.data[self.integrity + 4 : self.integrity + _INTEGRITY_SIZE]
        return hmac.compare_digest(found, hmac.digest(password, signed, "sha1"))

    @property
    def username(self) -> str | None:
        """The username, or None without one or with one that is not text."""
        value = self.attributes.get(USERNAME)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            return None

    @property
    def mapped(self) -> Endpoint | None:
        """The source that the other side saw (XOR-MAPPED-ADDRESS)."""
        value = self.attributes.get(XOR_MAPPED_ADDRESS)
        return None if value is None else unmask(value, self.transaction)

    @property
    def error(self) -> int:
        """The code of an error response, 300 to 699; 0 where there is none."""
        value = self.attributes.get(ERROR_CODE, b"")
        if len(value) < 4 or not 3 <= value[2] & 7 <= 6 or value[3] > 99:
            return 0
        return (value[2] & 7) * 100 + value[3]

    def number(self, attribute: int) -> int | None:
        """The value of a numeric attribute (PRIORITY, tie-breakers), or None."""
        value = self.attributes.get(attribute)
        return None if value is None else int.from_bytes(value)


def parse(data: bytes) -> Message | None:
    """The Binding message in a datagram, or None for what is none, is malformed, or has a wrong fingerprint."""
    size = len(data)
    if not HEADER <= size <= MAX_MESSAGE or size % 4:
        return None
    kind, length, cookie, transaction = _HEAD.unpack_from(data)
    if cookie != COOKIE or kind not in KINDS or length != size - HEADER:
        return None
    attributes: dict[int, bytes] = {}
    integrity = 0
    at = HEADER
    while at < size:
        name, count = _ATTRIBUTE.unpack_from(data, at)
        value = data[at + 4 : at + 4 + count]
        if len(value) != count or LENGTHS.get(name, count) != count:
            return None
        if name == FINGERPRINT:
            if at + _FINGERPRINT_SIZE != size or int.from_bytes(value) != _fingerprint(data[:at]):
                return None
        elif not integrity:
            attributes.setdefault(name, value)
            if name == MESSAGE_INTEGRITY:
                integrity = at
        at += 4 + (count + 3 & ~3)
    if len(attributes.get(USERNAME, b"")) > MAX_USERNAME:
        return None
    return Message(kind, transaction, attributes, data, integrity)


def _fingerprint(data: bytes) -> int:
    return crc32(data) ^ _FINGERPRINT_XOR


def build(kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], password: bytes | None = None) -> bytes:
    """A message with these attributes, then integrity (if there is a password), then a fingerprint."""
    body = b"".join(
        _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) % 4) for name, value in attributes
    )  # fmt: skip
    size = len(body)
    if password is not None:
        size += _INTEGRITY_SIZE
        body += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20) + hmac.digest(
            password, _HEAD.pack(kind, size, COOKIE, transaction) + body, "sha1"
        )
    message = _HEAD.pack(kind, size + _FINGERPRINT_SIZE, COOKIE, transaction) + body
    return message + _ATTRIBUTE.pack(FINGERPRINT, 4) + _fingerprint(message).to_bytes(4)


def mask(endpoint: Endpoint, transaction: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2)."""
    packed = _packed(endpoint.address)
    return _MASKED.pack(0, 1 if len(packed) == 4 else 2, endpoint.port ^ COOKIE >> 16) + _hidden(packed, transaction)


def unmask(value: bytes, transaction: bytes) -> Endpoint | None:
    """The endpoint in a XOR-MAPPED-ADDRESS, or None for a malformed one."""
    family = value[1] if len(value) > 1 else 0
    if len(value) != {1: 8, 2: 20}.get(family):
        return None
    packed = _hidden(value[4:], transaction)
    address = ".".join(map(str, packed)) if family == 1 else str(IPv6Address(packed))
    return Endpoint(address, int.from_bytes(value[2:4]) ^ COOKIE >> 16)


@lru_cache(4096)
def _packed(address: str) -> bytes:
    return ip_address(address).packed


def _hidden(packed: bytes, transaction: bytes) -> bytes:
    """An address as nobody on the way recognizes it, or such a one as it is."""
    key = COOKIE.to_bytes(4) + transaction
    size = len(packed)
    return (int.from_bytes(packed) ^ int.from_bytes(key[:size])).to_bytes(size)


def error_code(code: int) -> tuple[int, bytes]:
    """The ERROR-CODE attribute without a phrase: replies stay small (S21)."""
    return ERROR_CODE, bytes((0, 0, code // 100, code % 100))


def binding_request_bare(transaction: bytes) -> bytes:
    """The request without credentials that opens a pinhole on legs without ICE (RFC 5763 §6.7.2, MBX-01): 20 octets."""
    return _HEAD.pack(REQUEST, 0, COOKIE, transaction)


def is_bare_request(data: bytes) -> bool:
    """Whether this is a Binding request without credentials (MBX-02)."""
    message = parse(data)
    return (
        message is not None
        and message.kind == REQUEST
        and USERNAME not in message.attributes
        and not message.integrity
        and not message.unknown
    )


def bare_response(request: bytes, source: Endpoint) -> bytes:
    """The answer to a bare request: the mapped address and nothing else, 32 octets on IPv4, 44 on IPv6 (MBX-02)."""
    transaction = request[HEADER - TRANSACTION : HEADER]
    value = mask(source, transaction)
    attribute = _ATTRIBUTE.pack(XOR_MAPPED_ADDRESS, len(value)) + value
    return _HEAD.pack(SUCCESS, len(attribute), COOKIE, transaction) + attribute
