"""JSON documents of NG: RFC 8259, and what rtpengine's reader lets pass besides (ng-protocol.md §1.2)."""

import json
import re
from collections.abc import Mapping

from ngdaemon.base.errors import RequestError

UNPARSABLE = "Failed to parse JSON document"

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape for half of a character beyond the basic plane."""
_LENIENT = re.compile(
    r"""("(?:[^"\\]|\\.)*+")|'((?:[^'\\]|\\.)*+)'|(/\*(?:[^*]|\*(?!/))*+\*/)|(?:"|'|/\*).*+""",
    re.DOTALL,
)
"""A string, a single-quoted string, a comment; or what begins as one of them and has no end, to the end of the text."""
_SPACE = re.compile(r"[ \t\r\n]*+")


def decode(document: bytes, max_depth: int, max_items: int) -> dict[str, object]:
    """The object at the beginning of `document`; of a key given twice the last value counts.

    Beyond the standard, single-quoted strings, comments between `/*` and `*/`, line ends inside strings and further
    objects behind the first one are accepted. Raises RequestError.
    """
    try:
        text = document.decode()
        try:
            value = _DECODER.decode(text)
        except json.JSONDecodeError:
            value = _lenient_object(text, max_items)
        if _SURROGATE.search(text) is not None:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RequestError(UNPARSABLE) from None
    if not isinstance(value, dict):
        raise RequestError("Could not decode JSON dictionary")
    if text.count("{") + text.count("[") > max_depth or text.count(",") >= max_items:
        _check_size(value, max_depth, max_items)
    return value


def encode(dictionary: Mapping[str, object]) -> bytes:
    """The dictionary as JSON text. Raises TypeError for a value that is not of a plain type.

    Bytes that were not UTF-8 in bencode have no place in JSON: a question mark is written for each.
    """
    return json.dumps(_plain(dictionary), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant, strict=False)


def _lenient_object(text: str, max_items: int) -> object:
    """The first of the objects that `text` consists of. Raises ValueError when there is anything else in it."""
    if text.count('"') + text.count("'") > 4 * max_items:
        raise ValueError("too many strings")
    text = _LENIENT.sub(_standard, text)
    first, end = _DECODER.raw_decode(text)
    for _ in range(max_items):
        end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if end == len(text):
            return first
        if text[end] != "{":
            break
        _, end = _DECODER.raw_decode(text, end)
    raise ValueError("more than objects")


def _standard(found: re.Match[str]) -> str:
    """Standard JSON for one string or comment of lenient JSON."""
    if found[3] is not None:
        return " "
    if found[2] is None:
        return found[0]
    inner = found[2].replace("\\'", "'")
    return '"' + re.sub(r'(\\.)|"', lambda part: part[1] or '\\"', inner, flags=re.DOTALL) + '"'


def _check_size(value: object, max_depth: int, max_items: int) -> None:
    level = [value]
    items = 0
    for _ in range(max_depth):
        level = [inner for outer in level for inner in _children(outer)]
        items += len(level)
        if items > max_items:
            raise RequestError("Message with too many items")
        if not level:
            return
    raise RequestError(f"Message nested deeper than {max_depth} levels")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _plain(value: object) -> object:
    """The value with booleans as 0 and 1, made of the types that JSON knows."""
    if type(value) is str or type(value) is int:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool):
        return int(value)
    raise TypeError(f"a reply cannot hold {type(value).__name__}")
