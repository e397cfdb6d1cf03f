"""A phone of the lab: it describes itself, talks, and remembers what it hears. This one speaks plain RTP."""

import itertools
import re
import socket
import struct
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint
from tests.interop.network import Host

_PACE = 0.02
_PAYLOAD = 160
PCMU = 0
_serial = itertools.count(0x1AB00001)


class Heard(NamedTuple):
    """A packet that was taken as media, as it was in clear."""

    source: Endpoint
    packet: bytes

    @property
    def sequence(self) -> int:
        return int.from_bytes(self.packet[2:4])

    @property
    def ssrc(self) -> int:
        return int.from_bytes(self.packet[8:12])

    @property
    def payload(self) -> bytes:
        return self.packet[12:]


class Peer:
    """A phone with one audio stream; RTCP has no port of its own."""

    protocol = "RTP/AVP"

    def __init__(self, name: str, host: Host, ipv6: bool = False) -> None:
        self.name = name
        self.host = host
        self._address = host.address6 if ipv6 else host.address
        self._socket = self._open()
        self.to: Endpoint | None = None
        """Where the other side wants media to be sent."""
        self.talking = False
        self.ssrc = next(_serial)
        self.sequence = 0
        self.sent = 0
        self.heard: list[Heard] = []
        self.received: list[tuple[Endpoint, bytes]] = []
        """Every datagram, as it came."""
        self.deaf = 0
        """Media that was not understood."""
        self._due = 0.0

    def _open(self) -> socket.socket:
        sock = self.host.udp(self._address)
        sock.setblocking(False)
        self.endpoint = Endpoint(*sock.getsockname()[:2])
        return sock

    def move(self) -> None:
        """Go on at another port."""
        self._socket.close()
        self._socket = self._open()

    # -- signalling

    def describe(self, version: int = 1) -> str:
        """The SDP of this phone."""
        family = "IP6" if ":" in self.endpoint.address else "IP4"
        lines = [
            "v=0",
            f"o={self.name} 1 {version} IN {family} {self.endpoint.address}",
            "s=-",
            f"c=IN {family} {self.endpoint.address}",
            "t=0 0",
            f"m=audio {self.endpoint.port} {self.protocol} {PCMU}",
            *self.attributes(),
        ]
        return "".join(f"{line}\r\n" for line in lines)

    def attributes(self) -> list[str]:
        """What the media says besides its first line."""
        return []

    def listen_to(self, sdp: str) -> None:
        """Take in the SDP of the other side."""
        connection = re.findall(r"(?m)^c=IN IP[46] (\S+)", sdp)[-1]
        port = int(value(sdp, r"m=audio (\d+)"))
        self.to = Endpoint(connection, port) if port else None

    # -- media

    def frame(self, number: int) -> bytes:
        """What this phone says: no two frames are alike, and none is like one of another phone."""
        return f"{self.name} says {number:06} ".encode().ljust(_PAYLOAD, b"~")

    def packet(self) -> bytes:
        """The next RTP packet, in clear."""
        header = struct.pack("!BBHII", 0x80, PCMU, self.sequence, self.sent * _PAYLOAD & 0xFFFFFFFF, self.ssrc)
        payload = self.frame(self.sent)
        self.sequence = self.sequence + 1 & 0xFFFF
        self.sent += 1
        return header + payload

    def protect(self, packet: bytes) -> bytes:
        """What goes over the wire; empty when it cannot be sent yet."""
        return packet

    def unprotect(self, data: bytes) -> bytes:
        """The packet in clear; empty when it is not authentic."""
        return data

    def secrets(self) -> list[bytes]:
        """The master keys in force."""
        return []

    def hears(self, other: "Peer", since: int = 0) -> int:
        """How many packets of the other phone arrived unharmed."""
        start = f"{other.name} says ".encode()
        return sum(heard.payload.startswith(start) and len(heard.payload) == _PAYLOAD for heard in self.heard[since:])

    def send(self, data: bytes, to: Endpoint | None = None) -> None:
        """Send a datagram as it is."""
        target = to or self.to
        assert target
        self._socket.sendto(data, target)

    # -- turns

    def turn(self, now: float) -> None:
        while True:
            try:
                data, source = self._socket.recvfrom(65535)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                continue
            self._take(data, Endpoint(*source[:2]), now)
        self.act(now)
        if self.talking and self.to and now >= self._due:
            self._due = now + _PACE
            self.speak()

    def speak(self) -> None:
        """Send the next packet, where it can be protected."""
        data = self.protect(self.packet())
        if data:
            self.send(data)

    def act(self, now: float) -> None:
        """What is due besides media."""

    def take_other(self, data: bytes, source: Endpoint, now: float) -> None:
        """What is neither RTP nor RTCP."""

    def _take(self, data: bytes, source: Endpoint, now: float) -> None:
        self.received.append((source, data))
        if not data or data[0] >> 6 != 2:
            self.take_other(data, source, now)
        elif len(data) > 1 and not 192 <= data[1] <= 223:
            clear = self.unprotect(data)
            if clear:
                self.heard.append(Heard(source, clear))
            else:
                self.deaf += 1

    def close(self) -> None:
        self._socket.close()


def value(sdp: str, pattern: str) -> str:
    """The first group of the line that the pattern matches; AssertionError when there is none."""
    match = re.search(rf"(?m)^{pattern}", sdp)
    assert match, f"no {pattern} in\n{sdp}"
    return match[1]
