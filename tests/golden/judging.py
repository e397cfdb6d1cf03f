"""What the corpus expects, where we differ from it on purpose in every call of a kind (`docs/ng-protocol.md`).

Some differences are not single deviations but rules: they touch each scenario in which one leg is secured, and would
hide whatever else is wrong there. For these the expectation is changed as the rule says, before it is compared:

D-KEYS    a key of one leg is never told to the other one: there are keys of ours instead, without its MKI and without
          session parameters of the other leg. Which keys stay and which change is shown by
          `tests/call/negotiation/test_keying.py`
D-CERT    each leg of a call is shown a certificate of its own, SHA-256 always among its hashes
D-TLSID   an answer has `tls-id` only if the offer had it, and it changes with the association only
D-SUITES  F8 is not offered, and weak suites only where the operator allows them
D-MUXONLY an offer does not promise to do without an RTCP port because the other leg did
D-FLAGS   `query` names no way of keying for medias that have none, and has `security` besides, by what has happened

Others part two calls for good: one goes on, the other one is refused, or goes on in another way. A scenario is compared
up to the step that does so:

D-UNKEYED    medias that nobody can key, or only by F8
D-DOWNGRADE  an answer in the clear, or with what was not offered, to an offer that was secure; or one that takes more
             or less protection away than the line that it chooses
D-SETUP      `a=setup` that is missing, or not one of those that may stand there
D-MISMATCH   ICE whose default address is no candidate
D-GROUP      BUNDLE groups with medias that are not RTP, or that contradict each other
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

STRONG = ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")
LENGTHS = {"256_GCM": 44, "128_GCM": 28, "AES_256": 46, "AES_192": 38, "": 30}
"""A part of a suite's name → octets of key and salt."""
DIGESTS = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}

CRYPTO = re.compile(r"a=crypto:(\d+) (\S+) inline:([^|; ]+)(.*)")
FINGERPRINT = re.compile(r"a=fingerprint:(\S+) (<FINGERPRINT\d+>)(.*)")
TLS_ID = "a=tls-id:"
WEAKENING = re.compile(r" UN(?:ENCRYPTED|AUTHENTICATED)_SRTC?P")

Reply = dict[str, Any] | None
Lines = list[str]


def adjusted(scenario: dict[str, Any], replies: list[Reply]) -> tuple[dict[str, Any], list[Reply]]:
    """The scenario as these rules have it, and the replies, both without keys."""
    scenario, replies = copy.deepcopy(scenario), copy.deepcopy(replies)
    told: Lines = []
    comparable = True
    for step, reply in zip(scenario["steps"], replies, strict=True):
        asked, expected = _sdp_of(step.get("send")), step.get("expect")
        comparable = comparable and not (asked and _parts(step, asked, told))
        if not comparable:
            step["expect"] = reply
            continue
        if isinstance(expected, dict) and isinstance(reply, dict):
            if not _is_answer(step):
                told = _sdp_of(expected) or told
            _adjust(step, expected, reply)
    return scenario, replies


def _adjust(step: dict[str, Any], expected: dict[str, Any], reply: dict[str, Any]) -> None:
    """Change what is expected of one reply, and leave out of both what is not compared."""
    ours = _sdp_of(reply)
    if ours and _sdp_of(expected):
        expected["sdp"] = [_without_keys(line) for line in _as_we_do(expected["sdp"], ours, answer=_is_answer(step))]
        if _is_answer(step):
            ours = [WEAKENING.sub("", line) if CRYPTO.match(line) else line for line in ours]
        reply["sdp"] = [_without_keys(line) for line in _without_usual_hash(ours)]
    for tree in (expected, reply):
        if isinstance(tree.get("tags"), dict):
            _tell_truth(tree["tags"])


def _is_answer(step: dict[str, Any]) -> bool:
    send = step.get("send")
    return isinstance(send, dict) and send.get("command") == "answer"


def _sdp_of(message: object) -> Lines:
    """The lines of the SDP of an offer, an answer, or a reply to them."""
    if not isinstance(message, dict) or message.get("command", "offer") not in ("offer", "answer"):
        return []
    sdp = message.get("sdp")
    return sdp if isinstance(sdp, list) else []


# ----------------------------------------------------------------------------------------------------- parting of ways


