"""What the corpus expects, where we differ from it on purpose in every call of a kind (`docs/ng-protocol.md`).

Some differences are not single deviations but rules: they touch each scenario in which one leg is secured, and would
hide whatever else is wrong there. For these the expectation is changed as the rule says, before it is compared:

D-SUITES  suites that are weak or beyond the policy are offered only where someone asked for them, under the tags that
          they would have had
D-KEYS    a key of one leg is never told to the other one: there are keys of ours instead, without its MKI
D-CERT    each leg of a call is shown a certificate of its own, SHA-256 always among its hashes
D-TLSID   an answer has `tls-id` only if the offer had it
"""

import copy
import re
from typing import Any

STRONG = ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80")

CRYPTO = re.compile(r"a=crypto:(\d+) (\S+) inline:([^|; ]+)(.*)")
FINGERPRINT = re.compile(r"a=fingerprint:(\S+) (<FINGERPRINT\d+>)(.*)")
TLS_ID = "a=tls-id:"

Reply = dict[str, Any] | None


def adjusted(scenario: dict[str, Any], replies: list[Reply]) -> tuple[dict[str, Any], list[Reply]]:
    """The scenario as these rules have it, and the replies, both with keys numbered anew."""
    scenario, replies = copy.deepcopy(scenario), copy.deepcopy(replies)
    wanted, given = _Keys(), _Keys()
    for step, reply in zip(scenario["steps"], replies, strict=True):
        expected = step.get("expect")
        if not isinstance(expected, dict) or "sdp" not in expected or not isinstance(expected["sdp"], list):
            continue
        ours = reply["sdp"] if isinstance(reply, dict) and isinstance(reply.get("sdp"), list) else []
        side = "answer" if _is_answer(step) else "offer"
        expected["sdp"] = wanted.renumber(_as_we_do(expected["sdp"], ours, side), side)
        if isinstance(reply, dict) and ours:
            reply["sdp"] = given.renumber(_without_usual_hash(ours), side)
    return scenario, replies


def _is_answer(step: dict[str, Any]) -> bool:
    send = step.get("send")
    return isinstance(send, dict) and send.get("command") == "answer"


def _as_we_do(expected: list[str], ours: list[str], side: str) -> list[str]:
    """The lines that are expected, without those that our rules leave out."""
    written = {match.groups()[:2] for line in ours if (match := CRYPTO.match(line))}
    kept = []
    for line in expected:
        match = CRYPTO.match(line)
        if match and match[2] not in STRONG and match.groups()[:2] not in written:
            continue
        if side == "answer" and line.startswith(TLS_ID) and not any(item.startswith(TLS_ID) for item in ours):
            continue
        kept.append(line)
    return kept


def _without_usual_hash(lines: list[str]) -> list[str]:
    """The lines without the SHA-256 fingerprint that follows one of another hash."""
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if not (line.startswith("a=fingerprint:sha-256 ") and before.startswith("a=fingerprint:"))
    ]


class _Keys:
    """Numbers for keys, by first appearance: whose they were does not matter, which are the same does."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def renumber(self, lines: list[str], side: str) -> list[str]:
        """The lines with keys as numbers. Keys that were passed on count as ours: one for each tag and side."""
        renumbered = []
        place = 0
        for line in lines:
            place += line.startswith("m=")
            renumbered.append(self._line(line, f"{side} {place}"))
        return renumbered

    def _line(self, line: str, where: str) -> str:
        match = CRYPTO.match(line)
        if match:
            tag, suite, key, rest = match.groups()
            padded = " padded" if key.endswith("=") or " padded" in line else ""
            symbol = re.match(r"a=crypto:\d+ \S+ inline:(<KEY\d+)", line)
            number = self._numbers.setdefault(symbol[1] if symbol else f"{where} {tag}", len(self._numbers) + 1)
            rest = re.sub(r"^[^>]*>" if symbol else r"^\|\d+:\d+", "", rest)
            return f"a=crypto:{tag} {suite} inline:<KEY{number}{padded}>{rest}"
        match = FINGERPRINT.match(line)
        return f"a=fingerprint:{match[1]} <FINGERPRINT>{match[3]}" if match else line
