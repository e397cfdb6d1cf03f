"""Points of time at which something is due: monotonic seconds, or None for never."""


def earliest(*times: float | None) -> float | None:
    """The first of them; None where nothing is ever due."""
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
