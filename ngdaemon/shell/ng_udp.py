"""NG over UDP: listeners, who may speak to them, and replies that leave from the address that was spoken to."""

import errno
import logging
import os
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address

from ngdaemon.base.endpoint import Endpoint, Family, is_unspecified
from ngdaemon.base.errors import ConfigError
from ngdaemon.config import Config
from ngdaemon.shell.gate import KNOWN_SOURCES, Address, Gate
from ngdaemon.shell.reactor import monotonic

logger = logging.getLogger("ngdaemon.control")

Receive = Callable[[bytes, Endpoint, float], bytes | None]
"""`(datagram, source, local, now)` → the reply, or None for none."""

READS_PER_WAKE = 32
"""Requests that are served before media gets its turn again."""
RECEIVE_BUFFER = 4 << 20
"""Octets asked of the kernel, which gives what `net.core.rmem_max` allows: bursts wait there while media is served."""

# in_pktinfo (ip(7)): interface, local address for replies, destination; in6_pktinfo (RFC 3542 §6): address, interface.
_PKTINFO4 = struct.Struct("@i4s4s")
_PKTINFO6 = struct.Struct("@16sI")
_IP_PKTINFO = 8  # not in the socket module of Python 3.11; the same on all Linux machines
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER = 10, 23
_PMTU_DONT, _PMTU_WANT = 0, 1
_ANCILLARY_SPACE = socket.CMSG_SPACE(_PKTINFO6.size)

Ancillary = list[tuple[int, int, bytes]]


class NgListener:
    """One UDP socket for NG requests."""

    def __init__(self, local: Endpoint, config: Config, gate: Gate, receive: Receive) -> None:
        """Open the socket. Raises ConfigError when that is not possible."""
        self.local = local
        self._gate = gate
        self._receive = receive
        self._longest = config.max_datagram
        both = Endpoint(Family.IP4.unspecified, local.port) not in config.listen_ng
        self._socket = _open(local, config, both_families=both)
        self._paths: dict[bytes, Ancillary] = {}
        self.read = self._read_any if is_unspecified(local.address) else self._read_one_address
        """Serve what has arrived, a bounded number of requests. To be called whenever the socket can be read."""

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def _answer(self, datagram: bytes, address: Address) -> bytes | None:
        now = monotonic()
        source = self._gate.admit(address, now)
        if source is None:
            return None
        if len(datagram) > self._longest:
            logger.warning("dropped an NG request of %d octets from %s; see max-datagram", len(datagram), source)
            return None
        return self._receive(datagram, source, now)

    def _read_one_address(self) -> None:
        """A socket bound to one address: replies cannot leave from another one."""
        for _ in range(READS_PER_WAKE):
            try:
                datagram, address = self._socket.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError as error:
                logger.warning("cannot read from %s: %s", self.local, error)
                return
            reply = self._answer(datagram, address)
            if reply is not None:
                try:
                    self._socket.sendto(reply, address)
                except OSError as error:
                    self._report_unsent(address, reply, error)

    def _read_any(self) -> None:
        """A socket bound to all addresses: each request tells which one it came to."""
        for _ in range(READS_PER_WAKE):
            try:
                datagram, ancillary, _flags, address = self._socket.recvmsg(65535, _ANCILLARY_SPACE)
            except BlockingIOError:
                return
            except OSError as error:
                logger.warning("cannot read from %s: %s", self.local, error)
                return
            reply = self._answer(datagram, address)
            if reply is not None:
                try:
                    self._socket.sendmsg((reply,), self._path(ancillary), 0, address)
                except OSError as error:
                    self._report_unsent(address, reply, error)

    def _path(self, ancillary: Ancillary) -> Ancillary:
        """What makes a reply leave from the address that the datagram came to."""
        for level, kind, data in ancillary:
            known = self._paths.get(data)
            if known is not None:
                return known
            path = _reply_path(level, kind, data)
            if path is not None:
                if len(self._paths) >= KNOWN_SOURCES:
                    self._paths.clear()
                self._paths[data] = path
                return path
        return []

    def _report_unsent(self, address: Address, reply: bytes, error: OSError) -> None:
        """The proxy asks again and is answered from the cache; only a reply that fits no datagram never gets there."""
        logger.warning("cannot send a reply of %d octets to %s port %d: %s", len(reply), address[0], address[1], error)


def _reply_path(level: int, kind: int, data: bytes) -> Ancillary | None:
    if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO) and len(data) >= _PKTINFO4.size:
        _interface, local, _destination = _PKTINFO4.unpack_from(data)
        reply = _PKTINFO4.pack(0, local, bytes(4))
        return [(level, kind, reply)]
    if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and len(data) >= _PKTINFO6.size:
        packed, interface = _PKTINFO6.unpack_from(data)
        local = socket.inet_ntop(socket.AF_INET6, packed)
        # A link-local address means something only together with its interface; others leave by the routing table.
        reply = _PKTINFO6.pack(packed, interface if ip_address(local).is_link_local else 0)
        return [(level, kind, reply)]
    return None


def _open(local: Endpoint, config: Config, *, both_families: bool) -> socket.socket:
    is_ip6 = local.family is Family.IP6
    opened = socket.socket(socket.AF_INET6 if is_ip6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if is_ip6:
            only = not (is_unspecified(local.address) and both_families)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        if is_unspecified(local.address):
            _tell_destination(opened, is_ip6=is_ip6)
        _mark(opened, config, is_ip6=is_ip6)
        opened.bind((local.address, local.port))
    except OSError as error:
        opened.close()
        raise ConfigError(f"listen-ng: {local}: {_reason(error)}") from None
    return opened


def _tell_destination(opened: socket.socket, *, is_ip6: bool) -> None:
    """Have each datagram come with the address that it was sent to."""
    if is_ip6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)


def _mark(opened: socket.socket, config: Config, *, is_ip6: bool) -> None:
    """`control-tos` and `control-pmtu`."""
    if config.control_tos:
        if is_ip6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, config.control_tos)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, config.control_tos)
    if config.control_pmtu is not None:
        value = _PMTU_WANT if config.control_pmtu == "want" else _PMTU_DONT
        if is_ip6:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, value)
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, value)


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program has this port (an rtpengine, or an ngdaemon that still runs?)"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this is not an address of this host"
    if error.errno == errno.EACCES:
        return "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)"
    return os.strerror(error.errno) if error.errno else str(error)
