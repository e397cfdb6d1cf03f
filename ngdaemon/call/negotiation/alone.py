"""Legs that speak with the daemon only: publishers, and those that were offered a call out of nothing (§2.9)."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Family
from ngdaemon.base.errors import RequestError
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.negotiation import negotiate, own, wishes
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.codec_choice import passed_on, single
from ngdaemon.call.negotiation.exchange import Surroundings
from ngdaemon.call.negotiation.securing import Securing
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.known import codecs_named, kind_of
from ngdaemon.sdp.protocols import Protocol, kind_shown, protocol_of
from ngdaemon.sdp.session import MediaSection, SessionDescription

USUAL_CODECS = ("PCMU", "PCMA")
"""Audio codecs of a created call where none are asked for."""
PLAIN = "RTP/AVP"


def leg_of(call: Call, tag: str, now: int) -> tuple[Call, Leg]:
    """The call with the leg of that tag, which is new or was alone before. Raises RequestError."""
    leg = parties.find(call, tag)
    if leg is None:
        call, leg = parties.add_leg(call, tag, now)
    elif leg.is_subscriber or call.partners_of(leg.id):
        raise RequestError(f'From-tag "{tag}" is that of a party in a dialogue')
    return call, leg._replace(alone=True)


class Alone(NamedTuple):
    """What came of a command: the call, the leg, and the description for it."""

    call: Call
    leg: Leg
    text: str


def publish(
    call: Call,
    leg: Leg,
    description: SessionDescription,
    options: Options,
    around: Surroundings,
    allocator: Allocator,
) -> Alone:
    """Take what a publisher sends; it is answered with one codec a media. Raises RequestError."""
    leg = own.asked_for(wishes.of_sender(leg, options, is_answer=False), options)
    if len(description.medias) < len(leg.medias):
        raise RequestError("Failed to create SDP: fewer medias than before")
    places = list(range(len(description.medias)))
    heard = negotiate.hear(leg, places, description, options, sip_source=around.config.sip_source)
    securing = Securing(options, around.policy, around.rng)
    medias = [_published(securing.judge(media, None, answers=False), options) for media in heard]
    securing.check(medias)
    family = next((media.rtp.family for media in heard if media.rtp is not None), Family.IP4)
    interface = own.interface_toward(leg, around, family)
    parts = []
    answer = own.blank()
    medias = [allocator.for_media(media, interface, None, keep=True) for media in medias]
    medias = [allocator.single(media) if media.muxed else media for media in medias]
    leg, medias, _ = own.keyed(leg, [(media, media) for media in medias], options, around, allocator, answers=True)
    for media, said in zip(medias, description.medias, strict=True):
        section = MediaSection(kind=said.kind, port=0, protocol=said.protocol, formats=said.formats)
        ours = media._replace(
            sends=False, receives=media.sends, direction="recvonly" if media.sends else "inactive", rtp=None
        )
        parts.append(own.Part(section, ours, media, answer))
    text, leg = own.write(leg, interface, answer, parts, options, around, is_answer=True)
    leg = leg._replace(answered=True, session_name=description.session_name, description=description.text)
    return Alone(parties.with_leg(call, leg), leg, text)


def _published(media: Media, options: Options) -> Media:
    """A media of a publisher after our answer to it: RTP is taken, all else refused."""
    protocol = protocol_of(media.protocol, media.kind)
    chosen = single(passed_on(media.codecs, options.codec))
    muxed = media.mux_offered and not options.rtcp_mux & {"reject", "demux"}
    return media._replace(
        active=media.active and protocol.rtp and bool(chosen),
        told_codecs=chosen,
        receives=False,
        muxed=muxed,
        mux_told=muxed,
    )


def create(call: Call, leg: Leg, options: Options, around: Surroundings, allocator: Allocator) -> Alone:
    """Offer a call out of nothing. Raises RequestError."""
    protocol = protocol_of(options.transport_protocol or PLAIN)
    if not protocol.rtp:
        raise RequestError(f'Unsupported transport-protocol "{protocol.name}" of a created call')
    leg = own.asked_for(wishes.of_sender(leg, options, is_answer=False), options)
    interface = own.interface_toward(leg, around, Family.IP4)
    offer = own.blank()
    pairs = []
    for place, (kind, names) in enumerate(_wanted(options)):
        before = leg.medias[place] if place < len(leg.medias) else None
        media = _created(place, kind, names, protocol, before, options)
        media = allocator.for_media(media, interface, None, keep=True)
        pairs.append((Media(place, kind, PLAIN), media))
    leg, medias, _ = own.keyed(leg, pairs, options, around, allocator, answers=False)
    parts = []
    for media in medias:
        section = MediaSection(kind=media.kind, protocol=protocol.name)
        ours = media._replace(sends=True, receives=True, direction="sendrecv", rtp=None)
        parts.append(own.Part(section, ours, media, offer))
    if len(parts) < len(leg.medias):
        raise RequestError("Failed to create SDP: fewer medias than before")
    text, leg = own.write(leg, interface, offer, parts, options, around, is_answer=False)
    return Alone(parties.with_leg(call, leg), leg, text)


def _wanted(options: Options) -> list[tuple[str, tuple[str, ...]]]:
    """The medias of a created call, as type and names of codecs."""
    if options.medias:
        return [(wish.kind, wish.codecs or USUAL_CODECS) for wish in options.medias]
    by_kind: dict[str, list[str]] = {}
    for name in options.codec.offer:
        by_kind.setdefault(kind_of(name), []).append(name)
    return [(kind, tuple(names)) for kind, names in by_kind.items()] or [("audio", USUAL_CODECS)]


def _created(
    place: int, kind: str, names: tuple[str, ...], protocol: Protocol, before: Media | None, options: Options
) -> Media:
    """What a leg is offered of one media."""
    wanted = options.rtcp_mux
    mux = "offer" in wanted or "require" in wanted
    media = before or Media(place, kind, protocol.name)
    if media.kind != kind:
        raise RequestError(f"Failed to create SDP: media {place + 1} was {kind_shown(media.kind)} before")
    return media._replace(
        protocol=protocol.name,
        told_protocol=protocol.name,
        active=True,
        told_codecs=codecs_named(names),
        mid=str(place + 1) if Flag.GENERATE_MID in options.flags else media.mid,
        mux_told=mux,
        mux_required="require" in wanted,
        muxed=media.muxed and mux,
    )
