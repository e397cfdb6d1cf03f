"""One UDP port as the system gives it."""

import errno
import logging
import socket as system
from functools import cache
from sys import byteorder

from ngdaemon.base.endpoint import Endpoint, Family
from ngdaemon.base.errors import PortUnavailable
from ngdaemon.media.stream import Stream

logger = logging.getLogger("ngdaemon.media")

DATAGRAM = 65535
"""Octets of the longest datagram: none is cut."""

RECEIVE_BUFFER = 212992
"""Octets as the kernel counts them (some 270 voice packets): the usual default of Linux. Only where the default is less
it is asked for; more would let a port that floods us keep others waiting longer."""

FAMILIES = {Family.IP4: system.AF_INET, Family.IP6: system.AF_INET6}
MARKS = {Family.IP4: (system.IPPROTO_IP, system.IP_TOS), Family.IP6: (system.IPPROTO_IPV6, system.IPV6_TCLASS)}

NO_ROOM = {
    errno.EMFILE: (
        "no file descriptor left for another media port: {text}; raise the limit of open files "
        "(LimitNOFILE= in the unit file, ulimit -n, --ulimit nofile= for containers)"
    ),
    errno.ENFILE: "the system has no file descriptor left for another media port: {text}; raise sysctl fs.file-max",
    errno.ENOBUFS: "the system has no memory left for another media port: {text}",
    errno.ENOMEM: "the system has no memory left for another media port: {text}",
    errno.EADDRNOTAVAIL: "{address} is not an address of this host: {text}; correct the option interface",
    errno.EAFNOSUPPORT: "this host cannot use the address family of {address}: {text}; correct the option interface",
}
"""Errors that the next port would meet as well."""

_SO_MEMINFO = 55  # asm-generic/socket.h; Python has no name for it
_DROPS = 8 * 4  # SK_MEMINFO_DROPS, the last of nine 32-bit numbers (linux/sock_diag.h)
_MEMINFO_LENGTH = 9 * 4


class UdpSocket:
    """A bound UDP socket that never blocks."""

    __slots__ = ("_drops", "_socket", "descriptor", "failed", "local", "recvfrom", "sendto", "stream", "tos", "watched")

    def __init__(self, local: Endpoint) -> None:
        """Bind it. Raises PortUnavailable."""
        self.local = local
        self._socket = bound(local)
        self.descriptor = self._socket.fileno()
        self.recvfrom = self._socket.recvfrom
        self.sendto = self._socket.sendto
        self.stream: Stream | None = None
        self.tos: int | None = None
        """What was asked for last; None for the system's."""
        self.watched = False
        self.failed = False
        """A bug was logged for this socket."""
        self._drops = 0

    def mark(self, tos: int | None) -> None:
        """Send with this TOS octet or traffic class from now on; None for the system's, which is 0."""
        self.tos = tos
        level, option = MARKS[self.local.family]
        try:
            self._socket.setsockopt(level, option, tos or 0)
        except OSError as error:
            logger.warning("TOS %s was refused for %s: %s", tos, self.local, error)

    def take_drops(self) -> int:
        """Datagrams that the kernel dropped since the last call for want of room; 0 where it tells nothing."""
        try:
            info = self._socket.getsockopt(system.SOL_SOCKET, _SO_MEMINFO, _MEMINFO_LENGTH)
        except OSError:
            return 0
        drops = int.from_bytes(info[_DROPS:], byteorder)
        new, self._drops = (drops - self._drops) % 2**32, drops
        return new

    def close(self) -> None:
        self._socket.close()


def bound(local: Endpoint) -> system.socket:
    """A socket that never blocks, bound there. Raises PortUnavailable."""
    try:
        opened = system.socket(FAMILIES[local.family], system.SOCK_DGRAM | system.SOCK_NONBLOCK)
    except OSError as error:
        raise _unavailable(local, error) from error
    try:
        if local.family is Family.IP6:
            opened.setsockopt(system.IPPROTO_IPV6, system.IPV6_V6ONLY, 1)
        if _default_is_small():
            opened.setsockopt(system.SOL_SOCKET, system.SO_RCVBUF, RECEIVE_BUFFER)
        opened.bind(local)
    except OSError as error:
        opened.close()
        raise _unavailable(local, error) from error
    return opened


@cache
def _default_is_small() -> bool:
    """Whether the system's receive buffer is too small for media. Raises OSError."""
    with system.socket(system.AF_INET, system.SOCK_DGRAM) as probe:
        return probe.getsockopt(system.SOL_SOCKET, system.SO_RCVBUF) < RECEIVE_BUFFER


def _unavailable(local: Endpoint, error: OSError) -> PortUnavailable:
    text = NO_ROOM.get(error.errno or 0)
    if text is not None:
        return PortUnavailable(text.format(text=error.strerror, address=local.address), exhausted=True)
    return PortUnavailable(f"{local} cannot be bound: {error.strerror}")
