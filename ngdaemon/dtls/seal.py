"""Encrypted records of our own making (RFC 5246 §6.2.3.3, RFC 5288, RFC 7905; DTLS: RFC 6347 §4.1.2.1).

OpenSSL hands out each encrypted record once, under one sequence number. A flight that is sent again must carry new
numbers, or the peer's replay protection drops it unseen and never learns that its own last flight was lost (RFC 6347
§4.1.2.6, §4.2.4). So what OpenSSL encrypted is opened and sealed again for each transmission; nothing that OpenSSL
sealed is ever sent, and a number, which is the nonce, is never used twice.

After the handshake nothing is left to do but to read an alert, to answer a repeated flight, and to say goodbye. That
is done here as well, so that OpenSSL's connection, which holds most of an association's memory, can go.
"""

import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.hmac import HMAC

from ngdaemon.dtls.records import DTLS_1_2, Record, record

EPOCH = 1
"""The one epoch that is encrypted: there is no renegotiation."""


_HASHES = {"sha256": SHA256(), "sha384": SHA384()}

_TAIL = struct.Struct("!BHH")
"""Content, version and length: what is authenticated behind the number of a record."""
_TAG = 16
"""Octets of the authentication tag of all suites."""


REPLAY_WINDOW = 64
"""Records behind the newest that are still taken (HS-18)."""


class _Aead(NamedTuple):
    cipher: type[AESGCM] | type[ChaCha20Poly1305]
    key: int
    """Octets."""
    iv: int
    """Octets of the nonce that both sides derive."""
    explicit: int
    """Octets of the nonce that the record carries."""
    prf: str


_GCM_128 = _Aead(AESGCM, 16, 4, 8, "sha256")
_GCM_256 = _Aead(AESGCM, 32, 4, 8, "sha384")
_CHACHA = _Aead(ChaCha20Poly1305, 32, 12, 0, "sha256")


class CipherSuite(NamedTuple):
    """A cipher suite of DTLS."""

    name: str
    """As OpenSSL spells it."""
    id: int
    aead: _Aead
    rsa: bool = False
    """The server's certificate is an RSA one."""


