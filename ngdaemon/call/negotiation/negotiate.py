"""Offer and answer (RFC 3264): folding a session description into the legs that speak and listen.

`hear` turns what a leg says into its medias, `offered` and `answered` say what the other leg is told about each of
them. Neither touches a socket: local ports come from `allocate.py` afterwards.
"""

from typing import Any, NamedTuple

from ngdaemon.base.endpoint import Endpoint, Family, is_unspecified, parse_address
from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import Tag
from ngdaemon.call.model import Leg, LegId, Media
from ngdaemon.call.negotiation import bundling, icing
from ngdaemon.call.negotiation.codec_choice import answerable, passed_on, single
from ngdaemon.call.security import CLEAR, Keying, heard
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.codecs import codecs_of
from ngdaemon.sdp.protocols import Protocol, protocol_of, secured
from ngdaemon.sdp.session import INCOMPLETE, MediaSection, Section, SessionDescription, is_number

SENDS = {"sendrecv": (True, True), "sendonly": (True, False), "recvonly": (False, True), "inactive": (False, False)}
"""Direction attribute → (the leg sends, the leg receives)."""

MAX_PORT = 65535
CLASHING = range(64, 96)
"""Payload types that look like RTCP packet types (RFC 5761 §4)."""
NOWHERE = frozenset(family.unspecified for family in Family)


def hear(
    leg: Leg, places: list[int], description: SessionDescription, options: Options, *, sip_source: bool
) -> list[Media]:
    """The medias of a leg as its own session description has them.

    `places` are those of its m-lines among its medias. With `sip_source` addresses are taken from `received-from`
    instead of the SDP unless a flag says otherwise.
    Raises RequestError.
    """
    trusted = not sip_source or Flag.TRUST_ADDRESS in options.flags
    if Flag.SIP_SOURCE_ADDRESS in options.flags:
        trusted = False
    if not trusted and options.received_from is None:
        raise RequestError(INCOMPLETE, cause="its address is to be that of SIP, and received-from is missing")
    source = None if trusted else options.received_from
    session = description.session
    direction = _direction_of(session) or ""
    speech = _Speech(description, source, options.received_from, direction, bundling.extension_of(session))
    medias = list(leg.medias)
    groups = bundling.groups(description, places)
    for slot, section in zip(places, description.medias, strict=True):
        before = medias[slot] if slot < len(medias) else None
        media = _hear_media(slot, section, speech, before, groups.get(slot))
        if before is None:
            medias.append(media)
        else:
            medias[slot] = media
    return medias


class _Speech(NamedTuple):
    """What is the same for all medias of a leg that speaks."""

    description: SessionDescription
    source: str | None
    """The address to be taken instead of those of the description; None where these are trusted."""
    received_from: str | None
    direction: str
    """That of the session part; "" for none."""
    extension: int
    """The number of the MID header extension there; 0 for none."""


def check(description: SessionDescription, options: Options, *, sip_source: bool) -> None:
    """Raise what `hear` would raise about a description, whoever said it."""
    nobody = Leg(LegId(0), Tag(""), 0)
    hear(nobody, list(range(len(description.medias))), description, options, sip_source=sip_source)


def slots(medias: tuple[Media, ...], count: int) -> list[int]:
    """The places of the m-lines that a leg writes: those withheld from it are not among them."""
    shown = [media.place for media in medias if not media.removed]
    following = range(len(medias), len(medias) + count)
    return [*shown, *following][:count]


def _hear_media(index: int, section: MediaSection, speech: _Speech, before: Media | None, group: int | None) -> Media:
    """One media of the leg that speaks. `group` is the place of the first one of its BUNDLE group."""
    description, source = speech.description, speech.source
    connection = description.connection_of(section)
    if connection is None:
        raise RequestError(INCOMPLETE, cause=f"m-line {index + 1} has no c= line")
    protocol = protocol_of(section.protocol, section.kind)
    address = source if source is not None and not section.get("candidate") else connection.address
    rtp = Endpoint(address, section.port)
    mux_offered, rtcp = _rtcp_of(section, rtp, protocol, trusted=source is None)
    direction = _direction_of(section) or speech.direction
    sends, receives = SENDS[direction or "sendrecv"]
    ptime = section.get("ptime")
    values: dict[str, Any] = {
        "kind": section.kind,
        "protocol": protocol.name,
        "active": section.port != 0,
        "said": True,
        "codecs": codecs_of(section) if protocol.rtp else (),
        "formats": section.formats,
        "feedback": "rtcp-fb" in section.names,
        "direction": direction,
        "sends": sends,
        "receives": receives and address not in ("0.0.0.0", "::"),  # noqa: S104
        "mux_offered": mux_offered,
        "mux_only": "rtcp-mux-only" in section.names,
        "mixed": _mixes_extensions(section, description.session),
        "mid_extension": bundling.extension_of(section) if "extmap" in section.names else speech.extension,
        "own_ptime": ptime,
        "group": group,
        "maxptime": section.get("maxptime"),
    }
    if ptime:
        values["ptime"] = ptime
    if mid := section.get("mid"):
        values["mid"] = mid
    if not section.port:
        values["feedback"] = before is not None and before.feedback
    elif protocol.rtp:
        ice = values["ice_said"] = icing.heard(section, description.session, rtp)
        values["receives"] = receives and (not is_unspecified(address) or (ice is not None and ice.trickle))
    if section.port:
        values.update(rtp=rtp, rtcp=rtcp, plausible=_plausible(rtp, rtcp, speech.received_from, before))
        if before is None or before.ice is None or before.rtp is None or values.get("ice_said") is None:
            values["aimed"] = (rtp, rtcp)
    if protocol.rtp:
        security = before.security if before is not None else CLEAR
        keys_said = heard(section, description.session)
        if security.said is not keys_said:
            values["security"] = security._replace(said=keys_said)
    return Media(index, **values) if before is None else before._replace(**values)


