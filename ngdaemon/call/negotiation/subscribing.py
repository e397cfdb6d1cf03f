"""Subscribers to copies of media: recorders, supervisors, listeners to a publisher (ng-protocol.md §2.9).

A subscriber is a leg of its own. Each of its medias is a copy of one media of one source, and says which: `copied`.
The sources know nothing of it. Nothing is mixed or transcoded: a subscriber is offered the codecs of its source.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from ngdaemon.base.endpoint import Family
from ngdaemon.base.errors import RequestError
from ngdaemon.call import parties, selection
from ngdaemon.call.model import Call, Copied, Kind, Leg, Media, Subscription
from ngdaemon.call.negotiation import negotiate, own, wishes
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.exchange import Surroundings
from ngdaemon.config import Config
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.codecs import Codec
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import Attribute, Bounds, MediaSection, SessionDescription, parse

NOTHING_FOUND = "No medias found (no monologues matched)"
FAILED = "Failed to request subscription"


def sources_of(call: Call, options: Options) -> tuple[Leg, ...]:
    """The legs that a request names: all parties, a list of tags (unknown ones are passed over), or one party.

    Raises RequestError.
    """
    found: list[Leg | None]
    if selection.is_all(options):
        found = [leg for leg in call.legs if leg.alone or call.partners_of(leg.id)]
    elif options.from_tags:
        found = [parties.find(call, tag) for tag in dict.fromkeys(options.from_tags)]
    else:
        found = [selection.party(call, options)]
    sources: list[Leg] = []
    for leg in found:
        if leg is not None and leg not in sources and not leg.ended and not leg.is_subscriber and leg.answered:
            sources.append(leg)
    if not sources:
        raise RequestError(NOTHING_FOUND)
    return tuple(sources)


def subscriber_of(call: Call, tag: str, now: int) -> tuple[Call, Leg]:
    """The call with the leg of that tag, which is new or was a subscriber before. Raises RequestError."""
    leg = parties.find(call, tag)
    if leg is None:
        return parties.add_leg(call, tag, now)
    if not leg.is_subscriber:
        raise RequestError(f'{FAILED}: to-tag "{tag}" is that of a party')
    return call, leg


class _Copy(NamedTuple):
    """A source's media with the section in which the source described it, if it did."""

    leg: Leg
    media: Media
    section: MediaSection | None
    description: SessionDescription


