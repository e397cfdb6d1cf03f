"""Scenarios of our own: requests, and the exact replies and plans that follow from them, in files to be read.

    python -m tests.scenarios.play --write [NAME …]    play them and write what came out in its place: look at the diff

A file has lines of these kinds:

    # TEXT                   a comment
    = {SETTING: VALUE, …}    settings of the daemon, in JSON; at the beginning, if at all
    > COMMAND {KEY: VALUE}   a request for the call `call`, in JSON; the lines after it are its SDP
    < {KEY: VALUE}           the reply; the lines after it are its SDP
    plan                     the plan, if the request changed it; the lines after it are its sockets and routes
    ~ SECONDS                time that passes

The daemon has the interfaces of `tests/support/daemon.py`, and takes ports from the top of the range downward.
"""

import argparse
import json
from pathlib import Path

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.plan import Latch, Learning, Plan, Protection, Route, Socket
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import joined

FOLDER = Path(__file__).parent
SCRIPT = ("#", "=", ">", "~")
"""Beginnings of lines that are not made by playing; so is the SDP of a request."""


def scenarios() -> dict[str, Path]:
    return {path.stem: path for path in sorted(FOLDER.glob("*.txt"))}


def played(text: str) -> str:
    """A scenario with what comes out when it is played."""
    out: list[str] = []
    daemon: Daemon | None = None
    plan = Plan()
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if not line.startswith(SCRIPT):
            continue
        if out and not out[-1].startswith("#"):
            out.append("")
        out.append(line)
        if line.startswith("="):
            daemon = Daemon(**json.loads(line[1:]))
        daemon = daemon or Daemon()
        if line.startswith("~"):
            daemon.wait(float(line[1:]))
        elif line.startswith(">"):
            sdp = _sdp_behind(lines, at)
            out.extend(sdp)
            out.extend(_reply(daemon, line[1:].strip(), sdp))
        else:
            continue
        if daemon.plan() != plan:
            plan = daemon.plan()
            out.extend(("plan", *plan_lines(daemon, plan)))
    return "\n".join(out) + "\n"


def _sdp_behind(lines: list[str], at: int) -> list[str]:
    """The SDP of the request at a line."""
    found = []
    for line in lines[at + 1 :]:
        if not line or line[1:2] != "=":
            break
        found.append(line)
    return found


def _reply(daemon: Daemon, request: str, sdp: list[str]) -> list[str]:
    command, brace, keys = request.partition("{")
    body = {"command": command.strip(), "call-id": CALL, **json.loads(brace + keys or "{}")}
    reply = daemon.ask(body | ({"sdp": joined(sdp)} if sdp else {}))
    told = str(reply.pop("sdp", ""))
    assert not told or told.endswith("\r\n")
    return [f"< {json.dumps(reply)}", *told.split("\r\n")[:-1]]


def plan_lines(daemon: Daemon, plan: Plan) -> list[str]:
    """A plan in words, one line a socket and a route; what is not said has its default."""
    local = {number: address for number, (_, address) in daemon.forwarder.bound.items()}
    return [*(_socket(item, local[item.id]) for item in plan.sockets), *map(_route, plan.routes)]


def _socket(item: Socket, local: Endpoint) -> str:
    latch = item.latch
    plausible = "anybody" if latch.plausible is None else " ".join(sorted(latch.plausible)) or "nobody"
    words = [f"exchange {latch.generation}"]
    if latch.learning is not Learning.HEURISTIC:
        words.append(f"learning {latch.learning.value}")
    words += _set(latch, "strict", "handover", "asymmetric")
    words += _set(item, "muxed", "rtcp", "relay_only", "nat_wait", "pierce")
    if latch.sources is not None:
        words.append(f"sources {' '.join(map(str, sorted(latch.sources)))}".rstrip())
    if item.protection is not None:
        words.append(_protection(item.protection))
    if item.tos is not None:
        words.append(f"TOS {item.tos}")
    _nothing_else(
        item, "id", "signalled", "latch", "tos", "muxed", "rtcp", "relay_only", "nat_wait", "pierce", "protection"
    )
    _nothing_else(latch, "learning", "plausible", "generation", "strict", "handover", "asymmetric", "sources")
    return f" {item.id} {local} to {item.signalled or 'nobody'}, from {plausible}, {', '.join(words)}"


def _protection(item: Protection) -> str:
    """`receives AES_CM_128_HMAC_SHA1_80, sends AES_CM_128_HMAC_SHA1_80`, or what is awaited. No keys."""
    receives = " ".join(keys.suite.name for keys in item.receive) or "nothing"
    words = [f"receives {receives}", f"sends {item.send.suite.name if item.send is not None else 'nothing'}"]
    if item.hold is not None:
        words.append("holds" if item.hold.sources is None else f"holds {' '.join(map(str, sorted(item.hold.sources)))}")
    if item.low_start:
        words.append("starts low")
    return ", ".join(words).rstrip()


def _route(item: Route) -> str:
    words = [f" {item.source} → {item.sink} {item.carries.value}"]
    if item.drop_feedback:
        words.append("without feedback")
    if item.only is not None:
        words.append(f"only {sorted(item.only)}")
    if item.dropped:
        words.append(f"without {sorted(item.dropped)}")
    if item.silenced:
        words.append(f"silenced {dict(item.silenced)}")
    if item.mirror:
        words.append("mirrored")
    if item.selector is not None:
        selector = item.selector
        words.append(
            f"of {selector.mid.decode()} {selector.extension} {sorted(selector.ssrcs)} {sorted(selector.payload_types)}"
        )
    named = ("source", "sink", "carries", "drop_feedback", "only", "dropped", "silenced", "mirror", "selector")
    _nothing_else(item, *named)
    return ", ".join(words)


def _set(item: Socket | Latch, *names: str) -> list[str]:
    """The names of those fields that are true."""
    return [name.replace("_", " ") for name in names if getattr(item, name)]


def _nothing_else(item: Socket | Latch | Route, *said: str) -> None:
    """No field may go unsaid."""
    assert set(item._fields) == set(said)


def main() -> None:
    parser = argparse.ArgumentParser(description="Scenarios of our own.")
    parser.add_argument("--write", action="store_true", help="write what came out")
    parser.add_argument("name", nargs="*", help="only these")
    arguments = parser.parse_args()
    for name, path in scenarios().items():
        if arguments.name and name not in arguments.name:
            continue
        before = path.read_text("utf-8")
        after = played(before)
        print(f"{name}: {'as it was' if before == after else 'changed'}")
        if arguments.write:
            path.write_text(after, "utf-8")


if __name__ == "__main__":
    main()