CIPHER_SUITES = (
    CipherSuite("ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B, _GCM_128),
    CipherSuite("ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C, _GCM_256),
    CipherSuite("ECDHE-ECDSA-CHACHA20-POLY1305", 0xCCA9, _CHACHA),
    CipherSuite("ECDHE-RSA-AES128-GCM-SHA256", 0xC02F, _GCM_128, rsa=True),
    CipherSuite("ECDHE-RSA-AES256-GCM-SHA384", 0xC030, _GCM_256, rsa=True),
    CipherSuite("ECDHE-RSA-CHACHA20-POLY1305", 0xCCA8, _CHACHA, rsa=True),
)
"""All that are offered and accepted (HS-02), in order of preference: forward secret and authenticated, all of them."""

_SUITES = {row.name: row for row in CIPHER_SUITES}


class Secrets(NamedTuple):
    """What the record keys are derived from. Never shown."""

    cipher: str
    """A name of `CIPHER_SUITES`."""
    master: bytes
    client_random: bytes
    server_random: bytes

    def __repr__(self) -> str:
        return f"Secrets({self.cipher})"


def prf(secret: bytes, label: bytes, seed: bytes, length: int, hash_name: str) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246 §5)."""
    keyed = HMAC(secret, _HASHES[hash_name])
    seed = label + seed
    output, step = b"", seed
    while len(output) < length:
        step = _mac(keyed, step)
        output += _mac(keyed, step + seed)
    return output[:length]


def _mac(keyed: HMAC, data: bytes) -> bytes:
    """One MAC: to copy what is keyed is far less work than to key it again."""
    mac = keyed.copy()
    mac.update(data)
    return mac.finalize()


def _key_block(secrets: Secrets) -> bytes:
    """The keys of both sides (RFC 5246 §6.3)."""
    aead = _SUITES[secrets.cipher].aead
    seed = secrets.server_random + secrets.client_random
    return prf(secrets.master, b"key expansion", seed, 2 * (aead.key + aead.iv), aead.prf)


class _Protection:
    """Protection of the records that one side sends."""

    def __init__(self, secrets: Secrets, of_client: bool, block: bytes) -> None:
        """`block`: the key block of these secrets."""
        aead = _SUITES[secrets.cipher].aead
        key_at = 0 if of_client else aead.key
        iv_at = 2 * aead.key + (0 if of_client else aead.iv)
        self._cipher = aead.cipher(block[key_at : key_at + aead.key])
        self._iv = block[iv_at : iv_at + aead.iv]
        self._explicit = aead.explicit

    def _opened(self, sealed: Record) -> bytes | None:
        if len(sealed.payload) < self._explicit + _TAG:
            return None
        number = sealed.raw[3:11]
        explicit, box = sealed.payload[: self._explicit], sealed.payload[self._explicit :]
        try:
            return self._cipher.decrypt(
                self._nonce(number, explicit), box, _associated(number, sealed.content, len(box) - _TAG)
            )
        except (InvalidTag, ValueError):
            return None

    def _nonce(self, number: bytes, explicit: bytes) -> bytes:
        if explicit:
            return self._iv + explicit
        return bytes(a ^ b for a, b in zip(self._iv, number.rjust(12, b"\0"), strict=True))


class Seal(_Protection):
    """Opens what OpenSSL encrypted for sending, and seals it under the next number."""

    def __init__(self, secrets: Secrets, is_client: bool, block: bytes | None = None) -> None:
        super().__init__(secrets, is_client, block or _key_block(secrets))
        self._sequence = 0

    def open(self, sealed: Record) -> bytes | None:
        """The plaintext of a record that this side's OpenSSL encrypted; None when it is not one."""
        return self._opened(sealed)

    def seal(self, content: int, plaintext: bytes) -> bytes:
        """A record with the next number. The explicit nonce, where there is one, is that number (RFC 5288 §3)."""
        number = (EPOCH << 48 | self._sequence).to_bytes(8, "big")
        explicit = number[: self._explicit]
        box = self._cipher.encrypt(
            self._nonce(number, explicit), plaintext, _associated(number, content, len(plaintext))
        )
        made = record(content, EPOCH, self._sequence, explicit + box)
        self._sequence += 1
        return made


class Opener(_Protection):
    """Opens what the peer sends after the handshake, each record once (RFC 6347 §4.1.2.6)."""

    def __init__(self, secrets: Secrets, is_client: bool, block: bytes | None = None) -> None:
        """`is_client`: we are."""
        super().__init__(secrets, not is_client, block or _key_block(secrets))
        self._newest = -1
        self._seen = 0
        """Bit n: the record that is n older than the newest was taken."""

    def open(self, sealed: Record) -> bytes | None:
        """The plaintext; None for what is not authentic, was taken before, or is too old to tell (HS-11, HS-18)."""
        behind = self._newest - sealed.sequence
        if behind >= REPLAY_WINDOW or (behind >= 0 and self._seen >> behind & 1):
            return None
        plaintext = self._opened(sealed)
        if plaintext is None:
            return None
        if behind < 0:
            self._newest = sealed.sequence
            self._seen = (self._seen << min(-behind, REPLAY_WINDOW) | 1) & ((1 << REPLAY_WINDOW) - 1)
        else:
            self._seen |= 1 << behind
        return plaintext


def both(secrets: Secrets, is_client: bool) -> tuple[Seal, Opener]:
    """What seals our records, and what opens those of the peer; `is_client`: we are."""
    block = _key_block(secrets)
    return Seal(secrets, is_client, block), Opener(secrets, is_client, block)


def _associated(number: bytes, content: int, length: int) -> bytes:
    return number + _TAIL.pack(content, DTLS_1_2, length)
