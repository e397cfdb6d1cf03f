"""The command `ngdaemon`: what the command line says, and what to do with it."""

import argparse
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import NoReturn

from ngdaemon import __version__
from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import ConfigError
from ngdaemon.config.options import OPTIONS, Effect, Option
from ngdaemon.config.settings import SUBSYSTEMS, Group
from ngdaemon.config.sources import suggestion
from ngdaemon.config.values import LISTEN, ListenSpec
from ngdaemon.shell.limits import raise_descriptors
from ngdaemon.shell.loading import Loader, loader
from ngdaemon.shell.ping import ping

DESCRIPTION = (
    "A media gateway that speaks the rtpengine NG protocol. Without any option it relays on the address of the default "
    "route and takes requests on 127.0.0.1:2223."
)
WIDTH = 100
OK, FAILED = 0, 1


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is an exception for the caller to print."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"command line: {message}")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that does not part the names of options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=WIDTH)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run the command, and give its exit code: 0 for all well, 1 for an error."""
    try:
        asked = _parse(sys.argv[1:] if arguments is None else arguments)
    except ConfigError as error:
        return _fail([str(error)])
    given = {
        name: tuple(texts)
        for name, texts in vars(asked).items()
        if name in OPTIONS and isinstance(texts, list) and texts
    }
    settings = loader(given, environment)
    if asked.ping is not None:
        return _ping(asked.ping, settings)
    if asked.check_config:
        return _check(settings)
    return _run(settings, environment)


def _run(settings: Loader, environment: Mapping[str, str]) -> int:
    loaded, mistakes = settings.load(raise_descriptors())
    if loaded is None:
        return _fail(mistakes)
    from ngdaemon.daemon import run  # the reactor is only needed here

    try:
        return run(settings, loaded, environment)
    except ConfigError as error:
        return _fail([str(error)])


def _check(settings: Loader) -> int:
    """`--check-config`: one line per mistake or warning."""
    loaded, mistakes = settings.load(raise_descriptors())
    if loaded is None:
        return _fail(mistakes)
    for warning in loaded.warnings:
        _tell(f"warning: {warning}")
    for effect, names in ((Effect.NO_EFFECT, loaded.no_effect), (Effect.NOT_YET, loaded.not_yet)):
        for name in names:
            _tell(f"{effect.value}: {name} ({OPTIONS[name].help})")
    _tell(f"the configuration is good ({loaded.path or 'no file'})")
    return OK


def _ping(text: str, settings: Loader) -> int:
    """`--ping`: ask a daemon that runs, for health checks."""
    if text:
        try:
            spec = LISTEN.read(text)
        except ValueError as error:
            return _fail([f"--ping: {text!r} {error}"])
        assert isinstance(spec, ListenSpec)
        addresses = settings.host.lookup(spec.host) if spec.host else ["127.0.0.1"]
        targets = [Endpoint(address, spec.port) for address in addresses]
    else:
        loaded, mistakes = settings.load(raise_descriptors())
        if loaded is None:
            return _fail(mistakes)
        targets = list(loaded.config.listen_ng[:1])
    failures = [failure for target in targets if (failure := ping(target)) is not None]
    if not targets or len(failures) == len(targets):
        return _fail(failures or [f"--ping: {text} cannot be looked up"])
    _tell("pong")
    return OK


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


def _fail(lines: Sequence[str]) -> int:
    for line in lines:
        sys.stderr.write(f"ngdaemon: {line}\n")
    return FAILED


# -- the command line


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What was given: lists of texts by option name, and `check_config` and `ping`. Raises ConfigError."""
    parser = _parser()
    asked, unknown = parser.parse_known_args(list(arguments))
    if unknown:
        names = {f"--{name}" for name in OPTIONS}
        words = [f"{word}{suggestion(word.partition('=')[0], names)}" for word in unknown]
        raise ConfigError(f"command line: unknown: {', '.join(words)}; --help lists all options")
    return asked


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ngdaemon",
        description=textwrap.fill(DESCRIPTION, WIDTH),
        epilog=_epilog(),
        allow_abbrev=False,
        add_help=False,
        formatter_class=_Formatter,
        usage="ngdaemon [OPTION]…",
    )
    actions = parser.add_argument_group("What to do instead of running")
    actions.add_argument("-h", "--help", action="help", help="show this")
    actions.add_argument(
        "-v", "--version", action="version", version=f"ngdaemon {__version__}", help="show the version"
    )
    actions.add_argument("--check-config", action="store_true", help="check all settings, name every mistake")
    actions.add_argument(
        "--ping",
        nargs="?",
        const="",
        metavar="ADDRESS:PORT",
        help="ask a running daemon whether it is well (default: the first address of listen-ng)",
    )
    groups = {group: parser.add_argument_group(group.value, _REMARKS.get(group)) for group in Group}
    for option in OPTIONS.values():
        _add(groups[option.group], option)
    return parser


_REMARKS = {
    Group.LOG: textwrap.fill(
        f"Each subsystem can have a level of its own, --log-level-SUBSYSTEM LEVEL: {', '.join(SUBSYSTEMS)}.", WIDTH - 4
    ),
}


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    names = [f"-{option.short}"] if option.short else []
    names.append(f"--{option.name}")
    shown = option.effect is Effect.WORKS and option.field != "log_levels"
    text = _help(option) if shown else argparse.SUPPRESS
    if option.kind.is_flag:
        group.add_argument(*names, dest=option.name, action="append_const", const="true", help=text)
    else:
        group.add_argument(*names, dest=option.name, action="append", metavar=option.kind.placeholder, help=text)


def _help(option: Option) -> str:
    text = option.help
    if option.repeated:
        text += "; may be repeated"
    if option.default and not option.kind.is_flag:
        text += f" (default: {option.default})"
    return text.replace("`", "").replace("%", "%%")


def _epilog() -> str:
    """Where else options can be given, and what is accepted besides."""
    paragraphs = [
        "Every option can also stand in a configuration file, under [rtpengine], and in the environment: --port-min is "
        "port-min = … there and NGDAEMON_PORT_MIN here. Several values are joined by semicolons, flags are true or "
        "false. The command line wins over the environment, the environment over the file.",
        "Signals: SIGHUP reads the file anew, SIGUSR1 and SIGUSR2 log less and more, SIGTERM and SIGINT stop.",
    ]
    for effect in (Effect.NO_EFFECT, Effect.NOT_YET):
        names = ", ".join(option.name for option in OPTIONS.values() if option.effect is effect)
        paragraphs.append(f"Accepted, {effect.value}: {names}.")
    return "\n\n".join(textwrap.fill(text, WIDTH, break_on_hyphens=False) for text in paragraphs)
