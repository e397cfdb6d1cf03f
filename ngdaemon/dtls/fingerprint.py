"""Fingerprints of certificates: `a=fingerprint` (RFC 8122 §5), and whether a certificate is the announced one."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_Digest = Callable[[bytes], "hashlib._Hash"]


class Hash(NamedTuple):
    """A hash function under its registered name (RFC 8122 §5, lower case)."""

    name: str
    length: int
    """Octets of a digest."""
    digest: _Digest


ROWS = (
    Hash("sha-512", 64, hashlib.sha512),
    Hash("sha-384", 48, hashlib.sha384),
    Hash("sha-256", 32, hashlib.sha256),
    Hash("sha-224", 28, hashlib.sha224),
    Hash("sha-1", 20, hashlib.sha1),
)
"""What is understood, the most trusted first (FP-04). MD5 and MD2 never are (FP-05)."""

HASHES = {row.name: row for row in ROWS}

DEFAULT_HASH = "sha-256"
"""The hash of our own lines, unless another one is asked for (FP-07)."""

_STRONG = tuple(name for name in HASHES if name != "sha-1")
"""What decides without a policy that allows more, in order of preference."""

_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*\Z")


class Fingerprint(NamedTuple):
    """The digest of a DER certificate under a named hash."""

    hash: str
    """A key of `HASHES`."""
    digest: bytes

    def text(self) -> str:
        """The value of `a=fingerprint`: lower-case hash, upper-case hex with colons (FP-01)."""
        return f"{self.hash} {self.digest.hex(':').upper()}"


def parse(value: str) -> Fingerprint | None:
    """The fingerprint in the value of an `a=fingerprint` line, in any case (FP-01).

    None for what cannot be used: another hash (FP-05), a digest that is not hex with colons or not as long as its hash.
    """
    words = value.split()
    if len(words) != 2:
        return None
    row = HASHES.get(words[0].lower())
    if row is None:
        return None
    if len(words[1]) != 3 * row.length - 1 or _DIGEST.match(words[1]) is None:
        return None
    return Fingerprint(row.name, bytes.fromhex(words[1].replace(":", "")))


def parse_all(values: Iterable[str]) -> frozenset[Fingerprint]:
    """The set of all usable fingerprints of a media (FP-03). Empty: the media must be refused (FP-06)."""
    return frozenset(found for found in map(parse, values) if found is not None)


def of(certificate_der: bytes, hash_name: str = DEFAULT_HASH) -> Fingerprint:
    """The fingerprint of a certificate. `hash_name` is a key of `HASHES`."""
    return Fingerprint(hash_name, HASHES[hash_name].digest(certificate_der).digest())


def deciding_hash(fingerprints: Iterable[Fingerprint], allow_sha1: bool = False) -> str | None:
    """The most preferred of the announced hashes: it alone decides (FP-04). None when none may be used (FP-06).

    SHA-1 counts only where a policy allows it (FP-05).
    """
    announced = [fingerprint.hash for fingerprint in fingerprints]
    for name in HASHES if allow_sha1 else _STRONG:
        if name in announced:
            return name
    return None


def matches(certificate_der: bytes, fingerprints: frozenset[Fingerprint], allow_sha1: bool = False) -> bool:
    """Whether the presented certificate is one of those announced, by the deciding hash alone (FP-03, FP-04).

    Nothing but the digest counts: dates, names and signatures of the certificate are not looked at (FP-13).
    """
    name = deciding_hash(fingerprints, allow_sha1)
    return name is not None and of(certificate_der, name) in fingerprints
