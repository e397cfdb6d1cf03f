"""The wire at a host: every UDP datagram in and out, read as SIP, SDP and RTP."""

import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ngdaemon.base.endpoint import Endpoint

from .network import Host

_ALL_PROTOCOLS = 3
_BUFFER = 16 << 20
_IPV4, _IPV6, _UDP = 0x0800, 0x86DD, 17
_LINKTYPE_RAW = 101


class Datagram(NamedTuple):
    """A UDP datagram as it passed the host's interface."""

    outgoing: bool
    source: Endpoint
    destination: Endpoint
    data: bytes


class Rtp(NamedTuple):
    """An RTP packet (RFC 3550 §5.1) and the datagram it came in."""

    datagram: Datagram
    payload_type: int
    sequence: int
    ssrc: int
    payload: bytes


class Sip(NamedTuple):
    """A SIP message and the datagram it came in."""

    datagram: Datagram
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def sdp(self) -> str:
        """The body where it is a session description, else ""."""
        head, _, body = self.text.partition("\r\n\r\n")
        return body if re.search(r"(?im)^content-type:\s*application/sdp", head) else ""

    def header(self, name: str) -> str:
        """The value of the first header of that name; AssertionError when there is none."""
        match = re.search(rf"(?im)^{name}:\s*(.*?)\s*$", self.text.partition("\r\n\r\n")[0])
        assert match, f"no {name} in {self.first_line}"
        return match[1]


class Tap:
    """Everything that passed one interface since the tap was opened; it never misses a packet between two looks."""

    def __init__(self, host: Host, interface: str = "eth0") -> None:
        with host.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, _BUFFER)  # SO_RCVBUFFORCE
        self._socket.bind((interface, _ALL_PROTOCOLS))
        self._socket.setblocking(False)
        self._packets: list[bytes] = []
        self._datagrams: list[Datagram] = []

    def close(self) -> None:
        self._socket.close()

    def datagrams(self, since: int = 0) -> list[Datagram]:
        """All datagrams, or those after the first `since` of them (see `mark`)."""
        self._read()
        return self._datagrams[since:]

    def mark(self) -> int:
        """Now, as a value for `since`."""
        self._read()
        return len(self._datagrams)

    def rtp(self, outgoing: bool, since: int = 0) -> list[Rtp]:
        return [
            packet
            for packet in map(parse_rtp, self.datagrams(since))
            if packet and packet.datagram.outgoing is outgoing
        ]

    def sip(self, outgoing: bool | None = None, since: int = 0) -> list[Sip]:
        messages = map(_parse_sip, self.datagrams(since))
        return [found for found in messages if found and outgoing in (None, found.datagram.outgoing)]

    def write(self, path: Path) -> None:
        """Save the capture in the pcap format."""
        self._read()
        with path.open("wb") as file:
            file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _LINKTYPE_RAW))
            for number, packet in enumerate(self._packets):
                file.write(struct.pack("=IIII", number // 1000, number % 1000 * 1000, len(packet), len(packet)))
                file.write(packet)

    def _read(self) -> None:
        while True:
            try:
                packet, (_, _, kind, *_) = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            datagram = _parse_ip(packet, kind == socket.PACKET_OUTGOING)
            if datagram:
                self._packets.append(packet)
                self._datagrams.append(datagram)


def parse_rtp(datagram: Datagram) -> Rtp | None:
    """The RTP packet in the datagram; None when it holds RTCP or something else."""
    data = datagram.data
    if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
        return None
    sequence, _, ssrc = struct.unpack_from("!HII", data, 2)
    return Rtp(datagram, data[1] & 0x7F, sequence, ssrc, data[12 + 4 * (data[0] & 0x0F) :])


def _parse_sip(datagram: Datagram) -> Sip | None:
    if b" SIP/2.0\r\n" not in datagram.data and not datagram.data.startswith(b"SIP/2.0 "):
        return None
    return Sip(datagram, datagram.data.decode(errors="replace"))


def _parse_ip(packet: bytes, outgoing: bool) -> Datagram | None:
    version = packet[0] >> 4
    if version == 4 and packet[9] == _UDP:
        start, family, source, destination = (packet[0] & 0x0F) * 4, socket.AF_INET, packet[12:16], packet[16:20]
    elif version == 6 and packet[6] == _UDP:
        start, family, source, destination = 40, socket.AF_INET6, packet[8:24], packet[24:40]
    else:
        return None
    source_port, destination_port, length = struct.unpack_from("!HHH", packet, start)
    return Datagram(
        outgoing,
        Endpoint(socket.inet_ntop(family, source), source_port),
        Endpoint(socket.inet_ntop(family, destination), destination_port),
        packet[start + 8 : start + length],
    )


def media_endpoints(sdp: str) -> Iterator[Endpoint]:
    """Where a description wants its media, m-line by m-line; nothing where there is no description."""
    session = ""
    sections = re.split(r"(?m)^(?=m=)", sdp)
    if match := re.search(r"(?m)^c=IN IP[46] (\S+)", sections[0]):
        session = match[1]
    for section in sections[1:]:
        connection = re.search(r"(?m)^c=IN IP[46] (\S+)", section)
        port = section.split(" ", 2)[1]
        yield Endpoint(connection[1] if connection else session, int(port))
