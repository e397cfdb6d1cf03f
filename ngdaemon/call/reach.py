"""Where packets may be sent to at all: no address of SDP or ICE makes us a gateway into our own host (S13)."""

from functools import lru_cache
from typing import NamedTuple

from ngdaemon.base.endpoint import LONGEST_ADDRESS, Endpoint, Interface, parse_address
from ngdaemon.ice import candidate

ANY_PORT = 1


class Reach(NamedTuple):
    """The policy for peers that are faced by one local address."""

    loopback: bool
    """We serve the loopback address itself, so that peers are there too."""
    forbidden: frozenset[Endpoint] = frozenset()
    """Our own control ports."""

    def permits(self, endpoint: Endpoint) -> bool:
        """Whether packets may be sent there."""
        return endpoint.port > 0 and self.permits_address(endpoint.address) and endpoint not in self.forbidden

    def permits_address(self, address: str) -> bool:
        """Whether packets may be sent to that host."""
        kind = _kind(address) if len(address) <= LONGEST_ADDRESS else False
        return kind is None or (kind and self.loopback)


def reach_from(interface: Interface, forbidden: frozenset[Endpoint] = frozenset()) -> Reach:
    """The policy for peers that are faced by that address."""
    return Reach(_kind(interface.address) is True, forbidden)


@lru_cache(4096)
def _kind(address: str) -> bool | None:
    """None for an address of the world, True for the loopback, False for one that nothing is ever sent to."""
    if candidate.permitted(Endpoint(address, ANY_PORT)):
        return None
    parsed = parse_address(address)
    return parsed is not None and parsed.is_loopback
