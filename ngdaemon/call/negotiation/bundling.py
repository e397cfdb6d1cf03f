"""BUNDLE (RFC 8843): which medias of a leg share one transport, and what a leg is told of it.

Groups are broken up unless the script says otherwise (`bundle`, ng-protocol.md §3.6): toward a SIP phone each media has
ports of its own. Only RTP medias are bundled; the first one of a group has the transport, the others say its place in
`Media.bundled`.
"""

from collections.abc import Iterable
from itertools import zip_longest

from ngdaemon.call.model import Leg, Media
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import MediaSection, Section, SessionDescription

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
"""The header extension that says which media a packet belongs to (RFC 9143 §15)."""
MAX_EXTENSION = 14
"""The highest number of a header extension with a one-octet header (RFC 8285 §4.2)."""

OFFERING = frozenset(("offer", "require", "strict"))
SHARING = frozenset(("require", "strict"))
"""Words of `bundle` by which the receiver gets one port for all at once."""


def groups(description: SessionDescription, places: list[int]) -> dict[int, int]:
    """Place of each media that is in a BUNDLE group → place of the first media of that group."""
    if "group" not in description.session.names:
        return {}
    by_mid: dict[str, int] = {}
    for place, section in zip(places, description.medias, strict=False):
        mid = section.get("mid")
        if mid and section.port and protocol_of(section.protocol, section.kind).rtp:
            by_mid.setdefault(mid, place)
    found: dict[int, int] = {}
    for value in description.session.get_all("group"):
        words = value.split()
        members = [by_mid[mid] for mid in words[1:] if mid in by_mid] if words[:1] == ["BUNDLE"] else []
        for place in members:
            found.setdefault(place, members[0])
    return found


def extension_of(section: Section) -> int:
    """The number of the MID header extension in one section; 0 for none."""
    for value in section.get_all("extmap"):
        number, _, name = value.partition(" ")
        if name.strip() == MID:
            number = number.partition("/")[0]
            return int(number) if number.isdecimal() and len(number) < 4 else 0
    return 0


def of_sender(leg: Leg, said: list[Media], options: Options, *, is_answer: bool) -> tuple[Leg, list[Media]]:
    """The leg that speaks, with what its groups mean: its transports, and whether it is one that bundles."""
    if not leg.bundling and not options.bundle and not any(media.group is not None or media.grouped for media in said):
        return leg, said
    if is_answer:
        said = [_judged(media, before) for media, before in zip_longest(said, leg.medias) if media is not None]
    has_groups = any(media.group is not None for media in said)
    if "reject" in options.bundle:
        bundling = False
    elif is_answer:
        bundling = has_groups and any(media.grouped for media in said)
    else:
        known = any(media.grouped for media in leg.medias)
        bundling = leg.bundling or (has_groups and (known or "accept" in options.bundle))
    medias = shared(said) if bundling else broken_up(said)
    leg = leg if leg.bundling == bundling else leg._replace(bundling=bundling)
    return leg, _inherited(said, medias) if is_answer else medias


def _judged(media: Media, before: Media | None) -> Media:
    """A media after an answer. One that was offered a shared transport only must have taken the group.

    Identifiers that were not offered name no media of the offer (RFC 8843 §7.3).
    """
    if media.group is not None and (before is None or media.mid != before.mid or not before.grouped):
        media = media._replace(group=None)
    return media._replace(active=False) if media.bundled is not None and media.group is None else media


def _inherited(before: list[Media], after: list[Media]) -> list[Media]:
    """The medias, where a group lost its first one with the ports that the others were told."""
    result = list(after)
    for old, new in zip(before, after, strict=True):
        if not new.active or old.bundled is None or new.bundled is not None:
            continue
        head = result[old.bundled]
        if not head.active and head.ports is not None:
            result[new.place] = new._replace(ports=head.ports)
            result[head.place] = head._replace(ports=None)
    return result


def broken_up(medias: list[Media]) -> list[Media]:
    """The medias, each with a transport of its own."""
    return [media if media.bundled is None else media._replace(bundled=None) for media in medias]


def shared(medias: list[Media]) -> list[Media]:
    """The medias of a leg with those of its groups that can share the transport of the first one."""
    heads: dict[int, Media] = {}
    result = []
    for media in sorted(medias, key=lambda media: media.place != media.group):
        bundled = None
        if media.active and media.group is not None:
            head = heads.setdefault(media.group, media)
            bundled = head.place if head is not media and _goes_with(media, head) else None
        result.append(media if media.bundled == bundled else media._replace(bundled=bundled))
    return sorted(result, key=lambda media: media.place)


