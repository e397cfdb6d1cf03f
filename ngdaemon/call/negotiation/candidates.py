"""Our own candidates for a media: its local ports, as `a=candidate` has them (RFC 8839 §5.1)."""

from collections.abc import Iterator
from functools import lru_cache

from ngdaemon.call.model import LocalPort, Media, PortSet
from ngdaemon.ice.candidate import (
    HOST,
    MAX_LOCAL_PREFERENCE,
    PREFERENCES,
    RELAY,
    RTCP,
    RTP,
    Candidate,
    foundation,
    priority,
)

_foundation = lru_cache(256)(foundation)
"""Kept, as it is that of one of our own addresses."""


def ours(media: Media, advertised: str | None = None) -> Iterator[Candidate]:
    """Host candidates: component 1 of every local address, then component 2. `advertised` stands in for the address."""
    return _candidates(media, HOST, None, advertised)


def beside(media: Media, other: Media, advertised: str | None = None) -> Iterator[Candidate]:
    """Candidates that are added to those of the other leg, or relayed ones (`optional`, `force-relay`)."""
    relayed = media.ice is not None and media.ice.relayed
    return _candidates(media, RELAY if relayed else HOST, other, advertised)


def _candidates(media: Media, typ: str, beside_of: Media | None, advertised: str | None) -> Iterator[Candidate]:
    sets = () if media.ports is None else media.ports.sets
    for component in (RTP, RTCP):
        for index, ports in enumerate(sets):
            port = _port(media, ports, component)
            if port is None:
                continue
            address = ports.interface.advertised if index or advertised is None else advertised
            rank = priority(typ, component, index) if beside_of is None else _rank(beside_of, typ, component, index)
            related = (address, port.port) if typ == RELAY else ("", 0)
            yield Candidate(_foundation(address, typ), component, rank, address, port.port, typ, *related)


def _port(media: Media, ports: PortSet, component: int) -> LocalPort | None:
    if component == RTP:
        return ports.rtp
    return None if media.mux_known or media.mux_required else ports.rtcp


def _rank(other: Media, typ: str, component: int, index: int) -> int:
    """A priority that no candidate of the other leg of that type has: the next local preference, or a type below."""
    said = other.ice_said
    preferences = [item.priority >> 8 & 0xFFFF for item in said.candidates if item.typ == typ] if said else []
    if not preferences:
        return priority(typ, component, index)
    local = max(preferences) + 1 + index
    kind = PREFERENCES[typ] if local <= MAX_LOCAL_PREFERENCE else max(PREFERENCES[typ] - 1, 0)
    return (kind << 24) + ((local & MAX_LOCAL_PREFERENCE) << 8) + 256 - component
