"""Addresses: where media is sent to, and where it is received."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from ngdaemon.base.choice import Choice


class Family(Choice):
    """An address family, spelled as in SDP (`c=IN IP4 …`, RFC 8866 §5.7)."""

    IP4 = "IP4"
    IP6 = "IP6"

    @property
    def title(self) -> str:
        """The spelling of NG replies (ng-protocol.md §6.1)."""
        return "IPv4" if self is Family.IP4 else "IPv6"

    @property
    def unspecified(self) -> str:
        """The address that means "nowhere" (hold, RFC 3264 §8.4)."""
        return "0.0.0.0" if self is Family.IP4 else "::"  # noqa: S104


def family_of(address: str) -> Family:
    """The family of a numeric address."""
    return Family.IP6 if ":" in address else Family.IP4


def is_unspecified(address: str) -> bool:
    """Whether the address is the zero address of its family."""
    return address in ("0.0.0.0", "::")  # noqa: S104


LONGEST_ADDRESS = 45
"""Characters of the longest spelling of an address: IPv6 with IPv4 at its end."""


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The numeric address in `text`, or None. Scopes (`fe80::1%eth0`) are refused."""
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


class Endpoint(NamedTuple):
    """A numeric address with a UDP port (0 to 65535)."""

    address: str
    port: int

    @property
    def family(self) -> Family:
        return family_of(self.address)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Interface:
    """A named local address, and the address that peers are told instead of it.

    Several interfaces may share a name: together they are one *logical interface* with an address per family, or with
    several addresses of a family.
    """

    name: str
    address: str
    advertised: str

    @property
    def family(self) -> Family:
        return family_of(self.address)
