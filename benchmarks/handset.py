"""Phones of the load with real sockets: one with DTLS-SRTP, with ICE as a browser or without, and a plain one."""

import re
import socket
from collections.abc import Callable, Iterator

from OpenSSL import SSL

from benchmarks.calls import media_of
from benchmarks.handshake import Handshake
from benchmarks.srtp import clear_packet
from benchmarks.traffic import LoadError
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate, credentials
from ngdaemon.ice.agent import Agent
from ngdaemon.ice.candidate import RTP
from ngdaemon.ice.report import Remote
from ngdaemon.shell.rng import SystemRng

PTIME = 0.02
"""Seconds between two packets of media."""

_SOCKET = SocketId(1)
_RNG = SystemRng()


def open_socket(address: str, port: int) -> socket.socket:
    """A socket at that address that never waits."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.bind((address, port))
    return opened


class PlainPhone:
    """Hears media in clear. `heard_at` is when the first packet of `expected_from` arrived, None before."""

    def __init__(self, address: str, port: int, expected_from: int) -> None:
        self.socket = open_socket(address, port)
        self.heard_at: float | None = None
        self._expected_from = expected_from

    def read(self, now: float) -> None:
        """Take what has arrived. Raises LoadError for anything that the other phone did not say."""
        for data, _ in _arrived(self.socket):
            if data != clear_packet(self._expected_from, int.from_bytes(data[2:4], "big")):
                raise LoadError(f"{len(data)} octets arrived at a phone in clear that nobody sent")
            if self.heard_at is None:
                self.heard_at = now

    def close(self) -> None:
        self.socket.close()


class SecuredPhone:
    """Shakes hands, and then says something every 20 ms.

    `number` tells its media from that of others; `fingerprint` is that of the certificate of `context`.
    """

    def __init__(
        self, address: str, port: int, number: int, context: SSL.Context, fingerprint: str, *, ice: bool, now: float
    ) -> None:
        self.socket = open_socket(address, port)
        self._number = number
        self._context = context
        self._fingerprint = fingerprint
        self._relay = Endpoint("", 0)
        self._handshake: Handshake | None = None
        self._unsent: list[bytes] = []
        self._said = 0
        self._next_packet = now
        self._agent = _agent(Endpoint(address, port), now) if ice else None

    def words(self) -> dict[str, str]:
        """What its SDP says of itself."""
        words = {"fingerprint": self._fingerprint}
        if self._agent is not None:
            words |= {"ufrag": self._agent.local.ufrag, "pwd": self._agent.local.pwd}
        return words

    def hear(self, sdp: str, now: float) -> None:
        """Take the daemon's answer, and begin. Raises LoadError for one without DTLS."""
        self._relay = Endpoint(*media_of(sdp))
        setup, expected = attribute(sdp, "setup"), attribute(sdp, "fingerprint").split()[-1]
        self._handshake = Handshake(self._context, client=setup != "active", expected=expected)
        if self._agent is not None:
            found = (candidate.parse(value) for value in attributes(sdp, "candidate"))
            remote = Remote(
                attribute(sdp, "ice-ufrag"),
                attribute(sdp, "ice-pwd"),
                lite="\na=ice-lite" in sdp,
                candidates=[each for each in found if each is not None],
            )
            self._agent.set_remote(remote, now)
        self._unsent = self._handshake.start()
        self._flush()

    def read(self, now: float) -> None:
        """Take what has arrived, and answer."""
        for data, source in _arrived(self.socket):
            if data[0] < 4 and self._agent is not None:
                self._agent.receive(_SOCKET, data, source, now)
            elif 20 <= data[0] < 64 and self._handshake is not None:
                self._unsent += self._handshake.receive(data)
        self._flush()

    def handle_timer(self, now: float) -> None:
        """Do what is due: checks of ICE, and a packet of media."""
        agent, handshake = self._agent, self._handshake
        if agent is not None and (due := agent.next_timeout()) is not None and due <= now:
            agent.handle_timer(now)
            self._flush()
        if handshake is not None and handshake.outgoing is not None and now >= self._next_packet:
            self._next_packet = now + PTIME
            self._unsent.append(handshake.outgoing.protect(clear_packet(self._number, self._said)))
            self._said += 1
            self._flush()

    def close(self) -> None:
        self.socket.close()

    def _flush(self) -> None:
        """Send what waits: checks at once, everything else as soon as there is a way."""
        relay: Endpoint | None = self._relay
        if self._agent is not None:
            for item in self._agent.transmits():
                self.socket.sendto(item.data, item.to)
            pair = self._agent.may_send(RTP)
            relay = None if pair is None else pair.remote
        if relay is not None:
            unsent, self._unsent = self._unsent, []
            for data in unsent:
                self.socket.sendto(data, relay)


def _agent(local: Endpoint, now: float) -> Agent:
    """As a browser that calls has it. It looks for peers on the loopback as well: nothing else is here."""
    anywhere: Callable[[Endpoint], bool] = lambda _: True  # noqa: E731
    agent = Agent(credentials.fresh(_RNG), controlling=True, lite=False, rng=_RNG, now=now, policy=anywhere)
    agent.add_base(RTP, _SOCKET, local, candidate.priority(candidate.HOST, RTP))
    return agent


def _arrived(opened: socket.socket) -> Iterator[tuple[bytes, Endpoint]]:
    while True:
        try:
            data, source = opened.recvfrom(2048)
        except BlockingIOError:
            return
        if data:
            yield data, Endpoint(*source)


def attributes(sdp: str, name: str) -> list[str]:
    """The values of all lines `a=NAME:`."""
    return re.findall(rf"^a={name}:(.*?)\r?$", sdp, re.MULTILINE)


def attribute(sdp: str, name: str) -> str:
    """The value of the line `a=NAME:`. Raises LoadError when there is none."""
    found = attributes(sdp, name)
    if not found:
        raise LoadError(f"no a={name} in {sdp!r}")
    return str(found[0])
