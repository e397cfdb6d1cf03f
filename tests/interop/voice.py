"""What a phone says: a sound of its own, so that every packet tells on the wire whose voice it carries."""

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .tap import Rtp

FRAME = 160  # octets of 20 ms of G.711
_FRAMES = 200
_WAV_REPEATS = 10  # baresip falls silent at the end of the file
PCMA = 8


class Voice:
    """Four seconds of A-law audio of one speaker, repeated for ever. No two frames of any speakers are alike."""

    def __init__(self, speaker: str) -> None:
        self.speaker = speaker
        frames = (hashlib.shake_128(f"{speaker} {number}".encode()).digest(FRAME) for number in range(_FRAMES))
        self.sound = b"".join(frames)
        self._looped = self.sound * 2

    def write_raw(self, folder: Path) -> Path:
        """The sound as a file of A-law octets, as SIPp plays it."""
        path = folder / f"{self.speaker}.alaw"
        path.write_bytes(self.sound)
        return path

    def write_wav(self, folder: Path) -> Path:
        """Forty seconds as a WAV file whose samples encode to the same octets again, as baresip plays it."""
        path = folder / f"{self.speaker}.wav"
        samples = self.samples() * _WAV_REPEATS
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
        data = struct.pack("<4sI", b"data", len(samples)) + samples
        path.write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data)
        return path

    def is_heard_in(self, recording: bytes, frames: int = 10) -> bool:
        """Whether so many frames of the sound follow each other somewhere in the recording of 16-bit samples."""
        looped, length = self.samples() * 2, frames * FRAME * 2
        starts = range(0, len(recording) - length, FRAME * 2)
        return any(recording[start : start + length] in looped for start in starts)

    def samples(self) -> bytes:
        """The sound as 16-bit samples."""
        return b"".join(struct.pack("<h", decode_alaw(octet)) for octet in self.sound)

    def position(self, payload: bytes) -> int | None:
        """Where in the sound the payload is; None when it is not of this speaker."""
        found = self._looped.find(payload) if len(payload) >= FRAME // 2 else -1
        return None if found < 0 else found % len(self.sound)

    def check(self, packets: Sequence[Rtp]) -> None:
        """All packets are this speaker's, one stream, nothing lost, doubled, changed or out of place."""
        assert packets, f"not a word of {self.speaker}"
        assert len({packet.ssrc for packet in packets}) == 1, f"several streams instead of one of {self.speaker}"
        first = packets[0]
        begin = self.position(first.payload)
        assert begin is not None, f"strange audio instead of {self.speaker}"
        for packet in packets:
            assert packet.payload_type == PCMA
            step = (packet.sequence - first.sequence) % 65536
            expected = (begin + step * FRAME) % len(self.sound)
            assert self.position(packet.payload) == expected, (
                f"packet {packet.sequence} is not what {self.speaker} said there"
            )
        steps = [(packet.sequence - first.sequence) % 65536 for packet in packets]
        assert steps == list(range(len(steps))), f"packets of {self.speaker} lost, doubled or reordered: {steps}"


class Talker(Protocol):
    """Whoever is heard at the other end of a call."""

    @property
    def user(self) -> str: ...

    @property
    def voice(self) -> Voice: ...


def decode_alaw(octet: int) -> int:
    """The 16-bit sample of an A-law octet (ITU-T G.711)."""
    octet ^= 0x55
    exponent, mantissa = octet >> 4 & 7, octet & 15
    magnitude = (mantissa << 4) + 8 if exponent == 0 else (mantissa << 4) + 0x108 << exponent - 1
    return magnitude if octet & 0x80 else -magnitude
