"""What the log says of requests: a line for each one that did something, or was refused."""

import logging
from collections.abc import Mapping

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.errors import RequestError
from ngdaemon.base.throttle import Throttle, with_count
from ngdaemon.commands.limits import LimitError
from ngdaemon.config.sources import suggestion
from ngdaemon.ng import flags, keys
from ngdaemon.ng.options import Options
from ngdaemon.ng.shown import shown

logger = logging.getLogger("ngdaemon.control")

QUIET = frozenset(("ping", "list", "statistics", "query"))
"""Commands that get no log line of their own at the usual level: monitoring sends them all the time."""
CALLS = frozenset(("offer", "answer"))
"""Commands whose refusal is the failure of a call."""
MOST_WORDS = 256
"""Words that are reported, each once: nobody misspells more, and what is sent on purpose must not fill memory."""
WORDS = frozenset(
    (*(row.flag.value for row in flags.ROWS), *(key.name for rows in keys.SECTIONS.values() for key in rows))
)
BODY_LENGTH = 200
"""Characters of a line of `cli` that are shown."""

NOBODY = Options()


class Journal:
    """Writes these lines. It remembers which words it has reported, and holds repeated refusals back."""

    def __init__(self) -> None:
        self._reported: set[str] = set()
        self._refusals = Throttle()

    def asked(self, request: Mapping[str, object], source: Endpoint) -> None:
        """Show a request as it came, at level debug. To be called only where that is printed."""
        logger.debug("request of %s: %s", source, shown(request), extra=_raw_identity(request))

    def replied(self, request: Mapping[str, object], reply: Mapping[str, object], source: Endpoint) -> None:
        """Show a reply as it goes. To be called only where that is printed."""
        logger.debug("reply to %s: %s", source, shown(reply), extra=_raw_identity(request))

    def done(self, options: Options, reply: Mapping[str, object], command: str, source: Endpoint) -> None:
        """A command that was served. A reply may hold a warning: then nothing was done."""
        if options.unsupported or options.unknown:
            self._options(options)
        if command in QUIET or not logger.isEnabledFor(logging.INFO):
            return
        text = f": {(options.body or '')[:BODY_LENGTH]}" if command == "cli" else ""
        if "warning" in reply:
            text += f": {reply['warning']}"
        logger.info("%s from %s%s", command, source, text, extra=identity(options))

    def refused(self, options: Options, error: RequestError, command: str, source: Endpoint, now: float) -> None:
        """A command that was refused. For a call that fails that is a warning, however often it is sent only one."""
        level = logging.WARNING if command in CALLS or isinstance(error, LimitError) else logging.INFO
        if not logger.isEnabledFor(level):
            return
        reason = error.message if isinstance(error, LimitError) else str(error)
        held_back: int | None = 0
        if level == logging.WARNING:
            held_back = self._refusals.passes(f"{command} {options.call_id} {reason}", now)
        if held_back is None:
            return
        if error.cause:
            reason = f"{reason} ({error.cause})"
        if options.unsupported:
            reason = f"{reason}; not supported by this version: {', '.join(options.unsupported)}"
        text = with_count(reason, held_back)
        logger.log(level, "%s from %s refused: %s", command, source, text, extra=identity(options))

    def _options(self, options: Options) -> None:
        """Name what is known but not done yet, and what is unknown, once."""
        for word in options.unsupported:
            if self._is_new(word):
                logger.warning("%s is not supported by this version and is ignored", word, extra=identity(options))
        for word in options.unknown:
            if self._is_new(word):
                hint = suggestion(word, WORDS)
                logger.warning("unknown option %s is ignored%s", word, hint, extra=identity(options))

    def _is_new(self, word: str) -> bool:
        if word in self._reported or len(self._reported) >= MOST_WORDS:
            return False
        self._reported.add(word)
        return True


def _raw_identity(request: Mapping[str, object]) -> dict[str, str]:
    return {"call": str(request.get("call-id", "")), "tag": str(request.get("from-tag", ""))}


def identity(options: Options) -> dict[str, str]:
    """What a log line of a request begins with."""
    return {"call": options.call_id or "", "tag": options.from_tag or ""}
