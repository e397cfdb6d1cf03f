"""`a=crypto`: the keys of SDES, as lines of a session description (RFC 4568).

    a=crypto:TAG SUITE inline:BASE64[|LIFETIME][|MKI:LENGTH][;inline:…] [SESSION-PARAMETER …]

A line that cannot be keyed exactly as it says is no line (SDES-02): nothing about it is guessed.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import NamedTuple

from ngdaemon.srtp.keys import REPLAY_WINDOW, Keys
from ngdaemon.srtp.suites import Cipher, Suite, suite_of

UNENCRYPTED = "UNENCRYPTED_SRTP"
UNENCRYPTED_RTCP = "UNENCRYPTED_SRTCP"
UNAUTHENTICATED = "UNAUTHENTICATED_SRTP"
WEAKENING = frozenset((UNENCRYPTED, UNENCRYPTED_RTCP, UNAUTHENTICATED))
"""Session parameters that take protection away: accepted by policy only (SDES-06)."""

MAX_TAG = 999_999_999
MAX_KEYS = 8
"""Keys of one line that are looked at."""
MAX_LIFETIME = 2**48
"""Packets of one SRTP key (RFC 3711 §9.2)."""
MAX_MKI = 128
"""Octets (RFC 4568 §6.1)."""

_LIFETIME = re.compile(r"2\^([1-9][0-9]?)|([1-9][0-9]{0,15})")
_MKI = re.compile(r"(0|[1-9][0-9]{0,309}):([1-9][0-9]{0,2})")
_TAG = re.compile(r"[1-9][0-9]{0,8}|0")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Key(NamedTuple):
    """One `inline` key. Never shown by `repr`."""

    secret: bytes
    """Master key, then master salt."""
    lifetime: int | None = None
    """Packets; None where the line says nothing."""
    mki: int | None = None
    mki_length: int = 0
    """Octets; 0 for none."""

    def __repr__(self) -> str:
        return "Key()"


class Crypto(NamedTuple):
    """One `a=crypto` line that can be keyed."""

    tag: int
    suite: Suite
    keys: tuple[Key, ...]
    """The first one is sent with, all are received with (SDES-08)."""
    parameters: tuple[str, ...] = ()
    """Session parameters as written."""

    def is_usable(self, *, null: bool = False, weakened: bool = False) -> bool:
        """Whether we protect packets so: `null` allows suites without encryption, `weakened` parameters to that end.

        F8 is understood and never spoken: no library has it, and nobody misses it.
        """
        if self.suite.cipher is Cipher.F8 or (self.suite.cipher is Cipher.NULL and not null):
            return False
        return weakened or WEAKENING.isdisjoint(self.parameters)

    def all_keys(self) -> tuple[Keys, ...]:
        """What packets are protected with by the one who wrote the line (SDES-09)."""
        kdr, window = 0, REPLAY_WINDOW
        for parameter in self.parameters:
            name, _, value = parameter.partition("=")
            if name == "KDR":
                kdr = int(value)
            elif name == "WSH":
                window = min(int(value), REPLAY_WINDOW)
        return tuple(
            Keys(
                self.suite,
                key.secret[: self.suite.key],
                key.secret[self.suite.key :],
                b"" if key.mki is None else key.mki.to_bytes(key.mki_length, "big"),
                UNENCRYPTED not in self.parameters,
                UNENCRYPTED_RTCP not in self.parameters,
                UNAUTHENTICATED not in self.parameters,
                kdr,
                window,
            )
            for key in self.keys
        )

    def text(self, *, pad: bool = False, lifetime: bool = False) -> str:
        """The value of the attribute: with `pad` the `=` of base64 stay, with `lifetime` it ends in `|2^31`."""
        keys = ";".join(_key_text(key, pad=pad, lifetime=lifetime) for key in self.keys)
        return " ".join((f"{self.tag} {self.suite.name} {keys}", *self.parameters))


def _key_text(key: Key, *, pad: bool, lifetime: bool) -> str:
    secret = b64encode(key.secret).decode("ascii")
    parts = ["inline:" + (secret if pad else secret.rstrip("="))]
    if lifetime:
        parts.append("2^31")
    if key.mki is not None:
        parts.append(f"{key.mki}:{key.mki_length}")
    return "|".join(parts)


def parse(value: str) -> Crypto | None:
    """The line with that attribute value; None where it cannot be keyed (SDES-01, SDES-02)."""
    words = value.split()
    if len(words) < 3 or not _TAG.fullmatch(words[0]):
        return None
    suite = suite_of(words[1])
    if suite is None:
        return None
    parameters = tuple(words[3:])
    if not all(_is_understood(parameter, suite) for parameter in parameters):
        return None
    texts = words[2].split(";")
    if len(texts) > MAX_KEYS:
        return None
    keys = tuple(key for text in texts if (key := _key(text, suite)) is not None)
    if len(keys) != len(texts) or not _go_together(keys):
        return None
    known = tuple(parameter for parameter in parameters if not parameter.startswith("-"))
    return Crypto(int(words[0]), suite, keys, known)


def parse_all(values: Sequence[str]) -> tuple[Crypto, ...]:
    """The lines that can be keyed; of several with one tag the first."""
    found: dict[int, Crypto] = {}
    for value in values:
        crypto = parse(value)
        if crypto is not None:
            found.setdefault(crypto.tag, crypto)
    return tuple(found.values())


def _key(text: str, suite: Suite) -> Key | None:
    method, _, value = text.partition(":")
    if method.lower() != "inline":
        return None
    encoded, *rest = value.split("|")
    if not _BASE64.fullmatch(encoded):
        return None
    try:
        secret = b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except Base64Error:
        return None
    if len(secret) != suite.key + suite.salt or len(rest) > 2:
        return None
    lifetime = mki = None
    length = 0
    for place, part in enumerate(rest):
        if ":" in part:
            match = _MKI.fullmatch(part)
            if match is None or place != len(rest) - 1:
                return None
            mki, length = int(match[1]), int(match[2])
            if length > MAX_MKI or mki >= 256**length:
                return None
        else:
            lifetime = _lifetime(part)
            if lifetime is None or place:
                return None
    return Key(secret, lifetime, mki, length)


def _lifetime(text: str) -> int | None:
    """Packets; None for what is no lifetime, or more than a key lasts."""
    match = _LIFETIME.fullmatch(text)
    if match is None:
        return None
    packets = 2 ** int(match[1]) if match[1] else int(match[2])
    return packets if packets <= MAX_LIFETIME else None


def _go_together(keys: tuple[Key, ...]) -> bool:
    """Several keys need MKIs, all of one length (SDES-08)."""
    lengths = {key.mki_length for key in keys}
    return bool(keys) and len(lengths) == 1 and (len(keys) == 1 or lengths != {0})


def _is_understood(parameter: str, suite: Suite) -> bool:
    """Whether a session parameter is one that we obey; those that begin with `-` may be passed over (RFC 4568 §6.3.7).

    Forward error correction is not ours to order: the orders that it names are refused, but the default one.
    """
    name, _, value = parameter.partition("=")
    if parameter.startswith("-") or parameter in WEAKENING:
        return True
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
    if name == "KDR":
        return 0 <= number <= 24 and suite.cipher is Cipher.AES_CM
    if name == "WSH":
        return number >= 64
    return parameter == "FEC_ORDER=FEC_SRTP"
