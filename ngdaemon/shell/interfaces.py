"""What this host has: its addresses, names that it can look up; and the settings made final with them.

`finish` turns a Draft into a Config, or says, line by line, what is wrong with it.
"""

import errno
import os
import socket
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Protocol

import ifaddr

from ngdaemon.base.endpoint import Endpoint, Family, Interface, family_of, parse_address
from ngdaemon.config.draft import Draft
from ngdaemon.config.settings import PRIVATE_NETWORKS, Config
from ngdaemon.config.sources import Problems, suggestion
from ngdaemon.config.values import DEFAULT_INTERFACE, AliasSpec, InterfaceSpec, ListenSpec, PortRange

ANY = "any"
NG_PORT = 2223

# Addresses for documentation (RFC 5737, RFC 3849): a UDP socket "connected" there sends nothing, but has the address
# that the default route would give it.
_ELSEWHERE = {Family.IP4: "192.0.2.1", Family.IP6: "2001:db8::1"}
_SOCKET_FAMILY = {Family.IP4: socket.AF_INET, Family.IP6: socket.AF_INET6}


class Host(Protocol):
    """What must be known of a host to check settings; replaced by a table in tests."""

    def adapters(self) -> dict[str, list[str]]:
        """The usable addresses of each system interface. Link-local IPv6 is left out: it has no meaning in SDP."""
        ...

    def lookup(self, name: str) -> list[str]:
        """The addresses of a host name; empty when unknown."""
        ...

    def refuses(self, address: str) -> str | None:
        """Why a socket cannot be bound to the address; None when it can."""
        ...

    def outgoing(self, family: Family) -> str | None:
        """The address that packets to the world leave from."""
        ...


