"""Descriptions of phones that encrypt, so that a test has to break exactly one thing."""

import base64
import re

from tests.support.sdp import sdp

A, B = "198.51.100.1", "198.51.100.2"
FINGERPRINT = "sha-256 " + ":".join(["A1"] * 32)
OTHER_FINGERPRINT = "sha-256 " + ":".join(["B2"] * 32)
TLS_ID = "abcdefghijklmnopqrstuvwxyz"
CM_80, CM_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
DTLS = "UDP/TLS/RTP/SAVPF"


def key(octets: int = 30, seed: int = 1) -> str:
    """Master key and salt as they stand behind `inline:`."""
    return base64.b64encode(bytes([seed]) * octets).decode().rstrip("=")


def crypto(tag: int = 1, suite: str = CM_80, inline: str = "", parameters: str = "") -> str:
    return f"a=crypto:{tag} {suite} inline:{inline or key()}{parameters}"


def phone(address: str, protocol: str, *lines: str, port: int = 4000, version: int = 1, formats: str = "0") -> str:
    """A phone with one audio media."""
    return sdp(address, f"m=audio {port} {protocol} {formats}", *lines, version=version)


def dtls(
    address: str,
    *lines: str,
    setup: str = "actpass",
    fingerprint: str = FINGERPRINT,
    tls_id: str = "",
    version: int = 1,
    port: int = 4000,
    protocol: str = DTLS,
) -> str:
    """A phone with DTLS-SRTP; what is empty is left out."""
    said = (
        *((f"a=setup:{setup}",) if setup else ()),
        *((f"a=fingerprint:{fingerprint}",) if fingerprint else ()),
        *((f"a=tls-id:{tls_id}",) if tls_id else ()),
    )
    return phone(address, protocol, "a=rtcp-mux", *said, *lines, version=version, port=port)


def cryptos(text: str) -> list[tuple[int, str, str, str]]:
    """Tag, suite, key and what stands behind it, of all `a=crypto` lines."""
    found = re.findall(r"(?m)^a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/]+)(.*?)\r$", text)
    return [(int(tag), suite, secret, rest) for tag, suite, secret, rest in found]
