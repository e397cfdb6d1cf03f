"""What carries the packets: the native forwarder where there is one, else the portable one."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.media.forwarder import Forwarder
from ngdaemon.shell.portable import PortableForwarder
from ngdaemon.shell.reactor import Reactor

NATIVE_MODULE = "ngdaemon_native"
NO_NATIVE = "the package ngdaemon-native is not installed"
COST = (
    f"forwarder: {NO_NATIVE}, so Python carries the packets: that takes several times the CPU for each of them. "
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


def open_backend(config: Config, reactor: Reactor, on_events: Callable[[], None]) -> Backend:
    """The forwarder that is asked for. `on_events` is called when it has something to report.

    Raises ConfigError when it cannot be had.
    """
    if config.forwarder == "native":
        raise ConfigError(f"forwarder: {native_trouble()}; portable and auto work without it")
    portable = PortableForwarder(reactor, on_events)
    remark = COST if config.forwarder == "auto" else ""
    return Backend("portable", portable, portable.octets, portable.close, remark)


def native_trouble() -> str:
    """Why the native forwarder cannot be used."""
    if find_spec(NATIVE_MODULE) is None:
        return NO_NATIVE
    return "this version of ngdaemon cannot use the package ngdaemon-native"
