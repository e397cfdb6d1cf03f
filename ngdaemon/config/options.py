"""The option table: one row for each option that is understood, whether or not it has an effect."""

from dataclasses import dataclass, fields
from enum import Enum

from ngdaemon.config.accepted import NO_EFFECT, NOT_YET, Accepted, rows
from ngdaemon.config.settings import LEVEL, SUBSYSTEMS, Config, Group, Setting
from ngdaemon.config.values import FILE, FLAG, TEXT, Kind

ENVIRONMENT_PREFIX = "NGDAEMON_"
DEFAULT_FILES = ("/etc/ngdaemon/ngdaemon.conf", "/etc/rtpengine/rtpengine.conf")
"""The first that exists is read when no other is named."""
DEFAULT_SECTION = "rtpengine"


class Effect(Enum):
    """What an option does here."""

    WORKS = "works"
    NO_EFFECT = "no effect here"
    NOT_YET = "not supported yet"


@dataclass(frozen=True, slots=True)
class Option:
    """One option, in all the ways in which it may be given."""

    name: str
    kind: Kind
    help: str
    effect: Effect = Effect.WORKS
    group: Group = Group.START
    short: str = ""
    field: str = ""
    """The field of Config that it sets; "" for options that are about settings, or have no effect."""
    default: str = ""
    """The default in words; "" for none."""
    repeated: bool = False
    reload: bool = False
    ours: bool = False
    in_file: bool = True
    """Whether it makes sense in a configuration file."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.upper().replace("-", "_")


ABOUT_SETTINGS = (
    Option(
        "config-file",
        FILE,
        "configuration file; `none` reads no file at all",
        default=" or ".join(DEFAULT_FILES),
        in_file=False,
    ),
    Option("config-section", TEXT, "section of the file to take", default=DEFAULT_SECTION, in_file=False),
    Option(
        "interfaces-config",
        TEXT,
        "prefix of the sections `[PREFIX-NAME]` that describe interfaces, with `address`, `advertised`, `name`, "
        "`alias`, `port-min`, `port-max` and `exclude-ports`",
        group=Group.MEDIA,
    ),
)
"""Options that say where settings are found."""


def _default(value: object, shown: str | None) -> str:
    if shown is not None:
        return shown
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _settings() -> list[Option]:
    found = []
    for field in fields(Config):
        known = field.metadata.get("setting")
        if not isinstance(known, Setting):
            continue
        found.append(
            Option(
                known.name or field.name.replace("_", "-"),
                known.kind,
                known.help,
                group=known.group,
                short=known.short,
                field=field.name,
                default=_default(field.default, known.shown),
                repeated=known.repeated,
                reload=known.reload,
                ours=known.ours,
            )
        )
    return found


def _levels() -> list[Option]:
    return [
        Option(
            f"log-level-{name}",
            LEVEL,
            f"log level of {text}",
            group=Group.LOG,
            field="log_levels",
            default="that of log-level" if name != "internals" else "-1",
            reload=True,
        )
        for name, text in SUBSYSTEMS.items()
    ]


def _accepted(row: Accepted, effect: Effect) -> Option:
    kind = FLAG if row.is_flag else TEXT
    return Option(row.name, kind, row.reason, effect, short=row.short, repeated=row.repeated)


OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        *ABOUT_SETTINGS,
        *_settings(),
        *_levels(),
        *(_accepted(row, Effect.NO_EFFECT) for row in rows(NO_EFFECT)),
        *(_accepted(row, Effect.NOT_YET) for row in rows(NOT_YET)),
    )
}
"""Every option, by name."""

NAMES = {option.field: option.name for option in OPTIONS.values() if option.field} | {
    "log_levels": "log-level-…",
    "port_ranges": "ports of an interface",
}
"""How the operator calls a field of Config."""

RELOADED = frozenset(option.field for option in OPTIONS.values() if option.reload)
"""Fields of Config that are taken over while running."""
