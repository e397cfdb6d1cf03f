"""From command line, environment and file to a checked Config, on this host."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ngdaemon.config import Config
from ngdaemon.config.draft import Draft, draft
from ngdaemon.config.options import Effect
from ngdaemon.config.sources import Problems, gather
from ngdaemon.shell import limits
from ngdaemon.shell.installed import native_trouble
from ngdaemon.shell.interfaces import Host, SystemHost, finish


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can be used, and what an operator should be told of them."""

    config: Config
    path: str | None
    """The file that was read."""
    given: frozenset[str]
    """Options that were given; all others have their defaults."""
    no_effect: tuple[str, ...]
    not_yet: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loader:
    """Where settings come from; kept, because the file is read anew at SIGHUP."""

    command_line: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str]
    host: Host

    def load(self, descriptors: int) -> tuple[Loaded | None, list[str]]:
        """The settings, or None and all mistakes. `descriptors` is how many files may be open."""
        problems = Problems()
        asked = draft(gather(self.command_line, self.environment, _read, problems), problems)
        if asked.values.get("forwarder") == "native" and (trouble := native_trouble()):
            problems.mistakes.append(f"{asked.origin('forwarder')}: {trouble}; auto takes what is there")
        config = finish(asked, self.host, problems)
        if config is None:
            return None, problems.mistakes
        return _loaded(config, asked, (*problems.warnings, *limits.warnings(config, descriptors))), []


def loader(command_line: Mapping[str, tuple[str, ...]], environment: Mapping[str, str]) -> Loader:
    """A loader for this host."""
    return Loader(command_line, environment, SystemHost())


def _read(path: str) -> str:
    return Path(path).read_text("utf-8")


def _loaded(config: Config, asked: Draft, warnings: tuple[str, ...]) -> Loaded:
    return Loaded(
        config,
        asked.path,
        frozenset(asked.given),
        tuple(asked.names(Effect.NO_EFFECT)),
        tuple(asked.names(Effect.NOT_YET)),
        warnings,
    )
