"""`mode=relay` (RFC 7879): keys, ICE and packets pass end to end, we lend nothing but addresses.

Nothing that is authenticated may be changed on the way (REL-02): a request that asks for a change is refused by name.
"""

from ngdaemon.base.errors import RequestError
from ngdaemon.call.model import Leg
from ngdaemon.ng.options import Options

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
        raise RequestError(f"mode=relay does not go together with {', '.join(asked)}", {"sip-code": SERVER_FAILURE})
