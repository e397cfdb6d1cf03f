"""The handshake itself: OpenSSL over memory buffers, on an ideal wire.

OpenSSL is given whole messages in order, each once, in records numbered by us; what it says is taken apart into
messages again. So loss, order, duplicates, forged numbers, datagram sizes and timers never reach it, nor its clock:
all that is `association.py`. A provider of DTLS 1.3 would stand in the place of this module.
"""

from enum import Enum
from typing import NamedTuple

from OpenSSL import SSL, crypto

from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.flight import Clear, Item, Sealed
from ngdaemon.dtls.reassembly import Message
from ngdaemon.dtls.records import (
    DTLS_1_2,
    FRAGMENT_HEADER,
    MAX_RECORD,
    Content,
    Record,
    fragment,
    fragments,
    record,
    records,
    whole,
)
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.seal import CIPHER_SUITES, Opener, Seal, Secrets, both
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import PROFILES, SUITES, Suite

PROFILE_ORDER = (
    "AEAD_AES_256_GCM",
    "AEAD_AES_128_GCM",
    "AES_CM_128_HMAC_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32",
)
"""SRTP suites that are offered and accepted, in order of preference (KEY-01, KEY-02)."""

PROFILE_IDS = {0x0008: PROFILE_ORDER[0], 0x0007: PROFILE_ORDER[1], 0x0001: PROFILE_ORDER[2], 0x0002: PROFILE_ORDER[3]}
"""Of `use_srtp` (RFC 5764 §4.1.2, RFC 7714 §14.2)."""

EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"

_COOKIE_LENGTH = 32
_LONGEST_PIECE = MAX_RECORD - FRAGMENT_HEADER
"""Octets of a message in one record."""
_CHUNK = 4096
"""Octets that are read at a time."""
_ROOM = 60000
"""Octets of a datagram as OpenSSL believes: it never fragments."""


class Step(Enum):
    """How far the handshake is."""

    WAITING = "waiting for the peer"
    DONE = "done"
    FAILED = "failed"


class Export(NamedTuple):
    """What a finished handshake yields. Shows no key."""

    suite: Suite
    client: Keys
    """Protects what the DTLS client sends."""
    server: Keys


class Said(NamedTuple):
    """What OpenSSL wants to be sent."""

    flight: list[Item]
    """A new flight, or the beginning of one."""
    asides: list[Item]
    """Alerts."""


