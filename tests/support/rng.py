"""Randomness that is the same in every run."""

from random import Random


class SeededRng:
    """An `Rng`."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self._random.random() < share

    def between(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


class OrderlyRng(SeededRng):
    """An `Rng` that draws the last of what there is: ports are taken from the top of their range downward."""

    def below(self, limit: int) -> int:
        return limit - 1
