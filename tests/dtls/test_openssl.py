"""Our ends against `openssl s_client` and `s_server` over real sockets: an independent judge of handshake and keys.

The command is the system's, another release than the library in Python.
"""

import re
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.dtls.certificate import Identity, to_pem
from ngdaemon.dtls.component import Component
from ngdaemon.dtls.engine import PROFILE_ORDER
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.states import Event, Failed, Mismatch, State
from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES
from tests.dtls.rig import A, B, C, component, remote

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")

PATIENCE = 20.0
"""Seconds until a test gives up; none is ever waited for in vain."""

NO_KEYS: tuple[tuple[Keys, ...], None] = ((), None)


class Pump:
    """A component on a UDP socket of the loopback, and an `openssl` process on the other side."""

    def __init__(self, ours: Component, directory: Path) -> None:
        self.component = ours
        self.happened: list[Event] = []
        self.vouched = True
        self.text = b""
        """What the process printed."""
        self.first_octets: list[int] = []
        """Of what it sent: type of each clear handshake message."""
        self._directory = directory
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ, self._read_socket)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def spawn(self, *arguments: str, whose: Identity | None = B) -> None:
        """Run `openssl` with these, and with an identity of its own."""
        assert OPENSSL is not None
        pem = self._directory / "peer.pem"
        if whose is not None:
            pem.write_bytes(to_pem(whose))
            arguments += ("-cert", str(pem), "-key", str(pem))
        self._process = subprocess.Popen(
            [OPENSSL, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout is not None
        self._selector.register(self._process.stdout, selectors.EVENT_READ, self._read_text)

    def run(self, until: Callable[[], bool]) -> bool:
        """Carry datagrams until the condition holds; False when patience ends first."""
        end = time.monotonic() + PATIENCE
        while not until():
            now = time.monotonic()
            if now > end:
                return False
            self.component.handle_timer(now)
            self._flush()
            due = self.component.next_timeout()
            wait = min(0.2, 0.2 if due is None else max(due - now, 0.0))
            for key, _ in self._selector.select(wait):
                key.data()
        return True

    def line(self, pattern: bytes) -> str | None:
        found = re.search(pattern, self.text)
        return found.group(1).decode() if found is not None else None

    def quit(self) -> None:
        """Let the process end in order: it says close_notify."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    def close(self) -> None:
        self._selector.close()
        self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def _read_socket(self) -> None:
        data, (address, port) = self._socket.recvfrom(65536)
        if data[0] == 22 and data[3:5] == b"\0\0":
            self.first_octets.append(data[13])
        self.component.receive(Endpoint(address, port), data, time.monotonic(), self.vouched)
        self._flush()

    def _read_text(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        text = self._process.stdout.read1(65536)  # type: ignore[attr-defined]
        self.text += text
        if not text:
            self._selector.unregister(self._process.stdout)

    def _flush(self) -> None:
        for path, data in self.component.transmits():
            self._socket.sendto(data, path)
        self.happened += self.component.events()


@pytest.fixture
def pump(tmp_path: Path) -> Iterator[Pump]:
    made = Pump(component(A), tmp_path)
    yield made
    made.close()


def export(profile: str) -> list[str]:
    row = SUITES[profile]
    return [
        "-use_srtp",
        row.profile,
        "-keymatexport",
        "EXTRACTOR-dtls_srtp",
        "-keymatexportlen",
        str(2 * (row.key + row.salt)),
    ]


def s_client(pump: Pump, *arguments: str, whose: Identity | None = B) -> None:
    pump.spawn("s_client", "-dtls1_2", "-connect", f"127.0.0.1:{pump.port}", *arguments, whose=whose)


def s_server(pump: Pump, *arguments: str) -> Endpoint:
    """A server, and where it is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pump.spawn("s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-Verify", "1", *arguments)
    pump.run(until=lambda: b"ACCEPT" in pump.text)
    return Endpoint("127.0.0.1", port)


def exported(pump: Pump, client: Keys, server: Keys) -> bool:
    """Whether the process printed these keys."""
    wanted = client.key + server.key + client.salt + server.salt
    return pump.run(until=lambda: pump.line(rb"Keying material: ([0-9A-F]+)") == wanted.hex().upper())


@pytest.mark.parametrize("profile", PROFILE_ORDER)
@pytest.mark.parametrize("vouched", [True, False], ids=["vouched", "cookie"])
def test_key_01_keys_as_server(pump: Pump, profile: str, vouched: bool) -> None:
    """KEY-04: exported under the label of RFC 5764, in its length and order. HS-09: with and without a cookie."""
    pump.vouched = vouched
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *export(profile))
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    (receive,), send = pump.component.keys()
    assert send is not None
    assert receive.suite.name == send.suite.name == profile
    assert exported(pump, client=receive, server=send)
    assert pump.first_octets.count(1) == (1 if vouched else 2)


@pytest.mark.parametrize("profile", PROFILE_ORDER)
@pytest.mark.parametrize("listening", [False, True], ids=["stateful cookie", "stateless cookie"])
def test_key_01_keys_as_client(pump: Pump, profile: str, listening: bool) -> None:
    where = s_server(pump, *export(profile), *(["-listen"] if listening else []))
    pump.component.expect(remote(B), Role.ACTIVE, time.monotonic())
    pump.component.reach(where, time.monotonic())
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    (receive,), send = pump.component.keys()
    assert send is not None
    assert send.suite.name == profile
    assert exported(pump, client=send, server=receive)
    assert pump.first_octets[0] == 3  # HelloVerifyRequest


@pytest.mark.parametrize(
    "cipher",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ],
)
@pytest.mark.parametrize("role", Role)
def test_hs_02_cipher_suites(pump: Pump, cipher: str, role: Role) -> None:
    """KEY-05: the exporter follows the hash of the suite."""
    arguments = ["-cipher", cipher, *export("AEAD_AES_128_GCM")]
    pump.component.expect(remote(B), role, time.monotonic())
    if role is Role.PASSIVE:
        s_client(pump, *arguments)
    else:
        pump.component.reach(s_server(pump, *arguments), time.monotonic())
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    (receive,), send = pump.component.keys()
    assert send is not None
    assert exported(pump, *((receive, send) if role is Role.PASSIVE else (send, receive)))


