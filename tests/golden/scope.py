"""Which scenarios ask for what: features found in their requests, and the sets that acceptance is measured on.

A scenario *asks for* a feature when one of its requests has a key, a flag, a command or an SDP line of that feature.
Nothing of the daemon is used here: what is measured must not choose what it is measured by.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Scenario = dict[str, Any]

HAND_MADE = frozenset(
    (
        "plain-basics",
        "nat-and-address",
        "origin-session-replace",
        "rtcp-and-mux",
        "hold-and-reinvite",
        "forking-and-branches",
        "delete-variants",
        "errors-and-odd-input",
        "query-and-statistics-shape",
        "t38-and-unknown-media",
        "labels-tags-directional",
        "sdp-attr-manipulation",
        "multi-stream-and-bundle",
    )
)
"""Topics composed by hand whose plain scenarios are to agree."""

SECURED = frozenset(
    ("transport-profiles", "sdes", "dtls", "ice", "osrtp", "webrtc-flows", "multi-stream-and-bundle"),
)
"""The same whose scenarios ask for keys, ICE or BUNDLE."""

GENERATED = "generated-"
"""Beginning of the topics that were drawn at random."""

WORDS = {
    "secure": r"sdes(-.*)?|dtls(-.*)?|osrtp(-.*)?|pad-crypto|no-tls-id|recrypt|webrtc",
    "ice": r"ice(-.*)?|trickle-ice|reject-ice|fragment|webrtc",
    "bundle": r"bundle(-.*)?|webrtc",
    "codecs": r"codecs?(-.*)?|transcode(-.*)?|(reverse-)?ptime|ptime-reverse|(single|reuse|static|reorder)-codecs?"
    r"|(always|allow|force)-transcod\w+|(allow-)?a?symmetric-codecs|allow-(no|empty)-codec-media"
    r"|no-codec-renegotiation",
    "t38": r"t\.?38(-.*)?",
    "recording": r"record-call|recording-.*|discard-recording",
    "playback": r"dtmf-.*|inject-dtmf|media-echo|generate-rtcp",
}
"""Feature → keys and flags, in lower case and with hyphens (ng-protocol.md §3.3 to §3.12)."""

COMMANDS = {
    "subscriptions": r"publish|subscribe .*|unsubscribe|connect|create.*|mesh|inject .*|transform",
    "playback": r"(play|stop) (media|DTMF)",
    "recording": r"(start|stop|pause) recording|(start|stop) forwarding",
    "cli": r"(?i:cli)",
}
"""Feature → commands."""

SECURE_PROTOCOL = r"(RTP/SAVPF?|UDP/TLS/RTP/SAVPF?)"
LINES = {
    "secure": rf"m=\S+ \S+ {SECURE_PROTOCOL}( |$)|a=(crypto|fingerprint|tls-id):",
    "ice": r"a=(candidate|ice-(ufrag|pwd|options|lite)|end-of-candidates)",
    "bundle": r"a=(group:BUNDLE|bundle-only)",
}
"""Feature → beginnings of SDP lines that speak of it."""

NOT_PLAIN = frozenset(("secure", "ice", "bundle", "codecs", "t38"))
"""What a plain scenario does not ask for: it is about calls between phones that speak RTP/AVP or RTP/AVPF."""


KEYED = frozenset(("secure", "ice", "bundle"))
"""What a secured scenario may ask for."""


def features(scenario: Scenario) -> frozenset[str]:
    """The features that a scenario asks for."""
    found: set[str] = set()
    for step in scenario["steps"]:
        request = step.get("send")
        if isinstance(request, dict):
            found |= _named(WORDS, _words(request))
            found |= _named(COMMANDS, [str(request.get("command"))])
        lines = "\n".join(_lines(step))
        found |= {
            name for name, begin in LINES.items() if re.search(f"^({begin})", lines, re.MULTILINE | re.IGNORECASE)
        }
    return frozenset(found)


def is_plain(scenario: Scenario) -> bool:
    """Whether a scenario asks for no secure profile, ICE, BUNDLE, choice of codecs, or T.38 gateway."""
    return not features(scenario) & NOT_PLAIN


def acceptance_set(topic: str, scenario: Scenario) -> str | None:
    """`hand-made` or `generated`, `secured` or not, for scenarios that acceptance is measured on, else None."""
    asked = features(scenario) & NOT_PLAIN
    kind = "generated" if topic.startswith(GENERATED) else "hand-made"
    if not asked:
        return kind if topic in HAND_MADE or kind == "generated" else None
    if topic in SECURED:
        return f"{kind}, secured"
    return f"{kind}, secured" if kind == "generated" and asked <= KEYED else None


def _named(table: dict[str, str], words: Iterable[str]) -> set[str]:
    """The features of which one of the words speaks."""
    given = set(words)
    return {name for name, pattern in table.items() if any(re.fullmatch(pattern, word) for word in given)}


def _words(request: dict[str, Any]) -> Iterator[str]:
    """The keys and flags of a request."""
    for key, value in request.items():
        name = _normal(key)
        yield name
        if name == "flags":
            for flag in value if isinstance(value, list) else str(value).split(","):
                yield _normal(str(flag))
        elif name == "rtpp-flags":
            yield from _raw_words(str(value))
        elif name == "transport-protocol" and re.fullmatch(SECURE_PROTOCOL, str(value).upper()):
            yield "sdes"


def _raw_words(text: str) -> Iterator[str]:
    """The same of a string of flags. What stands in brackets belongs to the word before them."""
    depth = 0
    outside = []
    for character in text:
        depth += character == "["
        if not depth:
            outside.append(character)
        depth -= character == "]"
    for token in "".join(outside).split():
        name, _, value = token.partition("=")
        yield _normal(name)
        if re.fullmatch(SECURE_PROTOCOL, (value or name).upper()):
            yield "sdes"


def _normal(word: str) -> str:
    return re.sub(r"[ _]", "-", word).lower()


def _lines(step: dict[str, Any]) -> list[str]:
    """The lines of the SDP in a request, also where the request is given as a whole."""
    request = step.get("send")
    sdp = request.get("sdp", "") if isinstance(request, dict) else ""
    text = "\n".join(map(str, sdp)) if isinstance(sdp, list) else str(sdp)
    return re.split(r"\r?\n|(?:\\r)?\\n", "\n".join((text, str(step.get("raw", "")), str(step.get("datagram", "")))))
