"""RTP and RTCP packets, and keys of each suite, for the tests of contexts."""

from collections.abc import Callable

from ngdaemon.srtp.context import Refused
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import ROWS, SUITES, Cipher

SSRC = 0xCAFEBABE
NAMES = [row.name for row in ROWS if row.cipher is not Cipher.F8]
"""Every suite with a transform."""


def rtp(sequence: int, ssrc: int = SSRC, payload: bytes = b"\x5a" * 40) -> bytes:
    """A packet with nothing but the fixed header before its payload. The sequence number is taken modulo 2^16."""
    return b"\x80\x08" + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + payload


def rtcp(ssrc: int = SSRC, body: bytes = bytes(20)) -> bytes:
    """A sender report."""
    return b"\x80\xc8\x00\x06" + ssrc.to_bytes(4, "big") + body


def keys_of(name: str, seed: int = 1) -> Keys:
    """Master key and salt that differ with the seed."""
    suite = SUITES[name]
    key = bytes((seed * 7 + at) & 0xFF for at in range(suite.key))
    return Keys(suite, key, bytes((seed * 13 + at) & 0xFF for at in range(suite.salt)))


def passes(take: Callable[[bytes], bytes], packet: bytes) -> bool:
    """Whether the context takes the packet."""
    try:
        take(packet)
    except Refused:
        return False
    return True