@pytest.mark.parametrize(("groups", "key"), [("P-256", "prime256v1"), ("X25519:P-256", "X25519")])
def test_hs_02_groups(pump: Pump, groups: str, key: str) -> None:
    """P-256 is always among them: our certificates are on it."""
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, "-groups", groups, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    assert pump.run(until=lambda: b"Server Temp Key: " in pump.text)
    assert key in (pump.line(rb"Server Temp Key: (.*)") or "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-cipher", "ECDHE-ECDSA-AES128-SHA"],
        ["-cipher", "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"],
        ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        ["-cipher", "AES128-GCM-SHA256"],
    ],
    ids=["CBC", "NULL", "RSA", "no forward secrecy"],
)
def test_hs_02_other_suites_are_refused(pump: Pump, arguments: list[str]) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *arguments, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: bool(pump.happened))
    assert isinstance(pump.happened[0], Failed)
    assert pump.run(until=lambda: b"handshake failure" in pump.text)
    assert pump.component.keys() == NO_KEYS


def test_hs_15_a_client_without_use_srtp_gets_no_keys(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump)
    assert pump.run(until=lambda: bool(pump.happened))
    assert isinstance(pump.happened[0], Failed)
    assert pump.happened[0].reason == "no use_srtp"
    assert pump.component.keys() == NO_KEYS
    assert pump.run(until=lambda: b"handshake failure" in pump.text)


def test_hs_15_a_server_without_use_srtp_gets_no_keys(pump: Pump) -> None:
    where = s_server(pump)
    pump.component.expect(remote(B), Role.ACTIVE, time.monotonic())
    pump.component.reach(where, time.monotonic())
    assert pump.run(until=lambda: bool(pump.happened))
    assert pump.happened == [Failed(where, "no SRTP profile")]
    assert pump.component.keys() == NO_KEYS


def test_fp_09_a_client_without_certificate_gets_no_keys(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *export("AEAD_AES_128_GCM"), whose=None)
    assert pump.run(until=lambda: bool(pump.happened))
    assert isinstance(pump.happened[0], Failed)
    assert pump.component.status().state is State.FAILED
    assert pump.component.keys() == NO_KEYS


def test_fp_09_our_client_shows_its_certificate(pump: Pump) -> None:
    where = s_server(pump, *export("AEAD_AES_128_GCM"))
    pump.component.expect(remote(B), Role.ACTIVE, time.monotonic())
    pump.component.reach(where, time.monotonic())
    assert pump.run(until=lambda: b"Client certificate" in pump.text)


@pytest.mark.parametrize("role", Role)
def test_fp_11_another_certificate_than_announced(pump: Pump, role: Role) -> None:
    pump.component.expect(remote(C), role, time.monotonic())
    if role is Role.PASSIVE:
        s_client(pump, *export("AEAD_AES_128_GCM"))
    else:
        pump.component.reach(s_server(pump, *export("AEAD_AES_128_GCM")), time.monotonic())
    assert pump.run(until=lambda: bool(pump.happened))
    assert isinstance(pump.happened[0], Mismatch)
    assert pump.happened[0].seen == B.fingerprint()
    assert pump.run(until=lambda: b"bad certificate" in pump.text)
    assert pump.component.keys() == NO_KEYS


@pytest.mark.parametrize("mtu", ["300", "256"])
def test_hs_06_fragmented_flights_of_the_peer(pump: Pump, mtu: str) -> None:
    """HS-06: the client's certificate does not fit into one of its datagrams."""
    pump.vouched = False
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, "-mtu", mtu, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    assert pump.first_octets.count(11) > 1


def test_hs_16_the_peer_closes(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: pump.component.verified_path is not None)
    pump.quit()
    assert pump.run(until=lambda: pump.component.status().state is State.CLOSED)
    assert pump.component.keys() == NO_KEYS


def test_hs_17_the_peer_hears_that_we_close(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: b"Keying material: " in pump.text)
    pump.component.close(time.monotonic())
    assert pump.run(until=lambda: b"closed" in pump.text)


def test_hs_03_no_renegotiation_and_no_tickets(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    s_client(pump, *export("AEAD_AES_128_GCM"))
    assert pump.run(until=lambda: b"Extended master secret: " in pump.text)
    assert b"Extended master secret: yes" in pump.text
    assert b"TLS session ticket:" not in pump.text
    assert b"Session-ID: \n" in pump.text


def test_hs_01_dtls_1_0_is_refused(pump: Pump) -> None:
    pump.component.expect(remote(B), Role.PASSIVE, time.monotonic())
    pump.spawn(
        "s_client",
        "-dtls1",
        "-connect",
        f"127.0.0.1:{pump.port}",
        "-cipher",
        "ALL:@SECLEVEL=0",
        *export("AEAD_AES_128_GCM"),
    )
    assert pump.run(until=lambda: bool(pump.happened))
    assert isinstance(pump.happened[0], Failed)
    assert pump.happened[0].reason == "no DTLS 1.2"
    assert pump.component.keys() == NO_KEYS
