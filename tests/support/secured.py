"""Session descriptions of phones and browsers that encrypt."""

from tests.support import sdp

SUITE = "AES_CM_128_HMAC_SHA1_80"
PRINT = ":".join(["AB"] * 32)
OTHER_PRINT = ":".join(["CD"] * 32)
TLS_ID = "peer0123456789abcdef0123"
UFRAG, PWD = "uvwx", "p" * 22


def crypto(letter: str = "A", tag: int = 1, suite: str = SUITE, rest: str = "", length: int = 40) -> str:
    """An `a=crypto` line whose key is one letter over and over."""
    return f"a=crypto:{tag} {suite} inline:{letter * length}{rest}"


def savp(address: str, *attributes: str, port: int = 4000, formats: str = "0") -> str:
    """One audio media over RTP/SAVP."""
    return over("RTP/SAVP", address, *attributes, port=port, formats=formats)


def over(protocol: str, address: str, *attributes: str, port: int = 4000, formats: str = "0") -> str:
    """One audio media over some transport."""
    return sdp.sdp(address, f"m=audio {port} {protocol} {formats}", *attributes)


def dtls(setup: str | None = "actpass", *more: str, fingerprint: str = PRINT, hash_name: str = "sha-256") -> list[str]:
    """What a peer says of DTLS."""
    lines = [] if setup is None else [f"a=setup:{setup}"]
    return [*lines, f"a=fingerprint:{hash_name} {fingerprint}", *more]


def browser(address: str, setup: str = "actpass", *more: str, port: int = 4000, fingerprint: str = PRINT) -> str:
    """One audio media over UDP/TLS/RTP/SAVPF."""
    return over("UDP/TLS/RTP/SAVPF", address, *dtls(setup, fingerprint=fingerprint), *more, port=port)


def ice(address: str, port: int = 4000, ufrag: str = UFRAG, pwd: str = PWD, mux: bool = False) -> list[str]:
    """The lines of ICE with host candidates."""
    lines = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{pwd}", f"a=candidate:1 1 UDP 2130706431 {address} {port} typ host"]
    return lines if mux else [*lines, f"a=candidate:1 2 UDP 2130706430 {address} {port + 1} typ host"]


def lines(text: str, name: str, place: int = 0) -> list[str]:
    """The values of all attributes of that name in a media."""
    return [line[len(name) + 3 :] for line in sdp.media(text, place) if line.startswith(f"a={name}:")]


def keys(text: str) -> list[str]:
    """The key of each `a=crypto` line."""
    return [line.split("inline:")[1].split()[0] for line in text.splitlines() if line.startswith("a=crypto:")]
