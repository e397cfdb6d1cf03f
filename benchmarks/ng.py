"""A client of the NG protocol for benchmarks: bencode over UDP, several requests under way at once.

It has its own few lines of bencode, as they must not cost more than the daemon that is measured.
"""

import itertools
import socket
from collections.abc import Iterable, Mapping, Sequence

import bencodepy

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]

PATIENCE = 5.0
"""Seconds that an answer may take: after them the daemon counts as broken, and nothing is sent again."""
WINDOW = 4
"""Requests under way at once, as a proxy with a few worker processes has them."""


class DaemonError(Exception):
    """The daemon did not answer, or answered with an error; the text says to what."""


def encode(value: Value) -> bytes:
    """Bencode, keys in the order given (the protocol does not want them sorted)."""
    if isinstance(value, str):
        data = value.encode()
        return b"%d:%s" % (len(data), data)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, Mapping):
        return b"d" + b"".join(encode(key) + encode(item) for key, item in value.items()) + b"e"
    return b"l" + b"".join(encode(item) for item in value) + b"e"


class NgClient:
    """One UDP socket that talks to one daemon."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.connect((host, port))
        self._cookies = (b"%d_%d" % (self._socket.getsockname()[1], number) for number in itertools.count())

    def close(self) -> None:
        self._socket.close()

    def answers(self, timeout: float) -> bool:
        """Whether a ping is answered within `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            self._socket.send(next(self._cookies) + b" d7:command4:pinge")
            return b"pong" in self._socket.recv(65536)
        except OSError:
            return False
        finally:
            self._socket.settimeout(PATIENCE)

    def request_all(self, requests: Iterable[bytes], window: int) -> list[bytes]:
        """Send all requests (bencoded, without cookie), at most `window` unanswered at any time.

        The replies without their cookies, in the order of the requests. Raises DaemonError when one is not `ok`.
        """
        cookies: list[bytes] = []
        replies: dict[bytes, bytes] = {}
        for document in requests:
            if len(cookies) - len(replies) >= window:
                self._receive(replies)
            cookie = next(self._cookies)
            cookies.append(cookie)
            self._socket.send(cookie + b" " + document)
        while len(replies) < len(cookies):
            self._receive(replies)
        return [replies[cookie] for cookie in cookies]

    def _receive(self, replies: dict[bytes, bytes]) -> None:
        try:
            cookie, _, reply = self._socket.recv(65536).partition(b" ")
        except TimeoutError:
            raise DaemonError(f"no answer within {PATIENCE:g} s after {len(replies)} answers") from None
        except ConnectionRefusedError:
            raise DaemonError("nobody listens at the control port any more") from None
        if b"6:result2:ok" not in reply:
            raise DaemonError(f"the daemon answered {reply[:300]!r}")
        replies[cookie] = reply


def sdp_of(reply: bytes) -> str:
    """The SDP in a reply to an offer or an answer."""
    sdp: bytes = bencodepy.decode(reply)[b"sdp"]
    return sdp.decode()
