"""The SDP that leaves: one small step per kind of line, in the order in which the lines are written.

The reference generates its SDP anew (ng-protocol.md §4.2, §4.3), and so do we: each step below says what one kind of
line becomes. Lines that no step knows are copied as they came, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ngdaemon.base.endpoint import Family, family_of
from ngdaemon.call import candidates
from ngdaemon.call.icing import Ice
from ngdaemon.call.manipulate import manipulate
from ngdaemon.call.model import Media
from ngdaemon.call.security import KEYING_ATTRIBUTES
from ngdaemon.dtls import fingerprint
from ngdaemon.dtls.certificate import Identity
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import MediaSection, Section, SessionDescription

DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))
BANDWIDTHS = ("AS", "RR", "RS", "CT", "TIAS")
"""Bandwidth types that are passed on, in the order in which they are written."""

REGENERATED = frozenset(
    (
        *("rtcp", "rtcp-mux", "candidate", "ice-ufrag", "ice-pwd", "ice-options", "ice-lite", "remote-candidates"),
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

BLIND_REGENERATED = frozenset(("mid", "label", "rtpengine"))
"""The same for medias that are relayed as bytes or left alone."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What the steps may look at: who said what, and who is told."""

    description: SessionDescription
    options: Options
    is_answer: bool
    instance: str
    """Name of this daemon for `loop-protect`: 12 hex digits."""
    session_name: str
    family: Family
    """The address family toward the receiver."""
    identity: Identity | None = None
    """Our certificate toward the receiver."""
    lite: bool = False
    """We are ICE-lite toward the receiver."""
    secret: bytes = b""
    """What foundations of candidates are derived from."""


@dataclass(frozen=True, slots=True)
class MediaTelling:
    """The same for one media: the section as received, the sender's media and the receiver's."""

    of: Telling
    section: MediaSection
    said: Media
    told: Media


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
    lines.extend([f"a={item}" for item in session.attributes if item.name not in REGENERATED_SESSION])
    return manipulate(lines, "global", telling.options.sdp_attr)


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
        steps = RTP_STEPS if protocol.rtp else BLIND_STEPS
        lines = []
        for step in steps:
            lines.extend(step(telling))
    return manipulate(lines, telling.told.kind, telling.of.options.sdp_attr)


def absent_lines(media: Media, family: Family) -> list[str]:
    """The part for a media of the offerer that the answer has no line for: withheld from the answerer, or left out."""
    formats = " ".join(media.formats) or "0"
    return [f"m={media.kind} 0 {media.protocol} {formats}", f"c=IN {family.value} {family.unspecified}"]


def _refused(telling: MediaTelling) -> list[str]:
    """A media with port 0: its formats, the zero address, and what identifies it (§4.4)."""
    section = telling.section
    protocol = telling.told.protocol
    formats = " ".join(section.formats)
    family = telling.of.family
    lines = [f"m={section.kind} 0 {protocol} {formats}".rstrip(), f"c=IN {family.value} {family.unspecified}"]
    lines.extend(_mid(telling))
    lines.extend(_label(telling))
    return lines


# ------------------------------------------------------------------------------------- steps, in order of appearance


def _media(telling: MediaTelling) -> list[str]:
    """`m=`: our port, the transport toward the receiver, the codecs of the sender."""
    told = telling.told
    if told.ports is None:
        port = telling.section.port
    else:
        port = told.ports.rtp.port
    if telling.told.told_codecs:
        formats = " ".join([str(codec.payload_type) for codec in telling.told.told_codecs])
    else:
        formats = " ".join(telling.section.formats) or "0"
    return [f"m={told.kind} {port} {told.protocol} {formats}"]


def _information(telling: MediaTelling) -> list[str]:
    """`i=`: copied."""
    return [f"i={value}" for value in telling.section.values("i")]


def address_toward(telling: MediaTelling) -> str:
    """The address written for a media: ours, `media-address`, the zero address of a hold, or the sender's own."""
    told, options = telling.told, telling.of.options
    if told.ports is None:
        return telling.said.rtp.address if telling.said.rtp else Family.IP4.unspecified
    if telling.said.is_zero and "zero-address" not in options.replace:
        return told.ports.interface.family.unspecified
    return options.media_address or told.ports.interface.advertised


def _connection(telling: MediaTelling) -> list[str]:
    """`c=`: always at the media."""
    address = address_toward(telling)
    return [f"c=IN {family_of(address).value} {address}"]


def _media_bandwidth(telling: MediaTelling) -> list[str]:
    return _bandwidth(telling.section)


def _mid(telling: MediaTelling) -> list[str]:
    """`a=mid`: the sender's, or in an answer the one that the offerer gave."""
    return [f"a=mid:{telling.told.mid}"] if telling.told.mid else []


