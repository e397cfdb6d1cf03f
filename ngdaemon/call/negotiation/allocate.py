"""Local ports for the medias of a call: kept, swapped or opened as §4.11 of ng-protocol.md has it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ngdaemon.base.endpoint import Endpoint, Interface, is_unspecified
from ngdaemon.base.errors import PortUnavailable, RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.base.throttle import Throttle, with_count
from ngdaemon.call.model import LocalPort, Media, PortSet
from ngdaemon.call.negotiation.icing import DISCARD
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.media.ports import Ports, PortsExhausted
from ngdaemon.sdp.protocols import protocol_of

logger = logging.getLogger("ngdaemon.ports")

RAN_OUT = "Ran out of ports"
"""The exact text makes proxies try another node (ng-protocol.md §7.3)."""

MOST_FORMER = 8
"""Former ports of a media that stay open for the return of its far side; the oldest are closed."""


@dataclass(slots=True)
class Allocator:
    """Opens ports for one request of one call and remembers them, so that a request that fails can give them back."""

    call: CallId
    ports: Ports
    forwarder: Forwarder
    now: float
    complaints: Throttle
    tag: str = ""
    """Who asked, for the log."""
    opened: list[PortSet] = field(default_factory=list)
    dropped: list[tuple[str, int]] = field(default_factory=list)
    """Addresses and ports that are no longer used once the request has succeeded."""

    def for_media(self, media: Media, interface: Interface, far: Endpoint | None, *, keep: bool) -> Media:
        """The media with the ports its leg is told, or with none where it has no use for them; see `facing`."""
        if not media.active or not protocol_of(media.protocol, media.kind).relayed:
            return self.none(media)
        accepted = media.mux_offered and (media.mux_only or media.mux_policy == "accept")
        pair = not (media.muxed or media.mux_required or accepted)
        return self.facing(media, interface, far, pair=pair, keep=keep)

    def facing(self, media: Media, interface: Interface, far: Endpoint | None, *, pair: bool, keep: bool) -> Media:
        """The media with the ports that its leg is to be told, for a far side at `far`.

        `keep` holds on to the ports although the far side moved. Raises RequestError when ports run out.
        """
        current = media.ports
        if far is not None and is_unspecified(far.address) and far.port != DISCARD:
            far = None
        if current is None:
            return self._swap(media, interface, far, pair=pair)
        if current.interface != interface:
            return self._swap(media, interface, far, pair=pair)
        if pair and current.rtcp is None:
            return self._swap(media, interface, far or current.far, pair=pair)
        if keep or far is None or current.far == far:
            return media
        if current.far is None:
            return media._replace(ports=current._replace(far=far))
        return self._swap(media, interface, far, pair=pair)

    def _swap(self, media: Media, interface: Interface, far: Endpoint | None, *, pair: bool) -> Media:
        """The media with the former ports of that far side, or with new ones; today's are kept for its return."""
        today = (media.ports,) if media.ports is not None else ()
        for former in media.former:
            fits = former.interface == interface and (not pair or former.rtcp is not None)
            if fits and (former.far is None or far is None or former.far == far):
                others = tuple(item for item in media.former if item is not former)
                return media._replace(ports=former._replace(far=far or former.far), former=(*others, *today))
        kept = (*media.former, *today)
        for oldest in kept[:-MOST_FORMER]:
            self.dropped.extend(_bound(oldest))
        return media._replace(ports=self._open(interface, far, pair=pair), former=kept[-MOST_FORMER:])

    def _open(self, interface: Interface, far: Endpoint | None, *, pair: bool) -> PortSet:
        """Bind an RTP port, and the next one for RTCP where a pair is wanted."""
        try:
            first, sockets = self.ports.open(self.call, interface.address, pair, self.forwarder, self.now)
        except (PortsExhausted, PortUnavailable) as error:
            held_back = self.complaints.passes(f"ports {interface.address}", self.now)
            if held_back is not None:
                logger.error("%s", with_count(str(error), held_back), extra={"call": self.call, "tag": self.tag})
            raise RequestError(RAN_OUT) from error
        rtcp = LocalPort(sockets[1], first + 1) if pair else None
        opened = PortSet(interface, LocalPort(sockets[0], first), rtcp, far, pair)
        self.opened.append(opened)
        return opened

    def none(self, media: Media) -> Media:
        """The media without ports: it was refused, or is not ours to carry. It may come back to them."""
        if media.ports is None:
            return media
        return media._replace(ports=None, former=(*media.former, media.ports))

    def single(self, media: Media) -> Media:
        """The media without its RTCP port: RTP and RTCP share one from now on."""
        ports = media.ports
        if ports is None or ports.rtcp is None:
            return media
        self.dropped.extend((item.interface.address, item.rtcp.port) for item in ports.sets if item.rtcp is not None)
        others = tuple(item._replace(rtcp=None) for item in ports.others)
        return media._replace(ports=ports._replace(rtcp=None, others=others))

    def spread(self, media: Media, interfaces: Iterable[Interface]) -> Media:
        """The media with ports at these further addresses too: with ICE all of them are offered."""
        ports = media.ports
        if ports is None:
            return media
        known = {item.interface: item for item in ports.others}
        others = tuple(
            known.get(interface) or self._open(interface, None, pair=ports.rtcp is not None) for interface in interfaces
        )
        return media if others == ports.others else media._replace(ports=ports._replace(others=others))

    def undo(self) -> None:
        """The request failed: give back what it opened."""
        for item in self.opened:
            for address, port in _bound(item):
                self.ports.put_back(address, port, self.now)

    def give_up(self) -> None:
        """The request succeeded: give back what it made superfluous."""
        for address, port in self.dropped:
            self.ports.release(address, port, self.now)


def release(ports: Ports, sets: Iterable[PortSet], now: float) -> None:
    """Put the ports of these sets into quarantine."""
    for item in sets:
        for address, port in _bound(item):
            ports.release(address, port, now)


def _bound(ports: PortSet) -> Iterator[tuple[str, int]]:
    """The addresses and ports of a set."""
    for item in ports.sets:
        yield item.interface.address, item.rtp.port
        if item.rtcp is not None:
            yield item.interface.address, item.rtcp.port
