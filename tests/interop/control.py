"""What the proxy and the media nodes tell each other."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import bencodepy

from .network import Host
from .tap import Tap


class Message(NamedTuple):
    """An NG request or reply (`COOKIE SP DICTIONARY`); `node` is the port of the media node that got or sent it."""

    cookie: bytes
    node: int
    body: dict[bytes, Any]


class Control:
    """All control messages between a proxy and media nodes on one host, whose control ports are `ports`."""

    def __init__(self, host: Host, ports: range) -> None:
        self._tap = Tap(host, "lo")
        self._ports = ports

    def close(self) -> None:
        self._tap.close()

    def requests(self, command: str) -> list[Message]:
        return [message for message in self._messages(to_node=True) if message.body[b"command"] == command.encode()]

    def replies(self, result: str) -> list[Message]:
        return [message for message in self._messages(to_node=False) if message.body[b"result"] == result.encode()]

    def _messages(self, to_node: bool) -> Iterator[Message]:
        for datagram in self._tap.datagrams():
            port = datagram.destination.port if to_node else datagram.source.port
            if datagram.outgoing and port in self._ports:  # the loopback shows each datagram twice
                cookie, _, document = datagram.data.partition(b" ")
                yield Message(cookie, port, bencodepy.decode(document))