def _direction_of(section: Section) -> str | None:
    """The direction attribute of a section, the first one of several."""
    found = section.names.keys() & SENDS.keys()
    return next(item.name for item in section.attributes if item.name in found) if found else None


def _mixes_extensions(*sections: Section) -> bool | None:
    """Whether header extensions of both lengths may be mixed; None where there are no extensions."""
    media, session = (section.names for section in sections)
    if "extmap" not in media and "extmap" not in session:
        return None
    return "extmap-allow-mixed" in media or "extmap-allow-mixed" in session


def _rtcp_of(
    section: MediaSection, rtp: Endpoint, protocol: Protocol, *, trusted: bool
) -> tuple[bool, Endpoint | None]:
    """Whether the section asks for rtcp-mux, and where its sender receives RTCP (RFC 3605).

    Where addresses of the SDP are not `trusted` that of RTP is taken.
    """
    if not protocol.rtp:
        return False, None
    mux = "rtcp-mux" in section.names
    rtcp = Endpoint(rtp.address, min(rtp.port + 1, MAX_PORT))
    value = next(filter(None, section.get_all("rtcp")), None)
    if value:
        words = value.split()
        if words and is_number(words[0]) and 0 < int(words[0]) <= MAX_PORT:
            address = parse_address(words[3]) if len(words) >= 4 and trusted else None
            known = address is not None and not address.is_unspecified
            rtcp = Endpoint(str(address) if known else rtp.address, int(words[0]))
            mux = mux or rtcp == rtp
    return mux, rtcp


def _plausible(rtp: Endpoint, rtcp: Endpoint | None, received_from: str | None, before: Media | None) -> frozenset[str]:
    """Addresses from which the packets of a leg may come.

    A leg that tells the zero address does not want to be sent to, and goes on sending from where it was.
    """
    addresses = {rtp.address}
    if rtcp is not None:
        addresses.add(rtcp.address)
    if received_from:
        addresses.add(received_from)
    if is_unspecified(rtp.address) and before is not None:
        addresses.update(before.plausible)
    addresses.difference_update(NOWHERE)
    return frozenset(addresses)


def offered(
    receiver: Leg,
    said: Media,
    before: Media | None,
    options: Options,
    protocol: Protocol,
    *,
    is_answer: bool,
    removed: bool = False,
) -> Media:
    """What the receiver of an offer is told about one media.

    `protocol` is that of `offered_protocol`. `removed`: the media is withheld, whatever the script says.
    """
    told = before or Media(said.place, said.kind, protocol.name, controlling=not is_answer)
    if not said.active:
        return told._replace(active=False, sends=said.receives, receives=said.sends, mid=said.mid)
    wanted = options.rtcp_mux
    codecs = passed_on(said.codecs, options.codec)
    asked = "offer" in wanted or "require" in wanted or ((said.mux_offered or told.muxed) and "demux" not in wanted)
    tell_mux = asked and protocol.rtp and not _clashes(said)
    return told._replace(
        kind=said.kind,
        told_codecs=codecs or said.codecs,
        protocol=protocol.name,
        told_protocol=protocol.name,
        active=bool(codecs) or not said.codecs or Flag.ALLOW_NO_CODEC_MEDIA not in options.flags,
        sends=said.receives,
        receives=said.sends,
        mid=_generated_mid(said, options),
        ptime=said.own_ptime or told.ptime,
        mux_told=tell_mux,
        mux_known=tell_mux and (told.mux_told if before is not None else any(item.muxed for item in receiver.medias)),
        mux_required="require" in wanted,
        muxed=told.muxed and tell_mux,
        removed=removed or _is_removed(said, options),
    )


