"""What carries the packets: the native forwarder where there is one, else the portable one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.shell.installed import NO_NATIVE, native_trouble
from ngdaemon.shell.portable import PortableForwarder
from ngdaemon.shell.reactor import Reactor

COST = (
    "forwarder: {}, so Python carries the packets: a core carries fewer of them, SRTP above all. "
    "forwarder = portable says that this is wanted"
)


@dataclass(frozen=True, slots=True)
class Backend:
    """A forwarder that is open."""

    name: str
    forwarder: Forwarder
    octets: Callable[[], int]
    """Media octets relayed since the start."""
    close: Callable[[], None]
    remark: str = ""
    """What the operator should know of the choice."""
    level: int = logging.INFO
    """That of the remark."""


def open_backend(config: Config, reactor: Reactor, on_events: Callable[[], None]) -> Backend:
    """The forwarder that is asked for. `on_events` is called when it has something to report.

    Raises ConfigError when it cannot be had.
    """
    trouble = native_trouble() if config.forwarder != "portable" else ""
    if config.forwarder == "native" and trouble:
        raise ConfigError(f"forwarder: {trouble}")
    if config.forwarder != "portable" and not trouble:
        from ngdaemon.shell.native import NativeForwarder  # which cannot be imported where the package is missing

        native = NativeForwarder(reactor, on_events, config.num_threads)
        return Backend("native", native, native.octets, native.close)
    portable = PortableForwarder(reactor, on_events)
    remark = COST.format(trouble) if trouble else ""
    level = logging.INFO if trouble == NO_NATIVE else logging.WARNING  # nobody has to install it
    return Backend("portable", portable, portable.octets, portable.close, remark, level)
