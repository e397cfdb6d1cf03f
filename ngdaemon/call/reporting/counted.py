"""What was counted for one component of a media: at all local addresses, of which ICE has chosen one."""

from collections.abc import Mapping
from typing import NamedTuple

from ngdaemon.base.endpoint import Interface
from ngdaemon.base.ids import SocketId
from ngdaemon.call.links import NO_LINK, Links, Slot
from ngdaemon.call.model import Leg, LocalPort, Media, PortSet
from ngdaemon.ice.candidate import RTP
from ngdaemon.media.forwarder import SocketCounters

NO_COUNTERS = SocketCounters()

SUMS = (
    "packets_in", "bytes_in", "errors_in", "packets_out", "bytes_out", "errors_out", "strangers", "unauthenticated",
    "replayed", "withheld", "control_packets", "control_bytes", "unkeyed",
)  # fmt: skip
"""Counters that are added up."""


class Used(NamedTuple):
    """A component: the port that is in use for it, and the counters of all its ports."""

    interface: Interface
    port: LocalPort
    counters: SocketCounters


def at(
    leg: Leg, media: Media, component: int, counters: Mapping[SocketId, SocketCounters], links: Links
) -> Used | None:
    """A component of a media with ports of its own; None where it has no port.

    In use is the port of the pair that ICE has chosen; before that, and without ICE, the one at the first address.
    """
    ports = media.ports
    if ports is None:
        return None
    found = [(item.interface, port) for item in ports.sets if (port := _port(item, component)) is not None]
    if not found:
        return None
    interface, port = found[0]
    if len(found) == 1:
        return Used(interface, port, counters.get(port.socket, NO_COUNTERS))
    path = links.get(Slot(leg.id, media.place, component), NO_LINK).path
    if path is not None:
        interface, port = next((item for item in found if item[1].socket == path.socket), found[0])
    others = [counters.get(other.socket, NO_COUNTERS) for _, other in found if other is not port]
    return Used(interface, port, _together(counters.get(port.socket, NO_COUNTERS), others))


def _port(ports: PortSet, component: int) -> LocalPort | None:
    return ports.rtp if component == RTP else ports.rtcp


def _together(chosen: SocketCounters, others: list[SocketCounters]) -> SocketCounters:
    """The sums, with all else as it is at the chosen port; sources that were counted at other ports are before its own.

    With ICE a peer may change the pair, and so the port, in the middle of a call.
    """
    others = [item for item in others if item.packets_in or item.packets_out or item.errors_in or item.errors_out]
    if not others:
        return chosen
    sums = {name: getattr(chosen, name) + sum(getattr(item, name) for item in others) for name in SUMS}
    times = [item.last_packet for item in (chosen, *others) if item.last_packet is not None]
    sources = [source for item in (*others, chosen) for source in item.sources]
    stranger = chosen.stranger or next((item.stranger for item in others if item.stranger is not None), None)
    return chosen._replace(**sums, last_packet=max(times, default=None), sources=tuple(sources), stranger=stranger)
