"""A whistled tone instead of a voice: it is known again after it has gone through other codecs, clocks and mixers."""

import bisect
import math
import struct
from collections.abc import Sequence

from .tap import Rtp
from .voice import PCMA, Voice, decode_alaw

_RATE = 8000
_SECONDS = 4
_AMPLITUDE = 12000
_WINDOW = _RATE // 5
_PURE = (
    0.8  # share of the energy; what two speech codecs and a jitter buffer leave is above 0.9, other tones below 0.01
)
_LEVELS = sorted((decode_alaw(octet), octet) for octet in range(256))


class Tone(Voice):
    """A speaker who whistles one tone of a whole number of Hz, in A-law."""

    def __init__(self, speaker: str, frequency: int) -> None:
        super().__init__(speaker)
        self.frequency = frequency
        turn = 2 * math.pi * frequency / _RATE
        self.sound = bytes(encode_alaw(round(_AMPLITUDE * math.sin(turn * at))) for at in range(_SECONDS * _RATE))

    def is_heard_in(self, recording: bytes, frames: int = 10) -> bool:
        """Whether the tone, and next to nothing else, sounds for a fifth of a second of the 16-bit samples."""
        samples = struct.unpack(f"<{len(recording) // 2}h", recording[: len(recording) // 2 * 2])
        starts = range(0, len(samples) - _WINDOW + 1, _WINDOW)
        return any(self._share(samples[start : start + _WINDOW]) > _PURE for start in starts)

    def check(self, packets: Sequence[Rtp]) -> None:
        """One stream of A-law without a gap, and at its end the tone."""
        assert packets, f"not a word of {self.speaker}"
        assert len({packet.ssrc for packet in packets}) == 1, f"several streams instead of one of {self.speaker}"
        assert {packet.payload_type for packet in packets} == {PCMA}
        steps = [(packet.sequence - packets[0].sequence) % 65536 for packet in packets]
        assert steps == list(range(len(steps))), f"packets of {self.speaker} lost, doubled or reordered: {steps}"
        samples = [decode_alaw(octet) for packet in packets for octet in packet.payload]
        share = self._share(samples[-_WINDOW:])
        assert share > _PURE, f"{self.speaker} whistles {self.frequency} Hz, but that is {share:.0%} of what is heard"

    def _share(self, samples: Sequence[int]) -> float:
        """The tone's share of the energy (one bin of a Fourier transform)."""
        energy = sum(sample * sample for sample in samples)
        if not energy:
            return 0.0
        turn = 2 * math.pi * self.frequency / _RATE
        real = sum(sample * math.cos(turn * at) for at, sample in enumerate(samples))
        imaginary = sum(sample * math.sin(turn * at) for at, sample in enumerate(samples))
        return 2 * (real * real + imaginary * imaginary) / (energy * len(samples))


def encode_alaw(sample: int) -> int:
    """The A-law octet that is nearest to a 16-bit sample."""
    at = bisect.bisect(_LEVELS, (sample, 0))
    return min(_LEVELS[max(0, at - 1) : at + 1], key=lambda level: abs(level[0] - sample))[1]
