"""STUN (RFC 8489) and a small ICE agent (RFC 8445): enough to be checked, to check, and to forge."""

import binascii
import hashlib
import hmac
import re
import secrets
import socket
import struct
from typing import Protocol

from ngdaemon.base.endpoint import Endpoint

from .peer import value

COOKIE = 0x2112A442
REQUEST, RESPONSE, ERROR, INDICATION = 0x0001, 0x0101, 0x0111, 0x0011
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, MAPPED = 0x0006, 0x0008, 0x0009, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT, CONTROLLED, CONTROLLING = 0x0024, 0x0025, 0x8028, 0x8029, 0x802A
_HEADER = 20
_HOST_PRIORITY, _PRFLX_PRIORITY = 2130706431, 1862270975
_RETRY, _CONSENT = 0.1, 2.0


def message(
    kind: int,
    transaction: bytes,
    attributes: list[tuple[int, bytes]],
    password: bytes = b"",
    fingerprint: bool = True,
) -> bytes:
    """A STUN message; `transaction` has 12 octets, `password` makes it authentic."""
    body = b"".join(_attribute(number, content) for number, content in attributes)
    if password:
        head = struct.pack("!HHI", kind, len(body) + 24, COOKIE) + transaction
        body += _attribute(MESSAGE_INTEGRITY, hmac.new(password, head + body, hashlib.sha1).digest())
    if fingerprint:
        head = struct.pack("!HHI", kind, len(body) + 8, COOKIE) + transaction
        body += _attribute(FINGERPRINT, struct.pack("!I", binascii.crc32(head + body) ^ 0x5354554E))
    return struct.pack("!HHI", kind, len(body), COOKIE) + transaction + body


def attributes_of(data: bytes) -> dict[int, bytes]:
    """The attributes of a well-formed message."""
    found: dict[int, bytes] = {}
    at = _HEADER
    while at + 4 <= len(data):
        number, length = struct.unpack_from("!HH", data, at)
        found.setdefault(number, data[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    return found


def mapped(endpoint: Endpoint, transaction: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS."""
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    packed = socket.inet_pton(family, endpoint.address)
    mask = struct.pack("!I", COOKIE) + transaction
    address = bytes(one ^ other for one, other in zip(packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, endpoint.port ^ COOKIE >> 16) + address


def _attribute(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, len(content)) + content + bytes(-len(content) % 4)


class Sender(Protocol):
    """Who has the socket."""

    endpoint: Endpoint

    def send(self, data: bytes, to: Endpoint | None = None) -> None: ...


class Checks:
    """A controlling agent with one candidate. It goes on checking: that is its consent."""

    def __init__(self, owner: Sender) -> None:
        self._owner = owner
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.their_ufrag, self.their_password = "", ""
        self.candidates: list[Endpoint] = []
        self.selected: Endpoint | None = None
        self.controlling = True
        self.mute = False
        """Answers no checks and sends none."""
        self.told: Endpoint | None = None
        """What it tells as its candidate instead of where it is."""
        self.answered = 0
        """Checks of the other side that were answered."""
        self._tie_breaker = secrets.token_bytes(8)
        self._transactions: dict[bytes, Endpoint] = {}
        self._due = 0.0

    def restart(self) -> None:
        """New credentials; the pair stays until there is a new one."""
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)

    def attributes(self) -> list[str]:
        endpoint = self.told or self._owner.endpoint
        return [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=candidate:1 1 UDP {_HOST_PRIORITY} {endpoint.address} {endpoint.port} typ host",
        ]

    def listen_to(self, sdp: str) -> None:
        self.their_ufrag, self.their_password = value(sdp, r"a=ice-ufrag:(\S+)"), value(sdp, r"a=ice-pwd:(\S+)")
        family = ":" in self._owner.endpoint.address
        found = re.findall(r"(?mi)^a=candidate:\S+ 1 UDP \d+ (\S+) (\d+) typ host", sdp)
        self.candidates = [Endpoint(host, int(port)) for host, port in found if (":" in host) is family]
        self._due = 0.0

    def request(self, nominate: bool = True) -> tuple[bytes, bytes]:
        """An authentic check and its transaction."""
        transaction = secrets.token_bytes(12)
        role = (CONTROLLING if self.controlling else CONTROLLED, self._tie_breaker)
        attributes = [
            (USERNAME, f"{self.their_ufrag}:{self.ufrag}".encode()),
            (PRIORITY, struct.pack("!I", _PRFLX_PRIORITY)),
            role,
            *([(USE_CANDIDATE, b"")] if nominate and self.controlling else []),
        ]
        return message(REQUEST, transaction, attributes, self.their_password.encode()), transaction

    def act(self, now: float) -> None:
        if self.mute or not self.their_password or now < self._due:
            return
        self._due = now + (_CONSENT if self.selected else _RETRY)
        for candidate in self.candidates:
            data, transaction = self.request()
            self._transactions[transaction] = candidate
            self._owner.send(data, candidate)

    def take(self, data: bytes, source: Endpoint, now: float) -> None:
        if self.mute or len(data) < _HEADER:
            return
        kind, transaction = int.from_bytes(data[:2]), data[8:20]
        if kind == REQUEST:
            self._answer(source, transaction)
        elif kind == RESPONSE and transaction in self._transactions:
            self.selected = self._transactions.pop(transaction)
        elif kind == ERROR and attributes_of(data).get(ERROR_CODE, b"")[2:4] == b"\x04\x57":
            self.controlling = not self.controlling

    def _answer(self, source: Endpoint, transaction: bytes) -> None:
        attributes = [(MAPPED, mapped(source, transaction))]
        self._owner.send(message(RESPONSE, transaction, attributes, self.password.encode()), source)
        self.answered += 1
