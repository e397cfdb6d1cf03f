"""One packet there and back: what the suites have in common, and which of them does it."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from ngdaemon.srtp.aead import AeadRtcp, AeadRtp
from ngdaemon.srtp.counter import CounterRtcp, CounterRtp
from ngdaemon.srtp.header import E_BIT
from ngdaemon.srtp.kdf import Label, SessionKeys, session_keys
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import Cipher

_Made = TypeVar("_Made")

_DERIVED = 8
"""Session keys that are kept while they change (`Keys.kdr`): packets come out of order, of several sources."""


class RtpTransform(Protocol):
    """RTP with the session keys of one direction. It keeps no state of the packets."""

    shortest: int
    """Octets of a protected packet with an empty payload: `open` wants no less, and `seal` a fixed header."""

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """The packet protected; None when its header is not complete. `index` is the 48-bit one."""
        ...

    def open(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """The packet as it was before `seal`; None when it is not authentic or not complete."""
        ...


class RtcpTransform(Protocol):
    """RTCP with the session keys of one direction. It keeps no state of the packets."""

    shortest: int
    word_at: int
    """Where the word with E bit and index begins, counted from the end of a protected packet."""

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """The packet protected, under the 31-bit `index`."""
        ...

    def open(self, packet: bytes, ssrc: int, word: int) -> bytes | None:
        """The packet as it was before `seal`; None when it is not authentic. `word` is the one of `word_at`."""
        ...


class _Derived(Generic[_Made]):
    """Transforms by the index of the key derivation, which moves on with the packets (SRTP-12): the newest few."""

    def __init__(self, keys: Keys, label: Label, make: Callable[[Keys, SessionKeys], _Made]) -> None:
        self._keys, self._label, self._make = keys, label, make
        self._made: dict[int, _Made] = {}

    def at(self, index: int) -> _Made:
        rate_index = index >> self._keys.kdr
        made = self._made.get(rate_index)
        if made is None:
            if len(self._made) >= _DERIVED:
                del self._made[next(iter(self._made))]
            made = self._make(self._keys, session_keys(self._keys, self._label, rate_index))
            self._made[rate_index] = made
        return made


class _DerivedRtp(_Derived[RtpTransform]):
    """RTP under a key derivation rate."""

    def __init__(self, keys: Keys, make: Callable[[Keys, SessionKeys], RtpTransform]) -> None:
        super().__init__(keys, Label.RTP, make)
        self.shortest = self.at(0).shortest

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        return self.at(index).seal(packet, ssrc, index)

    def open(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        return self.at(index).open(packet, ssrc, index)


class _DerivedRtcp(_Derived[RtcpTransform]):
    """RTCP under a key derivation rate."""

    def __init__(self, keys: Keys, make: Callable[[Keys, SessionKeys], RtcpTransform]) -> None:
        super().__init__(keys, Label.RTCP, make)
        self.shortest, self.word_at = self.at(0).shortest, self.at(0).word_at

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes:
        return self.at(index).seal(packet, ssrc, index)

    def open(self, packet: bytes, ssrc: int, word: int) -> bytes | None:
        return self.at(word & ~E_BIT).open(packet, ssrc, word)


_TRANSFORMS: dict[Cipher, tuple[type[CounterRtp | AeadRtp], type[CounterRtcp | AeadRtcp]]] = {
    Cipher.AES_CM: (CounterRtp, CounterRtcp),
    Cipher.AES_GCM: (AeadRtp, AeadRtcp),
    Cipher.NULL: (CounterRtp, CounterRtcp),
}
"""F8 is not among them: no peer that speaks it alone is known, and the negotiation passes over it."""


def check(keys: Keys) -> None:
    """Raise ValueError for keys that do not fit their suite, and for suites that are not supported."""
    _kinds(keys)


def rtp_transform(keys: Keys) -> RtpTransform:
    """What protects RTP packets of one direction. Raises ValueError for keys that do not fit their suite."""
    rtp, _ = _kinds(keys)
    return _DerivedRtp(keys, rtp) if keys.kdr else rtp(keys, session_keys(keys, Label.RTP))


def rtcp_transform(keys: Keys) -> RtcpTransform:
    """What protects RTCP packets of one direction. Raises ValueError for keys that do not fit their suite."""
    _, rtcp = _kinds(keys)
    return _DerivedRtcp(keys, rtcp) if keys.kdr else rtcp(keys, session_keys(keys, Label.RTCP))


def _kinds(keys: Keys) -> tuple[type[CounterRtp | AeadRtp], type[CounterRtcp | AeadRtcp]]:
    suite = keys.suite
    if len(keys.key) != suite.key or len(keys.salt) != suite.salt:
        raise ValueError(f"{suite.name} takes a key of {suite.key} and a salt of {suite.salt} octets")
    if suite.cipher not in _TRANSFORMS:
        raise ValueError(f"{suite.name} is not supported")
    return _TRANSFORMS[suite.cipher]
