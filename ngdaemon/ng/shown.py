"""A message as the log shows it at level debug: bounded, and without keys."""

import json
import re
from collections.abc import Mapping

MOST = 3000
"""Characters of a message that are shown."""

_SECRET = re.compile(r"(?im)(\ba=(?:crypto|key-mgmt|ice-pwd):|^k=|\binline:)[^\r\n]*")
"""Lines of a session description that hold keys or passwords (RFC 4566 §5.12, RFC 4567, RFC 4568, RFC 8839), and SDES
keys wherever they stand."""


def shown(message: Mapping[str, object]) -> str:
    """The message as JSON, cut to `MOST` characters."""
    text = json.dumps(_without_secrets(message), ensure_ascii=False, default=str)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text) - MOST} more)"


def _without_secrets(value: object) -> object:
    if isinstance(value, str):
        return _SECRET.sub(r"\1(hidden)", value)
    if isinstance(value, Mapping):
        return {str(key): _without_secrets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return value
