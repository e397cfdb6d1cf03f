"""`sdp-attr` and `sdp-media-remove`: manipulations of the SDP that leaves (ng-protocol.md §3.8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ngdaemon.base.errors import RequestError
from ngdaemon.ng.spelling import vocabulary
from ngdaemon.ng.values import strings, unescaped

_MEDIA_TYPES = ("audio", "video", "text", "application", "message", "image")
_SECTIONS = {name: name for name in _MEDIA_TYPES} | vocabulary(("global", "none"))
_REMOVABLE = frozenset((*_MEDIA_TYPES, "other"))
_COMMANDS = frozenset(("add", "remove", "substitute"))


@dataclass(frozen=True, slots=True)
class SdpAttr:
    """One manipulation of the attributes in one section.

    `section` is `global` or a media type, `command` is `add`, `remove` or `substitute`. Texts are without `a=`.
    """

    section: str
    command: str
    values: tuple[str, ...] = ()
    """What to add or remove."""
    pairs: tuple[tuple[str, str], ...] = ()
    """What to substitute by what."""


def read(value: object) -> list[SdpAttr]:
    """The manipulations in a dictionary of section → command → texts. Raises RequestError."""
    if not isinstance(value, dict):
        raise RequestError("wrong type used")
    found: list[SdpAttr] = []
    for section, commands in value.items():
        if section not in _SECTIONS:
            raise RequestError("unsupported sdp section")
        if not isinstance(commands, dict):
            raise RequestError("wrong content given")
        for command, texts in commands.items():
            found.append(_manipulation(section, command, texts))
    return found


def from_flag(text: str) -> dict[str, object]:
    """The dictionary that a flag stands for, given what follows `sdp-attr-`: `COMMAND-SECTION-TEXT`.

    Raises RequestError.
    """
    command, _, rest = text.partition("-")
    section, _, content = rest.partition("-")
    if not content:
        raise RequestError("invalid token given")
    return {section: {command: [content]}}


def read_removed(value: object) -> Sequence[str]:
    """Media types to remove, or `other`. Raises RequestError."""
    if not isinstance(value, list):
        raise RequestError("wrong type used")
    if not all(isinstance(kind, str) and kind in _REMOVABLE for kind in value):
        raise RequestError("unsupported sdp section")
    return value


def _manipulation(section: str, command: str, texts: object) -> SdpAttr:
    if command not in _COMMANDS:
        raise RequestError("unknown manipulation command")
    if command == "substitute":
        parts = texts if isinstance(texts, list) else strings(texts) or ()
        return SdpAttr(_SECTIONS[section], command, pairs=tuple(_pair(part) for part in parts))
    values = tuple(unescaped(text) for text in strings(texts) or ())
    return SdpAttr(_SECTIONS[section], command, values)


def _pair(part: object) -> tuple[str, str]:
    """A text and its substitute, from a list of two or from `text>substitute`."""
    both = part.split(">", 1) if isinstance(part, str) else part
    match both:
        case [str() as text, str() as substitute] if text:
            return unescaped(text), unescaped(substitute)
    raise RequestError("invalid token given")
