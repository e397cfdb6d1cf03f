"""The SDP that leaves: one small step per kind of line, in the order in which the lines are written.

The reference generates its SDP anew (ng-protocol.md §4.2, §4.3), and so do we: each step below says what one kind of
line becomes. Lines that no step knows are copied as they came, byte for byte.
"""

from collections.abc import Callable

from ngdaemon.base.endpoint import Family, family_of
from ngdaemon.call.model import Media
from ngdaemon.call.negotiation import bundling, candidates, doubling, passing
from ngdaemon.call.negotiation.manipulate import manipulate
from ngdaemon.call.negotiation.telling import MediaTelling, Telling
from ngdaemon.call.security import CLEAR, KEYING_ATTRIBUTES, SECRET_ATTRIBUTES
from ngdaemon.dtls import fingerprint
from ngdaemon.ng.options import Flag
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import Section

DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))
BANDWIDTHS = ("AS", "RR", "RS", "CT", "TIAS")
"""Bandwidth types that are passed on, in the order in which they are written."""

REGENERATED = frozenset(
    (
        *(
            "rtcp",
            "rtcp-mux",
            "rtcp-mux-only",
            "candidate",
            "ice-ufrag",
            "ice-pwd",
            "ice-options",
            "ice-lite",
            "remote-candidates",
        ),
        *("end-of-candidates", "ice-mismatch", "ice-pacing", "rtpengine", "mid", "label", "bundle-only"),
        *("ptime", "maxptime", "rtpmap", "fmtp", "extmap", "extmap-allow-mixed", "connection"),
        *KEYING_ATTRIBUTES,
    )
)
"""Attributes of RTP medias that are never copied: a step of their own writes them, or nothing does."""

REGENERATED_SESSION = frozenset(
    (
        "group",
        "ice-ufrag",
        "ice-pwd",
        "ice-options",
        "ice-lite",
        "rtpengine",
        "extmap",
        "extmap-allow-mixed",
        *DIRECTIONS,
        *KEYING_ATTRIBUTES,
    )
)

BLIND_REGENERATED = frozenset(("label", "rtpengine", *SECRET_ATTRIBUTES))
"""The same for medias that are relayed as bytes or left alone: what a handshake of the ends is checked by passes."""


def session_lines(telling: Telling, origin: str) -> list[str]:
    """The session part; its second line is the `o=` line."""
    session = telling.description.session
    lines = ["v=0", f"o={origin}", f"s={telling.session_name}"]
    for kind in "iuep":
        lines.extend([f"{kind}={value}" for value in session.values(kind)])
    lines.extend(_bandwidth(session))
    lines.append(f"t={session.last('t') or '0 0'}")
    if Flag.LOOP_PROTECT in telling.options.flags:
        lines.append(f"a=rtpengine:{telling.instance}")
    if telling.lite:
        lines.append("a=ice-lite")
    lines.extend(telling.groups)
    lines.extend(_copied(session, passing.RELAY_LEFT_OUT if telling.relayed else REGENERATED_SESSION))
    commands = telling.options.sdp_attr
    return manipulate(lines, "global", commands) if commands else lines


def _copied(section: Section, left_out: frozenset[str], more: frozenset[str] = frozenset()) -> list[str]:
    """The attributes of a section that are not left out, in order, byte for byte.

    `left_out` are names however they are written: who is lenient reads keys in any case. `more` are so written.
    """
    kept = {name for name in section.names.keys() - left_out - more if name.strip().lower() not in left_out}
    if not kept:
        return []
    return [f"a={name}" if value is None else f"a={name}:{value}" for name, value in section.attributes if name in kept]


def _bandwidth(section: Section) -> list[str]:
    """`b=`: the known types once each, in a fixed order."""
    given = section.values("b")
    if not given:
        return given
    by_type: dict[str, str] = {}
    for value in given:
        by_type.setdefault(value.partition(":")[0], value)
    return [f"b={by_type[kind]}" for kind in BANDWIDTHS if kind in by_type]


