"""`delete`: end a call or a branch, now or after a delay, and report what it was (ng-protocol.md §2.4)."""

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call import parties
from ngdaemon.call.model import Call, Leg, LegId
from ngdaemon.call.registry import Ending
from ngdaemon.commands.query import report
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.ng.options import Flag, Options

NOT_FOUND = "Call-ID not found or tags didn't match"


def delete(service: Service, asked: Asked) -> Reply:
    """End what was named. Not to find it is a warning, with the flag `fatal` an error."""
    options = asked.options
    call_id = CallId(options.call_id or "")
    call = service.registry.get(call_id)
    found = _found(call, options) if call is not None else None
    if call is None or (found is None and options.from_tag):
        if Flag.FATAL in options.flags:
            raise RequestError(NOT_FOUND)
        return {"warning": NOT_FOUND}
    delay = service.config.delete_delay if options.delete_delay is None else options.delete_delay
    gone = _gone(call, found) if found is not None else ()
    if call.is_over(gone):
        gone = ()
    reply: Reply = {}
    if Flag.FAST not in options.flags:
        tags = (options.to_tag if _honours_to_tag(options) else None, options.from_tag)
        reply = report(
            service, call, [tag for tag in tags if tag], asked.now, closed=not delay and not gone and found is not None
        )
    if delay:
        service.registry.delete_later(call_id, asked.now + delay, gone)
    elif gone:
        service.registry.end_legs(call_id, gone, asked.now)
    else:
        service.registry.end(call_id, Ending.REGULAR, asked.now)
    return reply


def _honours_to_tag(options: Options) -> bool:
    """Whether the to-tag selects: with raw flags proxies always send it, so there it needs the flag (§12 row 7)."""
    return Flag.TO_TAG in options.flags or not options.raw_flags


def _found(call: Call, options: Options) -> Leg | None:
    """The leg that a delete is about."""
    if not options.from_tag:
        return None
    to_tag = options.to_tag if _honours_to_tag(options) else None
    if to_tag and Flag.TO_TAG not in options.flags and parties.find(call, to_tag) is None:
        to_tag = None
    branch = options.via_branch
    if branch and not to_tag:
        for leg in call.legs:
            if not leg.ended and leg.via_branch == branch:
                return leg
    named = parties.find(call, to_tag or options.from_tag)
    if named is not None or to_tag:
        return named
    return None


def _gone(call: Call, found: Leg) -> tuple[LegId, ...]:
    """The leg and those that are joined to nobody else."""
    gone = [found.id]
    for number in call.partners_of(found.id):
        if set(call.partners_of(number)) <= set(gone):
            gone.append(number)
    return tuple(gone)
