"""Randomness of the operating system."""

import os

_BLOCK = 4096


class SystemRng:
    """An `Rng` for production: everything comes from the kernel, a block at a time."""

    def __init__(self) -> None:
        self._block = b""
        self._at = 0

    def bytes(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._block):
            if count > _BLOCK:
                return os.urandom(count)
            self._block, self._at, end = os.urandom(_BLOCK), 0, count
        taken = self._block[self._at : end]
        self._at = end
        return taken

    def below(self, limit: int) -> int:
        bits = (limit - 1).bit_length()
        mask, count = (1 << bits) - 1, (bits + 7) // 8
        while True:  # at worst every second draw is too high
            value = int.from_bytes(self.bytes(count), "big") & mask
            if value < limit:
                return value
