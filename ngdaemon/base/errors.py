"""Whose fault it is.

    NgdaemonError
    ├── RequestError      the proxy asked for something that cannot be done: it gets the text as `error-reason`
    ├── WireError         a peer sent a bad packet: dropped and counted, never past the edge
    ├── ConfigError       a setting is wrong: the start stops with the text as one readable line
    └── PortUnavailable   a local port could not be bound; the next one is tried

Anything else that is raised is a bug of ours and is logged with its call.
"""

from collections.abc import Mapping


class NgdaemonError(Exception):
    """Base of all errors that are expected."""


class RequestError(NgdaemonError):
    """The request cannot be served; `str(error)` is the `error-reason` of the reply.

    `extra` goes into the reply beside it. `cause` says more than the text that proxies know, and is for the log alone.
    """

    def __init__(self, reason: str, extra: Mapping[str, object] | None = None, *, cause: str = "") -> None:
        super().__init__(reason)
        self.extra = extra or {}
        self.cause = cause


class WireError(NgdaemonError):
    """Bytes from the network that are not what they claim to be."""


class ConfigError(NgdaemonError):
    """A setting that cannot be used; the text names it and says how to mend it."""


class PortUnavailable(NgdaemonError):
    """A local port that cannot be bound.

    `exhausted` is True when trying another port cannot help (no file descriptors left); the text says why.
    """

    def __init__(self, reason: str, *, exhausted: bool = False) -> None:
        super().__init__(reason)
        self.exhausted = exhausted
