"""Recording and forwarding commands on a daemon that has no recorder: they are answered `ok` and do nothing.

So does the reference where recording is not configured (ng-protocol.md §2.6), and scripts rely on it. Each is logged.
"""

import logging

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call import parties, selection
from ngdaemon.commands.blocking import call_of
from ngdaemon.commands.service import Asked, Reply, Service

logger = logging.getLogger("ngdaemon.call")


def record(service: Service, asked: Asked) -> Reply:
    """`start`, `stop` and `pause recording`: always the whole call. Their metadata is kept, for `query`."""
    options = asked.options
    call_id = CallId(options.call_id or "")
    call = service.registry.get(call_id)
    if call is None:
        raise RequestError("Unknown call-id")
    if options.metadata:
        leg = parties.find(call, options.from_tag)
        call = call if leg is None else parties.with_leg(call, leg._replace(metadata=options.metadata))
        service.registry.replan(call._replace(metadata=options.metadata), asked.now)
    logger.warning("%s has no effect: no recording is configured", options.command, extra={"call": call_id})
    return {}


def forward(service: Service, asked: Asked) -> Reply:
    """`start` and `stop forwarding`: of the whole call or of a party."""
    call = call_of(service, asked.options)
    selection.directed_party(call, asked.options)
    logger.warning("%s has no effect: no recording is configured", asked.options.command, extra={"call": call.id})
    return {}
