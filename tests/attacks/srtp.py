"""A phone that protects its media with keys in its SDP; libsrtp is the judge of every packet."""

import base64
import re
import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pylibsrtp

from tests.interop.network import Host

from .peer import Peer

CM_80 = "AES_CM_128_HMAC_SHA1_80"
GCM_256 = "AEAD_AES_256_GCM"


class Profile(NamedTuple):
    """How libsrtp and OpenSSL name a suite, and its lengths in octets."""

    number: int
    dtls: bytes
    key: int
    salt: int


PROFILES = {
    CM_80: Profile(pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, b"SRTP_AES128_CM_SHA1_80", 16, 14),
    GCM_256: Profile(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, b"SRTP_AEAD_AES_256_GCM", 32, 12),
}


class Cipher:
    """One direction of SRTP under one master key."""

    def __init__(self, suite: str, key: bytes, outgoing: bool) -> None:
        kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND if outgoing else pylibsrtp.Policy.SSRC_ANY_INBOUND
        self.key = key
        policy = pylibsrtp.Policy(key, kind, srtp_profile=PROFILES[suite].number)
        policy.window_size = 1024
        self._session = pylibsrtp.Session(policy)

    def protect(self, packet: bytes) -> bytes:
        return self._session.protect(packet)

    def unprotect(self, data: bytes) -> bytes:
        """The packet in clear; empty when it is not authentic or came before."""
        try:
            return self._session.unprotect(data)
        except pylibsrtp.Error:
            return b""

    def protect_rtcp(self, packet: bytes) -> bytes:
        return self._session.protect_rtcp(packet)


class SecuredPeer(Peer):
    """A phone whose keys come from somewhere; without them it says nothing and hears nothing."""

    def __init__(self, name: str, host: Host, ipv6: bool = False) -> None:
        super().__init__(name, host, ipv6)
        self.outgoing: Cipher | None = None
        self.incoming: Cipher | None = None

    def protect(self, packet: bytes) -> bytes:
        return self.outgoing.protect(packet) if self.outgoing else b""

    def unprotect(self, data: bytes) -> bytes:
        return self.incoming.unprotect(data) if self.incoming else b""

    def secrets(self) -> list[bytes]:
        """The master keys in force."""
        return [cipher.key for cipher in (self.outgoing, self.incoming) if cipher]


class SdesPeer(SecuredPeer):
    """A phone with SDES (RFC 4568)."""

    protocol = "RTP/SAVP"

    def __init__(self, name: str, host: Host, suite: str = CM_80, ipv6: bool = False) -> None:
        super().__init__(name, host, ipv6)
        self._suite = suite
        self._tag = "1"
        self.key = b""
        self.their_key = b""
        self.renew()

    def renew(self) -> None:
        """A new key for what this phone sends, with the next description."""
        profile = PROFILES[self._suite]
        self.key = secrets.token_bytes(profile.key + profile.salt)
        self.outgoing = Cipher(self._suite, self.key, outgoing=True)

    def attributes(self) -> list[str]:
        return [f"a=crypto:{self._tag} {self._suite} inline:{base64.b64encode(self.key).decode()}"]

    def listen_to(self, sdp: str) -> None:
        """Of several offered lines the one with the suite of this phone is taken."""
        super().listen_to(sdp)
        match = re.search(rf"(?m)^a=crypto:(\d+) {self._suite} inline:([A-Za-z0-9+/=]+)", sdp)
        if match:
            self._tag = match[1]
            key = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
            if key != self.their_key:
                self.their_key = key
                self.incoming = Cipher(self._suite, key, outgoing=False)


def spellings(key: bytes) -> Iterator[str]:
    """How a key could stand in a text: in Base64 at any place, in hexadecimal, as Python shows it."""
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + key).decode().rstrip("=")[4 if shift else 0 : -2]
    yield key.hex()
    yield key.hex().upper()
    yield key.hex(":")
    yield repr(key)[2:-1]
