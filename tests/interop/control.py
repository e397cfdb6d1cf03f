"""What the proxy and the media nodes tell each other."""

from collections.abc import Iterator
from pathlib import Path
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
        return [message for message in self._messages() if message.body.get(b"command") == command.encode()]

    def replies(self, result: str) -> list[Message]:
        return [message for message in self._messages() if message.body.get(b"result") == result.encode()]

    def write(self, path: Path) -> None:
        """Save all messages, in their order, to be read."""
        with path.open("w") as file:
            for message in self._messages():
                file.write(f"{message.cookie.decode()} {message.node}\n")
                for key, value in message.body.items():
                    file.write(f"    {key.decode()}: {value.decode() if isinstance(value, bytes) else value}\n")

    def _messages(self) -> Iterator[Message]:
        for datagram in self._tap.datagrams():
            node = {datagram.source.port, datagram.destination.port}.intersection(self._ports)
            if datagram.outgoing and node:  # the loopback shows each datagram twice
                cookie, _, document = datagram.data.partition(b" ")
                yield Message(cookie, node.pop(), bencodepy.decode(document))
