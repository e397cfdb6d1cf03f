"""Which of our addresses faces a leg: logical interfaces by name and family."""

from collections.abc import Sequence

from ngdaemon.base.endpoint import Family, Interface

LEGACY_FAMILIES = {"internal": Family.IP4, "external": Family.IP6}
"""`direction` words that choose a family where no interface has that name (ng-protocol.md §3.2)."""


class Interfaces:
    """The configured interfaces, in order."""

    def __init__(self, interfaces: Sequence[Interface]) -> None:
        self._all = tuple(interfaces)
        self._by_name: dict[str, list[Interface]] = {}
        for interface in interfaces:
            self._by_name.setdefault(interface.name, []).append(interface)

    def choose(self, name: str | None, family: Family) -> Interface:
        """The first address of the wanted family on the named interface.

        Without a name (or with an unknown one) any interface with that family will do. Where the family is not to be
        had another one is taken (ng-protocol.md §3.2).
        """
        candidates = self._by_name.get(name or "")
        if candidates is None:
            candidates = list(self._all)
            family = LEGACY_FAMILIES.get(name or "", family)
        for interface in candidates:
            if interface.family is family:
                return interface
        return candidates[0]
