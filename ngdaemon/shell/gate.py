"""Who may speak NG: the protocol has no passwords, so the source address decides (security case S18)."""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

from ngdaemon.base.endpoint import Endpoint

logger = logging.getLogger("ngdaemon.control")

KNOWN_SOURCES = 4096
"""Sources that are remembered at a time, with what the access list said of them."""
REPORT_SECONDS = 60.0
"""Refused sources are logged that often at most."""

Address = tuple[str, int] | tuple[str, int, int, int]
"""The address of a datagram as the socket gives it, IPv6 with flow and scope."""

_MAPPED = "::ffff:"


def unmapped(address: str) -> str:
    """The IPv4 address that came to an IPv6 socket (RFC 4291 §2.5.5.2); others as they are."""
    return address.removeprefix(_MAPPED) if "." in address else address


class Gate:
    """Networks that may speak, looked up once for each source."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self.refused = 0
        """Datagrams from elsewhere."""
        self._networks = tuple(networks)
        self._known: dict[Address, Endpoint | None] = {}
        self._reported_at = float("-inf")
        self._reported_refused = 0

    def allow(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        """Replace the networks."""
        self._networks = tuple(networks)
        self._known.clear()

    def admit(self, address: Address, now: float) -> Endpoint | None:
        """The source as an endpoint; None when it may not speak."""
        try:
            source = self._known[address]
        except KeyError:
            source = self._look_up(address)
        if source is None:
            self._count(address, now)
        return source

    def _look_up(self, address: Address) -> Endpoint | None:
        host = unmapped(address[0])
        numeric = ip_address(host.partition("%")[0])
        allowed = any(numeric in network for network in self._networks)
        if len(self._known) >= KNOWN_SOURCES:
            self._known.clear()
        self._known[address] = Endpoint(host, address[1]) if allowed else None
        return self._known[address]

    def _count(self, address: Address, now: float) -> None:
        self.refused += 1
        if now - self._reported_at < REPORT_SECONDS:
            return
        since = self.refused - self._reported_refused
        self._reported_at, self._reported_refused = now, self.refused
        logger.warning(
            "dropped %d NG requests from sources that may not speak to us, the last from %s; see allow-ng",
            since,
            address[0],
        )