def media_lines(telling: MediaTelling) -> list[str]:
    """One media part."""
    if not telling.told.active or not telling.said.active:
        lines = _refused(telling)
    else:
        protocol = protocol_of(telling.told.protocol, telling.told.kind)
        steps = _steps(telling) if protocol.rtp else BLIND_STEPS
        lines = [*_plain_twin(telling)] if telling.told.twice else []
        for step in steps:
            lines.extend(step(telling))
    commands = telling.of.options.sdp_attr
    return manipulate(lines, telling.told.kind, commands) if commands else lines


def _steps(telling: MediaTelling) -> "tuple[Step, ...]":
    """How an RTP media is written."""
    if telling.of.relayed:
        return RELAY_STEPS
    return DIRECT_STEPS if telling.told.direct else RTP_STEPS


def _plain_twin(telling: MediaTelling) -> list[str]:
    """The media in the clear, where it is offered twice."""
    told = telling.told._replace(protocol=doubling.plain_protocol(telling.told.protocol), security=CLEAR, twice=False)
    return media_lines(telling._replace(told=told))


def absent_lines(media: Media, family: Family) -> list[str]:
    """The part for a media of the offerer that the answer has no line for: withheld from the answerer, or left out."""
    formats = " ".join(media.formats) or "0"
    return [f"m={media.kind} 0 {media.protocol} {formats}", f"c=IN {family.value} {family.unspecified}"]


def _refused(telling: MediaTelling) -> list[str]:
    """A media with port 0: its formats, the zero address, and what identifies it (§4.4)."""
    section, told = telling.section, telling.told
    formats = section.formats
    if told.protocol != protocol_of(section.protocol, section.kind).name:
        formats = told.formats if told.said else ("0",)
    family = telling.of.family
    lines = [f"m={section.kind} 0 {told.protocol} {' '.join(formats)}".rstrip()]
    lines.append(f"c=IN {family.value} {family.unspecified}")
    lines.extend(_mid(telling))
    lines.extend(_label(telling))
    return lines


# ------------------------------------------------------------------------------------- steps, in order of appearance


def _media(telling: MediaTelling) -> list[str]:
    """`m=`: our port, the transport toward the receiver, the codecs of the sender."""
    told, ports = telling.told, telling.base.ports
    if ports is None:
        port = telling.section.port
    elif told.bundled is not None and "strict" in telling.of.options.bundle:
        port = 0
    else:
        port = ports.rtp.port
    if telling.told.told_codecs:
        formats = " ".join([str(codec.payload_type) for codec in telling.told.told_codecs])
    else:
        formats = " ".join(telling.section.formats) or "0"
    return [f"m={told.kind} {port} {told.protocol} {formats}"]


def _information(telling: MediaTelling) -> list[str]:
    """`i=`: copied."""
    return [f"i={value}" for value in telling.section.values("i")]


def address_toward(telling: MediaTelling) -> str:
    """The address written for a media: ours, `media-address`, the zero address of a hold, or the sender's own.

    With ICE a hold is said by the direction alone: the zero address would be a restart (ICE-09).
    """
    ports, options = telling.base.ports, telling.of.options
    if ports is None:
        return telling.said.rtp.address if telling.said.rtp else Family.IP4.unspecified
    if telling.said.is_zero and telling.told.ice is None and "zero-address" not in options.replace:
        return ports.interface.family.unspecified
    return options.media_address or ports.interface.advertised


def _connection(telling: MediaTelling) -> list[str]:
    """`c=`: always at the media."""
    address = address_toward(telling)
    return [f"c=IN {family_of(address).value} {address}"]


def _media_bandwidth(telling: MediaTelling) -> list[str]:
    return _bandwidth(telling.section)


def _mid(telling: MediaTelling) -> list[str]:
    """`a=mid`: the sender's, or in an answer the one that the offerer gave."""
    return [f"a=mid:{telling.told.mid}"] if telling.told.mid else []


def _label(telling: MediaTelling) -> list[str]:
    """`a=label` (RFC 4574): copied."""
    return [f"a=label:{value}" for value in telling.section.get_all("label")]


def _codecs(telling: MediaTelling) -> list[str]:
    """`a=rtpmap`, `a=fmtp`, `a=rtcp-fb` of each payload type; static ones get their `rtpmap` spelled out."""
    lines: list[str] = []
    for codec in telling.told.told_codecs:
        lines.extend(codec.lines)
    return lines


