"""Why a media cannot be secured: THE table of causes.

Each has the word that proxies know from `error-reason` (ERR-03 to ERR-06), and a text for the log and the `warnings` of
the reply: what was wrong, and where it can be mended, with what.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ngdaemon.base.errors import RequestError

REASON = "no acceptable media security"
NOT_ACCEPTABLE = 488
"""The SIP response code that suits (RFC 3261 §21.4.26)."""


class Cause(NamedTuple):
    """A word of the protocol, and what to say besides."""

    word: str
    text: str


SWITCHED_OFF = Cause("keying", "the request switches off both SDES and DTLS")
UNKNOWN_ONLY = Cause("keying", "SDES=only-… names no suite that is known")
NO_SUITE = Cause("keying", "the request leaves no suite that may be offered")
NO_KEYS = Cause("keying", "a secured profile without a=crypto and a=fingerprint")
UNREADABLE = Cause("keying", "no a=crypto line can be keyed: unknown suite, wrong length of key, or MIKEY")
F8 = Cause("keying", "F8 is not spoken")
NULL = Cause("keying", "only suites without encryption; allow-weak = null takes them")
UNPROTECTED = Cause("keying", "packets would not be encrypted or authenticated; allow-weak = unprotected takes that")
CLEAR = Cause("keying", "answered in the clear")
NOT_OFFERED = Cause("keying", "answered with keys of a kind that was not offered")
OTHER_LINE = Cause("keying", "the answer's a=crypto is none that was offered, by tag, suite and parameters")
OTHER_TRANSPORT = Cause("keying", "answered with another kind of transport than was offered")
ONLY_SHA1 = Cause("fingerprint", "only sha-1; allow-weak = sha-1 takes it")
FINGERPRINT = Cause("fingerprint", "a=fingerprint of unknown hashes or wrong lengths")
MISMATCH = Cause("fingerprint", "whoever finished the handshake has another certificate than this names")
SETUP = Cause("setup", "a=setup does not say who begins")
MUX_ONLY = Cause("rtcp-mux-only", "a=rtcp-mux is missing, or cannot be had")


def of_group(word: str) -> Cause:
    """That of a media in a BUNDLE group whose first one, with the transport, is refused, or is not secured."""
    return Cause(word or "keying", "it shares the transport of a media that is refused, or not secured")


def warnings(refusals: Iterable[tuple[int, Cause]]) -> list[str]:
    """What a reply says of refused medias, each with its place (from 0)."""
    return [f"{REASON}: {place + 1}:{cause.word} ({cause.text})" for place, cause in refusals]


def refusal(refusals: Iterable[tuple[int, Cause]]) -> RequestError:
    """The refusal of a whole request, for the proxy to turn it into a 488 (ERR-01, ERR-02).

    The causes are behind the words that proxies know, in `warnings` beside them.
    """
    found = sorted(refusals)
    words = ", ".join(f"{place + 1}:{cause.word}" for place, cause in found)
    texts = "; ".join(dict.fromkeys(cause.text for _, cause in found))
    return RequestError(f"{REASON}: {words}", {"sip-code": NOT_ACCEPTABLE, "warnings": warnings(found)}, cause=texts)


class Refused(Exception):
    """A media that cannot be secured as asked."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.word)
        self.cause = cause
