"""The settings as read, before names and addresses are looked up: `Draft`, and the checks that need no host."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ngdaemon.config.options import OPTIONS, Effect, Option
from ngdaemon.config.settings import Config
from ngdaemon.config.sources import Given, Problems, Sources, split
from ngdaemon.config.values import PORT, AliasSpec, InterfaceSpec, ListenSpec, PortRange, read_ports

LOOKED_UP = ("interfaces", "listen_ng")
"""Fields of Config that hold what specifications were looked up to."""


@dataclass(slots=True)
class Draft:
    """What was asked for."""

    values: dict[str, object]
    """Fields of Config that were given, read."""
    given: Mapping[str, Given]
    interfaces: list[InterfaceSpec | AliasSpec] = field(default_factory=list)
    listen: list[ListenSpec] = field(default_factory=list)
    path: str | None = None
    """The file that was read."""

    def ports(self) -> PortRange:
        """The daemon's media ports, as they will be."""
        usual = {item.name: item.default for item in fields(Config)} | self.values
        return PortRange(int(str(usual["port_min"])), int(str(usual["port_max"])))

    def names(self, effect: Effect) -> list[str]:
        """Options that were given and have that effect, in the order of the table."""
        return [name for name, option in OPTIONS.items() if option.effect is effect and _is_on(option, self.given)]

    def origin(self, name: str) -> str:
        found = self.given.get(name)
        return f"{found.origin}: {name}" if found else name


def _is_on(option: Option, given: Mapping[str, Given]) -> bool:
    """Whether an option was given, and not merely to say that a flag is off or a text empty."""
    found = given.get(option.name)
    if found is None or not any(found.texts):
        return False
    return not (option.kind.is_flag and found.texts[-1].strip().lower() in ("false", "no", "off", "0"))


def draft(sources: Sources, problems: Problems) -> Draft:
    """Read every value, and check what can be checked without the host. Mistakes are added to `problems`."""
    made = Draft({}, sources.options, path=sources.path)
    levels: dict[str, int] = {"internals": -1}
    for name, given in sources.options.items():
        option = OPTIONS[name]
        values = _read(option, given, problems)
        if not values or not option.field:
            continue
        if option.field == "log_levels":
            levels[name.removeprefix("log-level-")] = int(str(values[-1]))
        elif option.field in LOOKED_UP:
            _keep_specification(made, values)
        else:
            made.values[option.field] = tuple(values) if option.repeated else values[-1]
    made.values["log_levels"] = tuple(levels.items())
    made.interfaces.extend(_described_interfaces(sources, problems))
    _check_ports(made, problems)
    return made


def _read(option: Option, given: Given, problems: Problems) -> list[object]:
    values = []
    for text in given.texts:
        try:
            values.append(option.kind.read(text))
        except ValueError as error:
            problems.mistakes.append(f"{given.origin}: {option.name}: {text!r} {error}")
    return values


def _keep_specification(made: Draft, values: list[object]) -> None:
    for value in values:
        if isinstance(value, ListenSpec):
            made.listen.append(value)
        elif isinstance(value, InterfaceSpec | AliasSpec):
            made.interfaces.append(value)


# -- sections that describe interfaces


def _described_interfaces(sources: Sources, problems: Problems) -> list[InterfaceSpec | AliasSpec]:
    given = sources.options.get("interfaces-config")
    if given is None:
        return []
    prefix = given.texts[-1] + "-"
    sections = {name: body for name, body in sources.sections.items() if name.startswith(prefix)}
    if not sections:
        problems.mistakes.append(f"{given.origin}: interfaces-config: the file has no section [{prefix}…]")
    found: list[InterfaceSpec | AliasSpec] = []
    for name, body in sections.items():
        place = f"{sources.path}: [{name}]"
        try:
            found.append(_described_interface(name.removeprefix(prefix), body))
        except ValueError as error:
            problems.mistakes.append(f"{place}: {error}")
    return found


SECTION_KEYS = ("address", "advertised", "name", "alias", "port-min", "port-max", "exclude-ports")


def _described_interface(suffix: str, body: Mapping[str, str]) -> InterfaceSpec | AliasSpec:
    for key in body:
        if key not in SECTION_KEYS:
            raise ValueError(f"unknown key {key}")
    name = body.get("name", suffix)
    if "alias" in body:
        return AliasSpec(name, body["alias"])
    if "address" not in body:
        raise ValueError("has neither address nor alias")
    return InterfaceSpec(name, body["address"], body.get("advertised"), _own_ports(body))


def _own_ports(body: Mapping[str, str]) -> PortRange | None:
    if not {"port-min", "port-max", "exclude-ports"} & body.keys():
        return None
    ends = []
    for key in ("port-min", "port-max"):
        try:
            ends.append(int(str(PORT.read(body.get(key, "")))) if key in body else 0)
        except ValueError as error:
            raise ValueError(f"{key}: {body[key]!r} {error}") from None
    excluded = read_ports(split(body.get("exclude-ports", "").replace(",", ";")))
    return PortRange(ends[0], ends[1], excluded)


# -- ports


def _check_ports(made: Draft, problems: Problems) -> None:
    usual = made.ports()
    _check_range(made.origin("port-min"), usual.first, usual.last, problems)
    for spec in made.interfaces:
        if isinstance(spec, InterfaceSpec) and spec.ports is not None:
            place = f"{made.path}: interface {spec.name}"
            _check_range(place, spec.ports.first or usual.first, spec.ports.last or usual.last, problems)


def _check_range(place: str, low: int, high: int, problems: Problems) -> None:
    first = low + low % 2
    if low > high:
        problems.mistakes.append(f"{place}: {low} is above port-max, {high}")
    elif first + 1 > high:
        problems.mistakes.append(
            f"{place}: {low} to {high} holds no pair of an even port and the odd one after it, which RTP and RTCP need"
        )
