"""`offer` and `answer`: a session description comes in, another one goes out (ng-protocol.md §2.3)."""

import logging

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.base.throttle import with_count
from ngdaemon.call import parties
from ngdaemon.call.model import Call
from ngdaemon.call.negotiation import causes, connecting, negotiate
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.causes import Cause
from ngdaemon.call.negotiation.exchange import Exchange
from ngdaemon.commands.journal import identity
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.commands.transaction import described, fitting, new_call, perform
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import kind_shown
from ngdaemon.sdp.session import SessionDescription

logger = logging.getLogger("ngdaemon.control")

MOST_NAMED = 4
"""Medias that a line of the log names."""


def offer(service: Service, asked: Asked) -> Reply:
    """The SDP for the receiver of an offer; creates the call if need be."""
    options = asked.options
    if looped(service, options):
        return {"sdp": options.sdp or ""}
    if Flag.FRAGMENT in options.flags:
        return _fragment(service, asked, options.from_tag)
    before = service.registry.get(CallId(options.call_id or ""))
    if before is None:
        service.limits.check(service.config, len(service.registry))
    description = described(service, options)
    now = service.wall.microseconds()
    call = before or new_call(service, CallId(options.call_id or ""), asked.source, now)
    call = _with_tos(service, call, options)
    call, offerer, receiver = parties.for_offer(call, options, now)
    return _exchange(service, asked, description, Exchange(call, offerer, receiver, is_answer=False))


def answer(service: Service, asked: Asked) -> Reply:
    """The SDP for the offerer. The sender of an answer is the party of the *to-tag*."""
    options = asked.options
    if looped(service, options):
        return {"sdp": options.sdp or ""}
    if Flag.FRAGMENT in options.flags:
        return _fragment(service, asked, options.to_tag)
    description = described(service, options)
    call = service.registry.get(CallId(options.call_id or ""))
    if call is None:
        negotiate.check(description, options, sip_source=service.config.sip_source)
        raise RequestError("Unknown call-id")
    if options.from_tag == options.to_tag:
        raise RequestError("Invalid dialogue association")
    call, answerer, offerer = parties.for_answer(call, options, service.wall.microseconds())
    return _exchange(service, asked, description, Exchange(call, answerer, offerer, is_answer=True))


def _fragment(service: Service, asked: Asked, tag: str | None) -> Reply:
    """More candidates of a party (`fragment`, RFC 8840). They are not of use where nobody waits for them."""
    description = described(service, asked.options)
    call = service.registry.get(CallId(asked.options.call_id or ""))
    leg = None if call is None else parties.find(call, tag)
    if call is not None and leg is not None and not service.registry.is_ending(call.id):
        call = parties.with_leg(call, connecting.with_fragment(leg, description))
        service.registry.store(call, (), asked.now)
    return {}


def looped(service: Service, options: Options) -> bool:
    """Whether an SDP has passed us already (`loop-protect`)."""
    return Flag.LOOP_PROTECT in options.flags and f"a=rtpengine:{service.instance}" in (options.sdp or "")


def _with_tos(service: Service, call: Call, options: Options) -> Call:
    """Offers set the TOS octet of the whole call; without the key it falls back to the daemon's (§3.2)."""
    if options.tos is not None and options.tos < 0:
        return call
    tos = options.tos if options.tos is not None and options.tos <= 255 else service.config.tos
    return call if call.tos == (tos or None) else call._replace(tos=tos or None)


def _exchange(service: Service, asked: Asked, description: SessionDescription, exchange: Exchange) -> Reply:
    """Run one half of an offer/answer exchange."""
    limit = service.config.max_parties
    if len(exchange.call.legs) > limit:
        raise RequestError(f"Too many parties in call (limit {limit})")

    def change(allocator: Allocator) -> Reply:
        text = fitting(exchange.run(description, asked.options, service, allocator))
        call = _signalled(service, asked, exchange.call)
        if exchange.is_answer:
            call = parties.agreed(call, exchange.sender.id, exchange.receiver.id)
        service.registry.store(call, (exchange.sender.id, exchange.receiver.id), asked.now)
        if not exchange.refusals:
            return {"sdp": text}
        _warn(service, asked, description, exchange)
        return {"sdp": text, "warnings": causes.warnings(exchange.refusals)}

    return perform(service, asked, exchange.call.id, change)


def _warn(service: Service, asked: Asked, description: SessionDescription, exchange: Exchange) -> None:
    """Log the medias that were refused where the call goes on without them: in one line, the same once in a while."""
    service.statistics.refused_medias += len(exchange.refusals)
    places: dict[Cause, list[int]] = {}
    for place, cause in exchange.refusals:
        places.setdefault(cause, []).append(place)
    name = "answer" if exchange.is_answer else "offer"
    refused = "; ".join(f"{_named(description, found)}:{cause.word} ({cause.text})" for cause, found in places.items())
    text = f"refused in the {name}: {refused}; the call goes on without it"
    held_back = service.complaints.passes(f"{exchange.call.id} {text}", asked.now)
    if held_back is not None:
        logger.warning("%s", with_count(text, held_back), extra=identity(asked.options))


def _named(description: SessionDescription, places: list[int]) -> str:
    """The medias at these places, the first of them with their kinds; the numbers are from 1."""
    medias = description.medias
    shown = [
        f"{kind_shown(medias[place].kind) if place < len(medias) else 'media'} {place + 1}"
        for place in places[:MOST_NAMED]
    ]
    more = len(places) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _signalled(service: Service, asked: Asked, call: Call) -> Call:
    """The call with the time and the count of its signalling brought up to date."""
    return call._replace(
        last_signal=service.wall.microseconds(),
        generation=call.generation + 1,
        metadata=asked.options.metadata or call.metadata,
        drop_traffic=asked.options.drop_traffic == "start" if asked.options.drop_traffic else call.drop_traffic,
    )
