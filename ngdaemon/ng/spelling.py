"""Spellings: the ways in which scripts write one word of the protocol (ng-protocol.md §1.3).

A name is some words. They are joined by hyphens, spaces or underscores, and are lower case; abbreviations may be upper
case too, and a few product names have a case of their own. Anything else is another, unknown name: a script that has
been writing `Replace` to rtpengine has been without its effect, and shall not get it from us by surprise.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TypeVar

Value = TypeVar("Value")

_ABBREVIATIONS = frozenset(
    (
        "bundle",
        "dtls",
        "dtmf",
        "ecm",
        "fec",
        "iaf",
        "ice",
        "ice2",
        "id",
        "moh",
        "nat",
        "osrtp",
        "rfc",
        "rtcp",
        "rtp",
        "sdes",
        "sdp",
        "sha",
        "sip",
        "siprec",
        "t.38",
        "t38",
        "tls",
        "tos",
        "v.17",
        "v.27ter",
        "v.29",
        "v.34",
        "vsc",
        "webrtc",
        "xmlrpc",
    )
)
_OTHER_CASES = {
    "moh": ("MoH",),
    "v.27ter": ("V.27ter",),
    "webrtc": ("WebRTC", "webRTC", "WebRtc"),
}


def spellings(name: str) -> Iterator[str]:
    """All ways to write `name`, which is given in lower case with hyphens."""
    for words in product(*(_cases(word) for word in name.split("-"))):
        for joint in "- _" if len(words) > 1 else "-":
            yield joint.join(words)


def spelled(rows: Iterable[tuple[Iterable[str], Value]]) -> dict[str, Value]:
    """A look-up table from every spelling of each row's names to its value."""
    return {spelling: value for names, value in rows for name in names for spelling in spellings(name)}


def vocabulary(*words: str | tuple[str, ...]) -> dict[str, str]:
    """A look-up table of the words that a value may be. In a tuple the first word is what the others mean."""
    rows = ((word, word[0]) if isinstance(word, tuple) else ((word,), word) for word in words)
    return spelled(rows)


def _cases(word: str) -> tuple[str, ...]:
    if word not in _ABBREVIATIONS:
        return (word,)
    return (word, word.upper(), *_OTHER_CASES.get(word, ()))
