"""Kinds of calls: the SDP of both phones, and the keys that a script of Kamailio adds to the requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.ng import Value


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of call.

    SDP templates know `{address}`, `{port}` and `{number}`, and the words of the shape and of the call.
    """

    name: str
    offer_sdp: str
    offer_keys: dict[str, Value]
    answer_sdp: str
    answer_keys: dict[str, Value]
    words: Mapping[str, str] = field(default_factory=dict)
    """What the templates know besides, unless a call has another word."""
    suite: str = ""
    """SDES suite of the caller, who protects his media; "" for callers without."""


_HEAD = """\
v=0
o=user1 53655765 {number} IN IP4 {address}
s=-
c=IN IP4 {address}
t=0 0
"""

_AUDIO = """\
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"""

_PHONE = f"{_HEAD}m=audio {{port}} RTP/AVP 8 0 101\n{_AUDIO}"
_SDES_PHONE = f"{_HEAD}m=audio {{port}} RTP/SAVP 8 0 101\n{_AUDIO}a=crypto:1 {{suite}} inline:{{key}}\n"
_DTLS_PHONE = f"""\
{_HEAD}m=audio {{port}} UDP/TLS/RTP/SAVPF 8 0 101
{_AUDIO}a=rtcp-mux
a=setup:actpass
a=fingerprint:sha-256 {{fingerprint}}
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
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=ice-options:trickle
a=fingerprint:sha-256 {fingerprint}
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

_FROM_BROWSER: dict[str, Value] = {
    "ICE": "remove",
    "DTLS": "passive",
    "replace": _REPLACE,
    "rtcp-mux": ["demux"],
    "transport-protocol": "RTP/AVP",
}
_TO_BROWSER: dict[str, Value] = {
    "ICE": "force",
    "DTLS": "passive",
    "replace": _REPLACE,
    "rtcp-mux": ["offer"],
    "transport-protocol": "UDP/TLS/RTP/SAVPF",
}

WEBRTC = Shape(
    name="webrtc",
    offer_sdp=_BROWSER,
    offer_keys=_FROM_BROWSER,
    answer_sdp=_PHONE,
    answer_keys=_TO_BROWSER,
    words={
        "ufrag": "EsAw",
        "pwd": "P2uYro0UCOQ4zxjKXaWCBui1",
        "fingerprint": ":".join(f"{octet:02X}" for octet in range(0xC0, 0xE0)),
    },
)
"""A browser calls a SIP phone, audio: its DTLS-SRTP, of which the daemon is the server, and ICE end at the daemon."""

DTLS = Shape(
    name="dtls",
    offer_sdp=_DTLS_PHONE,
    offer_keys={"ICE": "remove", "replace": _REPLACE, "rtcp-mux": ["demux"], "transport-protocol": "RTP/AVP"},
    answer_sdp=_PHONE,
    answer_keys={
        "ICE": "remove",
        "replace": _REPLACE,
        "rtcp-mux": ["offer"],
        "transport-protocol": "UDP/TLS/RTP/SAVPF",
    },
)
"""A SIP phone with DTLS-SRTP and without ICE calls a plain one. The daemon takes the role it likes: the client's."""


def _sdes(suite: str) -> Shape:
    return Shape(
        name=f"sdes-{suite}",
        offer_sdp=_SDES_PHONE,
        offer_keys={"ICE": "remove", "replace": _REPLACE, "transport-protocol": "RTP/AVP"},
        answer_sdp=_PHONE,
        answer_keys={"ICE": "remove", "replace": _REPLACE, "transport-protocol": "RTP/SAVP"},
        words={"suite": suite},
        suite=suite,
    )


SDES_CM = _sdes("AES_CM_128_HMAC_SHA1_80")
SDES_GCM = _sdes("AEAD_AES_128_GCM")
"""A SIP phone with SDES, which offers that suite alone, calls a plain one."""
