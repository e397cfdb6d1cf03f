"""DTLS 1.2 on the wire: records (RFC 6347 §4.1) and the fragments of handshake messages in them (§4.2.2).

Parsers never raise: what is malformed ends the datagram or the record, and what came before it counts.
"""

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


_CONTENTS = frozenset(Content)


def records(datagram: bytes) -> list[Record]:
    """The records of a datagram. Unknown content types and versions are passed over; a wrong length ends it."""
    found = []
    at, end = 0, len(datagram)
    while at + RECORD_HEADER <= end:
        body = at + RECORD_HEADER
        upto = body + int.from_bytes(datagram[at + 11 : body], "big")
        if upto > end:
            break
        if datagram[at] in _CONTENTS and datagram[at + 1] == 0xFE:
            found.append(
                Record(
                    datagram[at],
                    int.from_bytes(datagram[at + 3 : at + 5], "big"),
                    int.from_bytes(datagram[at + 5 : at + 11], "big"),
                    datagram[body:upto],
                    datagram[at:upto],
                )
            )
        at = upto
    return found


def record(content: int, epoch: int, sequence: int, payload: bytes, version: int = DTLS_1_2) -> bytes:
    """A record of these."""
    return b"".join(
        (
            bytes((content,)),
            version.to_bytes(2, "big"),
            epoch.to_bytes(2, "big"),
            sequence.to_bytes(6, "big"),
            len(payload).to_bytes(2, "big"),
            payload,
        )
    )


def fragments(payload: bytes) -> list[Fragment]:
    """The fragments in the payload of a clear handshake record. One that reaches past its message ends it."""
    found = []
    at, end = 0, len(payload)
    while at + FRAGMENT_HEADER <= end:
        body = at + FRAGMENT_HEADER
        length = int.from_bytes(payload[at + 1 : at + 4], "big")
        offset = int.from_bytes(payload[at + 6 : at + 9], "big")
        size = int.from_bytes(payload[at + 9 : body], "big")
        if body + size > end or offset + size > length:
            break
        sequence = int.from_bytes(payload[at + 4 : at + 6], "big")
        found.append(Fragment(payload[at], length, sequence, offset, payload[body : body + size]))
        at = body + size
    return found


def fragment(kind: int, length: int, sequence: int, offset: int, data: bytes) -> bytes:
    """A fragment of these, with its header."""
    return b"".join(
        (
            bytes((kind,)),
            length.to_bytes(3, "big"),
            sequence.to_bytes(2, "big"),
            offset.to_bytes(3, "big"),
            len(data).to_bytes(3, "big"),
            data,
        )
    )


def whole(kind: int, sequence: int, body: bytes) -> bytes:
    """A message in a single fragment."""
    return fragment(kind, len(body), sequence, 0, body)
