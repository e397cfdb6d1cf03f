"""Calls for benchmarks: what Kamailio's module would send to the daemon for them, and where their phones are.

Requests follow Kamailio 5.6 (ng-protocol.md §7).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.daemons import Site
from benchmarks.ng import Value, encode
from benchmarks.shapes import Shape

FIRST_PORT = 10000
"""Port of the first phone; the others follow, leaving out odd ports."""
PHONES = 20000
"""Phones at an address: calls whose numbers are so far from each other have the same one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a shape. `number` tells it from the others; phones are at the addresses of the site."""

    shape: Shape
    number: int
    site: Site
    words: Mapping[str, str] = field(default_factory=dict)
    """Words of the templates that are this call's own."""

    @property
    def port(self) -> int:
        """The media port of the caller at the address of callers, and of the callee at that of callees."""
        return FIRST_PORT + 2 * (self.number % PHONES)

    def offer(self) -> bytes:
        sdp = self._fill(self.shape.offer_sdp, self.site.callers)
        return self._request("offer", self.site.callers, sdp, self.shape.offer_keys, {"from-tag": self._tag("a")})

    def answer(self) -> bytes:
        sdp = self._fill(self.shape.answer_sdp, self.site.callees)
        tags: dict[str, Value] = {"from-tag": self._tag("a"), "to-tag": self._tag("b")}
        return self._request("answer", self.site.callees, sdp, self.shape.answer_keys, tags)

    def delete(self) -> bytes:
        return self._request("delete", self.site.callers, None, {}, {"from-tag": self._tag("a")})

    def _fill(self, template: str, address: str) -> str:
        words = {**self.shape.words, **self.words}
        text = template.format(address=address, port=self.port, number=self.number, **words)
        return text.replace("\n", "\r\n")

    def _tag(self, side: str) -> str:
        return f"{side}4f1c{self.number:06d}SIPpTag"

    def _request(
        self, command: str, source: str, sdp: str | None, keys: dict[str, Value], tags: dict[str, Value]
    ) -> bytes:
        request: dict[str, Value] = {"supports": ["load limit"]}
        if sdp is not None:
            request["sdp"] = sdp
        call_id = f"{self.number}-31415@{self.site.callers}"
        request |= keys | {"call-id": call_id, "received-from": ["IP4", source]} | tags | {"command": command}
        return encode(request)


def media_of(sdp: str) -> tuple[str, int]:
    """Address and port of the first media of an SDP."""
    address = re.search(r"^c=IN IP[46] (\S+)", sdp, re.MULTILINE)
    port = re.search(r"^m=\w+ (\d+)", sdp, re.MULTILINE)
    if address is None or port is None:
        raise ValueError(f"no address in {sdp!r}")
    return address[1], int(port[1])


def phones(calls: Sequence[Call], to_callees: Sequence[str], to_callers: Sequence[str]) -> list[str]:
    """The ends of the calls as lines for `rtpload`: caller and callee in turn.

    `to_callees` are the SDPs that the daemon gave in reply to the offers, `to_callers` those in reply to the answers.
    """
    lines = []
    for index, (call, to_callee, to_caller) in enumerate(zip(calls, to_callees, to_callers, strict=True)):
        kind = " protected" if call.shape.suite else ""
        for address, sdp, partner, ending in (
            (call.site.callers, to_caller, 2 * index + 1, kind),
            (call.site.callees, to_callee, 2 * index, ""),
        ):
            relay, port = media_of(sdp)
            lines.append(f"{address} {call.port} {relay} {port} {partner}{ending}")
    return lines
