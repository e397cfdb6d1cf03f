"""What of an RTP packet passes a route: blocked and silenced media (ng-protocol.md §2.7)."""

from ngdaemon.media.plan import Route
from ngdaemon.rtp.packet import silenced


def changes(route: Route) -> bool:
    """Whether the route lets RTP pass in another way than as it is."""
    return route.only is not None or bool(route.dropped or route.silenced)


def passing(route: Route, data: bytes) -> bytes | None:
    """The packet as it passes the route, or None where it does not. `data` has a complete header."""
    payload_type = data[1] & 0x7F
    if payload_type in route.dropped or (route.only is not None and payload_type not in route.only):
        return None
    for number, octet in route.silenced:
        if number == payload_type:
            return silenced(data, octet)
    return data