class SystemHost:
    """The host that we run on."""

    def adapters(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for adapter in ifaddr.get_adapters():
            addresses = [item.ip if isinstance(item.ip, str) else item.ip[0] for item in adapter.ips]
            found[adapter.name] = [text for text in addresses if _is_usable(text)]
        return found

    def lookup(self, name: str) -> list[str]:
        try:
            answers = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(answer[4][0]) for answer in answers))

    def refuses(self, address: str) -> str | None:
        try:
            with socket.socket(_SOCKET_FAMILY[family_of(address)], socket.SOCK_DGRAM) as trial:
                trial.bind((address, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return "is not an address of this host"
            return f"cannot be used: {os.strerror(error.errno or 0)}"
        return None

    def outgoing(self, family: Family) -> str | None:
        try:
            with socket.socket(_SOCKET_FAMILY[family], socket.SOCK_DGRAM) as trial:
                trial.connect((_ELSEWHERE[family], 9))
                address = str(trial.getsockname()[0])
        except OSError:
            return None
        return address if _is_usable(address) else None


def _is_usable(address: str) -> bool:
    return not (family_of(address) is Family.IP6 and ip_address(address.partition("%")[0]).is_link_local)


def finish(draft: Draft, host: Host, problems: Problems) -> Config | None:
    """The settings with all names looked up and all addresses checked; None where there are mistakes."""
    adapters = host.adapters()
    resolver = _Resolver(draft, host, adapters, problems)
    interfaces, ranges = resolver.interfaces()
    listen = resolver.listeners()
    if problems.mistakes:
        return None
    values = dict(draft.values)
    values.setdefault("allow_ng", (*PRIVATE_NETWORKS, *_own_networks(adapters, interfaces)))
    return Config(
        interfaces=tuple(interfaces),
        listen_ng=tuple(listen),
        port_ranges=tuple(ranges.items()),
        **values,  # type: ignore[arg-type]
    )


def _own_networks(adapters: dict[str, list[str]], interfaces: Iterable[Interface]) -> list[object]:
    """The host's own addresses. The kernel takes packets from them on no wire, so they are as local as loopback."""
    addresses = [address for found in adapters.values() for address in found]
    addresses.extend(interface.address for interface in interfaces)
    return [ip_network(address) for address in dict.fromkeys(addresses)]


class _Resolver:
    """Looks up what a Draft names, and collects mistakes on the way."""

    def __init__(self, draft: Draft, host: Host, adapters: dict[str, list[str]], problems: Problems) -> None:
        self._draft = draft
        self._host = host
        self._adapters = adapters
        self._problems = problems

    # -- interfaces

    def interfaces(self) -> tuple[list[Interface], dict[str, PortRange]]:
        found: list[Interface] = []
        ranges: dict[str, PortRange] = {}
        for spec in self._draft.interfaces:
            if isinstance(spec, InterfaceSpec):
                for interface in self._interface(spec):
                    found.append(interface)
                    if spec.ports is not None:
                        ranges[interface.address] = spec.ports
        if not self._draft.interfaces:
            found = self._default_interfaces()
        found = list(dict.fromkeys(found))
        for spec in self._draft.interfaces:
            if isinstance(spec, AliasSpec):
                found.extend(self._alias(spec, found))
        return found, self._complete(ranges)

    def _interface(self, spec: InterfaceSpec) -> list[Interface]:
        place = self._draft.origin("interface")
        advertised = self._advertised(spec, place)
        addresses = self._local_addresses(spec.host, place)
        if advertised and addresses and all(family_of(address) is not family_of(advertised) for address in addresses):
            self._problems.mistakes.append(
                f"{place}: {spec.host} and the address advertised for it, {advertised}, are of different families"
            )
        return [Interface(spec.name, address, _advertise(address, advertised)) for address in addresses]

    def _advertised(self, spec: InterfaceSpec, place: str) -> str | None:
        if spec.advertised is None:
            return None
        numeric = parse_address(spec.advertised.strip("[]"))
        if numeric is None:
            self._problems.mistakes.append(f"{place}: {spec.advertised} is not an address that could be advertised")
            return None
        return str(numeric)

    def _local_addresses(self, name: str, place: str) -> list[str]:
        """The addresses that a name stands for, each of them one that can be bound."""
        numeric = parse_address(name)
        if numeric is not None:
            unusable = numeric.is_unspecified or numeric.is_multicast
            reason = "is no address that a phone could send to" if unusable else self._host.refuses(str(numeric))
            if reason is not None:
                self._problems.mistakes.append(f"{place}: {name} {reason}{self._own_addresses()}")
                return []
            return [str(numeric)]
        if name == ANY:
            return self._all_addresses(place)
        if name in self._adapters:
            if not self._adapters[name]:
                self._problems.mistakes.append(f"{place}: the system interface {name} has no address")
            return self._adapters[name]
        return self._looked_up(name, place)

    def _all_addresses(self, place: str) -> list[str]:
        addresses = [
            address for found in self._adapters.values() for address in found if not ip_address(address).is_loopback
        ]
        if not addresses:
            self._problems.mistakes.append(f"{place}: {ANY}: this host has no address besides loopback")
        return addresses

    def _looked_up(self, name: str, place: str) -> list[str]:
        addresses = self._host.lookup(name)
        if not addresses:
            self._problems.mistakes.append(
                f"{place}: {name} is neither a system interface ({', '.join(self._adapters)}) "
                "nor a host name that can be looked up"
            )
            return []
        usable = [address for address in addresses if self._host.refuses(address) is None]
        if not usable:
            self._problems.mistakes.append(
                f"{place}: {name} is {', '.join(addresses)}: not of this host{self._own_addresses()}"
            )
        return usable

    def _own_addresses(self) -> str:
        addresses = [address for found in self._adapters.values() for address in found]
        return f"; it has {', '.join(addresses)}" if addresses else ""

    def _default_interfaces(self) -> list[Interface]:
        outgoing = [address for family in Family if (address := self._host.outgoing(family)) is not None]
        addresses = outgoing or ["127.0.0.1"]
        return [Interface(DEFAULT_INTERFACE, address, address) for address in addresses]

    def _alias(self, spec: AliasSpec, known: list[Interface]) -> list[Interface]:
        place = self._draft.origin("interface")
        if any(interface.name == spec.alias for interface in known):
            self._problems.mistakes.append(
                f"{place}: {spec.alias}={spec.name}: there is an interface {spec.alias} already"
            )
            return []
        meant = [interface for interface in known if interface.name == spec.name]
        if not meant and spec.name not in self._names():  # else its own mistake is named already
            self._problems.mistakes.append(
                f"{place}: {spec.alias}={spec.name}: there is no interface {spec.name}"
                + suggestion(spec.name, {interface.name for interface in known})
            )
        return [Interface(spec.alias, interface.address, interface.advertised) for interface in meant]

    def _names(self) -> set[str]:
        return {spec.name for spec in self._draft.interfaces if isinstance(spec, InterfaceSpec)}

    def _complete(self, ranges: dict[str, PortRange]) -> dict[str, PortRange]:
        """Port ranges of interfaces, with the daemon's ends where they have none."""
        usual = self._draft.ports()
        return {
            address: PortRange(ports.first or usual.first, ports.last or usual.last, ports.excluded)
            for address, ports in ranges.items()
        }

    # -- control

    def listeners(self) -> list[Endpoint]:
        specs = self._draft.listen or [ListenSpec("127.0.0.1", NG_PORT)]
        return list(dict.fromkeys(endpoint for spec in specs for endpoint in self._listener(spec)))

    def _listener(self, spec: ListenSpec) -> list[Endpoint]:
        if spec.host is None:
            addresses = [family.unspecified for family in Family if self._host.refuses(family.unspecified) is None]
        else:
            addresses = self._local_addresses(spec.host, self._draft.origin("listen-ng"))
        return [Endpoint(address, spec.port) for address in addresses]


def _advertise(address: str, advertised: str | None) -> str:
    """What peers are told for an address: of several addresses, those of the other family speak for themselves."""
    if advertised is None or family_of(advertised) is not family_of(address):
        return address
    return advertised
