"""THE command table: one row per NG command."""

from collections.abc import Callable
from typing import NamedTuple

from ngdaemon.base.errors import RequestError
from ngdaemon.commands import blocking, cli, delete, offer_answer, publish, query, recording, subscribe
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.ng.options import Options

Handler = Callable[[Service, Asked], Reply]

MISSING = {
    "sdp": "No SDP body in message",
    "call_id": "No call-id in message",
    "from_tag": "No from-tag in message",
    "to_tag": "No to-tag in message",
}
"""Field of Options → the `error-reason` where a command needs it and it is not there, in the order of checking."""


class Command(NamedTuple):
    """A command: its handler (None: known, not done by this version) and the fields it needs."""

    name: str
    handler: Handler | None
    requires: tuple[str, ...] = ()


ROWS = (
    Command("ping", query.ping),
    Command("offer", offer_answer.offer, ("sdp", "call_id", "from_tag")),
    Command("answer", offer_answer.answer, ("sdp", "call_id", "from_tag", "to_tag")),
    Command("delete", delete.delete, ("call_id",)),
    Command("query", query.query, ("call_id",)),
    Command("list", query.list_calls),
    Command("statistics", query.statistics),
    Command("cli", cli.cli),
    Command("CLI", cli.cli),
    *(
        Command(name, handler, ("call_id",))
        for name, handler in (
            ("block DTMF", blocking.block_dtmf),
            ("unblock DTMF", blocking.unblock_dtmf),
            ("block media", blocking.block_media),
            ("unblock media", blocking.unblock_media),
            ("silence media", blocking.silence_media),
            ("unsilence media", blocking.unsilence_media),
            ("start recording", recording.record),
            ("stop recording", recording.record),
            ("pause recording", recording.record),
            ("start forwarding", recording.forward),
            ("stop forwarding", recording.forward),
        )
    ),
    Command("publish", publish.publish, ("sdp",)),
    Command("create", publish.create),
    Command("create answer", publish.create_answer, ("sdp", "call_id", "from_tag")),
    Command("subscribe request", subscribe.request, ("call_id",)),
    Command("subscribe answer", subscribe.answer, ("sdp", "call_id", "to_tag")),
    Command("unsubscribe", subscribe.unsubscribe, ("call_id", "to_tag")),
    *(
        Command(name, None)
        for name in (
            *("play media", "stop media", "play DTMF", "inject start", "inject stop", "connect", "transform", "mesh"),
        )
    ),
)

TABLE = {row.name: row for row in ROWS}


def run(service: Service, command: str, asked: Asked) -> Reply:
    """Do what a command asks for. Raises RequestError."""
    row = TABLE.get(command)
    if row is None:
        raise RequestError("Unrecognized command")
    if row.handler is None:
        raise RequestError(f'Command "{command}" is not supported by this version')
    for field in row.requires:
        _require(asked.options, field)
    return row.handler(service, asked)


def _require(options: Options, field: str) -> None:
    value = getattr(options, field)
    if value is None or (value == "" and field == "call_id"):
        raise RequestError(MISSING[field])
