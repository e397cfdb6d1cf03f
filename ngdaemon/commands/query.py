"""`ping`, `query`, `list` and `statistics`: questions that change nothing (ng-protocol.md §2.5)."""

from collections.abc import Iterable
from itertools import islice

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call.model import Call
from ngdaemon.call.reporting.report import Measured
from ngdaemon.call.reporting.report import query as tree
from ngdaemon.call.reporting.statistics import interface_tree
from ngdaemon.commands.service import Asked, Reply, Service

DEFAULT_LIMIT = 32


def ping(_service: Service, _asked: Asked) -> Reply:
    """Alive."""
    return {"result": "pong"}


def query(service: Service, asked: Asked) -> Reply:
    """The state of a call, or of one leg and its partners; the to-tag is looked up first."""
    options = asked.options
    call = service.registry.get(CallId(options.call_id or ""))
    if call is None:
        raise RequestError("Unknown call-id")
    tags = [tag for tag in (options.to_tag, options.from_tag) if tag]
    return report(service, call, tags, asked.now)


def report(service: Service, call: Call, tags: Iterable[str], now: float, *, closed: bool = False) -> Reply:
    """The tree of a call with its present counters."""
    wall = service.wall.microseconds() // 1_000_000
    counters = service.forwarder.counters(call.id)
    quality = service.registry.quality(call.id)
    links = service.registry.transports.shown(call.id)
    return tree(call, Measured(counters, quality, now, wall, closed=closed, links=links), tags)


def list_calls(service: Service, asked: Asked) -> Reply:
    """Call-ids, at most `limit` of them."""
    limit = asked.options.limit
    if limit is None:
        limit = DEFAULT_LIMIT
    if limit < 0:
        raise RequestError("invalid limit, must be >= 0")
    return {"calls": [call.id for call in islice(service.registry, limit)]}


def statistics(service: Service, asked: Asked) -> Reply:
    """Counters of the daemon."""
    interfaces = [
        interface_tree(item, service.config.ports(item.address), service.ports.used(item.address))
        for item in service.config.interfaces
    ]
    registry = service.registry
    happenings = registry.transports.happenings
    tree = service.statistics.tree(list(registry), registry.traffic(), happenings, interfaces, asked.now)
    return {"statistics": tree}
