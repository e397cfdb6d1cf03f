"""A parsed session description: a session section and media sections of raw lines, with views on the fields.

Parsing loses nothing: `str(parse(text)) == text` for every text that can be parsed. The strictness follows what the
reference accepts and refuses (ng-protocol.md §2.3, §4.1).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from ngdaemon.base.endpoint import Family, parse_address
from ngdaemon.base.errors import RequestError
from ngdaemon.base.record import quick

FAILED = "Failed to parse SDP"
INCOMPLETE = "Incomplete SDP specification"

MAX_PORT = 65535
MAX_PORT_COUNT = 4999
_MOST_DIGITS = 20
_LONGEST_KEPT = 64
"""Characters of a `c=` line that is remembered: no address needs more."""
SESSION_TYPES = frozenset("vosiuepcbtrzka")


class Attribute(NamedTuple):
    """An `a=` line: name and value; the value is None for a flag such as `a=sendrecv`."""

    name: str
    value: str | None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


_new = tuple.__new__
"""Makes a named tuple at a third of the cost: for those that are made by the dozen."""


class Connection(NamedTuple):
    """The address of a `c=` line, in canonical form."""

    family: Family
    address: str


@quick
class Origin(NamedTuple):
    """The fields of an `o=` line (RFC 8866 §5.2), all as text."""

    username: str
    session_id: str
    version: str
    network: str
    family: str
    address: str

    def __str__(self) -> str:
        return " ".join(self)


@dataclass(slots=True)
class Section:
    """A part of a session description: everything before the first `m=`, or from one `m=` to the next."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    """`(type, value)` in order of arrival, of all lines but attributes."""
    attributes: list[Attribute] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    """Values of the attributes by name ("" for a flag): sections are asked for many names, mostly for missing ones."""
    connection: Connection | None = None
    _places: dict[str, list[int]] | None = field(default=None, repr=False, compare=False)
    """Where the attributes of each name are, once their order was asked for."""

    def values(self, kind: str) -> list[str]:
        """The values of all lines of a type, in order."""
        return [value for letter, value in self.lines if letter == kind]

    def last(self, kind: str) -> str | None:
        """The value of the last line of a type."""
        for letter, value in reversed(self.lines):
            if letter == kind:
                return value
        return None

    def first(self, kind: str) -> str | None:
        """The value of the first line of a type."""
        for letter, value in self.lines:
            if letter == kind:
                return value
        return None

    def get(self, name: str) -> str | None:
        """The value of the first attribute of that name ("" for a flag), or None when there is none."""
        found = self.names.get(name)
        return None if found is None else found[0]

    def get_all(self, name: str) -> Sequence[str]:
        """The values of all attributes of that name, in order."""
        return self.names.get(name, ())

    def named(self, names: Set[str]) -> list[Attribute]:
        """The attributes of these names, in order."""
        if self._places is None:
            self._places = {}
            for place, attribute in enumerate(self.attributes):
                self._places.setdefault(attribute.name, []).append(place)
        index = self._places
        return [self.attributes[place] for place in sorted(chain(*(index[name] for name in names if name in index)))]

    def replace(self, attributes: list[Attribute]) -> None:
        """Have these attributes instead."""
        self.attributes, self.names, self._places = attributes, {}, None
        for name, value in attributes:
            self.names.setdefault(name, []).append(value or "")


@dataclass(slots=True)
class MediaSection(Section):
    """One `m=` section: media type, port, transport and formats as written."""

    kind: str = ""
    port: int = 0
    protocol: str = ""
    formats: tuple[str, ...] = ()


@dataclass(slots=True)
class SessionDescription:
    """A whole session description (or several, one behind the other: their medias are numbered through)."""

    text: str
    session: Section
    origin: Origin | None
    session_name: str | None
    """The newest `s=`; None where there is none."""
    medias: list[MediaSection]

    def __str__(self) -> str:
        return self.text

    def connection_of(self, media: MediaSection) -> Connection | None:
        """The address that applies to a media: its own `c=`, else that of the session."""
        return media.connection or self.session.connection


class Bounds(NamedTuple):
    """How large a session description may be."""

    medias: int = 128
    candidates: int = 100
    """ICE candidates of one media."""
    strict: bool = False
    """Nothing may come behind a blank line (`reject-invalid-sdp`); else it ends the description."""
    fragment: bool = False
    """It is a fragment for trickle ICE, which need not begin with `v=` (RFC 8840 §9)."""


USUAL = Bounds()


def parse(text: str, bounds: Bounds = USUAL) -> SessionDescription:
    """Parse a session description.

    A blank line ends it (ng-protocol.md §4.1). Raises RequestError with the texts of ng-protocol.md §2.3.
    """
    description = SessionDescription(text, Section(), None, None, [])
    if "\0" in text:
        raise RequestError(FAILED, cause="the SDP has a NUL octet")
    lines = text.split("\r\n")
    even = text.count("\r") == len(lines) - 1 == text.count("\n")
    if not even:
        lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        _read(description, lines, bounds, even=even)
    except RequestError as error:
        if str(error) == FAILED:
            error.cause = f"line {_unread(description)}: {error.cause}"
        raise
    _check_candidates(description, bounds)
    return description


def _unread(description: SessionDescription) -> int:
    """The number, from 1, of the first line that was not taken in. What it says is not shown: it may be a key (S17)."""
    sections = (description.session, *description.medias)
    return sum(len(section.lines) + len(section.attributes) for section in sections) + 1


def _read(description: SessionDescription, lines: list[str], bounds: Bounds, *, even: bool) -> None:
    """Take in lines up to a blank one. `even`: it is known that none has a stray carriage return."""
    section: Section = description.session
    attributes, names = section.attributes, section.names
    expecting_version = not bounds.fragment
    for line in lines:
        if line[:2] == "a=" and even and not expecting_version:  # most of them
            name, colon, value = line[2:].partition(":")
            attributes.append(_new(Attribute, (name, value if colon else None)))
            if name in names:
                names[name].append(value)
            else:
                names[name] = [value]
            continue
        if not line or line == " ":
            if bounds.strict:
                _nothing_behind(lines, line)
            break
        if expecting_version and line != "v=0":
            raise RequestError(FAILED, cause="not v=0")
        if line[1:2] != "=" or "\r" in line:
            raise RequestError(FAILED, cause="not of the form x=…")
        kind, value = line[0], line[2:]
        if expecting_version:
            expecting_version = False
            section.lines.append((kind, value))
        elif kind == "a":
            name, colon, value = value.partition(":")
            attributes.append(Attribute(name, value if colon else None))
            names.setdefault(name, []).append(value)
        elif kind == "m":
            section = _parse_media(value)
            attributes, names = section.attributes, section.names
            section.lines.append((kind, value))
            description.medias.append(section)
            if len(description.medias) > bounds.medias:
                raise RequestError(f"Too many medias in SDP (limit {bounds.medias})", cause="max-medias")
        else:
            _parse_field(description, section, kind, value)


def _nothing_behind(lines: list[str], blank: str) -> None:
    """Refuse lines behind the first blank one."""
    if any(line.strip("\r ") for line in lines[lines.index(blank) :]):
        raise RequestError(FAILED, cause="there are lines behind a blank one, and reject-invalid-sdp is set")


def _check_candidates(description: SessionDescription, bounds: Bounds) -> None:
    for media in description.medias:
        if "candidate" in media.names and len(media.get_all("candidate")) > bounds.candidates:
            raise RequestError(
                f"Too many candidates in SDP (limit {bounds.candidates} a media)", cause="max-candidates"
            )


def _parse_field(description: SessionDescription, section: Section, kind: str, value: str) -> None:
    """Take in a line that is neither attribute nor media."""
    if kind not in SESSION_TYPES:
        raise RequestError(FAILED, cause="a line of no known type")
    if kind == "v":
        if value != "0":
            raise RequestError(FAILED, cause="not v=0")
    elif kind == "o":
        words = value.split()
        if len(words) < 6:
            raise RequestError(FAILED, cause="o= with less than six fields")
        if description.origin is None:
            description.origin = Origin(*words[:6])
    elif kind == "s":
        description.session_name = value
    elif kind == "c":
        if section.connection is not None:
            raise RequestError(FAILED, cause="a second c= of the same section")
        known = len(value) <= _LONGEST_KEPT
        section.connection = (parse_connection if known else parse_connection.__wrapped__)(value)
    section.lines.append((kind, value))


def _parse_media(value: str) -> MediaSection:
    words = value.split(" ")
    if len(words) < 3 or "" in words[:3]:
        raise RequestError(FAILED, cause="m= without media, port and transport")
    kind, ports, protocol = words[:3]
    port, slash, count = ports.partition("/")
    if not is_number(port) or (slash and not is_number(count)):
        raise RequestError(FAILED, cause="m= with a port that is no number")
    number, pairs = int(port), int(count) if slash else 1
    if number > MAX_PORT or not 1 <= pairs <= MAX_PORT_COUNT:
        raise RequestError(FAILED, cause="m= with a port, or a number of ports, that is too large")
    return MediaSection(kind=kind, port=number, protocol=protocol, formats=tuple(filter(None, words[3:])))


@lru_cache(4096)
def parse_connection(value: str) -> Connection:
    """Parse the value of a `c=` line. Only plain numeric addresses of the family named are taken.

    The same phones come again and again, so what was parsed is kept for a while.
    """
    words = value.split()
    if len(words) < 3 or words[0].upper() != "IN":
        raise RequestError(FAILED, cause="c= that is not of the form IN IP4 ADDRESS")
    address = parse_address(words[2])
    if address is None or words[1].upper() != f"IP{address.version}":
        raise RequestError(FAILED, cause="c= without a numeric address of the family that it names")
    return Connection(Family(f"IP{address.version}"), str(address))


def is_number(text: str) -> bool:
    """Whether the text is a decimal number of at most 20 digits: longer ones take long to convert, and mean nothing."""
    return len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()
