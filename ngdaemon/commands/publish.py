"""`publish`, `create`, `create answer`: parties that speak with the daemon only (ng-protocol.md §2.9)."""

from collections.abc import Callable

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Leg
from ngdaemon.call.negotiation import alone, own
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.alone import Alone
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.commands.transaction import described, fitting, new_call, perform

NAME_OCTETS = 32
"""Of call-ids and tags that are made up; they are written in hexadecimal."""

Making = Callable[[Call, Leg, Allocator], Alone]


def publish(service: Service, asked: Asked) -> Reply:
    """Take in media of a party that nobody has called; others may subscribe to it."""
    description = described(service, asked.options)

    def make(call: Call, leg: Leg, allocator: Allocator) -> Alone:
        return alone.publish(call, leg, description, asked.options, service, allocator)

    return _make(service, asked, make)


def create(service: Service, asked: Asked) -> Reply:
    """An offer out of nothing."""

    def make(call: Call, leg: Leg, allocator: Allocator) -> Alone:
        return alone.create(call, leg, asked.options, service, allocator)

    return _make(service, asked, make)


def _make(service: Service, asked: Asked, make: Making) -> Reply:
    """Run what makes or changes a leg that is alone. Call-id and tag are made up where they are not given."""
    options, now = asked.options, service.wall.microseconds()
    call_id = CallId(options.call_id or service.rng.bytes(NAME_OCTETS).hex())
    tag = options.from_tag or service.rng.bytes(NAME_OCTETS).hex()
    call = service.registry.get(call_id) or new_call(service, call_id, asked.source, now)
    call, leg = alone.leg_of(call, tag, now)

    def change(allocator: Allocator) -> Reply:
        made = make(call, leg, allocator)
        fitting(made.text)
        _store(service, asked, made.call, made.leg, again=leg.answered)
        return {"sdp": made.text, "call-id": call_id, "from-tag": tag}

    return perform(service, asked, call_id, change)


def create_answer(service: Service, asked: Asked) -> Reply:
    """The answer to what `create` offered."""
    options = asked.options
    description = described(service, options)
    call = service.registry.get(CallId(options.call_id or ""))
    if call is None:
        raise RequestError("unknown call-ID")
    leg = parties.find(call, options.from_tag)
    if leg is None or not leg.alone:
        raise RequestError("From-tag not found")

    def change(allocator: Allocator) -> Reply:
        heard = own.hear_answer(
            leg, description, options, service, allocator, whole=False, failure="Failed to process answer"
        )
        _store(service, asked, parties.with_leg(call, heard), heard, again=leg.answered)
        return {}

    return perform(service, asked, call.id, change)


def _store(service: Service, asked: Asked, call: Call, leg: Leg, *, again: bool) -> None:
    """Put the call in force, as one that was signalled just now.

    Peers are learned anew only where the leg was heard of before (`again`): a newcomer must not disturb a dialogue.
    """
    call = call._replace(
        last_signal=service.wall.microseconds(),
        generation=call.generation + again,
        metadata=asked.options.metadata or call.metadata,
    )
    service.registry.store(call, (leg.id,), asked.now)
