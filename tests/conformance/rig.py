"""A forwarder between real sockets on loopback, where every address of 127.0.0.0/8 is another host."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from ngdaemon.base.endpoint import Endpoint, family_of
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.media.forwarder import Event, SocketCounters
from ngdaemon.media.plan import Carries, Latch, Learning, Plan, Route, Socket
from ngdaemon.shell.portable_socket import FAMILIES
from tests.conformance.backends import Backend
from tests.support.packets import rtp

CALL = CallId("call")
RELAY, ALICE, BOB, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.66"
PATIENCE = 1000
"""Turns that a condition may take: some seconds."""
MARK = 0x4D41524B
"""SSRC of packets that only say: what was sent before has arrived."""


class Phone:
    """A UDP socket of somebody else."""

    def __init__(self, address: str, tos: bool = False) -> None:
        family = FAMILIES[family_of(address)]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if tos and family == socket.AF_INET:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        elif tos:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        name = self._socket.getsockname()
        self.at = Endpoint(name[0], name[1])
        self.got: list[bytes] = []
        self.sources: list[Endpoint] = []
        self.marks: list[int] = []
        """TOS octets or traffic classes of what was received."""

    def send(self, data: bytes, to: Endpoint) -> None:
        self._socket.sendto(data, to)

    def read(self) -> None:
        """Take in what has arrived."""
        while True:
            try:
                data, ancillary, _, source = self._socket.recvmsg(65535, 64)
            except BlockingIOError:
                return
            self.got.append(data)
            self.sources.append(Endpoint(source[0], source[1]))
            self.marks.extend(item[2][0] for item in ancillary)

    def close(self) -> None:
        self._socket.close()


class Rig:
    """The forwarder, and who talks to it."""

    def __init__(self, backend: Backend, stack: ExitStack) -> None:
        self.backend = backend
        self.forwarder = backend.forwarder
        self.events: list[Event] = []
        self.drains = True
        """Control takes events as they come."""
        self.local: dict[SocketId, Endpoint] = {}
        self._stack = stack
        self._phones: list[Phone] = []
        self._sequence = 0

    def phone(self, address: str, *, tos: bool = False) -> Phone:
        made = Phone(address, tos)
        self._stack.callback(made.close)
        self._phones.append(made)
        return made

    def bind(self, call: CallId = CALL, address: str = RELAY) -> SocketId:
        """Any free port."""
        for _ in range(20):
            local = Endpoint(address, free_port(address))
            try:
                number = self.forwarder.bind(call, local)
            except PortUnavailable:
                continue
            self.local[number] = local
            return number
        raise AssertionError("no free port")

    def work(self) -> None:
        self.backend.work()
        for phone in self._phones:
            phone.read()
        self._take_events()

    def _take_events(self) -> None:
        """Always last: what was reported before a packet left, or was counted, is there when that has been seen."""
        if self.drains:
            self.events.extend(self.forwarder.drain())

    def until(self, condition: Callable[[], bool]) -> None:
        """Work until it holds."""
        for _ in range(PATIENCE):
            if condition():
                self._take_events()
                return
            self.work()
        pytest.fail("this did not come to be")

    def count(self, number: SocketId, call: CallId = CALL) -> SocketCounters:
        return self.forwarder.counters(call)[number]

    def flush(self, sender: Phone, number: SocketId, receiver: Phone) -> None:
        """Have everything that was sent to this port so far arrive, or be dropped: a last packet comes through.

        Ports handle what comes to them in order, so nothing can be left behind it.
        """
        self._sequence += 1
        mark = rtp(self._sequence, ssrc=MARK)
        sender.send(mark, self.local[number])
        self.until(lambda: mark in receiver.got)
        receiver.got.remove(mark)


class Call:
    """A call of Alice with Bob through two ports, A and B."""

    def __init__(self, rig: Rig, relay: str = RELAY, alice: str = ALICE, bob: str = BOB, *, tos: bool = False) -> None:
        self.rig = rig
        self.alice, self.bob = rig.phone(alice, tos=tos), rig.phone(bob, tos=tos)
        self.a, self.b = rig.bind(CALL, relay), rig.bind(CALL, relay)

    def sockets(self, latch: Latch | None = None) -> tuple[Socket, Socket]:
        """As after offer and answer; the latch is for both."""
        latch = latch or Latch(Learning.HEURISTIC, generation=1)
        return Socket(self.a, self.alice.at, latch), Socket(self.b, self.bob.at, latch)

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route(self.a, self.b, Carries.RTP),
            Route(self.b, self.a, Carries.RTP),
            Route(self.a, self.b, Carries.RTCP),
            Route(self.b, self.a, Carries.RTCP),
        )

    def start(self, latch: Latch | None = None) -> "Call":
        self.apply(self.sockets(latch), self.routes)
        return self

    def apply(self, sockets: tuple[Socket, ...], routes: tuple[Route, ...]) -> None:
        self.rig.forwarder.apply(CALL, Plan(sockets, routes))

    def say(self, data: bytes) -> None:
        """Alice sends to her port."""
        self.alice.send(data, self.rig.local[self.a])

    def reply(self, data: bytes) -> None:
        """Bob sends to his port."""
        self.bob.send(data, self.rig.local[self.b])

    def flush(self) -> None:
        """What was sent to Alice's port has arrived at Bob's, or was dropped."""
        self.rig.flush(self.alice, self.a, self.bob)

    def arrives(self, data: bytes) -> None:
        """What Alice sends is received by Bob, once and as it is."""
        before = len(self.bob.got)
        self.say(data)
        self.rig.until(lambda: len(self.bob.got) > before)
        assert self.bob.got[before:] == [data]


def free_port(address: str) -> int:
    with socket.socket(FAMILIES[family_of(address)], socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
