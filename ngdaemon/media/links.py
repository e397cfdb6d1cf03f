"""Where the packets of one port go: its routes, and in a BUNDLE which of them are for which media."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ngdaemon.base.ids import SocketId
from ngdaemon.media.bundle import Bundle, reporters
from ngdaemon.media.departure import Departure
from ngdaemon.media.lane import Lane, Sender
from ngdaemon.media.plan import Carries, Route, Selector
from ngdaemon.rtp.demux import Kind

Deliver = Callable[[bytes, float], None]
"""Takes a clear packet, at a time."""


class Line(NamedTuple):
    """A route, as it is put into force."""

    route: Route
    sink: Departure
    sender: Sender | None
    """What is sent with, if the port that it leads to is secured."""
    secured: bool


class Link(NamedTuple):
    """A route, with what leads its packets out."""

    route: Route
    sink: Departure
    deliver: Deliver


def link(line: Line) -> Link:
    """The route with its way out."""
    route, sink, sender, secured = line
    if not secured:
        return Link(route, sink, sink.send)
    if route.carries is Carries.ANY:
        return Link(route, sink, sink.send)  # which sends nothing: there is no protecting what is not RTP
    lane = Lane(route.source, sink, sender)
    return Link(route, sink, lane.rtp if route.carries is Carries.RTP else lane.rtcp)


class Links:
    """The routes of one port."""

    __slots__ = ("_links", "bundle", "lines")

    def __init__(self, lines: Sequence[Line] = (), before: "Links | None" = None) -> None:
        """`before`: what the port had until now."""
        self._links = [link(line) for line in lines]
        self.lines = lines
        self.bundle: Bundle | None = None
        for line in lines:
            if line.route.selector is not None:
                selectors = [item.route.selector for item in lines if item.route.selector is not None]
                self.bundle = Bundle(selectors, before.bundle if before is not None else None)
                break

    def of(self, data: bytes, kind: Kind, carries: Carries, sender: Sender | None) -> list[Link]:
        """The routes of a clear packet. `sender`: what is sent to its peer with, if the port is secured."""
        links = [item for item in self._links if item.route.carries is carries]
        bundle = self.bundle
        if bundle is None:
            return links
        if kind is Kind.RTCP:
            return self._of_rtcp(bundle, data, links, sender)
        return _followed(links, bundle.of_rtp(data) if kind is Kind.RTP else None)

    def _of_rtcp(self, bundle: Bundle, data: bytes, links: list[Link], sender: Sender | None) -> list[Link]:
        """By the sender of the report, else by what it is about, else the first media's (contract 14)."""
        reporter, about = reporters(data)
        media = bundle.of_ssrc(reporter)
        for ssrc in about if media is None else ():
            source = sender.numbering.source_of(ssrc) if sender is not None else None
            media = self._media_to(source) if source is not None else bundle.of_ssrc(ssrc)
            if media is not None:
                break
        if media is None:
            media = next((item.route.selector for item in links if item.route.selector is not None), None)
        return _followed(links, media)

    def _media_to(self, sink: SocketId) -> Selector | None:
        """The media that is sent to that port: what comes from there to our peer belongs to it too."""
        for route, _, _ in self._links:
            if route.carries is Carries.RTP and route.sink == sink and route.selector is not None:
                return route.selector
        return None


def _followed(links: list[Link], media: Selector | None) -> list[Link]:
    """The routes that packets of the media follow."""
    return [item for item in links if item.route.selector is None or item.route.selector == media]
