"""Where settings are given: command line, environment and file, laid over each other.

The command line wins over the environment, the environment over the file; a repeatable option is taken whole from the
first place that has it. Nothing is looked up and no value is read here: that is `draft.py`.
"""

import configparser
import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ngdaemon.config.options import DEFAULT_FILES, DEFAULT_SECTION, ENVIRONMENT_PREFIX, OPTIONS, Option

COMMAND_LINE = "command line"


@dataclass(slots=True)
class Problems:
    """What was found wrong, one readable line each."""

    mistakes: list[str] = field(default_factory=list)
    """These forbid the start."""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Given:
    """What was written for one option, and where."""

    texts: tuple[str, ...]
    origin: str


Sections = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Sources:
    """All that was given."""

    options: dict[str, Given]
    sections: Sections
    """All sections of the file: signalling templates and interfaces have their own."""
    path: str | None
    """The file that was read."""


def gather(
    command_line: Mapping[str, tuple[str, ...]],
    environment: Mapping[str, str],
    read: Callable[[str], str],
    problems: Problems,
) -> Sources:
    """Lay the sources over each other. `read` gives the text of a file, or raises OSError or UnicodeError."""
    given = {name: Given(texts, COMMAND_LINE) for name, texts in command_line.items()}
    for name, found in _from_environment(environment, problems).items():
        given.setdefault(name, found)
    path, sections = _file(given, read, problems)
    section = given.get("config-section")
    wanted = section.texts[-1] if section else DEFAULT_SECTION
    if path is not None:
        if wanted in sections:
            for name, found in _from_section(sections[wanted], path, problems).items():
                given.setdefault(name, found)
        elif section is not None or sections:
            problems.mistakes.append(f"{path}: there is no section [{wanted}]")
    return Sources(given, sections, path)


def suggestion(name: str, known: Iterable[str]) -> str:
    """ " (did you mean …?)", or nothing."""
    close = difflib.get_close_matches(name, list(known), 1, 0.75)
    return f" (did you mean {close[0]}?)" if close else ""


def split(text: str) -> tuple[str, ...]:
    """The values of a repeatable option in a file or variable, joined by semicolons; `\\;` does not part."""
    parts = re.split(r"(?<!\\);", text)
    return tuple(part.replace("\\;", ";").strip() for part in parts if part.strip())


def _texts(option: Option, text: str) -> tuple[str, ...]:
    return split(text) if option.repeated else (text,)


# What orchestrators put into the environment of a container for a service that is called ngdaemon.
_SERVICE_LINK = re.compile(ENVIRONMENT_PREFIX + r"(SERVICE_.*|PORT(_\d+_.*)?)")


def _from_environment(environment: Mapping[str, str], problems: Problems) -> dict[str, Given]:
    variables = {option.variable: option for option in OPTIONS.values()}
    found = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or not text.strip():
            continue
        option = variables.get(variable)
        if option is not None:
            found[option.name] = Given(_texts(option, text.strip()), variable)
        elif not _SERVICE_LINK.fullmatch(variable):
            problems.warnings.append(
                f"{variable}: no option has this environment variable{suggestion(variable, variables)}"
            )
    return found


def _file(given: Mapping[str, Given], read: Callable[[str], str], problems: Problems) -> tuple[str | None, Sections]:
    named = given.get("config-file")
    if named is not None and named.texts[-1] == "none":
        return None, {}
    for path in (named.texts[-1],) if named is not None else DEFAULT_FILES:
        try:
            text = read(path)
        except FileNotFoundError:
            if named is None:
                continue
            problems.mistakes.append(f"{named.origin}: config-file: {path} does not exist")
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            problems.mistakes.append(f"{path}: cannot be read: {reason}")
        else:
            return path, _sections(path, text, problems)
        return None, {}
    return None, {}


def _sections(path: str, text: str, problems: Problems) -> Sections:
    """The sections of a key file: `key = value`, the last one counts, indentation means nothing."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#",), strict=False, interpolation=None, empty_lines_in_values=False,
        default_section="",
    )  # fmt: skip
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    _warn_of_repetition(path, lines, problems)
    try:
        parser.read_string("\n".join("" if line.startswith(";") else line for line in lines))
    except configparser.MissingSectionHeaderError as error:
        problems.mistakes.append(f"{path}: line {error.lineno} stands before the first [section]")
    except configparser.ParsingError as error:
        problems.mistakes.extend(
            f"{path}: line {number} is neither `key = value` nor a [section]" for number, _ in error.errors
        )
    return {name: dict(parser[name]) for name in parser.sections()}


def _warn_of_repetition(path: str, lines: Iterable[str], problems: Problems) -> None:
    """Of a key given twice in a section the earlier value is lost, which is easily overlooked."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        key, equals, _ = line.partition("=")
        if line.startswith("["):
            seen.clear()
        elif equals and not line.startswith(("#", ";")):
            name = key.strip()
            if name in seen:
                problems.warnings.append(
                    f"{path}: line {number}: {name} is given again, line {seen[name]} has no effect "
                    "(several values go into one line, with ; between them)"
                )
            seen[name] = number


def _from_section(section: Mapping[str, str], path: str, problems: Problems) -> dict[str, Given]:
    found = {}
    for name, text in section.items():
        option = OPTIONS.get(name)
        if option is None:
            problems.mistakes.append(f"{path}: unknown option {name}{suggestion(name, OPTIONS)}")
        elif not option.in_file:
            problems.mistakes.append(f"{path}: {name} cannot be set in the file")
        else:
            found[name] = Given(_texts(option, text), path)
    return found