def offered_protocol(
    receiver: Leg, said: Media, before: Media | None, options: Options, *, changed: bool = False
) -> Protocol:
    """The transport toward the receiver: asked for, remembered, the one it uses, or what the sender uses (§4.5).

    `changed`: the sender comes with another transport. A receiver that was secured stays so, unless this request
    names another transport (OSR-04).
    """
    own = protocol_of(said.protocol, said.kind)
    wanted = options.transport_protocol or receiver.protocol
    if wanted == "accept" or not wanted:
        known = before is not None and before.said and before.kind == said.kind and not changed
        wanted = before.protocol if before is not None and known else own.name
    used = protocol_of(wanted, said.kind)
    if not own.rtp or not used.rtp:
        return own
    named = options.transport_protocol not in (None, "", "accept")
    if used.secure or named or before is None or before.security.keying is None:
        return used
    return _kept_secure(before, used)


def _kept_secure(media: Media, wanted: Protocol) -> Protocol:
    """The transport for a media with keys where a clear one is wanted. Keys in a clear profile are not lost with it."""
    known = protocol_of(media.agreed or media.protocol, media.kind)
    if known.rtp and not known.secure:
        return wanted
    dtls = known.dtls if known.secure else media.security.keying is Keying.DTLS
    return secured(wanted, dtls=dtls)


def _generated_mid(said: Media, options: Options) -> str | None:
    if said.mid is None and Flag.GENERATE_MID in options.flags and protocol_of(said.protocol, said.kind).rtp:
        return str(said.place + 1)
    return said.mid


def _is_removed(said: Media, options: Options) -> bool:
    kinds = options.sdp_media_remove
    return bool(kinds) and (said.kind in kinds)


def settle_offerer(said: Media, options: Options, *, removed: bool = False) -> Media:
    """What an offerer's media remembers of how its offer of rtcp-mux is to be answered; what it was offered is over."""
    if removed or _is_removed(said, options):
        return said._replace(withheld=True, active=False)
    if not said.active:
        return said._replace(withheld=False)
    wanted = options.rtcp_mux
    accepts = "accept" in wanted or ("demux" in wanted and wanted.isdisjoint(("offer", "require")))
    policy = "reject" if "reject" in wanted else "accept" if accepts else ""
    muxed = said.muxed and said.mux_offered
    known = (said.withheld, said.twice, said.mux_policy, said.muxed, said.mux_told)
    if known == (False, False, policy, muxed, said.mux_offered):
        return said
    return said._replace(withheld=False, twice=False, mux_policy=policy, muxed=muxed, mux_told=said.mux_offered)


def can_mux(media: Media, options: Options) -> bool:
    """Whether a leg that offers rtcp-mux may have it (MUX-01)."""
    return "reject" not in options.rtcp_mux and not _clashes(media)


def _clashes(media: Media) -> bool:
    """Whether a codec has a number that would be taken for RTCP on the same port (DMX-03)."""
    return any(codec.payload_type in CLASHING for codec in media.codecs)


def answered_protocol(offerer: Media, said: Media, options: Options) -> Protocol:
    """The transport toward an offerer: its own unless another one is asked for (§4.5).

    With `accept` it is that of the answer, where that is none of those offered; but no clear one for a secured one.
    """
    own, wanted = protocol_of(offerer.protocol, offerer.kind), options.transport_protocol
    if own.rtp and wanted:
        if wanted != "accept":
            own = protocol_of(wanted)
        elif said.protocol != said.told_protocol:
            theirs = protocol_of(said.protocol, said.kind)
            own = secured(theirs, dtls=own.dtls) if own.secure and theirs.rtp and not theirs.secure else theirs
    return own


def answered(offerer: Media, said: Media, options: Options, protocol: Protocol) -> tuple[Media, Media]:
    """The offerer's and the answerer's media after an answer. `protocol` is that of `answered_protocol`."""
    if not said.active:
        told = offerer._replace(active=False, protocol=protocol.name, sends=said.receives, receives=said.sends)
        return told, said
    answer_mux = said.mux_told and said.mux_offered
    accepted = offerer.mux_policy == "accept" or offerer.mux_only or (answer_mux and offerer.mux_policy != "reject")
    offer_mux = offerer.mux_offered and accepted and not _clashes(offerer)
    said = said._replace(muxed=answer_mux, mux_told=answer_mux, mux_offered=False, agreed=said.protocol)
    # an answer of another type than was offered (RFC 3264 §6 forbids it) cannot be held against the offer
    common = said.codecs
    if said.kind == offerer.kind:
        common = answerable(said.codecs, offerer.codecs, instead=said.kind == "audio")
    chosen = passed_on(common, options.codec) or common
    if Flag.SINGLE_CODEC in options.flags:
        chosen = single(chosen)
    told = offerer._replace(
        kind=said.kind,
        told_codecs=chosen,
        muxed=offer_mux,
        mux_told=offer_mux,
        mux_known=False,
        mux_required=False,
        active=True,
        protocol=protocol.name,
        agreed=protocol.name,
        ptime=said.own_ptime or offerer.ptime,
        sends=said.receives,
        receives=said.sends,
    )
    return told, said
