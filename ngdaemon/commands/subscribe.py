"""`subscribe request`, `subscribe answer`, `unsubscribe`: copies of media for recorders and listeners (§2.9).

None of them is signalling of the parties: timeouts of the call, a deletion under way and what was learned about its
peers stay as they are.
"""

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.negotiation import own, subscribing
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.subscribing import Subscribing
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.commands.transaction import described, fitting, perform
from ngdaemon.ng.options import Flag, Options

ANSWER_FAILED = "Failed to process subscription answer"
NO_SUBSCRIBER = "To-tag not found"
NO_COPIES = "the to-tag is that of a party, not of a subscriber"
TAG_OCTETS = 32
"""Of tags that are made up; they are written in hexadecimal."""

MODES = {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly", (False, False): "inactive"}
"""Whether we send to a party and receive from it → `mode`."""


def request(service: Service, asked: Asked) -> Reply:
    """An offer for a subscriber, of copies of what some parties send."""
    options = asked.options
    call = _call_of(service, options, "Unknown call-ID(s)")
    sources = subscribing.sources_of(call, options)
    tag = options.to_tag if not options.raw_flags or Flag.TO_TAG in options.flags else None
    tag = tag or service.rng.bytes(TAG_OCTETS).hex()
    call, subscriber = subscribing.subscriber_of(call, tag, service.wall.microseconds())
    work = Subscribing(call, subscriber, sources)

    def change(allocator: Allocator) -> Reply:
        text = fitting(work.run(options, service, allocator))
        service.registry.replan(work.call, asked.now)
        return {"sdp": text}

    reply = perform(service, asked, call.id, change)
    reply["to-tag"] = tag
    reply["from-tags"] = [leg.tag for leg in work.sources]
    if len(work.sources) == 1:
        reply["from-tag"] = work.sources[0].tag
    if Flag.SIPREC in options.flags:
        copied = [(copy.leg, copy.media) for copy in work.copies]
        reply["tag-medias"] = [_tag_medias(leg, copied) for leg in work.sources]
        reply["media-labels"] = {media.label: _named(leg, _media(media)) for leg, media in copied}
    return reply


def _tag_medias(leg: Leg, copied: list[tuple[Leg, Media]]) -> Reply:
    """One source with its medias, for a recorder."""
    return _named(leg, {"medias": [_media(media) | {"label": media.label} for other, media in copied if other is leg]})


def _named(leg: Leg, tree: Reply) -> Reply:
    """A tree with the tag and the label of a source."""
    return tree | {"tag": leg.tag} | ({"label": leg.label} if leg.label else {})


def _media(media: Media) -> Reply:
    return {"index": media.place + 1, "type": media.kind, "mode": MODES[media.receives, media.sends]}


def answer(service: Service, asked: Asked) -> Reply:
    """The subscriber's answer: from now on it is sent to."""
    options = asked.options
    description = described(service, options)
    call = _call_of(service, options)
    subscriber = _subscriber_of(call, options)
    if not subscriber.is_subscriber:
        raise RequestError(ANSWER_FAILED, cause=NO_COPIES)

    def change(allocator: Allocator) -> Reply:
        whole = Flag.ALLOW_TRANSCODING not in options.flags
        leg = own.hear_answer(subscriber, description, options, service, allocator, whole=whole, failure=ANSWER_FAILED)
        service.registry.replan(parties.with_leg(call, leg), asked.now)
        return {}

    return perform(service, asked, call.id, change)


def unsubscribe(service: Service, asked: Asked) -> Reply:
    """End a subscriber; with `directional` and a from-tag only what it gets from that source."""
    options = asked.options
    call = _call_of(service, options)
    subscriber = _subscriber_of(call, options)
    if not subscriber.is_subscriber:
        raise RequestError("Failed to unsubscribe", cause=NO_COPIES)
    if Flag.DIRECTIONAL in options.flags and options.from_tag:
        source = parties.find(call, options.from_tag)
        if source is None:
            raise RequestError("From-tag not found")
        if source.id not in call.sources_of(subscriber.id):
            raise RequestError("Failed to unsubscribe", cause="it gets no copies from the from-tag")
        call = subscribing.unsubscribed(call, subscriber, source)
        if call.sources_of(subscriber.id):
            service.registry.replan(call, asked.now)
            return {}
    service.registry.end_legs(call.id, (subscriber.id,), asked.now)
    return {}


def _call_of(service: Service, options: Options, otherwise: str = "Unknown call-ID") -> Call:
    """The call that is named. Raises RequestError."""
    call = service.registry.get(CallId(options.call_id or ""))
    if call is None:
        raise RequestError(otherwise)
    return call


def _subscriber_of(call: Call, options: Options) -> Leg:
    """The leg of the to-tag. Raises RequestError."""
    leg = parties.find(call, options.to_tag)
    if leg is None:
        raise RequestError(NO_SUBSCRIBER)
    return leg