def _blind_mid(telling: MediaTelling) -> list[str]:
    """`a=mid` of a media that is not RTP: copied."""
    return [f"a=mid:{value}" for value in telling.section.get_all("mid")]


def _label(telling: MediaTelling) -> list[str]:
    """`a=label` (RFC 4574): copied."""
    return [f"a=label:{value}" for value in telling.section.get_all("label")]


def _codecs(telling: MediaTelling) -> list[str]:
    """`a=rtpmap`, `a=fmtp`, `a=rtcp-fb` of each payload type; static ones get their `rtpmap` spelled out."""
    lines: list[str] = []
    for codec in telling.told.told_codecs:
        lines.extend(codec.lines)
    return lines


def _general_feedback(telling: MediaTelling) -> list[str]:
    """`a=rtcp-fb` of all payload types (RFC 4585 §4.2): copied."""
    return [f"a=rtcp-fb:{value}" for value in telling.section.get_all("rtcp-fb") if value.startswith("*")]


def _extensions(telling: MediaTelling) -> list[str]:
    """`a=extmap`: copied with their numbers, unless stripped; those of the session apply to medias that have none."""
    options = telling.of.options
    extensions = telling.section.get_all("extmap") or telling.of.description.session.get_all("extmap")
    if not extensions or Flag.STRIP_EXTMAP in options.flags or "all" in options.extmap_strip:
        return []
    stripped = {*options.extmap_strip, *options.extmap_mask}
    lines = ["a=extmap-allow-mixed"] if telling.told.mixed is not False else []
    for value in extensions:
        words = value.split()
        if len(words) < 2 or words[1] not in stripped:
            lines.append(f"a=extmap:{value}")
    return lines


def _others(telling: MediaTelling) -> list[str]:
    """Attributes that no step knows: copied in order, byte for byte. Feedback of a codec goes where the codec goes."""
    known = {"*"}
    if "rtcp-fb" in telling.section.names:
        known.update(str(codec.payload_type) for codec in (*telling.said.codecs, *telling.told.told_codecs))
    lines = []
    for attribute in telling.section.attributes:
        name, value = attribute
        if name in REGENERATED or name in DIRECTIONS:
            continue
        if name == "rtcp-fb" and value and value.partition(" ")[0] in known:
            continue
        lines.append(f"a={name}" if value is None else f"a={name}:{value}")
    return lines


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
    told = telling.told
    ports = told.ports
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
    """Attributes of medias that are not RTP: copied, their meaning is between the two ends."""
    return [f"a={item}" for item in telling.section.attributes if item.name not in BLIND_REGENERATED]


def _ice(telling: MediaTelling) -> list[str]:
    """`a=ice-ufrag`, `a=ice-pwd`, `a=ice-options`, `a=candidate`, `a=end-of-candidates` (RFC 8839)."""
    ice, ports = telling.told.ice, telling.told.ports
    if telling.told.ice_said is not None and telling.told.ice_said.mismatched and telling.of.is_answer:
        return ["a=ice-mismatch"]
    if ice is None or ports is None:
        return []
    if ice.borrowed:
        return _borrowed_ice(telling, ice)
    lines = [f"a=ice-ufrag:{ice.local.ufrag}", f"a=ice-pwd:{ice.local.pwd}"]
    options = [word for word, told in (("trickle", ice.trickle), ("ice2", ice.ice2)) if told]
    if options:
        lines.append(f"a=ice-options:{' '.join(options)}")
    lines.extend(f"a=candidate:{item}" for item in candidates.ours(telling.told, telling.of.secret))
    if ice.trickle:
        lines.append("a=end-of-candidates")
    return lines


def _borrowed_ice(telling: MediaTelling, ice: Ice) -> list[str]:
    """The sender's own lines, with our addresses as more candidates."""
    names = ("ice-ufrag", "ice-pwd", "ice-options")
    session = telling.of.description.session
    lines: list[str] = []
    for name in names:
        values = telling.section.get_all(name) or session.get_all(name)
        lines.extend(f"a={name}:{value}" for value in values[:1])
    for value in telling.section.get_all("candidate"):
        if not (ice.relayed and " typ relay" in value):
            lines.append(f"a=candidate:{value}")
    lines.extend(f"a=candidate:{item}" for item in candidates.beside(telling.told, telling.said, telling.of.secret))
    return lines


Step = Callable[[MediaTelling], list[str]]

RTP_STEPS: tuple[Step, ...] = (
    _media,
    _information,
    _connection,
    _media_bandwidth,
    _mid,
    _label,
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

BLIND_STEPS: tuple[Step, ...] = (
    _media,
    _information,
    _connection,
    _media_bandwidth,
    _blind_mid,
    _label,
    _blind_attributes,
)
