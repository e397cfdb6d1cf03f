"""A flight: the messages that one side sends before it waits for the other; sent, and sent again (RFC 6347 §4.2.4).

It is kept as messages, not as datagrams, so that each transmission has new record numbers and is cut to the size that
gets through (HS-04, HS-05, HS-07).
"""

from typing import NamedTuple

from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.reassembly import Message
from ngdaemon.dtls.records import FRAGMENT_HEADER, RECORD_HEADER, Content, fragment, record
from ngdaemon.dtls.seal import Seal

_HEADERS = RECORD_HEADER + FRAGMENT_HEADER
_LEAST = 64
"""Octets of a message that are worth a fragment at the end of a datagram."""


class Clear(NamedTuple):
    """A record of epoch 0 that is no handshake message: ChangeCipherSpec, an alert."""

    content: int
    payload: bytes


class Sealed(NamedTuple):
    """The plaintext of an encrypted record."""

    content: int
    payload: bytes


Item = Message | Clear | Sealed


RESEND_INTERVAL = 0.1
MAX_RESENDS = 32
"""A flight that the peer asks for again leaves at most so often, and so many times (HS-05, S21)."""


class Sender:
    """Sends flights until they are answered, and single records."""

    def __init__(self, policy: Policy, first_number: int = 0) -> None:
        """`first_number`: of the first record of epoch 0."""
        self.seal: Seal | None = None
        """Set when there are keys, which is before anything is `Sealed`."""
        self.due: float | None = None
        """When the flight is to be sent again; None while it is not waited for an answer."""
        self._policy = policy
        self._number = first_number
        self._flight: list[Item] = []
        self._rounds = 0
        """Times that the flight was sent in vain."""
        self._timeout = policy.first_timeout
        self._limit = policy.mtu
        self._sent_at = 0.0
        self._resends = 0
        self._out: list[bytes] = []

    def send(self, flight: list[Item], now: float) -> None:
        """Send a flight, and see to it until another one takes its place or `rest` is called."""
        self._flight = flight
        self._rounds = self._resends = 0
        self._timeout = self._policy.first_timeout
        self.due = now + self._timeout
        self._transmit(now)

    def rest(self) -> None:
        """The handshake is done: the last flight is sent again only when the peer asks for it."""
        self.due = None

    def say(self, item: Item) -> None:
        """Send something that is no part of a flight, once."""
        self._out += self._datagrams([item])

    def again(self, now: float) -> None:
        """The peer sends its flight again, so it has not got ours: send it at once, rate-capped (HS-05)."""
        if self._flight and now - self._sent_at >= RESEND_INTERVAL and self._resends < MAX_RESENDS:
            self._resends += 1
            self._transmit(now)

    def handle_timer(self, now: float) -> None:
        """Send the flight again if it is due (HS-04), smaller after some rounds (HS-07)."""
        if self.due is None or now < self.due:
            return
        self._rounds += 1
        if self._rounds >= self._policy.rounds_until_small:
            self._limit = min(self._limit, self._policy.small_mtu)
        self._timeout = min(2 * self._timeout, self._policy.longest_timeout)
        self.due = now + self._timeout
        self._transmit(now)

    def transmits(self) -> list[bytes]:
        """The datagrams to be sent since the last call."""
        found, self._out = self._out, []
        return found

    def forget(self) -> None:
        """Drop flight and keys; what was said already is still handed out."""
        self._flight, self.seal, self.due = [], None, None

    def _transmit(self, now: float) -> None:
        self._sent_at = now
        self._out += self._datagrams(self._flight)

    def _datagrams(self, items: list[Item]) -> list[bytes]:
        found: list[bytes] = []
        current = b""
        for item in items:
            if isinstance(item, Message):
                current = self._message(item, current, found)
                continue
            made = self._single(item)
            if current and len(current) + len(made) > self._limit:
                found.append(current)
                current = b""
            current += made
        return [*found, current] if current else found

    def _single(self, item: Clear | Sealed) -> bytes:
        if isinstance(item, Clear):
            return self._numbered(item.content, item.payload)
        assert self.seal is not None
        return self.seal.seal(item.content, item.payload)

    def _message(self, message: Message, current: bytes, found: list[bytes]) -> bytes:
        """Append the message to the datagrams; the last, unfinished one is returned."""
        at, length = 0, len(message.body)
        while True:
            room = self._limit - len(current) - _HEADERS
            if current and room < min(_LEAST, length - at):
                found.append(current)
                current = b""
                continue
            data = message.body[at : at + room]
            piece = fragment(message.kind, length, message.sequence, at, data)
            current += self._numbered(Content.HANDSHAKE, piece)
            at += len(data)
            if at == length:
                return current

    def _numbered(self, content: int, payload: bytes) -> bytes:
        made = record(content, 0, self._number, payload)
        self._number += 1
        return made
