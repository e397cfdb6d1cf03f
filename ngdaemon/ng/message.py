"""Datagram ⇄ cookie and dictionary: the framing of NG (ng-protocol.md §1.1, §1.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ngdaemon.base.errors import RequestError
from ngdaemon.ng import bencode, json_document


class Format(Enum):
    """How a dictionary is written. A reply uses the format of its request."""

    BENCODE = "bencode"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may cost us."""

    max_size: int = 65_535
    """Octets of the document."""
    max_depth: int = 32
    """Dictionaries and lists inside each other."""
    max_items: int = 4096
    """Keys, values and list elements in all."""


class Request(NamedTuple):
    """A decoded message. The values of `body` are str, int, list and dict (and float, bool, None from JSON)."""

    cookie: bytes
    format: Format
    body: dict[str, object]


class MessageError(RequestError):
    """A message that cannot be decoded. `cookie` and `format` are for the error reply."""

    def __init__(self, reason: str, cookie: bytes, document_format: Format) -> None:
        super().__init__(reason)
        self.cookie = cookie
        self.format = document_format


def split(datagram: bytes) -> tuple[bytes, bytes] | None:
    """Cookie and document of a datagram; None when there is no cookie to answer to and it is dropped."""
    cookie, space, document = datagram.partition(b" ")
    return (cookie, document) if cookie and space else None


def decode(cookie: bytes, document: bytes, limits: Limits) -> Request:
    """The request in a document whose cookie was split off. Raises MessageError."""
    document_format = Format.JSON if document[:1] == b"{" else Format.BENCODE
    try:
        if len(document) > limits.max_size:
            raise RequestError(f"Message larger than {limits.max_size} octets")
        if document_format is Format.JSON:
            body = json_document.decode(document, limits.max_depth, limits.max_items)
        elif document[:1] == b"d":
            body = bencode.decode(document, limits.max_depth, limits.max_items)
        else:
            raise RequestError("Invalid NG data format" if document else "Invalid data (no payload)")
    except RequestError as error:
        raise MessageError(str(error), cookie, document_format) from None
    return Request(cookie, document_format, body)


def encode(cookie: bytes, reply: Mapping[str, object], document_format: Format) -> bytes:
    """The datagram of a reply of plain types: str, int, bool (sent as 0 or 1), lists, tuples, dictionaries.

    The order of keys is kept. Raises TypeError for a value of another type.
    """
    if document_format is Format.JSON:
        return b"%b %b" % (cookie, json_document.encode(reply))
    return b"%b %b" % (cookie, bencode.encode(reply))
