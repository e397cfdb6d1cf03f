"""One end of a DTLS-SRTP handshake for the load: OpenSSL by itself, so that phones owe nothing to the daemon's code.

Nothing is lost between the phones and the daemon, which share a kernel, so nothing is ever sent twice.
"""

import hashlib

import pylibsrtp
from OpenSSL import SSL, crypto

from benchmarks import srtp
from benchmarks.traffic import LoadError
from ngdaemon.dtls.certificate import Identity

SUITE, PROFILE = "AES_CM_128_HMAC_SHA1_80", b"SRTP_AES128_CM_SHA1_80"
KEY, SALT = 16, 14

_LABEL = b"EXTRACTOR-dtls_srtp"
_MTU = 1200
_RECORD_HEADER = 13


def context_of(identity: Identity) -> SSL.Context:
    """What all handshakes of phones with that certificate share."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)  # its digest is what counts
    context.set_tlsext_use_srtp(PROFILE)
    return context


class Handshake:
    """A handshake with a daemon that announced the SHA-256 fingerprint `expected`."""

    def __init__(self, context: SSL.Context, *, client: bool, expected: str) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_ciphertext_mtu(_MTU)
        self._client = client
        self._expected = expected
        if client:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()
        self.outgoing: pylibsrtp.Session | None = None
        """For our media, once the handshake is done and the certificate the announced one."""

    def start(self) -> list[bytes]:
        """The first datagrams of a client, none of a server."""
        return self._advance() if self._client else []

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take a datagram; those to be sent in return. Raises LoadError when the daemon is not to be trusted."""
        self._connection.bio_write(datagram)
        return self._advance()

    def _advance(self) -> list[bytes]:
        if self.outgoing is not None:
            return []
        try:
            self._connection.do_handshake()
            self._finish()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            raise LoadError(f"a handshake failed: {error}") from None
        return self._said()

    def _finish(self) -> None:
        certificate = self._connection.get_peer_certificate()
        assert certificate is not None
        digest = hashlib.sha256(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)).hexdigest()
        if digest != self._expected.replace(":", "").lower():
            raise LoadError("a daemon has another certificate than it announced")
        block = self._connection.export_keying_material(_LABEL, 2 * (KEY + SALT))
        salts = 2 * KEY
        client = block[:KEY] + block[salts : salts + SALT]
        server = block[KEY:salts] + block[salts + SALT :]
        self.outgoing = srtp.outgoing(SUITE, client if self._client else server)

    def _said(self) -> list[bytes]:
        try:
            return datagrams(self._connection.bio_read(65536))
        except SSL.WantReadError:
            return []


def datagrams(stream: bytes) -> list[bytes]:
    """Records, which OpenSSL writes one behind the other into memory, as datagrams that are no longer than the MTU."""
    found: list[bytes] = []
    at = 0
    while at < len(stream):
        upto = at + _RECORD_HEADER + int.from_bytes(stream[at + 11 : at + 13], "big")
        if found and len(found[-1]) + upto - at <= _MTU:
            found[-1] += stream[at:upto]
        else:
            found.append(stream[at:upto])
        at = upto
    return found
