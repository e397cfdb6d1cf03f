"""Our own certificates: self-signed, on P-256, fresh for each call leg, and saying nothing (FP-08)."""

from collections import deque
from datetime import UTC, datetime, timedelta
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
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.fromtimestamp(wall.microseconds() // 1_000_000, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    serial = (
        int.from_bytes(rng.bytes(_SERIAL_OCTETS), "big") >> 1 | 1
    )  # positive, at most 20 octets (RFC 5280 §4.1.2.2)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALIDITY)
        .sign(key, hashes.SHA256())
    )
    return Identity(key, certificate, certificate.public_bytes(serialization.Encoding.DER))


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
