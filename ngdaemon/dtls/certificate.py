"""Our own certificates: self-signed, on P-256, fresh for each call leg, and saying nothing (FP-08)."""

from collections import deque
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ngdaemon.base.sources import Rng, Wall
from ngdaemon.dtls.fingerprint import DEFAULT_HASH, Fingerprint, of

NAME = "WebRTC"
"""The common name of every certificate: the one that most others have, so that it tells nothing."""

BACKDATED = timedelta(days=1)
"""How far back validity starts, for peers whose clock is slow."""

VALIDITY = timedelta(days=30)

_SERIAL_OCTETS = 16

_INTEGER, _BIT_STRING, _UTC_TIME, _GENERALIZED_TIME, _SEQUENCE = 0x02, 0x03, 0x17, 0x18, 0x30
_BEFORE_SERIAL = bytes.fromhex("a003020102") + bytes((_INTEGER, _SERIAL_OCTETS))
"""Version 3, and the head of the serial number."""
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""What is before the point in the public key (RFC 5480 §2)."""
_ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302")
"""ecdsa-with-SHA256 (RFC 5758 §3.2)."""
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]).public_bytes()
_ECDSA = ec.ECDSA(hashes.SHA256())
_CURVE = ec.SECP256R1()
_X962, _UNCOMPRESSED = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint


class Identity(NamedTuple):
    """A private key with its certificate. `repr` shows no key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    der: bytes
    """The certificate as the peer sees it."""

    def __repr__(self) -> str:
        return f"Identity({of(self.der).text()})"

    def fingerprint(self, hash_name: str = DEFAULT_HASH) -> Fingerprint:
        """What `a=fingerprint` says of it. SHA-256 is also the hash that it is signed with (FP-07)."""
        return of(self.der, hash_name)


def make(rng: Rng, wall: Wall) -> Identity:
    """A new identity. The key pair is drawn by OpenSSL, which takes no other randomness; the serial number by `rng`."""
    key = ec.generate_private_key(_CURVE)
    drawn = rng.bytes(_SERIAL_OCTETS)
    serial = bytes((drawn[0] & 0x3F | 0x40,)) + drawn[1:]  # positive, at most 20 octets (RFC 5280 §4.1.2.2)
    der = _signed(key, serial, _validity(wall.microseconds() // 1_000_000))
    return Identity(key, x509.load_der_x509_certificate(der), der)


def _signed(key: ec.EllipticCurvePrivateKey, serial: bytes, validity: bytes) -> bytes:
    """A certificate of version 3 without extensions (RFC 5280 §4.1), self-signed.

    Written out here, as all but five of its fields are constant: the builder of `cryptography` takes three times as
    long as key and signature together.
    """
    point = key.public_key().public_bytes(_X962, _UNCOMPRESSED)
    body = _element(_SEQUENCE, b"".join((_BEFORE_SERIAL, serial, _ALGORITHM, _NAME, validity, _NAME, _P256, point)))
    signature = _element(_BIT_STRING, b"\0" + key.sign(body, _ECDSA))
    return _element(_SEQUENCE, body + _ALGORITHM + signature)


@lru_cache(1)
def _validity(seconds: int) -> bytes:
    """The period of certificates that are made at that time: many are made in one second."""
    now = datetime.fromtimestamp(seconds, UTC)
    return _element(_SEQUENCE, _time(now - BACKDATED) + _time(now + VALIDITY))


def _time(moment: datetime) -> bytes:
    """A point of time: with two digits of the year up to 2049 (RFC 5280 §4.1.2.5)."""
    if moment.year < 2050:
        return _element(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return _element(_GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _element(tag: int, content: bytes) -> bytes:
    """An element of DER of less than 64 KB."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82, size >> 8, size & 0xFF)) + content


def to_pem(identity: Identity) -> bytes:
    """Key (PKCS #8, not encrypted) and certificate, for snapshots that are encrypted as a whole."""
    key = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key + identity.certificate.public_bytes(serialization.Encoding.PEM)


def from_pem(pem: bytes) -> Identity:
    """What `to_pem` wrote. Raises ValueError for anything else, and for a key that is not the certificate's."""
    key = serialization.load_pem_private_key(pem, None)
    certificate = x509.load_pem_x509_certificate(pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not that of the certificate")
    return Identity(key, certificate, certificate.public_bytes(serialization.Encoding.DER))


class Pool:
    """Identities made ahead, so that an offer never waits for one. Each is handed out once."""

    def __init__(self, rng: Rng, wall: Wall) -> None:
        self._rng = rng
        self._wall = wall
        self._ready: deque[Identity] = deque()

    def __len__(self) -> int:
        return len(self._ready)

    def take(self) -> Identity:
        """The identity that waits longest; a new one when none does."""
        return self._ready.popleft() if self._ready else make(self._rng, self._wall)

    def refill(self, count: int) -> None:
        """Make as many as are missing to `count`."""
        while len(self._ready) < count:
            self._ready.append(make(self._rng, self._wall))
