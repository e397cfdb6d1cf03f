"""`sdp-attr`: attributes added, removed and substituted in the SDP that leaves (ng-protocol.md §3.8)."""

from collections.abc import Sequence

from ngdaemon.ng.options import SdpAttr


def manipulate(lines: list[str], section: str, commands: Sequence[SdpAttr]) -> list[str]:
    """Apply the commands for a section (`global` or a media type) to its lines, as text."""
    for command in commands:
        if command.section != section:
            continue
        if command.command == "add":
            lines = lines + [f"a={value}" for value in command.values]
        elif command.command == "remove":
            lines = [line for line in lines if not _is_removed(line, command.values)]
        else:
            lines = [_substituted(line, command.pairs) for line in lines]
    return lines


def _is_removed(line: str, values: Sequence[str]) -> bool:
    """Whether an attribute is named by its name, by `name:tag`, or by its full text."""
    if not line.startswith("a="):
        return False
    text = line[2:]
    name = text.partition(":")[0]
    tagged = text.partition(" ")[0]
    return any(value in (name, tagged, text) for value in values)


def _substituted(line: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The line with the first matching pair applied."""
    if not line.startswith("a="):
        return line
    text = line[2:]
    for old, new in pairs:
        if text == old:
            return f"a={new}"
    return line
