"""Load limits: when a request that would create a call is refused (ng-protocol.md §1.5)."""

from typing import NamedTuple

from ngdaemon.base.errors import RequestError
from ngdaemon.base.sources import Load
from ngdaemon.config import Config

SESSIONS = "Parallel session limit reached"
"""The exact text makes proxies try another node (ng-protocol.md §7.3); it is used for every limit."""


class LimitError(RequestError):
    """A limit refused a new call. `message` names the limit for proxies that support `load limit`."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(SESSIONS, cause=cause)
        self.message = message


class Limit(NamedTuple):
    """A row of the table: its message, the bound (None or negative: off), and the value that is held against it."""

    message: str
    setting: str
    bound: float | None
    value: float


class Limits:
    """Holds the limits of the configuration against the present load."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def check(self, config: Config, calls: int) -> None:
        """Raise LimitError when no further call may be created."""
        for setting, sessions in (
            ("max-sessions", config.max_sessions if config.max_sessions >= 0 else None),
            ("max-calls", config.max_calls or None),
        ):
            if sessions is not None and calls >= sessions:
                raise LimitError(SESSIONS, f"{setting} = {sessions}")
        if config.max_load is None and config.max_cpu is None and not config.max_bandwidth:
            return
        rows = (
            Limit("Load limit exceeded", "max-load", config.max_load, self._load.load_average()),
            Limit("CPU usage limit exceeded", "max-cpu", config.max_cpu, self._load.cpu_percent()),
            Limit("Bandwidth limit exceeded", "max-bandwidth", config.max_bandwidth, self._load.bytes_per_second()),
        )
        for row in rows:
            if row.bound is not None and row.bound > 0 and row.value >= row.bound:
                raise LimitError(row.message, f"{row.setting} = {row.bound:g}, now {row.value:g}")
