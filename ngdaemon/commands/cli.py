"""`cli`: lines of the command line interface, through the control port (ng-protocol.md §9.6).

What it shows and sets is in two tables; unknown words are answered in text, as the reference does.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call.registry import Ending
from ngdaemon.call.reporting.summary import details
from ngdaemon.commands.query import statistics
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.config import Config

UNKNOWN = "Unknown command: {}\n"
MORE = "More parameters required.\n"


class Shown(NamedTuple):
    """A setting: the field of Config, and the text that shows it."""

    field: str
    text: str


SETTINGS = {
    "maxsessions": Shown("max_sessions", "Maximum sessions configured on rtpengine: {}\n"),
    "timeout": Shown("timeout", "TIMEOUT={}\n"),
    "silenttimeout": Shown("silent_timeout", "SILENT_TIMEOUT={}\n"),
    "finaltimeout": Shown("final_timeout", "FINAL_TIMEOUT={}\n"),
    "offertimeout": Shown("offer_timeout", "OFFER_TIMEOUT={}\n"),
    "deletedelay": Shown("delete_delay", "{}\n"),
    "loglevel": Shown("log_level", "{}\n"),
}
"""Word of `list` and `set` → what it is."""

KINDS = {item.name: item.metadata["setting"].kind for item in fields(Config) if "setting" in item.metadata}
"""Field of Config → how its value is written."""


def cli(service: Service, asked: Asked) -> Reply:
    """Run a line."""
    body = asked.options.body
    if not body:
        raise RequestError("No 'body' in message")
    words = body.split()
    verb = VERBS.get(words[0]) if words else None
    if verb is None:
        return {"response": UNKNOWN.format(words[0] if words else "")}
    return {"response": verb(service, asked, words[1:])}


def _list(service: Service, asked: Asked, words: Sequence[str]) -> str:
    if not words:
        return MORE
    name, rest = words[0], words[1:]
    if name in SETTINGS:
        shown = SETTINGS[name]
        return shown.text.format(getattr(service.config, shown.field))
    if name == "numsessions":
        count = len(service.registry)
        return f"Current sessions own: {count}\nCurrent sessions foreign: 0\nCurrent sessions total: {count}\n"
    if name == "sessions":
        return _sessions(service, rest)
    if name == "jsonstats":
        return json.dumps(statistics(service, asked)["statistics"]) + "\n"
    if name == "interfaces":
        return _interfaces(service)
    return UNKNOWN.format(name)


def _sessions(service: Service, words: Sequence[str]) -> str:
    if not words:
        return MORE
    if words[0] in ("all", "own"):
        lines = [
            f"ID: {call.id} | del:{'y' if service.registry.is_ending(call.id) else 'n'} | "
            f"creat:  {call.created // 1_000_000} | prx:{call.created_from} | redis:-1 | frgn:n | rec:n\n"
            for call in service.registry
        ]
        return "".join(lines) or "No sessions on this media relay.\n"
    if words[0] == "foreign":
        return "No sessions on this media relay.\n"
    call = service.registry.get(CallId(words[0]))
    if call is None:
        return f"\nCall Id not found ({words[0]}).\n\n"
    links = service.registry.transports.shown(call.id)
    return details(call, service.forwarder.counters(call.id), links, service.wall.microseconds())


def _interfaces(service: Service) -> str:
    parts = []
    for item in service.config.interfaces:
        used, ports = service.ports.used(item.address), service.config.ports(item.address)
        total = ports.last - ports.first + 1 - len(ports.excluded)
        parts.append(
            f"Interface '{item.name}' address '{item.address}' ({item.family.title})\n"
            f" Port range: {ports.first} - {ports.last}\n Ports used: {used} / {total} ({100 * used / total:5.1f}%)\n"
        )
    return "".join(parts)


def _set(service: Service, _asked: Asked, words: Sequence[str]) -> str:
    if len(words) < 2:
        return MORE
    shown = SETTINGS.get(words[0])
    if shown is None:
        return UNKNOWN.format(words[0])
    try:
        changes: dict[str, Any] = {shown.field: KINDS[shown.field].read(words[1])}
    except ValueError as error:
        return f"Fail setting {words[0]} to {words[1]}; it {error}\n"
    service.change(replace(service.config, **changes))
    value = changes[shown.field]
    return f"Success setting {words[0]} to {value}{'; disable feature' if value == -1 else ''}\n"


def _terminate(service: Service, asked: Asked, words: Sequence[str]) -> str:
    if not words:
        return MORE
    if words[0] in ("all", "own"):
        service.registry.end_all(Ending.FORCED, asked.now)
        return "Sessions terminated by operator.\n"
    if words[0] == "foreign":
        return "Sessions terminated by operator.\n"
    call_id = CallId(words[0])
    if service.registry.get(call_id) is None:
        return f"\nCall Id not found ({call_id}).\n\n"
    service.registry.end(call_id, Ending.FORCED, asked.now)
    return f"\nCall Id ({call_id}) successfully terminated by operator.\n\n"


def _help(_service: Service, _asked: Asked, _words: Sequence[str]) -> str:
    settings = " | ".join(SETTINGS)
    return (
        "list numsessions | sessions [ all | own | foreign | CALL-ID ] | jsonstats | interfaces\n"
        f"list {settings}\n"
        f"set {settings} VALUE\n"
        "terminate all | own | foreign | CALL-ID\n"
        "help\n"
    )


VERBS: dict[str, Callable[[Service, Asked, Sequence[str]], str]] = {
    "list": _list,
    "get": _list,
    "set": _set,
    "terminate": _terminate,
    "help": _help,
}
