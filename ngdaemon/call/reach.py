"""Where packets may be sent to at all: no address of SDP or ICE makes us a gateway into our own host (S13)."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint, Interface, parse_address
from ngdaemon.ice.candidate import permitted


class Reach(NamedTuple):
    """The policy for one local address."""

    loopback: bool
    """We serve the loopback address itself, so that peers are there too."""
    forbidden: frozenset[Endpoint] = frozenset()
    """Our own control ports."""

    def permits(self, endpoint: Endpoint) -> bool:
        """Whether packets may be sent there."""
        if endpoint in self.forbidden:
            return False
        if permitted(endpoint):
            return True
        address = parse_address(endpoint.address)
        return self.loopback and address is not None and address.is_loopback and 0 < endpoint.port <= 65535


def reach_from(interface: Interface, forbidden: frozenset[Endpoint] = frozenset()) -> Reach:
    """The policy for peers that are faced by that address."""
    address = parse_address(interface.address)
    return Reach(address is not None and address.is_loopback, forbidden)
