"""DTLS records made by hand: hellos and alerts that a stranger sends, and hellos that are cut to pieces."""

import itertools
import secrets
import struct

_HANDSHAKE, _ALERT = 22, 21
_WARNING, _FATAL = 1, 2
_CLOSE_NOTIFY, _HANDSHAKE_FAILURE = 0, 40
_DTLS_1_2 = b"\xfe\xfd"
_CLIENT_HELLO = 1
_RECORD, _HEAD = 13, 12  # lengths of the headers of records and handshake messages
_sequence = itertools.count(1)


def record(kind: int, content: bytes, sequence: int | None = None) -> bytes:
    """A record of epoch 0."""
    number = next(_sequence) if sequence is None else sequence
    return bytes([kind]) + _DTLS_1_2 + struct.pack("!HHIH", 0, 0, number, len(content)) + content


def null_hello(sequence: int = 0) -> bytes:
    """A ClientHello that offers no cipher but NULL, and no certificate that anybody has announced."""
    suites = b"\x00\x00\x00\x01\x00\x02"
    body = _DTLS_1_2 + secrets.token_bytes(32) + b"\0\0" + struct.pack("!H", len(suites)) + suites + b"\1\0"
    head = bytes([_CLIENT_HELLO]) + len(body).to_bytes(3) + b"\0\0" + b"\0\0\0" + len(body).to_bytes(3)
    return record(_HANDSHAKE, head + body, sequence)


def alert() -> bytes:
    """Alerts that nothing authenticates: the handshake has failed, and the association ends."""
    return record(_ALERT, bytes([_FATAL, _HANDSHAKE_FAILURE])) + record(_ALERT, bytes([_WARNING, _CLOSE_NOTIFY]))


def in_pieces(datagram: bytes, size: int, overlap: int = 0) -> list[bytes]:
    """The handshake message of a record as several datagrams with one fragment each (RFC 6347 §4.2.3)."""
    message = datagram[_RECORD:]
    head, body = message[:6], message[_HEAD:]
    pieces: list[bytes] = []
    for at in range(0, len(body), size):
        begin = max(0, at - overlap)
        piece = body[begin : at + size]
        content = head + begin.to_bytes(3) + len(piece).to_bytes(3) + piece
        pieces.append(record(_HANDSHAKE, content, int.from_bytes(datagram[5:11]) + len(pieces)))
    return pieces


def is_client_hello(datagram: bytes) -> bool:
    """Whether the datagram is one record with a whole ClientHello."""
    return len(datagram) > _RECORD + _HEAD and datagram[0] == _HANDSHAKE and datagram[_RECORD] == _CLIENT_HELLO
