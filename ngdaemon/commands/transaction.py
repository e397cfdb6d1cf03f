"""What the commands that change a call have in common: it happens as a whole or not at all."""

from collections.abc import Callable
from typing import TypeVar

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call.model import Call
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.commands.service import Asked, Service
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.session import Bounds, SessionDescription, parse

Result = TypeVar("Result")

LONGEST_SDP = 65_000
"""Octets that a reply has room for in a datagram."""

NO_MEDIAS = "Error rewriting SDP"


def perform(service: Service, asked: Asked, call_id: CallId, change: Callable[[Allocator], Result]) -> Result:
    """Do what changes a call and puts it in force; if anything fails, the call and its ports stay as they were."""
    tag = asked.options.from_tag or ""
    allocator = Allocator(call_id, service.ports, service.forwarder, asked.now, service.complaints, tag)
    try:
        result = change(allocator)
    except BaseException:
        allocator.undo()
        service.registry.restore(call_id)
        raise
    allocator.give_up()
    return result


def fitting(text: str) -> str:
    """An SDP that a reply has room for. Raises RequestError: nothing is put in force that nobody can be told of."""
    if len(text) > LONGEST_SDP:
        raise RequestError(f"SDP of {len(text)} octets is too long for a reply (limit {LONGEST_SDP})")
    return text


def described(service: Service, options: Options) -> SessionDescription:
    """The session description of a request, within the bounds of the settings. Raises RequestError."""
    text, config = options.sdp or "", service.config
    if len(text) > config.max_sdp:
        raise RequestError(f"SDP too long (limit {config.max_sdp} octets)", cause="max-sdp")
    fragment = Flag.FRAGMENT in options.flags
    description = parse(text, Bounds(config.max_medias, config.max_candidates, config.reject_invalid_sdp, fragment))
    if not description.medias and not fragment:
        raise RequestError(NO_MEDIAS, {"sdp": ""}, cause="the SDP has no m= line")
    return description


def new_call(service: Service, call_id: CallId, source: Endpoint, now: int) -> Call:
    """A call that nobody takes part in yet. `now` is in wall-clock microseconds."""
    return Call(call_id, now, now, tos=service.config.tos or None, created_from=str(source))
