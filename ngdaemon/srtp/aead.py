"""AES-GCM (RFC 7714)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ngdaemon.srtp.header import E_BIT, RTCP_FIXED, RTP_FIXED, VARIABLE, WORD, variable_header
from ngdaemon.srtp.kdf import SessionKeys
from ngdaemon.srtp.keys import Keys

_TAG = 16
"""RFC 7714 §13.2 has no shorter ones (SRTP-14)."""


class AeadRtp:
    """RTP packets: header, ciphertext, tag, MKI. Authenticated whatever `Keys.authenticated` says: GCM has no less."""

    __slots__ = ("_aead", "_encrypted", "_mki", "_salt", "shortest")

    def __init__(self, keys: Keys, session: SessionKeys) -> None:
        self._aead = AESGCM(session.cipher)
        self._salt = int.from_bytes(session.salt, "big")
        self._encrypted = keys.encrypted
        self._mki = keys.mki
        self.shortest = RTP_FIXED + _TAG + len(keys.mki)

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """See `RtpTransform`."""
        start = variable_header(packet) if packet[0] & VARIABLE else RTP_FIXED
        if start > len(packet):
            return None
        if not self._encrypted:
            start = len(packet)
        header = packet[:start]
        nonce = (self._salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        return header + self._aead.encrypt(nonce, packet[start:], header) + self._mki

    def open(self, packet: bytes, ssrc: int, index: int) -> bytes | None:
        """See `RtpTransform`."""
        if self._mki:
            if not packet.endswith(self._mki):
                return None
            packet = packet[: -len(self._mki)]
        text = len(packet) - _TAG
        start = variable_header(packet) if packet[0] & VARIABLE else RTP_FIXED
        if start > text:
            return None
        if not self._encrypted:
            start = text
        header = packet[:start]
        nonce = (self._salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        try:
            return header + self._aead.decrypt(nonce, packet[start:], header)
        except InvalidTag:
            return None


class AeadRtcp:
    """RTCP packets: eight octets, ciphertext, tag, E bit with index, MKI.

    The word with the index is authenticated too; without encryption so is the whole packet (RFC 7714 §9.3).
    """

    __slots__ = ("_aead", "_encrypted", "_mki", "_salt", "shortest", "word_at")

    def __init__(self, keys: Keys, session: SessionKeys) -> None:
        self._aead = AESGCM(session.cipher)
        self._salt = int.from_bytes(session.salt, "big")
        self._encrypted = keys.rtcp_encrypted
        self._mki = keys.mki
        self.word_at = WORD.size + len(keys.mki)
        self.shortest = RTCP_FIXED + _TAG + self.word_at

    def seal(self, packet: bytes, ssrc: int, index: int) -> bytes:
        """See `RtcpTransform`."""
        start = RTCP_FIXED if self._encrypted else len(packet)
        word = WORD.pack(index | E_BIT if self._encrypted else index)
        nonce = (self._salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        header = packet[:start]
        return header + self._aead.encrypt(nonce, packet[start:], header + word) + word + self._mki

    def open(self, packet: bytes, ssrc: int, word: int) -> bytes | None:
        """See `RtcpTransform`."""
        end = len(packet) - self.word_at
        if not packet.startswith(self._mki, end + WORD.size):
            return None
        start = RTCP_FIXED if word & E_BIT else end - _TAG
        nonce = (self._salt ^ ssrc << 48 ^ word & ~E_BIT).to_bytes(12, "big")
        header = packet[:start]
        try:
            return header + self._aead.decrypt(nonce, packet[start:end], header + WORD.pack(word))
        except InvalidTag:
            return None
