"""Why a media cannot be secured: THE table of causes.

Each has the word that proxies know from `error-reason` (ERR-03 to ERR-06), and a text for the log and the `warnings` of
the reply: what was wrong, and where it can be mended, with what.
"""

from typing import NamedTuple


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
SETUP = Cause("setup", "a=setup does not say who begins")
MUX_ONLY = Cause("rtcp-mux-only", "a=rtcp-mux is missing, or cannot be had")


def of_group(word: str) -> Cause:
    """That of a media in a BUNDLE group whose first one, with the transport, is refused, or is not secured."""
    return Cause(word or "keying", "it shares the transport of a media that is refused, or not secured")


class Refused(Exception):
    """A media that cannot be secured as asked."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.word)
        self.cause = cause
