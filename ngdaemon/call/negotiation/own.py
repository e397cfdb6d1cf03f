"""Descriptions that the daemon itself makes, for publishers, created calls and subscribers; and the answers to them."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Family, Interface
from ngdaemon.base.errors import RequestError
from ngdaemon.call.model import Leg, Media, PortSet
from ngdaemon.call.negotiation import causes, negotiate, rewrite
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.codec_choice import is_supplemental
from ngdaemon.call.negotiation.connecting import Connecting
from ngdaemon.call.negotiation.exchange import Surroundings
from ngdaemon.call.negotiation.origin import made_origin, told_origin, versioned
from ngdaemon.call.negotiation.securing import Securing
from ngdaemon.call.negotiation.telling import MediaTelling, Telling
from ngdaemon.ng.options import Options
from ngdaemon.sdp.codecs import Codec
from ngdaemon.sdp.protocols import kind_shown, protocol_of, transport_shown
from ngdaemon.sdp.session import MediaSection, Origin, Section, SessionDescription

OWN_VERSION = frozenset(("sdp-version",))
"""The version of what we make ourselves is ours: it grows when something else has changed (RFC 3264 §8)."""


class Part(NamedTuple):
    """One media of a description: what it is written from."""

    section: MediaSection | None
    """Lines to be copied; None for a media that is refused."""
    said: Media
    """Whose direction and packet times are written."""
    told: Media
    description: SessionDescription
    """That of the section."""


def blank() -> SessionDescription:
    """A description that says nothing: all of what is written is ours."""
    return SessionDescription("", Section(), None, None, [])


def interface_toward(leg: Leg, around: Surroundings, otherwise: Family) -> Interface:
    """The local address that faces a leg."""
    return around.interfaces.choose(leg.interface, leg.family or otherwise)


def asked_for(leg: Leg, options: Options) -> Leg:
    """The leg with what commands that have one side say of it besides: the interface, the family."""
    return leg._replace(interface=options.interface or leg.interface, family=options.address_family or leg.family)


def keyed(
    leg: Leg,
    pairs: list[tuple[Media, Media]],
    options: Options,
    around: Surroundings,
    allocator: Allocator,
    *,
    answers: bool,
) -> tuple[Leg, list[Media], list[str]]:
    """The medias that a leg is told of with ICE and keys of ours, the leg with its certificate, and warnings.

    `pairs` are what is said of each media, and what the leg is told. Raises RequestError where none can be secured.
    """
    securing, connecting = Securing(options, around.policy, around.rng), Connecting(options, around.rng)
    medias = []
    for said, told in pairs:
        if told.active and said.active and protocol_of(told.protocol, told.kind).rtp:
            if answers:
                told = connecting.answer(said._replace(ice=None), told, None)[1]
            else:
                told = connecting.offer(said, told, None, answered=told.said)[1]
            told = told if told.ports is None or told.ice is None else _spread(told, told.ports, around, allocator)
        told = securing.tell(told, said, None, allocator, answers=answers, moved=False)
        if told.security.hashes and leg.identity is None:
            leg = leg._replace(identity=around.identities.take())
        medias.append(told)
    return leg, medias, causes.warnings(securing.check(medias))


def _spread(media: Media, ports: PortSet, around: Surroundings, allocator: Allocator) -> Media:
    """The media at all addresses of its logical interface."""
    return allocator.spread(media, around.interfaces.beside(ports.interface))


def write(
    leg: Leg,
    interface: Interface,
    description: SessionDescription,
    parts: list[Part],
    options: Options,
    around: Surroundings,
    *,
    is_answer: bool,
) -> tuple[str, Leg]:
    """The SDP for a leg, and the leg with its medias and what it was told.

    `description` gives the session part; what it leaves out is made up. A leg that was told something before keeps
    its session.
    """
    local = interface.advertised
    origin = told_origin(_origin(leg, description, around, local), options.replace, leg.sent, local)
    name = description.session_name or around.config.software_id
    telling = Telling(
        description, options, is_answer, around.instance, name, interface.family, leg.identity, lite=leg.lite
    )
    lines = rewrite.session_lines(telling, str(origin))
    for part in parts:
        if part.section is None:
            lines.extend(rewrite.absent_lines(part.told, interface.family))
        else:
            of = telling._replace(description=part.description)
            lines.extend(rewrite.media_lines(MediaTelling(of, part.section, part.said, part.told, part.told)))
    origin, memory = versioned(origin, options.replace | OWN_VERSION, leg.sent, lines)
    lines[1] = f"o={origin}"
    lines.append("")
    return "\r\n".join(lines), leg._replace(medias=tuple(part.told for part in parts), sent=memory)


def _origin(leg: Leg, description: SessionDescription, around: Surroundings, local: str) -> Origin:
    """The `o=` that the leg knows, else that of the description, else one of ours."""
    sent = leg.sent
    if sent is not None:
        return Origin(sent.username, sent.session_id, str(sent.version), "IN", sent.family, sent.address)
    return description.origin or made_origin(around.rng, local)


def hear_answer(
    leg: Leg,
    description: SessionDescription,
    options: Options,
    around: Surroundings,
    allocator: Allocator,
    *,
    whole: bool,
    failure: str,
) -> Leg:
    """The leg with its answer to what it was told. Medias without a line in it are refused ones.

    With `whole` all codecs must be accepted, else one of them; `failure` is the error where they are not.
    Raises RequestError.
    """
    if len(description.medias) > len(leg.medias):
        raise RequestError(failure, cause=f"{len(description.medias)} medias for {len(leg.medias)} that were offered")
    places = list(range(len(description.medias)))
    heard = negotiate.hear(leg, places, description, options, sip_source=around.config.sip_source)
    securing = Securing(options, around.policy, around.rng)
    medias = []
    for before, said in zip(leg.medias, heard, strict=True):
        media = said._replace(active=False)
        if before.place < len(places) and before.active and said.active:
            media = securing.judge(_agreed(before, said, whole=whole, failure=failure), None, answers=True)
            if media.ice is not None and media.ice_said is None:
                media = media._replace(ice=None, ice_refused=True)
        media = media if media.active else allocator.none(media)
        medias.append(allocator.single(media) if media.muxed else media)
    securing.check(medias)
    return leg._replace(answered=True, medias=tuple(medias), description=description.text)


def _agreed(before: Media, said: Media, *, whole: bool, failure: str) -> Media:
    """One media after its answer: of all that was offered, what was accepted."""
    protocol, offered_protocol = protocol_of(said.protocol, said.kind), protocol_of(before.protocol, before.kind)
    if said.kind != before.kind or (protocol.rtp, protocol.secure) != (offered_protocol.rtp, offered_protocol.secure):
        cause = f"media {before.place + 1} is {kind_shown(said.kind)} over {transport_shown(protocol)}"
        offered = f"{kind_shown(before.kind)} over {transport_shown(offered_protocol)}"
        raise RequestError(failure, cause=f"{cause}, offered was {offered}")
    accepted = tuple(codec for codec in said.codecs if _is_among(codec, before.told_codecs))
    proper = [codec for codec in before.told_codecs if not is_supplemental(codec)]
    taken = [codec for codec in proper if _is_among(codec, accepted)]
    if proper and (not taken or (whole and len(taken) < len(proper))):
        refused = ", ".join(codec.encoding or str(codec.payload_type) for codec in proper if codec not in taken)
        raise RequestError(failure, cause=f"media {before.place + 1} refuses {refused}")
    muxed = before.mux_told and said.mux_offered
    return said._replace(
        codecs=accepted,
        sends=said.sends and before.sends,
        receives=said.receives and before.receives,
        muxed=muxed,
        mux_told=muxed,
        mux_offered=False,
    )


def _is_among(codec: Codec, codecs: tuple[Codec, ...]) -> bool:
    """Whether a list has the codec, under the same number: packets pass as they are."""
    return any(codec.payload_type == other.payload_type and codec.is_same_format(other) for other in codecs)
