"""SRTP of phones with SDES, made and judged by libsrtp: packets ahead for the load generator, and what came back.

The generator knows no keys (rtpload.c): what phones send is protected before the run, and of what arrives at them it
keeps a sample, which is decrypted after it.
"""

import base64
import hashlib
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pylibsrtp

from benchmarks.calls import Call
from benchmarks.traffic import HEADER, PAYLOAD, LoadError, payload

RUN = 0x5D
"""Number of all runs with protected packets: it is in their SSRCs."""

_SSRC_FAMILY = 0x52


@dataclass(frozen=True, slots=True)
class Profile:
    """A suite as libsrtp knows it; lengths in octets."""

    number: int
    key: int
    """Master key and salt."""
    overhead: int
    """By how much a packet becomes longer."""


PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Profile(pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30, 10),
    "AES_CM_128_HMAC_SHA1_32": Profile(pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30, 4),
    "AEAD_AES_128_GCM": Profile(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28, 16),
    "AEAD_AES_256_GCM": Profile(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44, 16),
}


def key_of(suite: str, number: int) -> bytes:
    """Master key and salt of a caller: another one for each number, the same in each run."""
    return hashlib.shake_128(f"{suite} {number}".encode()).digest(PROFILES[suite].key)


def words_of(suite: str, number: int) -> dict[str, str]:
    """What the SDP of that caller says."""
    return {"key": base64.b64encode(key_of(suite, number)).decode()}


def key_in(sdp: str, suite: str) -> bytes:
    """The key that the daemon announces for what it sends. Raises LoadError when there is none of that suite."""
    found = re.search(rf"^a=crypto:\d+ {suite} inline:([A-Za-z0-9+/=]+)", sdp, re.MULTILINE)
    if found is None:
        raise LoadError(f"no key for {suite} in {sdp!r}")
    return base64.b64decode(found[1] + "=" * (-len(found[1]) % 4))


def outgoing(suite: str, key: bytes) -> pylibsrtp.Session:
    """The end of libsrtp that protects."""
    kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    return pylibsrtp.Session(pylibsrtp.Policy(key, kind, srtp_profile=PROFILES[suite].number))


def incoming(suite: str, key: bytes) -> pylibsrtp.Session:
    """The end of libsrtp that looks into packets."""
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND
    return pylibsrtp.Session(pylibsrtp.Policy(key, kind, srtp_profile=PROFILES[suite].number))


def clear_packet(end: int, number: int) -> bytes:
    """Packet of an end (line of the generator's input) as the generator would send it, in clear."""
    ssrc = _SSRC_FAMILY << 24 | RUN << 16 | end
    return struct.pack(">BBHII", 0x80, 8, number & 0xFFFF, number * PAYLOAD & 0xFFFFFFFF, ssrc) + payload()


def packets_needed(rate: float, seconds: float, ends: int) -> int:
    """How many packets an end sends at most in so many seconds."""
    return math.ceil(rate * seconds / ends) + 1


def write_script(path: Path, suite: str, calls: Sequence[Call], count: int) -> None:
    """Packets number 0 to `count` - 1 of all callers, one caller after the other: they are every second end."""
    with path.open("wb", buffering=1 << 20) as file:
        for index, call in enumerate(calls):
            session = outgoing(suite, key_of(suite, call.number))
            for number in range(count):
                file.write(session.protect(clear_packet(2 * index, number)))


def verify_sample(path: Path, suite: str, keys: Sequence[bytes]) -> int:
    """Decrypt what arrived at the callers, `keys` being the daemon's, one a call; how many packets that were.

    Raises LoadError for one that is not authentic, or not what the callee sent.
    """
    sessions = [incoming(suite, key) for key in keys]
    record = struct.Struct(f"=I{HEADER + PAYLOAD + PROFILES[suite].overhead}s")
    data = path.read_bytes()
    for end, packet in record.iter_unpack(data):
        try:
            clear = sessions[end // 2].unprotect(packet)
        except pylibsrtp.Error as error:
            raise LoadError(f"a packet at end {end} cannot be decrypted: {error}") from None
        sender, number = end + 1, int.from_bytes(clear[2:4], "big")
        if clear != clear_packet(sender, number):
            raise LoadError(f"packet {number} at end {end} is not what was sent")
    return len(data) // record.size
