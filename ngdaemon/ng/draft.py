"""What has been read of a message so far: the options before they are frozen."""

from collections.abc import Iterable

from ngdaemon.ng.flags import Flag
from ngdaemon.ng.shown import word_shown

_MAX_NOTES = 32
"""Unknown or unsupported words that are reported of one message."""
_MAX_NOTE_LENGTH = 80


class Draft:
    """Fields of Options by name, as far as the message has set them, and what is to be said about the rest."""

    __slots__ = ("codec", "fields", "flags", "unknown", "unsupported")

    def __init__(self) -> None:
        self.fields: dict[str, object] = {}
        self.flags: set[Flag] = set()
        self.codec: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        self.unsupported: list[str] = []

    def add(self, field: str, words: Iterable[str]) -> None:
        """Words to those that a set already has."""
        before = self.fields.get(field)
        self.fields[field] = before.union(words) if isinstance(before, frozenset) else frozenset(words)

    def append(self, field: str, words: Iterable[object]) -> None:
        """Values to those that a tuple already has."""
        before = self.fields.get(field)
        self.fields[field] = (*before, *words) if isinstance(before, tuple) else tuple(words)

    def note_unknown(self, text: str) -> None:
        """Something that the protocol does not have."""
        if len(self.unknown) < _MAX_NOTES:
            self.unknown.append(word_shown(text)[:_MAX_NOTE_LENGTH])

    def note_unsupported(self, text: str) -> None:
        """Something that the protocol has and this daemon has not yet."""
        if len(self.unsupported) < _MAX_NOTES:
            self.unsupported.append(text)
