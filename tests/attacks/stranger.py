"""Somebody whom nobody has invited: he sends to every port, and can put any source on what he sends."""

import contextlib
import socket
import struct
from collections.abc import Iterable

from ngdaemon.base.endpoint import Endpoint
from tests.interop.network import Host

SSRC = 0x57A46E12
MARK = b"STRANGER"
_PAYLOAD = 160


def bye(ssrc: int) -> bytes:
    """An RTCP BYE for somebody (RFC 3550 §6.6), with octets where SRTCP would have index and tag."""
    return struct.pack("!BBHI", 0x81, 203, 1, ssrc) + struct.pack("!I", 1 << 31 | 1) + bytes(10)


class Stranger:
    """A host with one socket; what it gets is kept."""

    def __init__(self, host: Host, ipv6: bool = False) -> None:
        self.host = host
        self._socket = host.udp(host.address6 if ipv6 else host.address)
        self._socket.setblocking(False)
        self.endpoint = Endpoint(*self._socket.getsockname()[:2])
        with host.inside():
            self._raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.received: list[tuple[Endpoint, bytes]] = []
        self.sent_octets = 0
        self._sequence = 0

    def rtp(self, ssrc: int = SSRC, payload_type: int = 0) -> bytes:
        """An RTP packet that says who sent it."""
        self._sequence = self._sequence + 1 & 0xFFFF
        header = struct.pack("!BBHII", 0x80, payload_type, self._sequence, self._sequence * 160, ssrc)
        return header + MARK.ljust(_PAYLOAD, b"!")

    def send(self, data: bytes, to: Endpoint) -> None:
        self.sent_octets += len(data)
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            self._socket.sendto(data, to)

    def spray(self, address: str, ports: Iterable[int], data: bytes = b"") -> None:
        """Send an RTP packet, or `data`, to each of the ports."""
        for port in ports:
            self.send(data or self.rtp(), Endpoint(address, port))

    def spoof(self, source: Endpoint, to: Endpoint, data: bytes) -> None:
        """Send as if from that IPv4 endpoint."""
        addresses = socket.inet_aton(source.address) + socket.inet_aton(to.address)
        length = 8 + len(data)
        udp = struct.pack("!HHHH", source.port, to.port, length, 0)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_UDP, 0)
        self._raw.sendto(head + addresses + udp + data, (to.address, 0))

    def turn(self, now: float) -> None:
        while True:
            try:
                data, source = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue
            self.received.append((Endpoint(*source[:2]), data))

    def close(self) -> None:
        self._socket.close()
        self._raw.close()
