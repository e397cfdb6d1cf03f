"""Session keys out of master keys (RFC 3711 §4.3, RFC 6188 §3, RFC 7714 §11)."""

from enum import IntEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher as Encryption
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from ngdaemon.srtp.keys import Keys

AUTH_KEY = 20
"""Octets of the key of HMAC-SHA1."""

_SALT = 14
_LABEL_SHIFT = 48


class Label(IntEnum):
    """What a derived key is for: the first of the three labels, which follow each other (RFC 3711 §4.3.2)."""

    RTP = 0
    RTCP = 3


class SessionKeys(NamedTuple):
    """What the packets of one kind are protected with. Never shown."""

    cipher: bytes
    auth: bytes
    """20 octets; of no use to AES-GCM."""
    salt: bytes
    """14 octets, 12 for AES-GCM."""

    def __repr__(self) -> str:
        return "SessionKeys()"


class Master:
    """A master key with its salt, out of which session keys come."""

    __slots__ = ("_encrypt", "_salt")

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._encrypt = Encryption(AES(key), ECB()).encryptor().update  # noqa: S305  the keystream is made below
        # 12 octets of AES-GCM stand at the left of the 14, where no RFC says so: at the right the keys would be wrong
        self._salt = int.from_bytes(salt.ljust(_SALT, b"\0"), "big")

    def derive(self, label: int, length: int, rate_index: int = 0) -> bytes:
        """`length` octets of key material for that label.

        `rate_index` is the packet index divided by the key derivation rate, 0 for a single derivation.
        """
        first = (self._salt ^ (label << _LABEL_SHIFT) ^ rate_index) << 16
        counters = [(first + number).to_bytes(16, "big") for number in range((length + 15) // 16)]
        return self._encrypt(b"".join(counters))[:length]


def session_keys(keys: Keys, label: Label, rate_index: int = 0) -> SessionKeys:
    """The three session keys of RTP or of RTCP, for packets of that `rate_index`."""
    master = Master(keys.key, keys.salt)
    cipher, auth, salt = label, label + 1, label + 2
    return SessionKeys(
        master.derive(cipher, keys.suite.key, rate_index),
        master.derive(auth, AUTH_KEY, rate_index),
        master.derive(salt, keys.suite.salt, rate_index),
    )
