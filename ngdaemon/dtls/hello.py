"""ClientHello: read before OpenSSL sees it, so that junk and strangers cost nothing (RFC 6347 §4.2.1, HS-08, HS-09).

A hello comes to OpenSSL only when it is whole, speaks DTLS 1.2, shares a cipher suite and an SRTP profile with us, and
its source is vouched for, or has shown by a cookie that it receives what is sent to its address.
"""

import hmac
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.engine import PROFILE_IDS
from ngdaemon.dtls.records import DTLS_1_0, DTLS_1_2, Content, Kind, record, whole
from ngdaemon.dtls.seal import CIPHER_SUITES

_RANDOM_AT, _SESSION_AT = 2, 34
_USE_SRTP, _SUPPORTED_VERSIONS = 14, 43

COOKIE_LENGTH = 32
COOKIE_SECONDS = 60.0
"""A cookie is good for at least this long, and at most for twice as long."""

HANDSHAKE_FAILURE, PROTOCOL_VERSION, INSUFFICIENT_SECURITY = 40, 70, 71
"""Descriptions of fatal alerts (RFC 5246 §7.2.2)."""

_OUR_SUITES = frozenset(suite.id for suite in CIPHER_SUITES if not suite.rsa)
"""What a server with our certificates can do."""


class Opening(NamedTuple):
    """The beginning of a hello, up to its cookie: all that a cookie decision needs."""

    version: int
    random: bytes
    session: bytes
    cookie: bytes
    cookie_at: int
    """Offset of the cookie's length octet."""

    def of_anyone(self) -> "Opening":
        """What all hellos with this cookie have in common."""
        return self._replace(version=0, random=b"", session=b"")


class ClientHello(NamedTuple):
    """What a hello offers, as far as it matters to us."""

    opening: Opening
    suites: frozenset[int]
    profiles: tuple[int, ...] | None
    """SRTP profiles of `use_srtp`; None without the extension."""
    versions: tuple[int, ...]
    """Of `supported_versions`; empty without the extension (DTLS 1.2 and older)."""


class Refusal(NamedTuple):
    """Why a hello cannot become a handshake."""

    alert: int
    reason: str


def read_opening(data: bytes) -> Opening | None:
    """The opening of a hello whose first octets these are; None when it is cut, or malformed."""
    if len(data) <= _SESSION_AT:
        return None
    session_end = _SESSION_AT + 1 + data[_SESSION_AT]
    if len(data) <= session_end:
        return None
    cookie_end = session_end + 1 + data[session_end]
    if len(data) < cookie_end:
        return None
    return Opening(
        int.from_bytes(data[:2], "big"),
        data[_RANDOM_AT:_SESSION_AT],
        data[_SESSION_AT + 1 : session_end],
        data[session_end + 1 : cookie_end],
        session_end,
    )


def read_hello(body: bytes) -> ClientHello | None:
    """A whole hello; None when it is malformed."""
    opening = read_opening(body)
    if opening is None:
        return None
    reader = _Reader(body, opening.cookie_at + 1 + len(opening.cookie))
    suites, compressions = reader.vector(2), reader.vector(1)
    extensions = reader.vector(2) if reader.left else b""
    if suites is None or not compressions or extensions is None:
        return None
    found = _extensions(extensions)
    if found is None:
        return None
    profiles = _numbers(found[_USE_SRTP], 2) if _USE_SRTP in found else None
    versions = _numbers(found[_SUPPORTED_VERSIONS], 1) if _SUPPORTED_VERSIONS in found else ()
    return ClientHello(opening, frozenset(_pairs(suites)), profiles, versions)


def refusal(hello: ClientHello) -> Refusal | None:
    """Why OpenSSL need not see this hello; None when it should (HS-01, HS-02, HS-15)."""
    version = hello.opening.version
    if version >> 8 != 0xFE or version > DTLS_1_2 or (hello.versions and DTLS_1_2 not in hello.versions):
        return Refusal(PROTOCOL_VERSION, "no DTLS 1.2")
    if not hello.suites & _OUR_SUITES:
        return Refusal(HANDSHAKE_FAILURE, "no common cipher suite")
    if hello.profiles is None:
        return Refusal(HANDSHAKE_FAILURE, "no use_srtp")
    if not any(profile in PROFILE_IDS for profile in hello.profiles):
        return Refusal(INSUFFICIENT_SECURITY, "no common SRTP profile")
    return None


def without_cookie(body: bytes, opening: Opening) -> bytes:
    """The hello as it was before it carried a cookie."""
    at = opening.cookie_at
    return body[:at] + b"\0" + body[at + 1 + len(opening.cookie) :]


def hello_verify_request(cookie: bytes, record_number: int) -> bytes:
    """The datagram that asks for a second hello with this cookie. Never longer than the hello that it answers.

    It bears the number of the hello's record, and says DTLS 1.0, as RFC 6347 §4.2.1 wants it.
    """
    body = DTLS_1_0.to_bytes(2, "big") + bytes((len(cookie),)) + cookie
    message = whole(Kind.HELLO_VERIFY_REQUEST, 0, body)
    return record(Content.HANDSHAKE, 0, record_number, message, DTLS_1_0)


class Cookies:
    """Makes and checks cookies without keeping any (RFC 6347 §4.2.1). One for each component: see `ICE_PATH`.

    A cookie is a MAC over the source, the first parameters of the hello and the minute, under a secret.
    """

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 random octets, of this component alone."""
        self._secret = secret

    def make(self, source: Endpoint, opening: Opening, now: float) -> bytes:
        return self._make(source, opening, int(now // COOKIE_SECONDS))

    def valid(self, source: Endpoint, opening: Opening, now: float) -> bool:
        """Whether this source was sent the cookie for this hello lately."""
        minute = int(now // COOKIE_SECONDS)
        return len(opening.cookie) == COOKIE_LENGTH and any(
            hmac.compare_digest(opening.cookie, self._make(source, opening, at)) for at in (minute, minute - 1)
        )

    def _make(self, source: Endpoint, opening: Opening, minute: int) -> bytes:
        text = f"{minute} {opening.version} {source} ".encode()
        return hmac.digest(self._secret, text + opening.random + opening.session, "sha256")[:COOKIE_LENGTH]


class _Reader:
    """Reads vectors with a length in front."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def vector(self, size: int) -> bytes | None:
        """The next vector, with a length of `size` octets; None when it reaches past the end."""
        start = self._at + size
        end = start + int.from_bytes(self._data[self._at : start], "big")
        if end > len(self._data) or start > len(self._data):
            return None
        self._at = end
        return self._data[start:end]

    def number(self) -> int | None:
        """Two octets."""
        if self.left < 2:
            return None
        self._at += 2
        return int.from_bytes(self._data[self._at - 2 : self._at], "big")


def _extensions(data: bytes) -> dict[int, bytes] | None:
    reader, found = _Reader(data), {}
    while reader.left:
        kind, body = reader.number(), reader.vector(2)
        if kind is None or body is None:
            return None
        found[kind] = body
    return found


def _numbers(data: bytes, size: int) -> tuple[int, ...]:
    """The two-octet numbers of a vector that an extension begins with."""
    return tuple(_pairs(_Reader(data).vector(size) or b""))


def _pairs(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]
