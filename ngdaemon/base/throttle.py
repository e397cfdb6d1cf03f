"""Keeps repeated complaints from flooding the log."""

INTERVAL = 10.0
"""Seconds between two complaints of a kind, or two lots of them."""

MAX_KINDS = 256
"""Kinds that are remembered; of more the oldest is forgotten."""

LONGEST_KIND = 512
"""Characters by which kinds are told apart: call-ids may be of any length, and must not fill memory."""


class Throttle:
    """Lets one complaint of a kind (or a few: `burst`) pass in `INTERVAL`, and counts those that it holds back."""

    def __init__(self, burst: int = 1) -> None:
        self._burst = burst
        self._kinds: dict[str, tuple[float, int]] = {}
        """Kind → start of its interval, complaints since then."""

    def passes(self, kind: str, now: float) -> int | None:
        """The number of complaints held back since the last one, or None when this one is held back too."""
        kind = kind[:LONGEST_KIND]
        last = self._kinds.get(kind)
        if last is not None and now - last[0] < INTERVAL:
            self._kinds[kind] = (last[0], last[1] + 1)
            return 0 if last[1] < self._burst else None
        if last is None and len(self._kinds) >= MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[kind] = (now, 1)
        return max(0, last[1] - self._burst) if last is not None else 0


def with_count(text: str, held_back: int) -> str:
    """The complaint, with how many like it were held back before."""
    return f"{text} ({held_back} more like this before)" if held_back else text
