"""The one-string flag grammar of `rtpp-flags` (ng-protocol.md §1.8).

    string  = [ item *( spaces item ) ]
    item    = name / name "=" text / name "=" group
    group   = "[" *( item / text / group ) "]"

It never fails: whatever the string is, it says something. A missing `]` is thought at the end, a `]` too many is
passed over.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ngdaemon.ng.spelling import spelled

MAX_DEPTH = 16
"""Groups inside each other; what is deeper is passed over."""

_TOKEN = re.compile(r"([^\s\[\]]*)\[|(\])|([^\s\[\]]+)")
"""The opening of a group with what stands before it, the end of a group, or a plain word."""
_CACHED_LENGTH = 1024
"""Characters of a string that is worth remembering: scripts send the same one for every call."""
_MAX_LENGTH = 8192
"""Characters that are read; what is behind them is passed over."""

_SRTP, _AVPF, _DTLS = 1, 2, 4
_PROFILES = (
    "RTP/AVP",
    "RTP/SAVP",
    "RTP/AVPF",
    "RTP/SAVPF",
    "UDP/TLS/RTP/SAVP",
    "UDP/TLS/RTP/SAVP",
    "UDP/TLS/RTP/SAVPF",
    "UDP/TLS/RTP/SAVPF",
)
"""By the sum of their bits; DTLS implies SRTP."""
_PROFILE_WORDS = {
    "RTP": (~_SRTP, 0),
    "SRTP": (~0, _SRTP),
    "AVP": (~_AVPF, 0),
    "AVPF": (~0, _AVPF),
    "DTLS": (~0, _DTLS),
    "RTP/AVP": (0, 0),
    "RTP/SAVP": (0, _SRTP),
    "RTP/AVPF": (0, _AVPF),
    "RTP/SAVPF": (0, _SRTP | _AVPF),
    "UDP/TLS/RTP/SAVP": (0, _SRTP | _DTLS),
    "UDP/TLS/RTP/SAVPF": (0, _SRTP | _AVPF | _DTLS),
}
"""The bits that a word keeps, and the bits that it sets."""

_CODEC_LISTS = ("transcode", "strip", "offer", "mask", "set", "accept", "except", "consume", "ignore")
_FLAG_KEYS = frozenset(("transcode", *(f"codec-{name}" for name in _CODEC_LISTS)))
"""Keys that are the beginning of a flag: `codec-strip=X` says `codec-strip-X`."""
_IMPLIED_FLAGS = spelled(((("from-tag",), "directional"), (("to-tag",), "to-tag")))
"""Keys that bring a flag with them."""


def parse(text: str) -> tuple[tuple[str, object], ...]:
    """Keys and values as they would stand in a message, in order; a key may come more than once.

    Values are strings, lists and dictionaries, not to be changed by the caller.
    """
    return _remembered(text) if len(text) <= _CACHED_LENGTH else _parsed(text)


@lru_cache(maxsize=256)
def _remembered(text: str) -> tuple[tuple[str, object], ...]:
    return _parsed(text)


def _parsed(text: str) -> tuple[tuple[str, object], ...]:
    message = _Message()
    for element in _elements(text):
        match element:
            case str():
                name, equals, value = element.partition("=")
                if name and equals:
                    message.set(name, value)
                else:
                    message.word(element)
            case (str() as name, list() as group):
                message.set(name, _value(group))
    return message.finish()


def _elements(text: str) -> list[object]:
    """Words as strings, `name=[…]` as a pair of name and elements, `[…]` as a list of elements."""
    elements: list[object] = []
    open_groups = [elements]
    too_deep = 0
    for before, end, word in _TOKEN.findall(text, 0, _MAX_LENGTH):
        if too_deep:
            too_deep += -1 if end else not word
        elif word:
            open_groups[-1].append(word)
        elif end:
            if len(open_groups) > 1:
                open_groups.pop()
        elif len(open_groups) > MAX_DEPTH:
            too_deep = 1
        else:
            open_groups.append(_open(open_groups[-1], before))
    return elements


def _open(elements: list[object], before: str) -> list[object]:
    """Begin a group inside `elements`; `before` is its name with an equals sign, or a word that leans on it."""
    group: list[object] = []
    if len(before) > 1 and before.endswith("="):
        elements.append((before[:-1], group))
        return group
    if before:
        elements.append(before)
    elements.append(group)
    return group


def _value(group: Iterable[object]) -> object:
    """A dictionary if all elements have names, else a list."""
    pairs = [(element, None) if not isinstance(element, tuple) else element for element in group]
    if pairs and all(value is not None or (isinstance(name, str) and name.find("=") > 0) for name, value in pairs):
        named = (name.split("=", 1) if value is None else (name, _value(value)) for name, value in pairs)
        return dict(named)
    return [_listed(name) if value is None else {name: _value(value)} for name, value in pairs]


def _listed(element: object) -> object:
    return _value(element) if isinstance(element, list) else element


class _Message:
    """The keys and values that have been found so far."""

    __slots__ = ("_interfaces", "_items", "_profile")

    def __init__(self) -> None:
        self._items: list[tuple[str, object]] = []
        self._interfaces: list[object] = []
        self._profile = 0

    def word(self, word: str) -> None:
        """A word that stands alone."""
        if word in _PROFILE_WORDS:
            self._items.append(("transport-protocol", self._turn_profile(word)))
        elif word in ("internal", "external"):
            self._interfaces.append(word)
        else:
            self._flag(word)

    def set(self, name: str, value: object) -> None:
        """A name with its value."""
        if name in _FLAG_KEYS:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, str):
                    self._flag(f"{name}-{part}")
            return
        if name == "direction":
            self._interfaces += value if isinstance(value, list) else [value]
            return
        if isinstance(value, str) and value in _PROFILE_WORDS and name == "transport-protocol":
            self._turn_profile(value)
        self._items.append((name, value))
        if name in _IMPLIED_FLAGS:
            self._flag(_IMPLIED_FLAGS[name])

    def finish(self) -> tuple[tuple[str, object], ...]:
        """Everything, with the interfaces named one after the other as one key."""
        if self._interfaces:
            self._items.append(("direction", self._interfaces[:2]))
        return tuple(self._items)

    def _flag(self, flag: str) -> None:
        if self._items and self._items[-1][0] == "flags" and isinstance(flags := self._items[-1][1], list):
            flags.append(flag)
        else:
            self._items.append(("flags", [flag]))

    def _turn_profile(self, word: str) -> str:
        kept, added = _PROFILE_WORDS[word]
        self._profile = self._profile & kept | added
        return _PROFILES[self._profile]
