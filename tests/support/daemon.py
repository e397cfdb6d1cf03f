"""A whole daemon without sockets: the controller with a forwarder that only remembers, and time that a test moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bencodepy

from ngdaemon.base.endpoint import Endpoint, Interface
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.config import Config
from ngdaemon.controller import Controller
from ngdaemon.media.forwarder import SocketCounters, SsrcCounters
from ngdaemon.media.plan import Plan
from tests.support.clock import Clock
from tests.support.forwarder import FakeForwarder
from tests.support.rng import OrderlyRng

INTERFACES = (
    Interface("int", "192.0.2.1", "192.0.2.1"),
    Interface("ext", "192.0.2.2", "192.0.2.2"),
    Interface("six", "2001:db8::1", "2001:db8::1"),
    Interface("nat", "192.0.2.9", "203.0.113.9"),
)
PROXY = Endpoint("192.0.2.50", 5060)

CALL = "call"
CALLER, CALLEE = "a", "b"
"""Tags in the requests that a test does not spell out."""

MOST_TIMERS = 1000
"""Timers that may fire in one `wait`: more would mean that time stands still."""


class SteadyWall:
    """A `Wall` that starts at a fixed date and goes with the clock."""

    START = 1_700_000_000

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.now

    def microseconds(self) -> int:
        return int((self.START + self._clock.now - self._since) * 1_000_000)


@dataclass
class FixedLoad:
    """A `Load` that a test sets."""

    average: float = 0.0
    cpu: float = 0.0
    octets: float = 0.0

    def load_average(self) -> float:
        return self.average

    def cpu_percent(self) -> float:
        return self.cpu

    def bytes_per_second(self) -> float:
        return self.octets


class Daemon:
    """The daemon under test. Ports are taken from the top of the range downward."""

    def __init__(self, interfaces: tuple[Interface, ...] = INTERFACES, **settings: Any) -> None:
        self.clock = Clock()
        self.forwarder = FakeForwarder()
        self.load = FixedLoad()
        self.config = Config(interfaces=interfaces, **settings)
        self.controller = Controller(
            self.config, self.forwarder, OrderlyRng(), SteadyWall(self.clock), self.load, self.clock.now
        )
        self._serial = 0

    # requests

    def cookie(self) -> str:
        self._serial += 1
        return f"cookie{self._serial}"

    def exchange(self, datagram: bytes, cookie: str | None = None, _patience: float | None = None) -> bytes | None:
        """The reply to a datagram, without its cookie if that is given; None where there is none."""
        reply = self.controller.receive(datagram, PROXY, self.clock.now)
        if reply is None or cookie is None:
            return reply
        assert reply.startswith(cookie.encode() + b" ")
        return reply[len(cookie) + 1 :]

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """The reply to a request, both as dictionaries."""
        cookie = self.cookie()
        document = bencodepy.encode(_octets(request))
        reply = self.exchange(cookie.encode() + b" " + document, cookie)
        assert reply is not None
        decoded = _text(bencodepy.decode(reply))
        assert isinstance(decoded, dict)
        return decoded

    def command(self, command: str, /, call: str = CALL, **keys: object) -> dict[str, Any]:
        """The reply to a command about a call. Keys are written with underscores for hyphens; None leaves one out."""
        given = {"command": command, "call-id": call, **{name.replace("_", "-"): item for name, item in keys.items()}}
        return self.ask({name: item for name, item in given.items() if item is not None})

    def offer(self, sdp: str, /, from_tag: str = CALLER, **keys: object) -> str:
        """The SDP that comes out of an offer."""
        return self._told("offer", sdp=sdp, from_tag=from_tag, **keys)

    def answer(self, sdp: str, /, from_tag: str = CALLER, to_tag: str = CALLEE, **keys: object) -> str:
        """The SDP that comes out of an answer."""
        return self._told("answer", sdp=sdp, from_tag=from_tag, to_tag=to_tag, **keys)

    def _told(self, command: str, /, **keys: Any) -> str:
        reply = self.command(command, **keys)
        assert reply.get("result") == "ok", reply
        assert isinstance(reply["sdp"], str)
        return reply["sdp"]

    def refusal(self, command: str, /, **keys: Any) -> str:
        """The reason why a command is refused."""
        reply = self.command(command, **keys)
        assert reply["result"] == "error", reply
        assert isinstance(reply["error-reason"], str)
        return reply["error-reason"]

    # media

    def plan(self, call: str = CALL) -> Plan:
        """The plan in force; an empty one where there is none."""
        return self.forwarder.plans.get(CallId(call), Plan())

    def socket_at(self, port: int) -> SocketId:
        """The socket that is bound to a local port."""
        found = [number for number, (_, local) in self.forwarder.bound.items() if local.port == port]
        assert len(found) == 1, f"{len(found)} sockets at port {port}"
        return found[0]

    def receive_media(self, port: int, packets: int = 1, *, payload_type: int = 0, ssrc: int = 0x1234) -> None:
        """Let the forwarder have counted packets of 172 octets at a local port, the last one just now."""
        socket = self.socket_at(port)
        total = self.forwarder.counted.get(socket, SocketCounters()).packets_in + packets
        source = SsrcCounters(ssrc, total, 172 * total, 160 * total, total, payload_type, 0)
        self.forwarder.counted[socket] = SocketCounters(
            packets_in=total, bytes_in=172 * total, last_packet=self.clock.now, sources=(source,)
        )

    # time

    def wait(self, seconds: float) -> None:
        """Let time pass, with everything that is due in it."""
        end = self.clock.now + seconds
        for _ in range(MOST_TIMERS):
            at = self.controller.next_timeout()
            if at is None or at > end:
                self.clock.now = end
                return
            self.clock.now = max(self.clock.now, at)
            self.controller.handle_timer(self.clock.now)
        raise AssertionError(f"{MOST_TIMERS} timers fired in {seconds} s")

    def calls(self) -> list[str]:
        """The calls that are there."""
        listed = self.ask({"command": "list", "limit": 1000})["calls"]
        assert isinstance(listed, list)
        return listed


def _octets(value: object) -> object:
    """A value with its text as octets, as it goes into bencode."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, Mapping):
        return {_octets(key): _octets(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_octets(item) for item in value]
    return value


def _text(value: object) -> object:
    """A value with its octets as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Mapping):
        return {_text(key): _text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value
