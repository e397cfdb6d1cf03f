"""Candidates: the addresses at which a side may be reached, as `a=candidate` says them (RFC 8839 §5.1)."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv6Address
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint, parse_address

RTP, RTCP = 1, 2
"""Components."""

HOST, SRFLX, PRFLX, RELAY = "host", "srflx", "prflx", "relay"
PREFERENCES = {HOST: 126, PRFLX: 110, SRFLX: 100, RELAY: 0}
"""Type preferences (ICE-03)."""

MAX_LOCAL_PREFERENCE = 65535
MAX_PRIORITY = 2**31 - 1
FOUNDATION = 16
"""Characters of our foundations."""

Policy = Callable[[Endpoint], bool]
"""Says whether checks may be sent to an address (S13)."""

_LINE = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}) (?P<component>[0-9]{1,3}) (?P<transport>[^ ]+) (?P<priority>[0-9]{1,10}) "
    r"(?P<address>[^ ]+) (?P<port>[0-9]{1,5}) [Tt][Yy][Pp] (?P<typ>[^ ]+)(?P<rest>(?: [^ ]+ [^ ]*)*)\Z"
)


class Candidate(NamedTuple):
    """One candidate. `address` is numeric, or a name (mDNS, FQDN) of which no use is made."""

    foundation: str
    component: int
    priority: int
    address: str
    port: int
    typ: str = HOST
    raddr: str = ""
    rport: int = 0
    extensions: tuple[tuple[str, str], ...] = ()
    """Names and values behind the known fields, in order."""
    transport: str = "UDP"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.address, self.port)

    @property
    def usable(self) -> bool:
        """Whether checks can be sent to it: a numeric address, a port, and a component of RTP or RTCP."""
        return self.component in (RTP, RTCP) and self.port > 0 and parse_address(self.address) is not None

    def __str__(self) -> str:
        """The value of `a=candidate`."""
        text = f"{self.foundation} {self.component} {self.transport} {self.priority} {self.address} {self.port}"
        text += f" typ {self.typ}"
        if self.raddr:
            text += f" raddr {self.raddr} rport {self.rport}"
        return text + "".join(f" {name} {value}" for name, value in self.extensions)


def parse(value: str) -> Candidate | None:
    """The candidate in the value of an `a=candidate` line; None for TCP and for what cannot be understood.

    Names in place of addresses are kept: see `Candidate.usable`.
    """
    match = _LINE.match(value.removeprefix("candidate:").strip())
    if match is None or match["transport"].upper() != "UDP":
        return None
    component, priority, port = int(match["component"]), int(match["priority"]), int(match["port"])
    if not 1 <= component <= 256 or not 1 <= priority <= MAX_PRIORITY or port > 65535:
        return None
    words = match["rest"].split(" ")[1:]
    extensions = list(zip(words[::2], words[1::2], strict=True))
    related = _take_related(extensions)
    if related is None:
        return None
    return Candidate(
        match["foundation"], component, priority, _canonical(match["address"]), port, match["typ"].lower(),
        *related, tuple(extensions), match["transport"],
    )  # fmt: skip


def _take_related(extensions: list[tuple[str, str]]) -> tuple[str, int] | None:
    """Take `raddr` and `rport` out of the list: ("", 0) for none, None for a bad port."""
    address, port = "", 0
    if extensions and extensions[0][0].lower() == "raddr":
        address = extensions.pop(0)[1]
    if extensions and extensions[0][0].lower() == "rport":
        text = extensions.pop(0)[1]
        if not text.isdecimal() or not text.isascii() or len(text) > 5 or int(text) > 65535:
            return None
        port = int(text)
    return address, port


def _canonical(address: str) -> str:
    """The one spelling under which the sockets report that address."""
    numeric = parse_address(address) if ":" in address else None
    return address if numeric is None else str(numeric)


def priority(typ: str, component: int, index: int = 0) -> int:
    """The priority of a candidate (ICE-03); `index` counts the local addresses of the logical interface from 0."""
    return (PREFERENCES[typ] << 24) + (MAX_LOCAL_PREFERENCE - index << 8) + 256 - component


def pair_priority(controlling: int, controlled: int) -> int:
    """The priority of a pair, by the priorities of its two candidates (RFC 8445 §6.1.2.3)."""
    low, high = min(controlling, controlled), max(controlling, controlled)
    return (low << 32) + 2 * high + (controlling > controlled)


def foundation(address: str, typ: str = HOST) -> str:
    """The foundation of our candidates of a type and the address that they are told with (RFC 8445 §5.1.1.3)."""
    return b64encode(sha256(f"{typ} {address}".encode()).digest()[:12]).decode()


def permitted(endpoint: Endpoint) -> bool:
    """The default policy: whether checks may be sent there at all (S13).

    Refused are the unspecified, loopback, link-local (with the metadata service of clouds), multicast, broadcast and
    reserved addresses, IPv4 addresses in IPv6 clothes, and port 0.
    """
    address = parse_address(endpoint.address)
    if address is None or not 0 < endpoint.port <= 65535:
        return False
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return False
    return not (
        address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_reserved
    )  # fmt: skip
