"""Who is meant: finding, joining and making the legs that a request speaks of (ng-protocol.md §2.4, §3.1)."""

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import Tag
from ngdaemon.call.model import Call, Kind, Leg, LegId, Subscription
from ngdaemon.ng.options import Flag, Options

FIRST_TWO = (Subscription(LegId(0), LegId(1)), Subscription(LegId(1), LegId(0)))
"""Who receives from whom in a new call."""


def find(call: Call, tag: str | None) -> Leg | None:
    """The living leg with that tag; with an empty one that of the sender who sent an empty tag before."""
    if tag == "":
        return next((leg for leg in call.legs if not leg.tag and leg.answered and not leg.ended), None)
    if tag is None:
        return None
    for leg in call.legs:
        if not leg.ended and leg.has_tag(tag):
            return leg
    return None


def add_leg(call: Call, tag: str, created: int, via_branch: str = "") -> tuple[Call, Leg]:
    """A call with one more leg."""
    leg = Leg(LegId(len(call.legs)), Tag(tag), created, via_branch=via_branch)
    return call._replace(legs=(*call.legs, leg)), leg


def with_leg(call: Call, leg: Leg) -> Call:
    """The call with the leg in place of its former self."""
    return call._replace(legs=(*call.legs[: leg.id], leg, *call.legs[leg.id + 1 :]))


def with_legs(call: Call, one: Leg, other: Leg) -> Call:
    """The call with two legs in place of their former selves."""
    legs = list(call.legs)
    legs[one.id], legs[other.id] = one, other
    return call._replace(legs=tuple(legs))


def agreed(call: Call, *ids: LegId) -> Call:
    """The call after an answer: what was offered to these legs, or by them, is in force now (RFC 3264 §8)."""
    for number in ids:
        leg = call.leg(number)
        if any(media.agreed != media.protocol for media in leg.medias):  # what was refused, or not spoken of
            call = with_leg(call, leg._replace(medias=tuple(m._replace(agreed=m.protocol) for m in leg.medias)))
    return call


def for_offer(call: Call, options: Options, now: int) -> tuple[Call, Leg, Leg]:
    """The call with the offerer and the receiver of an offer."""
    offerer = find(call, options.from_tag)
    if offerer is None and not call.legs:
        return _of_two(call, options, now)
    if offerer is None:
        call, offerer = add_leg(call, options.from_tag or "", now)
    receiver = find(call, options.to_tag) if options.to_tag else _branch_of(call, offerer, options.via_branch)
    if receiver is None or receiver.id == offerer.id:
        exclusive = bool(options.to_tag)
        call, receiver = add_leg(call, "", now, options.via_branch or "")
        call = _join(call, offerer.id, receiver.id, exclusive=exclusive)
    elif receiver.id not in call.partners_of(offerer.id) or options.to_tag:
        call = _join(call, offerer.id, receiver.id, exclusive=True)
    return call, offerer, receiver


def _of_two(call: Call, options: Options, now: int) -> tuple[Call, Leg, Leg]:
    """A new call with its first two parties."""
    offerer = Leg(LegId(0), Tag(options.from_tag or ""), now)
    receiver = Leg(LegId(1), Tag(""), now, via_branch=options.via_branch or "")
    return call._replace(legs=(offerer, receiver), subscriptions=FIRST_TWO), offerer, receiver


def _branch_of(call: Call, offerer: Leg, via_branch: str | None) -> Leg | None:
    """The party that an offer without to-tag goes to again, if there is one."""
    partners = [call.leg(number) for number in call.partners_of(offerer.id)]
    if via_branch:
        partners = [leg for leg in call.legs if not leg.ended and leg.via_branch == via_branch and leg is not offerer]
    return partners[-1] if partners else None


def for_answer(call: Call, options: Options, now: int) -> tuple[Call, Leg, Leg]:
    """The call with the answerer and the offerer of an answer, joined to nobody else.

    Raises RequestError where both are the same, by two of its tags.
    """
    offerer = find(call, options.from_tag)
    answerer = find(call, options.to_tag)
    if answerer is None and offerer is not None:
        answerer = _unnamed_answerer(call, offerer, options)
        if answerer is not None:
            answerer = _named(answerer, options.to_tag or "")
            call = with_leg(call, answerer)
    if answerer is None:
        call, answerer = add_leg(call, options.to_tag or "", now, options.via_branch or "")
    if offerer is None:
        call, offerer = add_leg(call, "", now)
    if offerer.id == answerer.id:
        raise RequestError("Invalid dialogue association")
    if len(call.legs) > 2 or call.subscriptions != FIRST_TWO:
        call = _join(call, offerer.id, answerer.id, exclusive=True)
    return call, answerer, offerer


def _unnamed_answerer(call: Call, offerer: Leg, options: Options) -> Leg | None:
    """The party that answers with a tag never seen: a branch, or the one that the offer went to."""
    partners = [call.leg(number) for number in call.partners_of(offerer.id)]
    if options.via_branch:
        for leg in call.legs:
            if not leg.ended and leg.via_branch == options.via_branch and leg.id != offerer.id:
                return leg if not leg.tag or not leg.final else None
    untagged = [leg for leg in partners if not leg.tag]
    if untagged:
        return untagged[-1]
    if not partners or Flag.NEW_BRANCH in options.flags or partners[-1].final:
        return None
    return partners[-1]


def _named(leg: Leg, tag: str) -> Leg:
    """The leg with its tag known; of several the newest is its tag, the others are aliases."""
    if not leg.tag:
        return leg._replace(tag=Tag(tag))
    return leg._replace(tag=Tag(tag), aliases=(*leg.aliases, leg.tag))


def _join(call: Call, one: LegId, other: LegId, *, exclusive: bool) -> Call:
    """Make two legs receive from each other; `exclusive` ends what either had with others. Copies go on."""
    pair = {one, other}
    kept = tuple(
        item
        for item in call.subscriptions
        if item.kind is Kind.PUB_SUB
        or (
            {item.subscriber, item.source} != pair
            and not (exclusive and (item.subscriber in pair or item.source in pair))
        )
    )
    return call._replace(subscriptions=(*kept, Subscription(one, other), Subscription(other, one)))