def _parts(step: dict[str, Any], asked: Lines, told: Lines) -> bool:
    """Whether a message makes another call of it for us than for the reference."""
    expected = _sdp_of(step.get("expect"))
    if any(_is_secure(part) and not _has_keys(part) for part in _medias(expected)):
        return True
    pairs = list(zip(_medias(asked), _medias(told), strict=False)) if _is_answer(step) else []
    if any(_is_downgraded(*pair) or _is_weakened(*pair) for pair in pairs):
        return True
    session, *_ = "\n".join(asked).partition("\nm=")
    for part in _medias(asked):
        if _is_secure(part) and not _is_keyed(part, session, answer=_is_answer(step)):
            return True
        if _has_odd_setup(part, session, answer=_is_answer(step)):
            return True
        if not _is_answer(step) and _is_mismatched(part, session):
            return True
    return (_accepts_groups(step) and _has_odd_group(asked)) or any(
        re.search(r"^a=crypto:\d+ F8_", part, re.M) for part in _answering(step)
    )


def _answering(step: dict[str, Any]) -> Iterator[str]:
    """The medias of an answer, as it came and as it is told."""
    if _is_answer(step):
        yield from _medias(_sdp_of(step.get("send")))
        yield from _medias(_sdp_of(step.get("expect")))


def _medias(lines: Lines) -> list[str]:
    return "\n".join(lines).split("\nm=")[1:]


def _is_secure(part: str) -> bool:
    words = part.split("\n", 1)[0].split()
    return len(words) > 2 and words[1] != "0" and "/SAVP" in words[2].upper()


def _has_keys(part: str) -> bool:
    return "\na=crypto:" in part or "\na=fingerprint:" in part


def _is_downgraded(answer: str, offer: str) -> bool:
    """Whether an answer leaves the secure profile that was offered, or names a line that was not."""
    if not _is_secure(offer) or answer.split("\n", 1)[0].split()[1:2] == ["0"]:
        return False
    if not _is_secure(answer):
        return "/SAVP" in offer.split("\n", 1)[0].upper()
    offered = set(re.findall(r"^a=crypto:(\d+ \S+)", offer, re.M))
    chosen = re.findall(r"^a=crypto:(\d+ \S+)", answer, re.M)[:1]
    return bool(chosen) and "a=fingerprint:" not in answer and not offered.issuperset(chosen)


def _is_weakened(answer: str, offer: str) -> bool:
    """Whether an answer takes away protection that the line it chooses does not, or the other way round."""
    lines = re.findall(r"^a=crypto:(\d+ \S+) (.*)", answer, re.M)[:1]
    offered = dict(re.findall(r"^a=crypto:(\d+ \S+) (.*)", offer, re.M))
    return any(
        line in offered and set(WEAKENING.findall(rest)) != set(WEAKENING.findall(offered[line]))
        for line, rest in lines
    )


def _is_keyed(part: str, session: str, *, answer: bool) -> bool:
    """Whether a media has a line by which we can get keys."""
    lines = re.findall(r"^a=crypto:(\S+) (\S+) inline:([A-Za-z0-9+/=*]+)", part, re.M)
    tags = [tag for tag, _, _ in lines]
    if len(set(tags)) < len(tags):
        return False
    keyed = [_is_key(suite, key) for _, suite, key in lines]
    if keyed[0] if answer and keyed else any(keyed):
        return True
    text = part if "a=fingerprint:" in part else session
    prints = re.findall(r"^a=fingerprint:(\S+) (\S+)", text, re.M)
    return any(len(digest.split(":")) == DIGESTS.get(name.lower(), 0) for name, digest in prints)


