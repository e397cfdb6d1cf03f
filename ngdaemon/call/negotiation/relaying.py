"""`mode=relay` (RFC 7879): keys, ICE and packets pass end to end, we lend nothing but addresses.

Nothing that is authenticated may be changed on the way (REL-02): a request that asks for a change is refused by name.
"""

from ngdaemon.base.errors import RequestError
from ngdaemon.call.model import Leg, Media
from ngdaemon.call.negotiation.causes import NOT_ACCEPTABLE
from ngdaemon.ng.options import Options
from ngdaemon.sdp.protocols import Protocol, protocol_of

RELAY = "relay"
SERVER_FAILURE = 500
"""The SIP response code that suits (RFC 3261 §21.5.1): the fault is the script's."""

CHANGING = {
    "transport_protocol": "transport-protocol",
    "ice": "ICE",
    "ice_lite": "ICE-lite",
    "rtcp_mux": "rtcp-mux",
    "bundle": "bundle",
    "dtls": "DTLS",
    "dtls_fingerprint": "DTLS-fingerprint",
    "sdes": "SDES",
    "osrtp": "OSRTP",
    "record_call": "record-call",
    "generate_rtcp": "generate-RTCP",
    "t38": "T.38",
    "extmap_mask": "extmap-mask",
}
"""Fields of the options that ask for another media than the one that passes → how they are written."""

CHANGING_LISTS = ("transcode", "mask", "consume", "accept", "set")
"""Lists of `codec` that need transcoding."""

CHANGING_FLAGS = frozenset(("record-call", "inject-dtmf", "block-dtmf", "detect-dtmf", "recrypt", "webrtc"))


def applied(leg: Leg, options: Options) -> Leg:
    """The leg in the mode that is asked for; it stays in force until another one is (REL-03)."""
    return leg if options.mode is None else leg._replace(relayed=options.mode == RELAY)


def check(options: Options) -> None:
    """Raise RequestError where a request asks for what a relay must not do (ERR-07)."""
    asked = [word for field, word in CHANGING.items() if getattr(options, field)]
    asked += [f"codec-{name}" for name in CHANGING_LISTS if getattr(options.codec, name)]
    asked += sorted(CHANGING_FLAGS.intersection(flag.value for flag in options.flags))
    if asked:
        raise _conflict(", ".join(asked))


def check_media(said: Media, other: Media | None, protocol: Protocol, *, is_answer: bool) -> None:
    """Raise RequestError where a media cannot pass as it is: one of its ends has keys of ours, or another transport.

    `protocol` is the one that is told, `other` the media of the one who is told. What passed so would be taken for
    secured at one end and be clear at the other.
    """
    if not said.active:
        return
    if any(_is_keyed(media, offered=is_answer) for media in (said, other) if media is not None):
        raise _conflict("keys that are in force")
    own = protocol_of(said.protocol, said.kind)
    if own.name != protocol.name:
        raise _conflict(f"{own.name} toward {protocol.name}", NOT_ACCEPTABLE if is_answer else SERVER_FAILURE)


def passes_by(said: Media, other: Media | None, protocol: Protocol) -> bool:
    """Whether address and keys of the one who offers may pass (`ICE=optional`, `force-relay`), we but a candidate.

    Not where a profile is changed on the way, nor where we have agreed on keys: the key of one leg never reaches the
    other one then (OSR-08, E2AE-02), and we end ICE as without these words.
    """
    own = protocol_of(said.protocol, said.kind)
    if own.name != protocol.name and (own.secure or protocol.secure):
        return False
    return said.security.keying is None and (other is None or other.security.keying is None)


def _is_keyed(media: Media, *, offered: bool) -> bool:
    """Whether keys of ours are agreed on, or with `offered` the leg was just offered some."""
    return media.security.keying is not None or (offered and bool(media.security.offered))


def _conflict(what: str, code: int = SERVER_FAILURE) -> RequestError:
    return RequestError(f"mode=relay does not go together with {what}", {"sip-code": code})
