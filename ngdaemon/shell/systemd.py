"""What systemd is told of us (sd_notify(3)): ready, reloading, stopping, alive. Without systemd all of it is silent."""

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """The service manager that started us, if there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog = _watchdog(environment)

    @property
    def watchdog_seconds(self) -> float | None:
        """How often `alive` must be told; None when nobody watches. Half the time after which we would be killed."""
        return self._watchdog

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def reloading(self, now: float) -> None:
        """Settings are being read anew; `ready` ends it. `now` is monotonic."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1e6)}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if self._address[:1] not in ("/", "@"):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as teller:
                teller.sendto(text.encode(), address)
        except OSError:
            return  # whoever started us has stopped listening: no reason to stop carrying calls


def _watchdog(environment: Mapping[str, str]) -> float | None:
    owner = environment.get("WATCHDOG_PID", "")
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    if microseconds <= 0 or (owner and owner != str(os.getpid())):
        return None
    return microseconds / 2e6
