"""A phone with DTLS-SRTP (RFC 5763, RFC 5764), with or without ICE; OpenSSL shakes hands, libsrtp judges packets."""

import contextlib
import datetime
import hashlib
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from ngdaemon.base.endpoint import Endpoint
from tests.interop.network import Host

from .peer import value
from .srtp import CM_80, PROFILES, Cipher, SecuredPeer
from .stun import Checks

_LABEL = b"EXTRACTOR-dtls_srtp"
_RECORD_HEADER = 13
_DATAGRAM = 1200
_SUITES = {profile.dtls: suite for suite, profile in PROFILES.items()}


class Identity:
    """A key and a self-signed certificate."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def fingerprint(self) -> str:
        """As it stands in SDP."""
        return fingerprint(self.certificate.public_bytes(Encoding.DER))


def fingerprint(der: bytes) -> str:
    digest = hashlib.sha256(der).digest()
    return "sha-256 " + ":".join(f"{octet:02X}" for octet in digest)


class Handshake:
    """One end of a DTLS association over datagrams."""

    def __init__(
        self,
        identity: Identity,
        client: bool,
        mtu: int = _DATAGRAM,
        protocols: Sequence[bytes] = (),
        profiles: bytes = PROFILES[CM_80].dtls,
    ) -> None:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.set_tlsext_use_srtp(profiles)
        if protocols:
            context.set_alpn_protos(list(protocols))
        self._mtu = mtu
        self.client = client
        self.done = False
        self.failed = ""
        self._connection = SSL.Connection(context, None)
        self._connection.set_ciphertext_mtu(mtu)
        if client:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def receive(self, data: bytes) -> None:
        if self.done:
            self._connection.bio_write(data)
            self._read()
            return
        self._connection.bio_write(data)
        self.step()

    def step(self) -> None:
        """Go on as far as it goes."""
        if self.done or self.failed:
            return
        try:
            self._connection.do_handshake()
            self.done = True
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.failed = str(error)

    def timer(self) -> None:
        """Retransmit when OpenSSL thinks that it is time."""
        left = self._connection.DTLSv1_get_timeout()
        if left is not None and left <= 0:
            self._connection.DTLSv1_handle_timeout()

    def outgoing(self) -> list[bytes]:
        """The datagrams to send."""
        try:
            data = self._connection.bio_read(1 << 16)
        except SSL.WantReadError:
            return []
        datagrams = [b""]
        for record in records(data):
            if len(datagrams[-1]) + len(record) > self._mtu:
                datagrams.append(b"")
            datagrams[-1] += record
        return [datagram for datagram in datagrams if datagram]

    @property
    def peer_fingerprint(self) -> str:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        assert certificate
        return fingerprint(certificate.public_bytes(Encoding.DER))

    def close_notify(self) -> None:
        self._connection.shutdown()

    def ciphers(self) -> tuple[Cipher, Cipher]:
        """SRTP of what this end sends and receives."""
        suite = _SUITES[self._connection.get_selected_srtp_profile()]
        key, salt = PROFILES[suite].key, PROFILES[suite].salt
        material = self._connection.export_keying_material(_LABEL, 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        ours, theirs = (client, server) if self.client else (server, client)
        return Cipher(suite, ours, outgoing=True), Cipher(suite, theirs, outgoing=False)

    def _read(self) -> None:
        with contextlib.suppress(SSL.Error):
            self._connection.recv(1 << 14)


def records(data: bytes) -> list[bytes]:
    """The DTLS records of which the octets are made."""
    found = []
    while data:
        length = _RECORD_HEADER + int.from_bytes(data[11:13])
        found.append(data[:length])
        data = data[length:]
    return found


class DtlsPeer(SecuredPeer):
    """A phone or browser. `ice` makes it a full agent with one candidate; `lies` makes it tell a wrong fingerprint."""

    protocol = "UDP/TLS/RTP/SAVPF"

    def __init__(self, name: str, host: Host, ice: bool = False, lies: bool = False, ipv6: bool = False) -> None:
        super().__init__(name, host, ipv6)
        self.identity = Identity()
        self.told_fingerprint = Identity().fingerprint if lies else self.identity.fingerprint
        self.setup = "actpass"
        self.handshake: Handshake | None = None
        self.expected = ""
        """The fingerprint that the other side told."""
        self.holds_back = False
        """Does not begin handshakes, nor answer them."""
        self.ice = Checks(self) if ice else None
        self.mangle: Callable[[bytes], list[bytes]] = lambda datagram: [datagram]
        """What becomes of a datagram of the handshake."""
        self.mtu = _DATAGRAM
        self.protocols: list[bytes] = []
        """ALPN, to make the ClientHello large."""

    def attributes(self) -> list[str]:
        ice = self.ice.attributes() if self.ice else []
        return ["a=rtcp-mux", f"a=setup:{self.setup}", f"a=fingerprint:{self.told_fingerprint}", *ice]

    def listen_to(self, sdp: str) -> None:
        super().listen_to(sdp)
        self.expected = value(sdp, r"a=fingerprint:(sha-256 \S+)").replace("SHA", "sha")
        theirs = value(sdp, "a=setup:([a-z]+)")
        if self.setup == "actpass":
            self.setup = {"active": "passive", "passive": "active", "actpass": "active"}[theirs]
        if self.ice:
            self.ice.listen_to(sdp)

    @property
    def secured(self) -> bool:
        """Whether the handshake is complete, with the certificate that the other side told."""
        return bool(self.handshake and self.handshake.done and self.incoming)

    def act(self, now: float) -> None:
        if self.ice:
            self.ice.act(now)
        target = self._target()
        if self.holds_back or target is None:
            return
        if self.handshake is None and self.setup == "active":
            self._begin(client=True)
        if self.handshake:
            self.handshake.timer()
            self._flush(target)
            self._export()

    def take_other(self, data: bytes, source: Endpoint, now: float) -> None:
        if self.ice and data and data[0] < 4:
            self.ice.take(data, source, now)
        elif data and 20 <= data[0] < 64 and not self.holds_back:
            handshake = self.handshake or self._begin(client=False)
            handshake.receive(data)
            self._flush(source)
        self._export()

    def send(self, data: bytes, to: Endpoint | None = None) -> None:
        super().send(data, to or self._target())

    def speak(self) -> None:
        if self._target():
            super().speak()

    def _begin(self, client: bool) -> Handshake:
        handshake = self.handshake = Handshake(self.identity, client, self.mtu, self.protocols)
        if client:
            handshake.step()
        return handshake

    def _target(self) -> Endpoint | None:
        return self.ice.selected if self.ice else self.to

    def _flush(self, to: Endpoint) -> None:
        assert self.handshake
        for datagram in self.handshake.outgoing():
            for piece in self.mangle(datagram):
                self.send(piece, to)

    def _export(self) -> None:
        handshake = self.handshake
        if handshake and handshake.done and not self.incoming and self.expected:
            assert handshake.peer_fingerprint == self.expected, "the daemon has not the certificate that it told"
            self.outgoing, self.incoming = handshake.ciphers()
