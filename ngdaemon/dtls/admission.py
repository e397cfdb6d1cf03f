"""How often a stranger may begin: a cookie shows that it is where it says, not that it means well.

Each handshake costs a millisecond and a line in the log. Counted by network, so that one host keeps no other out, even
where it has all addresses of an IPv6 network.
"""

from ipaddress import IPv6Address

from ngdaemon.base.endpoint import parse_address

WINDOW = 10.0
"""Seconds that starts are counted for."""
STARTS = 8
"""Handshakes that a network begins with a component in a window, at most."""
MAX_NETWORKS = 256
"""Networks that begin one in a window; more have to wait until the window of another one is over."""
FURTHER_STARTS = 128
"""Handshakes in a window that all networks begin beside the first of each."""

NETWORK = 64
"""Bits of an IPv6 address that are given out together; IPv4 addresses are given out one by one."""


class Admission:
    """Counts the starts of each network, and those of all."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, int]] = {}
        """Network → start of its window, starts in it; by start of the window."""
        self._further = 0
        self._since = float("-inf")
        """Start of the window of those."""

    def permits(self, address: str, now: float) -> bool:
        """Whether another start may be; if so, it counts."""
        self._expire(now)
        network = network_of(address)
        found = self._begun.get(network)
        if found is None:
            if len(self._begun) >= MAX_NETWORKS:
                return False
            self._begun[network] = now, 1
            return True
        since, count = found
        if count >= STARTS or self._further >= FURTHER_STARTS:
            return False
        self._begun[network] = since, count + 1
        self._further += 1
        return True

    def _expire(self, now: float) -> None:
        if now - self._since >= WINDOW:
            self._since, self._further = now, 0
        while self._begun:
            network = next(iter(self._begun))
            if now - self._begun[network][0] < WINDOW:
                return
            del self._begun[network]


def network_of(address: str) -> str:
    """Whose address it is: itself, or the network of an IPv6 address."""
    parsed = parse_address(address)
    if not isinstance(parsed, IPv6Address):
        return address
    return f"{int(parsed) >> 128 - NETWORK:x}::/{NETWORK}"
