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
        candidates, family = self._candidates(name, family)
        for interface in candidates:
            if interface.family is family:
                return interface
        return candidates[0]

    def beside(self, chosen: Interface) -> tuple[Interface, ...]:
        """The other addresses of the same logical interface: those of its family first (ng-protocol.md §4.8)."""
        others = [item for item in self._by_name[chosen.name] if item != chosen]
        return tuple(sorted(others, key=lambda item: item.family is not chosen.family))

    def _candidates(self, name: str | None, family: Family) -> tuple[Sequence[Interface], Family]:
        """Where to look, and for what family."""
        named = self._by_name.get(name or "")
        if named is not None:
            return named, family
        return self._all, LEGACY_FAMILIES.get(name or "", family)
