"""A message as the log shows it at level debug: bounded, and without keys."""

import json
import re
from collections.abc import Mapping

MOST = 3000
"""Characters of a message that are shown."""

_SECRET = re.compile(r"(?im)(\b(?:crypto|key-mgmt|ice-pwd):|^k=|\binline:)[^\r\n]*")
"""What holds keys or passwords (RFC 4566 §5.12, RFC 4567, RFC 4568, RFC 8839), wherever it stands."""

_STRAY = re.compile(r"(?m)(?:^|(?<=\r))(?!.=)[^\r\n]+")
"""Lines that are none of a session description: perhaps the rest of one that was wrapped, a key."""


_KEY = re.compile(r"[A-Za-z0-9+/]{38,}={0,2}(?:\|.*)?")
"""The shortest key of SDES has 28 octets (RFC 7714 §12). No word of the protocol is that long without a hyphen."""


def word_shown(word: str) -> str:
    """A word that the protocol does not have, for the log; a key that went astray is hidden."""
    return _SECRET.sub(r"\1(hidden)", _KEY.sub("(hidden)", word))


def shown(message: Mapping[str, object]) -> str:
    """The message as JSON, cut to `MOST` characters."""
    text = json.dumps(_without_secrets(message), ensure_ascii=False, default=str)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text) - MOST} more)"


def _without_secrets(value: object, name: str = "") -> object:
    if isinstance(value, str):
        clean = _SECRET.sub(r"\1(hidden)", value)
        return _STRAY.sub("(hidden)", clean) if name == "sdp" else clean
    if isinstance(value, Mapping):
        return {str(key): _without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return value
