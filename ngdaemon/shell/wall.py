"""The system's wall clock."""

import time


class SystemWall:
    """A `Wall` for production."""

    def microseconds(self) -> int:
        return time.time_ns() // 1000
