"""What command handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.sources import Rng, Wall
from ngdaemon.base.throttle import Throttle
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.negotiation.exchange import Identities
from ngdaemon.call.negotiation.keying import Policy
from ngdaemon.call.registry import Registry
from ngdaemon.call.reporting.statistics import Statistics
from ngdaemon.commands.limits import Limits
from ngdaemon.config import Config
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.media.ports import Ports
from ngdaemon.ng.options import Options

Reply = dict[str, object]


@dataclass(slots=True)
class Service:
    """The parts of the daemon, as handlers see them."""

    config: Config
    interfaces: Interfaces
    registry: Registry
    forwarder: Forwarder
    ports: Ports
    statistics: Statistics
    limits: Limits
    rng: Rng
    wall: Wall
    policy: Policy
    identities: Identities
    complaints: Throttle
    change: Callable[[Config], None]
    """Puts settings in force that a command changed."""
    instance: str
    """Names this daemon in `a=rtpengine:` lines (`loop-protect`): 12 hex digits."""


class Asked(NamedTuple):
    """One request: its options, who sent it, and when (monotonic seconds)."""

    options: Options
    source: Endpoint
    now: float
