"""How the value of an option is written: one `Kind` a syntax, the same on the command line, in files and environment.

`Kind.read` takes the text and gives the value, or raises ValueError with a text that goes on from the value in quotes:
"'99999' is not a number from 1 to 65535".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from ngdaemon.base.endpoint import parse_address

Network = IPv4Network | IPv6Network

_INTEGER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)")
_NAME = re.compile(r"[A-Za-z0-9_.:@-]+")
DEFAULT_INTERFACE = "default"
"""The name of an interface that was given none."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The syntax of a value."""

    placeholder: str
    """What stands for the value in help and documentation; "" for a flag, which needs none on the command line."""
    read: Callable[[str], object]
    says: str
    """The values that are allowed, for the documentation."""

    @property
    def is_flag(self) -> bool:
        return not self.placeholder


@dataclass(frozen=True, slots=True)
class PortRange:
    """Media ports of one local address."""

    first: int
    last: int
    excluded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class InterfaceSpec:
    """`[NAME/]HOST[!ADVERTISED]`, not yet looked up. `host` is an address, a system interface, a host name or `any`."""

    name: str
    host: str
    advertised: str | None = None
    ports: PortRange | None = None
    """Media ports of its own; 0 at either end stands for that of the daemon."""


@dataclass(frozen=True, slots=True)
class AliasSpec:
    """`ALIAS=NAME`: another name for a logical interface."""

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class ListenSpec:
    """`[HOST:]PORT`, not yet looked up; without host all addresses."""

    host: str | None
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"{host}:{self.port}" if host else str(self.port)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError("is not true or false")


FLAG = Kind("", _flag, "true or false")
TEXT = Kind("TEXT", str, "any text")


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("is not a path")
    return text


FILE = Kind("FILE", _path, "a path")


def integer(low: int, high: int | None = None, placeholder: str = "NUMBER", *, cap: bool = False) -> Kind:
    """A whole number (decimal, or hexadecimal after `0x`). With `cap` what is above `high` means `high`."""
    says = f"a number from {low} to {high}" if high is not None else f"a number from {low} up"

    def read(text: str) -> int:
        if not _INTEGER.fullmatch(text.strip()):
            raise ValueError(f"is not {says}")
        value = int(text, 16) if "x" in text.lower() else int(text)
        if high is not None and value > high and cap:
            return high
        if value < low or (high is not None and value > high):
            raise ValueError(f"is not {says}")
        return value

    return Kind(placeholder, read, says)


def _limit(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("is not a number") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("is not a number")
    return value if value > 0 else None


LIMIT = Kind("NUMBER", _limit, "a number; 0 or less is off")


def _whole_limit(text: str) -> int | None:
    value = _limit(text)
    return None if value is None else int(value)


WHOLE_LIMIT = Kind("NUMBER", _whole_limit, "a whole number; 0 or less is off")

SECONDS = integer(0, 2**31 - 1, "SECONDS")
SOME_SECONDS = integer(1, 2**31 - 1, "SECONDS")
PORT = integer(1, 65535, "PORT")
OCTET = integer(0, 255)


def choice(*words: str, placeholder: str = "") -> Kind:
    """One of these words, in any case."""
    allowed = {word.lower(): word for word in words}

    def read(text: str) -> str:
        word = allowed.get(text.strip().lower())
        if word is None:
            raise ValueError(f"is not one of {', '.join(words)}")
        return word

    return Kind(placeholder or "|".join(words), read, " or ".join(f"`{word}`" for word in words))


def _network(text: str) -> Network:
    word = text.strip()
    try:
        return ip_network(word, strict=False)
    except ValueError:
        raise ValueError("is not an address or a network like 198.51.100.0/24") from None


NETWORK = Kind("NETWORK", _network, "an address, or a network like `198.51.100.0/24`")


def _interface(text: str) -> InterfaceSpec | AliasSpec:
    word = text.strip()
    alias, equals, target = word.partition("=")
    if equals and "/" not in alias:
        return AliasSpec(_interface_name(alias.strip()), _interface_name(target.strip()))
    head, slash, rest = word.partition("/")
    name, place = (head.strip(), rest.strip()) if slash else (DEFAULT_INTERFACE, word)
    host, bang, advertised = place.partition("!")
    if bang and not advertised:
        raise ValueError("has no address after the exclamation mark")
    return InterfaceSpec(_interface_name(name), _host(host), advertised.strip() if bang else None)


def _interface_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("has no usable name: letters, digits and any of `_.:@-`")
    return text


def _host(text: str) -> str:
    word = text.strip()
    if word.startswith("[") and word.endswith("]"):
        word = word[1:-1]
    if not word or any(character.isspace() or character in "[]/" for character in word):
        raise ValueError("has no usable address: an address, a system interface, a host name or `any`")
    return word


INTERFACE = Kind("[NAME/]ADDRESS[!ADVERTISED]", _interface, "`[NAME/]ADDRESS[!ADVERTISED]` or `ALIAS=NAME`")


def _listen(text: str) -> ListenSpec:
    word = text.strip()
    host, colon, port = word.rpartition(":")
    try:
        number = PORT.read(port)
    except ValueError:
        raise ValueError("has no port from 1 to 65535") from None
    assert isinstance(number, int)
    if not colon:
        return ListenSpec(None, number)
    if ":" in host.strip("[]") and parse_address(host.strip("[]")) is None:
        raise ValueError("is not ADDRESS:PORT")
    return ListenSpec(_host(host) if host not in ("", "*") else None, number)


LISTEN = Kind("[ADDRESS:]PORT", _listen, "`[ADDRESS:]PORT`; without address on all")


def read_ports(items: Sequence[str]) -> frozenset[int]:
    """Port numbers and ranges (`5000`, `5000-5010`), for `exclude-ports`. Raises ValueError."""
    ports: set[int] = set()
    for item in items:
        first, dash, last = item.partition("-")
        low = PORT.read(first)
        high = PORT.read(last) if dash else low
        assert isinstance(low, int)
        assert isinstance(high, int)
        ports.update(range(low, high + 1))
    return frozenset(ports)