def _extensions(telling: MediaTelling) -> list[str]:
    """`a=extmap` with the numbers that they came with, unless stripped; those of the session apply to medias without.

    The extension that says which media of a BUNDLE group a packet belongs to goes first where the receiver has named
    it, and is added where a group is offered (RFC 9143 §15).
    """
    of, told = telling.of, telling.told
    options = of.options
    if not (
        told.mid_extension
        or told.mid_added
        or telling.said.mid_added
        or "extmap" in telling.section.names
        or "extmap" in of.description.session.names
    ):
        return []
    values = telling.section.get_all("extmap") or of.description.session.get_all("extmap")[: passing.MAX_LENT]
    if Flag.STRIP_EXTMAP in options.flags or "all" in options.extmap_strip:
        values = []
    left_out = {*options.extmap_strip, *options.extmap_mask}
    kept = [words for value in values if len(words := value.split(maxsplit=1)) == 2 and words[1] not in left_out]
    lines = [f"a=extmap:{number.partition('/')[0]} {name}" for number, name in kept]
    if telling.said.mid_added and not told.mid_extension:
        ours = f"a=extmap:{telling.said.mid_added} {bundling.MID}"
        lines = [line for line in lines if line != ours]
    taken = told.mid_added in (0, told.mid_extension)
    if told.said and told.mid_extension and of.bundling and taken:
        number = f"a=extmap:{told.mid_extension} "
        known = number + bundling.MID
        if of.is_answer or known in lines or not any(line.endswith(f" {bundling.MID}") for line in lines):
            lines = [known, *(line for line in lines if not line.startswith(number))]
    elif told.mid_added and not of.is_answer:
        lines.append(f"a=extmap:{told.mid_added} {bundling.MID}")
    if lines and told.mixed is not False:
        lines.insert(0, "a=extmap-allow-mixed")
    return lines


def _bundle_only(telling: MediaTelling) -> list[str]:
    """`a=bundle-only`: offered medias that have no port but that of their group."""
    return ["a=bundle-only"] if telling.told.bundled is not None and not telling.of.is_answer else []


def _general_feedback(telling: MediaTelling) -> list[str]:
    """`a=rtcp-fb` of all payload types (RFC 4585 §4.2): copied."""
    return [f"a=rtcp-fb:{value}" for value in telling.section.get_all("rtcp-fb") if value.startswith("*")]


def _others(telling: MediaTelling) -> list[str]:
    """Attributes that no step knows: copied in order, byte for byte. Feedback of a codec goes where the codec goes."""
    lines = _copied(telling.section, REGENERATED, DIRECTIONS)
    feedback = telling.section.get_all("rtcp-fb")
    if not feedback:
        return lines
    known = {"*", *(str(codec.payload_type) for codec in (*telling.said.codecs, *telling.told.told_codecs))}
    written = {f"a=rtcp-fb:{value}" for value in feedback if value and value.partition(" ")[0] in known}
    return [line for line in lines if line not in written]


def _direction(telling: MediaTelling) -> list[str]:
    """The direction as the sender's state has it (a zero address means that it does not receive).

    Always written; with `original-sendrecv` what the sender wrote, if anything.
    """
    said = telling.said
    if Flag.ORIGINAL_SENDRECV in telling.of.options.flags:
        return [f"a={said.direction}"] if said.direction else []
    if said.sends:
        return ["a=sendrecv"] if said.receives else ["a=sendonly"]
    return ["a=recvonly"] if said.receives else ["a=inactive"]


def _rtcp(telling: MediaTelling) -> list[str]:
    """`a=rtcp` (RFC 3605): always written unless `no-rtcp-attribute`; our RTP port where there is no other."""
    flags = telling.of.options.flags
    told, ports = telling.told, telling.base.ports
    if ports is None or Flag.NO_RTCP_ATTRIBUTE in flags:
        return []
    port = ports.rtp.port
    if ports.rtcp is not None and not told.mux_known and not told.mux_required:
        port = ports.rtcp.port
    if Flag.FULL_RTCP_ATTRIBUTE in flags:
        address = telling.of.options.media_address or ports.interface.advertised
        return [f"a=rtcp:{port} IN {family_of(address).value} {address}"]
    return [f"a=rtcp:{port}"]


