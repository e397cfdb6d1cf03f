"""Writes docs/configuration.md from the option table.

python -m tools.configuration_page            write it
python -m tools.configuration_page --check    exit status 1 if the page is not current
"""

import sys
from pathlib import Path

from ngdaemon.config.options import DEFAULT_FILES, OPTIONS, Effect, Option
from ngdaemon.config.settings import SUBSYSTEMS, Group

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"

HEAD = f"""# Configuration

<!-- Made by tools/configuration_page.py out of the option table (make docs). Changes here are lost. -->

Options are those of rtpengine, by the same names and with the same values, so that its configuration file and start
script can be used as they are. What is ours alone is marked *ours*. An option can be given in three places:

| Where | How |
|---|---|
| command line | `--port-min=30000`, or a short form: `-m 30000`. Several values: the option several times |
| environment | `NGDAEMON_PORT_MIN=30000`. Several values are joined by semicolons, flags are `true` or `false` |
| file | `port-min = 30000` in the section `[rtpengine]`. Several values and flags as in the environment |

The command line wins over the environment, the environment over the file; an option with several values is taken whole
from the first place that has it. The file is `{DEFAULT_FILES[0]}`, or `{DEFAULT_FILES[1]}` where that does not exist;
`--config-file=FILE` names another, `--config-file=none` reads none. Lines that begin with `#` or `;` are comments.

With nothing given at all the daemon relays on the address of the default route (on loopback where there is none) and
takes requests on 127.0.0.1:2223. The first line of its log says what is in force.

`ngdaemon --check-config` checks everything without starting: one line for each mistake, exit code 1 if there is one.
The same is done at each start. `ngdaemon --ping [ADDRESS:PORT]` asks a running daemon whether it is well (exit code 0
or 1).

At SIGHUP the file is read anew. What is marked *reload* is taken over, other changes are named in the log and wait for
the next start; a file with mistakes changes nothing. SIGUSR1 and SIGUSR2 log less and more. SIGTERM and SIGINT stop the
daemon: exit code 0, or 1 where it could not start.
"""

INTERFACES = """
An interface is written `[NAME/]ADDRESS[!ADVERTISED]`. NAME is what `direction` in a request refers to (`default` if
left out), and several addresses may share a name. ADDRESS is an address of this host, a system interface (all its
addresses except link-local ones), a host name (looked up at the start), or `any` (all addresses but loopback).
ADVERTISED is told to peers instead, where NAT is between. `ALIAS=NAME` gives an interface another name.

    interface = pub/203.0.113.7;priv/eth1;cloud/10.0.0.5!198.51.100.4;outside=pub

With `interfaces-config = interface` sections describe interfaces one by one; all keys but `address` are optional, the
name is that of the section unless `name` says otherwise, and `alias = NAME` stands alone:

    [interface-pub]
    address = 203.0.113.7
    port-min = 20000
    port-max = 29999
    exclude-ports = 25060;26000-26010
"""

LOG = f"""
A line has the level, call-id and tag where it belongs to a call, and the message; with `json` these are fields. What
cannot be printed is escaped. Levels are those of syslog: 7 debug, 6 info, 5 notice, 4 warning, 3 error, 2 critical, and
-1 for silence. `log-level-SUBSYSTEM` sets the level of one subsystem, at reload too; the others have that of
`log-level`, except `internals`, which is silent. Subsystems:

| Subsystem | Lines about |
|---|---|
{"".join(f"| `{name}` | {text} |" + chr(10) for name, text in SUBSYSTEMS.items())}"""

REMARKS = {Group.MEDIA: INTERFACES, Group.LOG: LOG}


def render() -> str:
    """The page."""
    parts = [HEAD]
    for group in Group:
        parts.append(f"\n## {group.value}\n{REMARKS.get(group, '')}")
        parts.append(_works([option for option in OPTIONS.values() if _is_shown(option, group)]))
    parts.append(
        "\n## Accepted, without effect here\n\nThey are named once in the log, at level info.\n"
        + _accepted(Effect.NO_EFFECT, "Why")
    )
    parts.append(
        "\n## Accepted, not supported yet\n\nThe daemon starts, and warns of each that is given.\n"
        + _accepted(Effect.NOT_YET, "Belongs to")
    )
    return "".join(parts)


def _is_shown(option: Option, group: Group) -> bool:
    return option.effect is Effect.WORKS and option.group is group and option.field != "log_levels"


def _works(options: list[Option]) -> str:
    lines = ["\n| Option | Values | Default | Meaning |", "|---|---|---|---|"]
    for option in options:
        name = f"`{option.name}`" + (f" (`-{option.short}`)" if option.short else "")
        marks = [
            word
            for word, holds in (
                ("several", option.repeated),
                ("reload", option.reload),
                ("ours", option.ours),
                ("not in the file", not option.in_file),
            )
            if holds
        ]
        meaning = option.help + (f". *{', '.join(marks)}*" if marks else "")
        cells = (name, option.kind.says, option.default, meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _accepted(effect: Effect, heading: str) -> str:
    lines = [f"\n| {heading} | Options |", "|---|---|"]
    reasons: dict[str, list[str]] = {}
    for option in OPTIONS.values():
        if option.effect is effect:
            reasons.setdefault(option.help, []).append(f"`{option.name}`")
    lines += [f"| {reason} | {', '.join(names)} |" for reason, names in reasons.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    page = render()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text("utf-8") == page:
            return 0
        sys.stderr.write(f"{PAGE} is not current: run make docs\n")
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