class Engine:
    """One OpenSSL connection."""

    def __init__(
        self, role: Role, identity: Identity, cookie: bool = False, context: SSL.Context | None = None
    ) -> None:
        """`cookie`: the server's first message will be a ClientHello that answers a HelloVerifyRequest of ours.

        `context`: narrower settings than the usual ones.
        """
        connection = SSL.Connection(context or (_COOKIE_CONTEXT if cookie else _CONTEXT), None)
        connection.use_certificate(identity.certificate)
        connection.use_privatekey(identity.key)
        connection.set_ciphertext_mtu(_ROOM)
        if role is Role.ACTIVE:
            connection.set_connect_state()
        else:
            connection.set_accept_state()
        self._connection = connection
        self._is_client = role is Role.ACTIVE
        self._number = 0
        self._said = 0
        """`message_seq` of what it says next."""
        self._changed = self._said_finished = False
        self._change = b""
        """The peer's ChangeCipherSpec, until OpenSSL is given it."""
        self._secrets: Secrets | None = None
        self.seal: Seal | None = None
        """For what it encrypts; set with the first of it."""
        self.opener: Opener | None = None
        """For what the peer sends after the handshake; set together with that."""
        self.reason = ""
        """Why it failed, in OpenSSL's words."""

    def start(self) -> Step:
        """Make a client say its ClientHello."""
        return self._advance()

    def take(self, *messages: Message) -> Step:
        """Give it the next messages of epoch 0.

        It takes what is in the buffer for one datagram, which is at most as long as its own.
        """
        datagram = b""
        for message in messages:
            for piece in _pieces(message):
                if datagram and len(datagram) + len(piece) > MAX_RECORD:
                    self._connection.bio_write(datagram)
                    datagram = b""
                    if self._advance() is Step.FAILED:
                        return Step.FAILED
                datagram += self._record(Content.HANDSHAKE, piece)
        self._connection.bio_write(datagram)
        return self._advance()

    def take_verified_hello(self, hello: Message, without_cookie: bytes) -> Step:
        """Begin with a ClientHello whose cookie was checked already; `without_cookie` is the body as it came first.

        OpenSSL must see the exchange that it did not take part in, or its transcript would differ from the client's.
        """
        self.take(Message(hello.kind, 0, without_cookie))
        self.said()  # its own HelloVerifyRequest; the client has ours
        return self.take(hello)

    def take_change(self) -> None:
        """Take the peer's ChangeCipherSpec: what follows is encrypted. OpenSSL is given both in one datagram."""
        self._change = self._record(Content.CHANGE_CIPHER_SPEC, b"\x01")

    def take_sealed(self, raw: bytes) -> Step:
        """Give it an encrypted record as it came. One that does not authenticate changes nothing (HS-11)."""
        self._connection.bio_write(self._change + raw)
        self._change = b""
        return self._advance()

    def said(self) -> Said:
        """What it wants sent since the last call.

        Its clock may make it say things again: that is passed over here, as we have a clock of our own.
        """
        flight: list[Item] = []
        asides: list[Item] = []
        for found in records(self._output()):
            if found.epoch == 0 and found.content == Content.HANDSHAKE:
                flight += self._new_messages(found)
            elif found.epoch == 0 and found.content == Content.CHANGE_CIPHER_SPEC:
                flight += [] if self._changed else [Clear(found.content, found.payload)]
                self._changed = True
            elif found.epoch == 0:
                asides.append(Clear(found.content, found.payload))
            elif found.content != Content.HANDSHAKE:
                asides.append(self._opened(found))
            elif not self._said_finished:
                flight.append(self._opened(found))
                self._said_finished = True
        return Said(flight, asides)

    def secrets(self) -> Secrets:
        """What its record keys come from: there, when it encrypted something."""
        if self._secrets is None:
            self._secrets = self._read_secrets()
        return self._secrets

    def _read_secrets(self) -> Secrets:
        connection = self._connection
        name, master = connection.get_cipher_name(), connection.master_key()
        client, server = connection.client_random(), connection.server_random()
        assert name is not None
        assert master is not None
        assert client is not None
        assert server is not None
        return Secrets(name, master, client, server)

    def peer_certificate(self) -> bytes | None:
        """DER as the peer sent it, not parsed: nothing but its digest counts (FP-13)."""
        certificate = self._connection.get_peer_certificate()
        return None if certificate is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)

    def export(self) -> Export | None:
        """The SRTP keys (RFC 5764 §4.2, KEY-04); None when no profile was agreed on (HS-15)."""
        suite = PROFILES.get(self._connection.get_selected_srtp_profile().decode("ascii", "replace"))
        if suite is None or suite.name not in PROFILE_ORDER:
            return None
        key, salt = suite.key, suite.salt
        block = self._connection.export_keying_material(EXPORTER_LABEL, 2 * (key + salt))
        salts = 2 * key
        return Export(
            suite,
            Keys(suite, block[:key], block[salts : salts + salt]),
            Keys(suite, block[key:salts], block[salts + salt :]),
        )

    def _output(self) -> bytes:
        found = b""
        try:
            while len(found) % _CHUNK == 0:  # it gives all that it has, or a whole chunk
                found += self._connection.bio_read(_CHUNK)
        except SSL.WantReadError:
            pass
        return found

    def _new_messages(self, found: Record) -> list[Message]:
        new = []
        for piece in fragments(found.payload):
            if piece.sequence >= self._said:
                new.append(Message(piece.kind, piece.sequence, piece.data))
                self._said = piece.sequence + 1
        return new

    def _opened(self, found: Record) -> Sealed:
        if self.seal is None:
            self.seal, self.opener = both(self.secrets(), self._is_client)
        plaintext = self.seal.open(found)
        assert plaintext is not None  # it was OpenSSL's own record
        return Sealed(found.content, plaintext)

    def _record(self, content: Content, payload: bytes) -> bytes:
        made = record(content, 0, self._number, payload)
        self._number += 1
        return made

    def _advance(self) -> Step:
        try:
            self._connection.do_handshake()
        except (SSL.WantReadError, SSL.WantWriteError):
            return Step.WAITING
        except (SSL.Error, crypto.Error) as error:
            self.reason = _reason(error)
            return Step.FAILED
        return Step.DONE


def _pieces(message: Message) -> list[bytes]:
    """The message in as few fragments as records can carry."""
    kind, sequence, body = message
    length = len(body)
    if length <= _LONGEST_PIECE:
        return [whole(kind, sequence, body)]
    starts = range(0, length, _LONGEST_PIECE)
    return [fragment(kind, length, sequence, at, body[at : at + _LONGEST_PIECE]) for at in starts]


def _reason(error: Exception) -> str:
    """OpenSSL's last word on an error: `(library, function, reason)` in a list, or nothing."""
    queue = error.args[0] if error.args else ()
    return str(queue[-1][-1]) if isinstance(queue, list) and queue else type(error).__name__


def make_context(cookie: bool = False) -> SSL.Context:
    """The settings of all connections (HS-01, HS-02, HS-03)."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(DTLS_1_2)
    context.set_max_proto_version(DTLS_1_2)
    context.set_cipher_list(":".join(suite.name for suite in CIPHER_SUITES).encode())
    context.set_options(
        SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)  # judged by digest (FP-13)
    context.set_tlsext_use_srtp(":".join(SUITES[name].profile for name in PROFILE_ORDER).encode())
    if cookie:
        assert SSL.OP_COOKIE_EXCHANGE is not None
        context.set_options(SSL.OP_COOKIE_EXCHANGE)
        context.set_cookie_generate_callback(lambda _: bytes(_COOKIE_LENGTH))
        context.set_cookie_verify_callback(lambda *_: True)  # checked before OpenSSL hears of it
    return context


_CONTEXT, _COOKIE_CONTEXT = make_context(False), make_context(True)
