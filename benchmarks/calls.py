"""Calls for benchmarks: what Kamailio's module would send to the daemon for them, and where their phones are.

A *shape* is a kind of call: the SDP of both phones and the keys that a script adds. Requests follow Kamailio 5.6
(ng-protocol.md §7).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.daemons import Site
from benchmarks.ng import Value, encode

FIRST_PORT = 10000
"""Port of the first phone; the others follow, leaving out odd ports."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of call. SDP templates know `{address}`, `{port}` and `{number}`."""

    name: str
    offer_sdp: str
    offer_keys: dict[str, Value]
    answer_sdp: str
    answer_keys: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a shape. `number` tells it from the others; phones are at the addresses of the site."""

    shape: Shape
    number: int
    site: Site

    @property
    def port(self) -> int:
        """The media port of the caller at the address of callers, and of the callee at that of callees."""
        return FIRST_PORT + 2 * self.number

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
        return template.format(address=address, port=self.port, number=self.number).replace("\n", "\r\n")

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
        for address, sdp, partner in (
            (call.site.callers, to_caller, 2 * index + 1),
            (call.site.callees, to_callee, 2 * index),
        ):
            relay, port = media_of(sdp)
            lines.append(f"{address} {call.port} {relay} {port} {partner}")
    return lines


_PHONE = """\
v=0
o=user1 53655765 {number} IN IP4 {address}
s=-
c=IN IP4 {address}
t=0 0
m=audio {port} RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"""

_BROWSER = """\
v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 4f0a3f2e-7e0b-4c8e-9f0e-7c1d5b6a2e11
m=audio {port} UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 {address}
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1467250027 1 udp 2122260223 {address} {port} typ host generation 0 network-id 1
a=candidate:435653019 1 tcp 1518280447 {address} 9 typ host tcptype active generation 0 network-id 1
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:4f0a3f2e-7e0b-4c8e-9f0e-7c1d5b6a2e11 0b1ad8a5-4d5e-4a5f-8c0e-2f6b9a3c7d22
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:{number} cname:Qmx0yJ4Rr8mYb2Pw
a=ssrc:{number} msid:4f0a3f2e-7e0b-4c8e-9f0e-7c1d5b6a2e11 0b1ad8a5-4d5e-4a5f-8c0e-2f6b9a3c7d22
"""

_REPLACE: Value = ["origin", "session-connection"]

PLAIN = Shape(
    name="plain",
    offer_sdp=_PHONE,
    offer_keys={"ICE": "remove", "replace": _REPLACE, "transport-protocol": "RTP/AVP"},
    answer_sdp=_PHONE,
    answer_keys={"ICE": "remove", "replace": _REPLACE, "transport-protocol": "RTP/AVP"},
)
"""Two SIP phones, audio."""

WEBRTC = Shape(
    name="webrtc",
    offer_sdp=_BROWSER,
    offer_keys={"ICE": "remove", "replace": _REPLACE, "rtcp-mux": ["demux"], "transport-protocol": "RTP/AVP"},
    answer_sdp=_PHONE,
    answer_keys={
        "ICE": "force",
        "DTLS": "passive",
        "replace": _REPLACE,
        "rtcp-mux": ["offer"],
        "transport-protocol": "UDP/TLS/RTP/SAVPF",
    },
)
"""A browser calls a SIP phone, audio: its DTLS-SRTP and ICE end at the daemon."""
