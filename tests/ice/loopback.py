"""An agent on real sockets of the loopback interface, driven by asyncio."""

import asyncio
from collections.abc import Callable
from functools import partial

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import SocketId
from ngdaemon.ice import candidate as candidates
from ngdaemon.ice import credentials
from ngdaemon.ice.agent import Agent
from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.report import Remote
from tests.support.rng import SeededRng

LOOPBACK = "127.0.0.1"
LIMIT = 20.0
"""Seconds; nothing here takes one, but for a machine that is busy."""


class Gateway:
    """An agent of ours on asyncio, for one test."""

    def __init__(self, *, controlling: bool, lite: bool = False, components: int = 1) -> None:
        self.loop = asyncio.get_running_loop()
        self.agent = Agent(
            credentials.fresh(SeededRng(7)),
            controlling=controlling,
            lite=lite,
            rng=SeededRng(8),
            now=self.loop.time(),
            policy=lambda endpoint: endpoint.address == LOOPBACK,
        )
        self.components = components
        self.candidates: list[Candidate] = []
        self.received: list[tuple[SocketId, bytes]] = []
        self._transports: dict[SocketId, asyncio.DatagramTransport] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        for component in range(1, self.components + 1):
            socket = SocketId(component)
            transport, _ = await self.loop.create_datagram_endpoint(
                partial(Receiver, self, socket), local_addr=(LOOPBACK, 0)
            )
            self._transports[socket] = transport
            local = Endpoint(*transport.get_extra_info("sockname"))
            priority = candidates.priority(candidates.HOST, component)
            self.agent.add_base(component, socket, local, priority)
            self.candidates.append(Candidate("1", component, priority, *local))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for transport in self._transports.values():
            transport.close()

    def receive(self, socket: SocketId, data: bytes, source: Endpoint) -> None:
        if data[0] < 4:
            self.agent.receive(socket, data, source, self.loop.time())
            self.settle()
        elif self.agent.accepts(socket, source):
            self.received.append((socket, data))

    def settle(self) -> None:
        for socket, data, to in self.agent.transmits():
            self._transports[socket].sendto(data, to)
        if self._timer is not None:
            self._timer.cancel()
        due = self.agent.next_timeout()
        self._timer = None if due is None else self.loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self.agent.handle_timer(self.loop.time())
        self.settle()

    def hear(self, remote: Remote) -> None:
        self.agent.set_remote(remote, self.loop.time())
        self.settle()

    def send(self, component: int, data: bytes) -> None:
        pair = self.agent.may_send(component)
        assert pair is not None
        self._transports[pair.socket].sendto(data, pair.remote)


class Receiver(asyncio.DatagramProtocol):
    def __init__(self, gateway: Gateway, socket: SocketId) -> None:
        self._gateway = gateway
        self._socket = socket

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._gateway.receive(self._socket, data, Endpoint(*addr[:2]))


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, looking often."""
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.002)
