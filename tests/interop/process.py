"""Child processes on a host: started into a log file, watched, and stopped with everything they forked."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .network import Host
from .waiting import wait_for


class Process:
    """A running command; standard output and error go to the file `log`."""

    def __init__(
        self,
        host: Host,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                host.command(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: killed by that signal."""
        return self._child.poll()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def check_running(self) -> None:
        assert self.exit_code is None, f"{self.name} ended with {self.exit_code}:\n{self.output()[-4000:]}"

    def wait(self, seconds: float) -> int:
        """The exit code, once it has ended by itself."""

        def ended() -> bool:
            return self.exit_code is not None

        wait_for(ended, f"end of {self.name}", seconds)
        code = self.exit_code
        assert code is not None
        return code

    def stop(self, seconds: float = 5.0) -> int:
        """End it with SIGTERM, or SIGKILL when that takes too long; the exit code."""
        self._signal(signal.SIGTERM)
        try:
            code = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = self.kill()
        self._signal(signal.SIGKILL)  # what it forked and left behind
        return code

    def kill(self) -> int:
        """End it without a chance to say goodbye."""
        self._signal(signal.SIGKILL)
        return self._child.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