def _is_key(suite: str, key: str) -> bool:
    if suite.startswith("F8") or "*" in key:
        return False
    octets = next(size for name, size in LENGTHS.items() if name in suite)
    return len(key.rstrip("=")) == -(-octets * 4 // 3)


def _has_odd_setup(part: str, session: str, *, answer: bool) -> bool:
    """Whether DTLS has no role, or one that cannot be there."""
    if "a=fingerprint:" not in part + session or not re.match(r"\S+ [1-9]\d* \S*RTP/", part):
        return False
    found = re.search(r"^a=setup:(\S+)", part, re.M) or re.search(r"^a=setup:(\S+)", session, re.M)
    return found is None or found[1] == "holdconn" or (answer and found[1] == "actpass")


def _is_mismatched(part: str, session: str) -> bool:
    """Whether the default address of a media with ICE is none of its candidates."""
    found = re.findall(r"^a=candidate:\S+ 1 \S+ \d+ (\S+) (\d+) ", part, re.M)
    connection = re.search(r"^c=IN IP\d (\S+)", part, re.M) or re.search(r"^c=IN IP\d (\S+)", session, re.M)
    port = part.split()[1]
    if not found or connection is None or port in ("0", "9") or connection[1] in ("0.0.0.0", "::"):
        return False
    return "a=ice-ufrag" in part + session and (connection[1], port) not in found


def _accepts_groups(step: dict[str, Any]) -> bool:
    send = step.get("send", {})
    return "accept" in str(send.get("bundle", "")) + str(send.get("rtpp-flags", ""))


def _has_odd_group(lines: Lines) -> bool:
    """Whether a BUNDLE group has a media that is not RTP, or medias that contradict each other."""
    group = next((line.split()[1:] for line in lines if line.startswith("a=group:BUNDLE")), [])
    parts = [part for part in _medias(lines) if (mid := re.search(r"^a=mid:(\S+)", part, re.M)) and mid[1] in group]
    if not all("RTP/" in part.split()[2] for part in parts):
        return True
    said = {tuple(re.findall(r"^a=(?:setup|fingerprint):.*", part, re.M)) for part in parts if part.split()[1] != "0"}
    return len(said) > 1


# -------------------------------------------------------------------------------------------------------------- lines


def _as_we_do(expected: Lines, ours: Lines, *, answer: bool) -> Lines:
    """The lines that are expected, without those that our rules leave out."""
    written = {(place, *match.groups()[:2], *WEAKENING.findall(line)) for place, line, match in _cryptos(ours)}
    short = {item[:3] for item in written}
    has_id = any(line.startswith(TLS_ID) for line in ours)
    kept = []
    place = 0
    for line in expected:
        place += line.startswith("m=")
        match = CRYPTO.match(line)
        if match and match[2] not in STRONG and (place, *match.groups()[:2]) not in short:
            continue
        if (answer and line.startswith(TLS_ID) and not has_id) or line == "a=rtcp-mux-only":
            continue
        if match and (answer or (place, *match.groups()[:2], *WEAKENING.findall(line)) not in written):
            line = WEAKENING.sub("", line)
        kept.append(line)
    return kept


def _cryptos(lines: Lines) -> Iterator[tuple[int, str, re.Match[str]]]:
    """The `a=crypto` lines with the number of their media."""
    place = 0
    for line in lines:
        place += line.startswith("m=")
        if match := CRYPTO.match(line):
            yield place, line, match


def _without_usual_hash(lines: Lines) -> Lines:
    """The lines without the SHA-256 fingerprint that follows one of another hash."""
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if not (line.startswith("a=fingerprint:sha-256 ") and before.startswith("a=fingerprint:"))
    ]


def _without_keys(line: str) -> str:
    """The line without what is ours alone: keys, with the MKI of those that were passed on, and fingerprints."""
    match = CRYPTO.match(line)
    if match:
        tag, suite, key, rest = match.groups()
        symbol = key.startswith("<KEY")
        padded = " padded" if key.endswith("=") or (symbol and " padded" in rest) else ""
        rest = re.sub(r"^[^>]*>" if symbol else r"^\|\d+:\d+", "", rest)
        return f"a=crypto:{tag} {suite} inline:<KEY{padded}>{rest}"
    if line.startswith(TLS_ID):
        return TLS_ID
    match = FINGERPRINT.match(line)
    return f"a=fingerprint:{match[1]} <FINGERPRINT>{match[3]}" if match else line


def _tell_truth(tags: dict[str, Any]) -> None:
    """Leave out of a query what is not so: SDES where DTLS was chosen, and either where there are no ports.

    And the errors of sending: those are packets of the daemon's own, to peers that the scenarios made up.
    """
    for tag in tags.values():
        for media in tag.get("medias", ()):
            media.pop("security", None)
            flags, streams = media.get("flags", []), media.get("streams", [])
            for stream in streams:
                stream.get("stats_out", {}).pop("errors", None)
            if "DTLS-SRTP" in flags:
                for stream in streams:
                    stream.pop("crypto suite", None)
            is_open = any("local port" in stream for stream in streams)
            is_keyed = any("crypto suite" in stream for stream in streams)
            media["flags"] = [
                flag for flag in flags if (flag != "SDES" or is_keyed) and (is_open or not flag.startswith("DTLS"))
            ]
