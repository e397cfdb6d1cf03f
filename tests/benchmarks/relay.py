"""A relay between two ends of the load generator that changes, drops and adds packets as a test says."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator

Tamper = Callable[[int, bytes], list[bytes]]
"""What the relay sends on for packet number n of a flow."""


@contextlib.contextmanager
def relay(tamper: Tamper) -> Iterator[list[str]]:
    """A relay between two ends; gives the lines that describe these to the generator."""
    ports = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for port in ports:
        port.bind(("127.0.0.1", 0))
    wake, woken = socket.socketpair()
    thread = threading.Thread(target=_forward, args=(ports, woken, tamper))
    thread.start()
    try:
        yield [f"127.0.0.1 0 127.0.0.1 {port.getsockname()[1]} {1 - index}" for index, port in enumerate(ports)]
    finally:
        wake.close()
        thread.join()
        for port in (*ports, woken):
            port.close()


def _forward(ports: list[socket.socket], woken: socket.socket, tamper: Tamper) -> None:
    peers: dict[socket.socket, tuple[str, int]] = {}
    while True:
        ready = select.select([*ports, woken], [], [])[0]
        if woken in ready:
            return
        for port in ready:
            packet, peers[port] = port.recvfrom(2048)
            other = ports[1 - ports.index(port)]
            if other in peers:
                for changed in tamper(int.from_bytes(packet[2:4], "big"), packet):
                    other.sendto(changed, peers[other])
