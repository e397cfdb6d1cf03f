"""Each media twice, in the clear and secured: how phones offered SRTP before RFC 8643 (`OSRTP=offer-legacy`).

A leg that is offered so may answer either line. A leg that offers so is answered the secured one, its plain twin gets
port 0 (`OSRTP=accept-legacy`).
"""

from itertools import pairwise

from ngdaemon.call.model import Media
from ngdaemon.ng.options import Options
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import MediaSection, SessionDescription


def twins(description: SessionDescription, options: Options) -> frozenset[int]:
    """The numbers of plain m-lines whose secured twin comes next."""
    if "accept-legacy" not in options.osrtp and "accept" not in options.osrtp:
        return frozenset()
    medias = description.medias
    return frozenset(number for number, pair in enumerate(pairwise(medias)) if _are_twins(*pair))


def _are_twins(plain: MediaSection, secured: MediaSection) -> bool:
    protocols = [protocol_of(section.protocol, section.kind) for section in (plain, secured)]
    if not all(protocol.rtp for protocol in protocols) or protocols[0].secure or not protocols[1].secure:
        return False
    return (plain.kind, plain.port, plain.formats) == (secured.kind, secured.port, secured.formats)


def is_offered(told: Media, said: Media, options: Options) -> bool:
    """Whether the receiver of an offer gets a media twice."""
    if "offer-legacy" not in options.osrtp:
        return False
    protocol = protocol_of(told.protocol, told.kind)
    plain = not protocol_of(said.protocol, said.kind).secure
    return protocol.rtp and protocol.secure and plain


def folded(description: SessionDescription, medias: tuple[Media, ...]) -> None:
    """Make one of each two m-lines of an answer: the one that was accepted, the secured one if both were."""
    twice = [media.twice for media in medias]
    if len(description.medias) != len(twice) + sum(twice):
        return
    lines = iter(description.medias)
    kept = []
    for is_twice in twice:
        section = next(lines)
        if is_twice:
            other = next(lines)
            section = other if other.port else section
        kept.append(section)
    description.medias[:] = kept


def plain_protocol(protocol: str) -> str:
    """The transport of the plain twin."""
    return "RTP/AVPF" if protocol_of(protocol).feedback else "RTP/AVP"
