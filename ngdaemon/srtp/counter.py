"""AES in counter mode, or no cipher, with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2; RFC 6188)."""

from hmac import compare_digest
from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher as Encryption
from cryptography.hazmat.primitives.ciphers import CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC

from ngdaemon.srtp.header import E_BIT, RTCP_FIXED, RTP_FIXED, VARIABLE, WORD, variable_header
from ngdaemon.srtp.kdf import SessionKeys
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import Cipher

_COUNTER, _HALVES = Struct("!QQ").pack, Struct("!QQ").unpack
"""(salt × 2^16) XOR (SSRC × 2^64) XOR (index × 2^16), in two halves (RFC 3711 §4.1.1)."""

_WORD = WORD.pack


def _keystream(keys: Keys, session: SessionKeys, encrypted: bool) -> CipherContext | None:
    """One cipher for all packets: to set its counter is far less work than to make another. None for no cipher."""
    if not encrypted or keys.suite.cipher is Cipher.NULL:
        return None
    return Encryption(AES(session.cipher), CTR(bytes(16))).encryptor()


def _mac(session: SessionKeys) -> HMAC:
    """Keyed, to be copied for each packet."""
    return HMAC(session.auth, SHA1())  # noqa: S303  RFC 3711 has no other hash, and HMAC is safe with this one


class CounterRtp:
    """RTP packets: header, ciphertext, MKI, tag. The rollover counter is authenticated, though not sent."""

    __slots__ = ("_high", "_low", "_mac", "_mki", "_stream", "_tag", "_trailer", "shortest")

    def __init__(self, keys: Keys, session: SessionKeys) -> None:
        self._stream = _keystream(keys, session, keys.encrypted)
        self._high, self._low = _HALVES(session.salt + b"\0\0")
        self._mac = _mac(session)
        self._tag = keys.suite.tag if keys.authenticated else 0
        self._mki = keys.mki
        self._trailer = len(keys.mki) + self._tag
        self.shortest = RTP_FIXED + self._trailer

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """See `RtpTransform`."""
        start = variable_header(packet) if packet[0] & VARIABLE else RTP_FIXED
        if start > len(packet):
            return None
        stream = self._stream
        if stream is not None:
            stream.reset_nonce(_COUNTER(self._high ^ ssrc, self._low ^ index << 16))
            packet = packet[:start] + stream.update(packet[start:])
        if not self._tag:
            return packet + self._mki
        mac = self._mac.copy()
        mac.update(packet + _WORD(index >> 16))
        return packet + self._mki + mac.finalize()[: self._tag]

    def open(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """See `RtpTransform`."""
        end = len(packet) - self._trailer
        if self._mki and not packet.startswith(self._mki, end):
            return None
        body = packet[:end]
        if self._tag:
            mac = self._mac.copy()
            mac.update(body + _WORD(index >> 16))
            if not compare_digest(mac.finalize()[: self._tag], packet[-self._tag :]):
                return None
        start = variable_header(packet) if packet[0] & VARIABLE else RTP_FIXED
        if start > end:
            return None
        stream = self._stream
        if stream is None:
            return body
        stream.reset_nonce(_COUNTER(self._high ^ ssrc, self._low ^ index << 16))
        return packet[:start] + stream.update(packet[start:end])


class CounterRtcp:
    """RTCP packets: eight octets, ciphertext, E bit with index, MKI, tag. Always authenticated (SRTP-09)."""

    __slots__ = ("_encrypted", "_high", "_low", "_mac", "_mki", "_stream", "_tag", "shortest", "word_at")

    def __init__(self, keys: Keys, session: SessionKeys) -> None:
        # RFC 3711 §3.4: the E bit of each packet says whether it is encrypted, so a receiver always has the cipher
        self._stream = _keystream(keys, session, encrypted=True)
        self._encrypted = keys.rtcp_encrypted
        self._high, self._low = _HALVES(session.salt + b"\0\0")
        self._mac = _mac(session)
        self._tag = keys.suite.rtcp_tag
        self._mki = keys.mki
        self.word_at = WORD.size + len(keys.mki) + self._tag
        self.shortest = RTCP_FIXED + self.word_at

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """See `RtcpTransform`."""
        if self._encrypted:
            body = self._crypt(packet, ssrc, index) + _WORD(index | E_BIT)
        else:
            body = packet + _WORD(index)
        mac = self._mac.copy()
        mac.update(body)
        return body + self._mki + mac.finalize()[: self._tag]

    def open(self, packet: bytes, ssrc: int, word: int) -> bytes | None:
        """See `RtcpTransform`."""
        end = len(packet) - self.word_at
        signed = end + WORD.size
        if not packet.startswith(self._mki, signed):
            return None
        mac = self._mac.copy()
        mac.update(packet[:signed])
        if not compare_digest(mac.finalize()[: self._tag], packet[-self._tag :]):
            return None
        return self._crypt(packet[:end], ssrc, word ^ E_BIT) if word & E_BIT else packet[:end]

    def _crypt(self, packet: bytes, ssrc: int, index: int) -> bytes:
        stream = self._stream
        if stream is None:
            return packet
        stream.reset_nonce(_COUNTER(self._high ^ ssrc, self._low ^ index << 16))
        return packet[:RTCP_FIXED] + stream.update(packet[RTCP_FIXED:])