def _goes_with(media: Media, head: Media) -> bool:
    """Whether a media may share the transport of another one.

    They must name the same MID extension, if any, and not contradict each other in what makes an association, nor in
    whether there is one (SET-05).
    """
    if media.mid_extension not in (0, head.mid_extension) or _is_secure(media) != _is_secure(head):
        return False
    ours, theirs = media.security.said, head.security.said
    return (not ours.setup or ours.setup == theirs.setup) and (
        not ours.fingerprints or frozenset(ours.fingerprints) == frozenset(theirs.fingerprints)
    )


def of_receiver(
    leg: Leg, told: list[Media], said: list[Media], places: Iterable[int], options: Options, extension: int
) -> tuple[Leg, list[Media]]:
    """The leg that is offered something, with the group that it is offered.

    `extension` is the number for the MID header extension of medias that have none.
    """
    words = options.bundle
    offering = not words.isdisjoint(OFFERING)
    if "reject" in words:
        leg = leg._replace(bundling=False)
    at_once = not words.isdisjoint(SHARING)
    stripped = Flag.STRIP_EXTMAP in options.flags or "all" in options.extmap_strip
    head: Media | None = None
    result, places = list(told), list(places)
    mids = {mid for place in places if (mid := said[place].mid)}
    for place in places:
        media = told[place]
        wanted = offering or (leg.bundling and _knows_all(media, said[place]))
        grouped = wanted and media.active and _is_bundled(media)
        grouped = grouped and (head is None or _is_secure(media) == _is_secure(head))
        bundled = None
        if grouped:
            head = head or media
            known = leg.bundling and media.group == head.group and head.group == head.place
            if media is not head and (at_once or known):
                bundled = head.place
        if grouped or said[place].mid != media.mid:
            media = media._replace(mid=_identified(said[place], mids))
        if not grouped or (said[place].mid_extension and not stripped):
            media = media._replace(mid_added=0)
        elif offering and not (media.said and media.mid_extension):
            media = media._replace(mid_added=extension)
        result[place] = media._replace(grouped=grouped, bundled=bundled)
    return leg, result


def _is_secure(media: Media) -> bool:
    return protocol_of(media.protocol, media.kind).secure


def _identified(said: Media, taken: set[str]) -> str:
    """The identifier of a media: the sender's, or its number, or the next one that no other media has."""
    if said.mid:
        return said.mid
    number = said.place + 1
    while str(number) in taken:
        number += 1
    taken.add(str(number))
    return str(number)


def _knows_all(media: Media, said: Media) -> bool:
    """Whether a leg has named all payload types that it would get: others could not be told apart in a group."""
    return {codec.payload_type for codec in said.codecs} <= {codec.payload_type for codec in media.codecs}


def _is_bundled(media: Media) -> bool:
    return not media.removed and not media.direct and protocol_of(media.protocol, media.kind).rtp


def answered(leg: Leg, told: list[Media], said: list[Media]) -> tuple[Leg, list[Media]]:
    """A leg that is answered: what is left of its groups. One whose first media is refused is broken up."""
    if not leg.bundling:
        ended = [media.grouped or media.bundled is not None for media in told]
        if not any(ended):
            return leg, told
        return leg, [media._replace(grouped=False, bundled=None) for media in told]
    alive = {media.place for media, other in zip(told, said, strict=False) if media.active and other.active}
    candidates = [
        media if media.place in alive and media.group in alive else media._replace(group=None) for media in told
    ]
    joined = shared(candidates)
    medias = [
        after._replace(group=before.group, grouped=after.bundled is not None or after.place == after.group)
        for before, after in zip(told, joined, strict=True)
    ]
    return leg._replace(bundling=any(media.grouped for media in medias)), medias


def lines(medias: Iterable[Media], *, is_answer: bool) -> list[str]:
    """`a=group`: the groups that a leg is told of. What it is offered is one group, whatever is shared already."""
    by_head: dict[int, list[str]] = {}
    for media in medias:
        if media.grouped and media.active and media.mid:
            head = media.place if media.bundled is None else media.bundled
            by_head.setdefault(head if is_answer else 0, []).append(media.mid)
    return [f"a=group:BUNDLE {' '.join(mids)}" for mids in by_head.values()]


def free_extension(sections: Iterable[MediaSection], options: Options) -> int:
    """The number for the MID extension where a media has none: that of the others, else one that nobody uses."""
    taken: dict[int, str] = {}
    stripped = Flag.STRIP_EXTMAP in options.flags or "all" in options.extmap_strip
    for section in () if stripped else sections:
        for value in section.get_all("extmap"):
            number, _, name = value.partition(" ")
            number = number.partition("/")[0]
            if number.isdecimal() and len(number) < 4:
                taken.setdefault(int(number), name.strip())
                if name.strip() == MID:
                    return int(number)
    return next((number for number in range(1, MAX_EXTENSION + 1) if number not in taken), 0)