@dataclass(slots=True)
class Subscribing:
    """One `subscribe request`: the subscriber gets a media for each of its sources' medias, in their order."""

    call: Call
    subscriber: Leg
    sources: tuple[Leg, ...]
    copies: list[_Copy] = field(default_factory=list)
    """By their place among the medias of the subscriber."""

    def run(self, options: Options, around: Surroundings, allocator: Allocator) -> str:
        """The offer for the subscriber; `call` is the new call afterwards. Raises RequestError."""
        leg = own.asked_for(wishes.of_receiver(self.subscriber, options, is_answer=False), options)
        leg = leg._replace(label=options.set_label or options.to_label or leg.label)
        self.subscriber = leg
        if Flag.SIPREC in options.flags:
            self._number()
        self.copies = [copy for source in self.sources for copy in _copies(source, options, around.config)]
        said = [self._said(place, copy.media, options) for place, copy in enumerate(self.copies)]
        told = [self._told(media, options) for media in said]
        if not any(media.active for media in told):
            raise RequestError(f"{FAILED}: there is no media to subscribe to")
        family = next((copy.media.rtp.family for copy in self.copies if copy.media.rtp is not None), Family.IP4)
        interface = own.interface_toward(leg, around, family)
        parts = []
        told = [allocator.for_media(media, interface, None, keep=True) for media in told]
        leg, told, _ = own.keyed(leg, list(zip(said, told, strict=True)), options, around, allocator, answers=False)
        for copy, ours, theirs in zip(self.copies, said, told, strict=True):
            if copy.section is not None:
                label = copy.media.label if Flag.SIPREC in options.flags else ""
                _mark(copy.section, label, keep_mid=len(self.sources) == 1)
            parts.append(own.Part(copy.section, ours, theirs, copy.description))
        session = self.copies[0].description
        for before in leg.medias[len(parts) :]:
            unused = allocator.none(before._replace(active=False))
            parts.append(own.Part(None, unused, unused, session))
        text, leg = own.write(leg, interface, session, parts, options, around, is_answer=False)
        self.call = _subscribed(self.call, leg, self.sources, mirrored=Flag.RTCP_MIRROR in options.flags)
        return text

    def _number(self) -> None:
        """Give numbers to medias that have none yet. They are those of the call, whoever subscribes."""
        number = sum(bool(media.label) for leg in self.call.legs for media in leg.medias)
        sources = []
        for leg in self.sources:
            medias = []
            for media in leg.medias:
                if media.said and not media.label:
                    media = media._replace(label=str(number))
                    number += 1
                medias.append(media)
            sources.append(leg._replace(medias=tuple(medias)))
            self.call = parties.with_leg(self.call, sources[-1])
        self.sources = tuple(sources)

    def _said(self, place: int, media: Media, options: Options) -> Media:
        """A source's media as it is offered: what it sends, one way, at its place among those of the subscriber.

        A copy of a secured media is offered as secured as that, unless the script names another transport (FUN-03).
        """
        if media.direct:
            raise RequestError(f"{FAILED}: media {media.place + 1} passes between the parties")
        sends = media.sends and Flag.INACTIVE not in options.flags
        return media._replace(
            place=place,
            codecs=sent_codecs(media),
            sends=sends,
            receives=False,
            direction="sendonly" if sends else "inactive",
            rtp=None,
            mux_offered=False,
            ice_said=None,
            bundled=None,
            group=None,
            mid=media.mid if len(self.sources) == 1 else None,
        )

    def _told(self, said: Media, options: Options) -> Media:
        """What the subscriber is told about one media."""
        copy, known = self.copies[said.place], self.subscriber.medias
        before = known[said.place] if said.place < len(known) else None
        if before is not None and before.kind != said.kind:
            before = Media(said.place, said.kind, said.protocol, ports=before.ports, former=before.former)
        protocol = negotiate.offered_protocol(self.subscriber, said, before, options)
        told = negotiate.offered(self.subscriber, said, before, options, protocol, is_answer=False)
        relayed = protocol_of(told.protocol, told.kind).relayed
        return told._replace(
            active=told.active and relayed and copy.section is not None,
            formats=said.formats,
            copied=Copied(copy.leg.id, copy.media.place),
            controlling=True,
        )


def sent_codecs(media: Media) -> tuple[Codec, ...]:
    """The codecs in which a leg may send a media: those that it was told, of those that it named itself."""
    common = tuple(codec for codec in media.told_codecs if any(codec.is_same_format(other) for other in media.codecs))
    return common or media.codecs


def _copies(source: Leg, options: Options, config: Config) -> list[_Copy]:
    """The medias of a source that may be subscribed to."""
    description = parse(source.description, Bounds(config.max_medias, config.max_candidates))
    places = negotiate.slots(source.medias, len(description.medias))
    sections = dict(zip(places, description.medias, strict=True))
    copies = []
    for media in source.medias:
        if not media.said or media.withheld or media.kind in options.sdp_media_remove:
            continue
        section = sections.get(media.place)
        if section is not None and section.kind != media.kind:
            section = None
        copies.append(_Copy(source, media, section, description))
    return copies


def _mark(section: MediaSection, label: str, *, keep_mid: bool) -> None:
    """Put the number for recorders into a section; identifiers of several sources may be the same, and are left out."""
    attributes = [item for item in section.attributes if keep_mid or item.name != "mid"]
    if label:
        attributes = [*(item for item in attributes if item.name != "label"), Attribute("label", label)]
    section.replace(attributes)


def _subscribed(call: Call, subscriber: Leg, sources: tuple[Leg, ...], *, mirrored: bool) -> Call:
    """The call in which the leg receives from these sources, and no longer from others."""
    kept = [item for item in call.subscriptions if item.subscriber != subscriber.id]
    added = [Subscription(subscriber.id, leg.id, kind=Kind.PUB_SUB, mirrored=mirrored) for leg in sources]
    return parties.with_leg(call, subscriber)._replace(subscriptions=(*kept, *added))


def unsubscribed(call: Call, subscriber: Leg, source: Leg) -> Call:
    """The call in which the leg no longer receives from that source."""
    kept = tuple(item for item in call.subscriptions if (item.subscriber, item.source) != (subscriber.id, source.id))
    return call._replace(subscriptions=kept)
