"""Which party or which flows a command is about (ng-protocol.md §2.2, §2.7)."""

from ngdaemon.base.endpoint import parse_address
from ngdaemon.base.errors import RequestError
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Kind, Leg, Subscription
from ngdaemon.ng.options import Flag, Options

FLOWS = {
    "offer-answer": frozenset((Kind.OFFER_ANSWER,)),
    "except-offer-answer": frozenset((Kind.PUB_SUB,)),
    "flows": frozenset(Kind),
}
"""Word of the key `all` → the kinds of flows that it means."""


def party(call: Call, options: Options) -> Leg | None:
    """The party that is named by label, address or tag; None for the whole call. Raises RequestError."""
    if is_all(options):
        return None
    if options.label:
        return _by_label(call, options.label, "No monologue matching the given label")
    if options.address:
        return _by_address(call, options.address)
    if options.from_tag is not None:
        leg = parties.find(call, options.from_tag)
        if leg is None:
            raise RequestError("From-tag given, but no such tag exists")
        return leg
    return None


def directed_party(call: Call, options: Options) -> Leg | None:
    """As `party`, for the commands whose from-tag counts only when it is meant.

    Some proxies always insert the tag: it counts with the flag `directional`, and without raw flags also where it is
    known, for the proxies that send it only when it is wanted.
    """
    if options.from_tag is None or options.label or options.address or Flag.DIRECTIONAL in options.flags:
        return party(call, options)
    if options.raw_flags or is_all(options):
        return None
    return parties.find(call, options.from_tag)


def flows(call: Call, leg: Leg | None, options: Options) -> tuple[Subscription, ...] | None:
    """Single flows that are named besides their source; None when the source itself is meant. Raises RequestError."""
    kinds = FLOWS.get(options.all or "")
    if kinds is not None:
        found = [item for item in call.subscriptions if item.kind in kinds and (leg is None or item.source == leg.id)]
        if not found:
            raise RequestError("No eligible media subscriptions found")
        return tuple(found)
    if leg is None:
        return None
    if options.to_tag:
        target = parties.find(call, options.to_tag)
        if target is None:
            raise RequestError("Media flow not found (to-tag not found)")
    elif options.to_label:
        target = _by_label(call, options.to_label, "Media flow not found (to-label not found)")
    else:
        return None
    found = [item for item in call.subscriptions if item.source == leg.id and item.subscriber == target.id]
    if not found:
        raise RequestError("Media flow not found (to-tag not subscribed)")
    return tuple(found)


def is_all(options: Options) -> bool:
    """Whether the whole call is meant."""
    return Flag.ALL in options.flags or options.all == "all"


def _by_label(call: Call, label: str, otherwise: str) -> Leg:
    for leg in call.legs:
        if leg.label == label and not leg.ended:
            return leg
    raise RequestError(otherwise)


def _by_address(call: Call, text: str) -> Leg:
    address = parse_address(text)
    if address is None:
        raise RequestError("Failed to parse network address")
    for leg in call.legs:
        if any(media.rtp is not None and media.rtp.address == str(address) for media in leg.medias):
            return leg
    raise RequestError("Failed to match address to any tag")
