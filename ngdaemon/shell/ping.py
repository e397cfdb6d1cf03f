"""Is a daemon answering? An NG `ping` from outside, for health checks."""

import os
import socket

from ngdaemon.base.endpoint import Endpoint, Family, is_unspecified

TIMEOUT = 2.0
"""Seconds to wait for the reply."""
_REQUEST = b"d7:command4:pinge"
_PONG = b"4:pong"


def ping(target: Endpoint, timeout: float = TIMEOUT) -> str | None:
    """Ask once. Gives what is wrong, or None where the daemon is well."""
    address = _LOOPBACK[target.family] if is_unspecified(target.address) else target.address
    cookie = os.urandom(6).hex().encode()
    family = socket.AF_INET6 if target.family is Family.IP6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asker:
            asker.settimeout(timeout)
            asker.connect((address, target.port))
            asker.send(cookie + b" " + _REQUEST)
            reply = asker.recv(4096)
    except TimeoutError:
        return f"{target} does not answer"
    except OSError as error:
        return f"{target}: {os.strerror(error.errno) if error.errno else error}"
    if not reply.startswith(cookie + b" ") or _PONG not in reply:
        return f"{target} gave a strange answer: {reply!r:.80}"
    return None


_LOOPBACK = {Family.IP4: "127.0.0.1", Family.IP6: "::1"}
