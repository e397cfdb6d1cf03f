"""DTLS 1.2 on the wire: records (RFC 6347 §4.1) and the fragments of handshake messages in them (§4.2.2).

Parsers never raise: what is malformed ends the datagram or the record, and what came before it counts.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

RECORD_HEADER = 13
FRAGMENT_HEADER = 12

DTLS_1_0 = 0xFEFF
DTLS_1_2 = 0xFEFD

MAX_RECORD = 16384
"""Octets of plaintext in a record (RFC 5246 §6.2.1)."""


class Content(IntEnum):
    """Content types of records."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class Kind(IntEnum):
    """Types of handshake messages that a rule of ours depends on."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    HELLO_VERIFY_REQUEST = 3
    SERVER_HELLO_DONE = 14
    CERTIFICATE_VERIFY = 15
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20


_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    110: "unsupported_extension",
    116: "certificate_required",
}
"""Descriptions (RFC 5246 §7.2, RFC 7507, RFC 8446 §6)."""


def alert_name(description: int) -> str:
    """The name of an alert; its number for unknown ones."""
    return _ALERTS.get(description, str(description))


class Record(NamedTuple):
    """A record as it came: what is in it is not authenticated."""

    content: int
    epoch: int
    sequence: int
    payload: bytes
    raw: bytes
    """Header and payload."""


class Fragment(NamedTuple):
    """A piece of a handshake message, or all of it."""

    kind: int
    length: int
    """Octets of the whole message, without header."""
    sequence: int
    """`message_seq`."""
    offset: int
    data: bytes


_CONTENTS = frozenset(int(content) for content in Content)
_MAJOR = 0xFE
"""First octet of all versions of DTLS."""

_RECORD = struct.Struct("!BHHHIH")
"""Content, version, epoch, sequence number in two parts, length."""
_FRAGMENT = struct.Struct("!IHHI")
"""Kind and length of the message, its number, and in 16 + 32 bits the two 24-bit numbers offset and size."""
_24_BITS = 0xFFFFFF
_32_BITS = 0xFFFFFFFF


def records(datagram: bytes) -> list[Record]:
    """The records of a datagram. Unknown content types and versions are passed over; a wrong length ends it."""
    found = []
    at, end = 0, len(datagram)
    while at + RECORD_HEADER <= end:
        content, version, epoch, high, low, length = _RECORD.unpack_from(datagram, at)
        body = at + RECORD_HEADER
        upto = body + length
        if upto > end:
            break
        if content in _CONTENTS and version >> 8 == _MAJOR:
            found.append(Record(content, epoch, high << 32 | low, datagram[body:upto], datagram[at:upto]))
        at = upto
    return found


def record(content: int, epoch: int, sequence: int, payload: bytes, version: int = DTLS_1_2) -> bytes:
    """A record of these."""
    return _RECORD.pack(content, version, epoch, sequence >> 32, sequence & _32_BITS, len(payload)) + payload


def fragments(payload: bytes) -> list[Fragment]:
    """The fragments in the payload of a clear handshake record. One that reaches past its message ends it."""
    found = []
    at, end = 0, len(payload)
    while at + FRAGMENT_HEADER <= end:
        head, sequence, high, low = _FRAGMENT.unpack_from(payload, at)
        body = at + FRAGMENT_HEADER
        length, offset, size = head & _24_BITS, high << 8 | low >> 24, low & _24_BITS
        if body + size > end or offset + size > length:
            break
        found.append(Fragment(head >> 24, length, sequence, offset, payload[body : body + size]))
        at = body + size
    return found


def fragment(kind: int, length: int, sequence: int, offset: int, data: bytes) -> bytes:
    """A fragment of these, with its header."""
    return _FRAGMENT.pack(kind << 24 | length, sequence, offset >> 8, (offset & 0xFF) << 24 | len(data)) + data


def whole(kind: int, sequence: int, body: bytes) -> bytes:
    """A message in a single fragment."""
    return fragment(kind, len(body), sequence, 0, body)
