"""Key derivation against the answers of RFC 3711, 6188, 6904."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from ngdaemon.srtp.kdf import Label, Master, SessionKeys, session_keys
from tests.srtp import vectors


@pytest.mark.parametrize("name", sorted(vectors.KEYSTREAMS))
def test_the_cipher_gives_the_keystreams_of_the_rfcs(name: str) -> None:
    """RFC 3711 B.2, RFC 6188 §7: also that the counter does not end at a block of sixteen bits."""
    row = vectors.KEYSTREAMS[name]
    stream = Cipher(AES(bytes.fromhex(row.key)), CTR(bytes.fromhex(vectors.COUNTER))).encryptor()
    text = stream.update(bytes(16 * 0xFF02))
    assert text[:48].hex() == row.first.lower()
    assert text[16 * 0xFEFF : 16 * 0xFF02].hex() == row.later.lower()


@pytest.mark.parametrize(
    ("name", "label"), [(name, label) for name, row in vectors.DERIVATIONS.items() for label in row.labels]
)
def test_derived_keys_are_those_of_the_rfcs(name: str, label: int) -> None:
    """RFC 3711 B.3, RFC 6188 §7, RFC 6904 A.1; the salt of AES-GCM stands at the left."""
    row = vectors.DERIVATIONS[name]
    wanted = bytes.fromhex(row.labels[label])
    assert Master(bytes.fromhex(row.key), bytes.fromhex(row.salt)).derive(label, len(wanted)) == wanted


def test_the_index_of_the_derivation_rate_changes_the_keys() -> None:
    """SRTP-12: x = (label || r) XOR salt, so that r equal to the low octets of a salt's difference gives equal keys."""
    keys = vectors.master_keys("AES_CM_128_HMAC_SHA1_80")
    moved = keys._replace(salt=keys.salt[:-2] + bytes((keys.salt[-2] ^ 0x12, keys.salt[-1] ^ 0x34)))
    assert session_keys(keys, Label.RTP, 0x1234) == session_keys(moved, Label.RTP)
    assert session_keys(keys, Label.RTP, 0x1234) != session_keys(keys, Label.RTP)


def test_session_keys_are_not_shown() -> None:
    """KEY-07: neither is the master key."""
    keys = vectors.master_keys("AEAD_AES_128_GCM")
    session = session_keys(keys, Label.RTP)
    assert repr(session) == str(session) == "SessionKeys()"
    assert repr(keys) == str(keys) == "Keys(AEAD_AES_128_GCM)"
    assert repr(SessionKeys(b"secret", b"", b"")) == "SessionKeys()"