def _rtcp_mux(telling: MediaTelling) -> list[str]:
    """`a=rtcp-mux` (RFC 5761): where it is offered to the receiver, or agreed with it."""
    return ["a=rtcp-mux"] if telling.told.mux_told else []


def _crypto(telling: MediaTelling) -> list[str]:
    """`a=crypto` (RFC 4568): our lines for the receiver."""
    words = telling.of.options.sdes
    pad, lifetime = "pad" in words, "lifetime" in words
    return [f"a=crypto:{line.text(pad=pad, lifetime=lifetime)}" for line in telling.told.security.lines]


def _dtls(telling: MediaTelling) -> list[str]:
    """`a=setup`, `a=fingerprint`, `a=tls-id` (RFC 8842): ours toward the receiver."""
    security, identity = telling.told.security, telling.of.identity
    if not security.hashes or identity is None:
        return []
    lines = [f"a=setup:{security.setup}"]
    lines.extend(f"a=fingerprint:{fingerprint.of(identity.der, name).text()}" for name in security.hashes)
    if security.tls_id_told:
        lines.append(f"a=tls-id:{security.tls_id}")
    return lines


def _packet_time(telling: MediaTelling) -> list[str]:
    """`a=ptime`: what the sender asks for, else what was last in force for the receiver. `a=maxptime`: copied."""
    said, options = telling.said, telling.of.options
    ptime = telling.told.ptime
    if options.ptime and not telling.of.is_answer:
        ptime = str(options.ptime)
    lines = [f"a=ptime:{ptime}"] if ptime else []
    if said.maxptime:
        lines.append(f"a=maxptime:{said.maxptime}")
    return lines


def _blind_attributes(telling: MediaTelling) -> list[str]:
    """Attributes of medias that are not RTP: copied, their meaning is between the two ends. But no keys (OSR-08)."""
    return _copied(telling.section, BLIND_REGENERATED)


def _ice(telling: MediaTelling) -> list[str]:
    """`a=ice-ufrag`, `a=ice-pwd`, `a=ice-options`, `a=candidate`, `a=end-of-candidates` (RFC 8839)."""
    ice, ports = telling.told.ice, telling.base.ports
    if telling.told.ice_said is not None and telling.told.ice_said.mismatched and telling.of.is_answer:
        return ["a=ice-mismatch"]
    if ice is None or ports is None:
        return []
    lines = [f"a=ice-ufrag:{ice.local.ufrag}", f"a=ice-pwd:{ice.local.pwd}"]
    options = [word for word, told in (("trickle", ice.trickle), ("ice2", ice.ice2)) if told]
    if options:
        lines.append(f"a=ice-options:{' '.join(options)}")
    of = telling.of
    found = candidates.ours(telling.base, of.options.media_address)
    lines.extend(f"a=candidate:{item}" for item in found)
    if ice.trickle:
        lines.append("a=end-of-candidates")
    return lines


Step = Callable[[MediaTelling], list[str]]

RTP_STEPS: tuple[Step, ...] = (
    _media,
    _information,
    _connection,
    _media_bandwidth,
    _mid,
    _label,
    _bundle_only,
    _codecs,
    _extensions,
    _general_feedback,
    _others,
    _direction,
    _rtcp,
    _rtcp_mux,
    _crypto,
    _dtls,
    _packet_time,
    _ice,
)

DIRECT_STEPS: tuple[Step, ...] = (
    passing.own_media,
    _information,
    passing.own_connection,
    _media_bandwidth,
    passing.own_attributes,
    passing.added_candidates,
)

RELAY_STEPS: tuple[Step, ...] = (
    _media,
    _information,
    _connection,
    _media_bandwidth,
    passing.passing_attributes,
    _direction,
    _rtcp,
    passing.passing_candidates,
)

BLIND_STEPS: tuple[Step, ...] = (
    _media,
    _information,
    _connection,
    _media_bandwidth,
    _label,
    _blind_attributes,
    passing.blind_candidates,
)
