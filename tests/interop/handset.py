"""A second handset at a phone: RTP from a port that SIPp cannot use, for calls whose media moves."""

import itertools
import struct
import threading
import time

from ngdaemon.base.endpoint import Endpoint

from .network import Host
from .voice import FRAME, PCMA, Voice

_PACE = 0.02
_SSRC = 0x5EC0D


class Handset:
    """Says the voice from `address`:`port` of a host to one endpoint, a frame each 20 ms, until it is closed."""

    def __init__(self, host: Host, address: str, port: int, voice: Voice, to: Endpoint) -> None:
        self._socket = host.udp(address, port)
        self._voice = voice
        self._to = to
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._socket.close()

    def _talk(self) -> None:
        begin = time.monotonic()
        for number in itertools.count():
            if self._closed.wait(max(0.0, begin + number * _PACE - time.monotonic())):
                return
            at = number * FRAME % len(self._voice.sound)
            header = struct.pack("!BBHII", 0x80, PCMA, number % 65536, number * FRAME, _SSRC)
            self._socket.sendto(header + self._voice.sound[at : at + FRAME], self._to)
