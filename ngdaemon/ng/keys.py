"""The table of keys: what a message may hold besides its flags (ng-protocol.md §2, §3). One row per key."""

from ngdaemon.ng import readers
from ngdaemon.ng.codec_options import LISTS
from ngdaemon.ng.flags import Support
from ngdaemon.ng.readers import FAMILIES, Key
from ngdaemon.ng.spelling import spellings, vocabulary

_NO, _MOOT = Support.NO, Support.MOOT

_ON = ("on", "yes", "enable", "enabled")
_OFF = ("off", "no", "disable", "disabled")
_SWITCH: dict[str, object] = {**dict.fromkeys(_ON, True), **dict.fromkeys(_OFF, False)}
_FILES = tuple(f"{what}-{it}" for what in ("recording", "output") for it in ("file", "dest", "destination"))[1:]
_PATHS = tuple(f"{what}-{it}" for what in ("recording", "output") for it in ("dir", "path", "directory", "folder"))[1:]
"""Other names of `recording-file` and `recording-dir`."""
_FORWARD = ("forward", "fwd", "fw")
_BACKWARD = ("backward", "backwards", "reverse", "back", "bkw", "bk")


def _later(name: str, help_text: str, *also: str, exact: bool = False) -> Key:
    """A key that nothing is done for yet."""
    return Key(name, "", readers.nothing, help_text, _NO, also=also, exact=exact)


_IDENTITY = (
    Key("command", "command", readers.body, "what to do"),
    Key("call-id", "call_id", readers.text, "SIP Call-ID"),
    Key("from-tag", "from_tag", readers.body, "tag of the offerer"),
    Key("to-tag", "to_tag", readers.text, "tag of the answerer"),
    Key("via-branch", "via_branch", readers.text, "distinguishes branches before they have a tag", exact=True),
    Key("label", "label", readers.text, "name of the sender", also=("from-label",)),
    Key("to-label", "to_label", readers.text, "selects the other party"),
    Key("set-label", "set_label", readers.text, "name of a new subscriber"),
    Key("address", "address", readers.text, "selects a party by its SDP address"),
    Key("from-tags", "from_tags", readers.names, "several parties"),
    Key(
        "all",
        "all",
        readers.one_word,
        "the whole call, or which flows",
        words=vocabulary(
            "none",
            "all",
            "offer-answer",
            ("except-offer-answer", "not-offer-answer", "non-offer-answer"),
            "flows",
        ),
    ),
    Key(
        "alias-key",
        "alias_key",
        readers.one_word,
        "another tag with the same SDP is the same party",
        _NO,
        words=vocabulary(("off", "none", "no"), "sdp", ("address", "endpoint")),
        exact=True,
    ),
    _later("to-call-id", "`connect`: the other call"),
    _later("source-tag", "`inject`: the party to be heard"),
    _later("source-call-id", "`inject`: its call"),
    _later("calls", "`mesh`: the calls to merge"),
    _later("tags", "`mesh`: the flows to make"),
    _later("instance", "`transform`: the sender's instance"),
    Key(
        "sip-message-type",
        "sip_reply",
        readers.one_word,
        "whether the SDP came in a reply",
        words={
            **dict.fromkeys(vocabulary(("request", "sip-request")), False),
            **dict.fromkeys(vocabulary(("reply", "response", "sip-reply", "sip-response")), True),
        },
    ),
    Key("sip-code", "sip_code", readers.amount, "status of that reply", also=("sip-response-code",)),
    Key("supports", "supports", readers.abilities, "what the proxy understands: `load limit`"),
    Key("template", "template", readers.text, "named flags of the configuration", _NO),
    Key("metadata", "metadata", readers.text, "free text of the sender"),
    Key("xmlrpc-callback", "xmlrpc_callback", readers.address, "whom to tell that a call has ended", _NO),
    Key("sdp", "sdp", readers.body, "the session description"),
    Key("delete-delay", "delete_delay", readers.amount, "seconds until a deleted call ends"),
    Key("limit", "limit", readers.number, "`list`: number of calls"),
    Key("body", "body", readers.text, "`cli`: the line"),
)

_ADDRESSES = (
    Key("direction", "direction", readers.direction, "interfaces facing the sender and the receiver"),
    Key("from-interface", "direction", readers.sender_interface, "the first of these"),
    Key("to-interface", "direction", readers.receiver_interface, "the second one"),
    Key("interface", "interface", readers.text, "the interface, for commands with one side"),
    _later("peer", "interface by the route to this address"),
    _later("inbound-peer", "the same for the sender's side"),
    _later("outbound-peer", "the same for the receiver's side"),
    Key(
        "address-family",
        "address_family",
        readers.one_word,
        "`IP4` or `IP6` toward the receiver",
        words=FAMILIES,
    ),
    Key("media-address", "media_address", readers.address, "written into `c=` instead of ours"),
    Key("received-from", "received_from", readers.sip_source, "address that the SIP message came from"),
    Key("TOS", "tos", readers.number, "DSCP and ECN octet of media packets"),
    Key(
        "transport-protocol",
        "transport_protocol",
        readers.profile,
        "profile toward the receiver",
        words={
            name: name
            for name in (
                *("RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"),
                *("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "UDPTL"),
            )
        }
        | {"ACCEPT": "accept"},
    ),
)

_ICE_AND_MUX = (
    Key(
        "ICE",
        "ice",
        readers.ice,
        "ICE toward the receiver",
        words=vocabulary(
            *("remove", "force", "default", "optional", "force-relay", "trickle", "ice2"),
            ("lite-forward", "lite", "lite-fwd", "lite-fw", "lite-offer"),
            ("lite-backward", *(f"lite-{word}" for word in (*_BACKWARD[1:], "answer"))),
            "lite-both",
            ("no-lite", "lite-no", "lite-off", "lite-none"),
        ),
    ),
    Key(
        "ICE-lite",
        "ice_lite",
        readers.one_word,
        "be ICE-lite",
        words=vocabulary(("off", "none", "no"), (*_FORWARD, "offer"), (*_BACKWARD, "answer"), "both"),
    ),
    Key(
        "rtcp-mux",
        "rtcp_mux",
        readers.words,
        "RTP and RTCP on one port",
        words=vocabulary("offer", "require", "demux", "accept", "reject"),
    ),
    Key(
        "bundle",
        "bundle",
        readers.words,
        "several medias on one port",
        words=vocabulary("accept", "offer", "require", "strict", "reject"),
    ),
    Key(
        "extmap",
        "extmap",
        readers.extmap,
        "header extensions to remove: dictionary with the lists `strip` and `mask`",
        words={"strip": "extmap_strip", "mask": "extmap_mask"},
    ),
)

_SECURITY = (
    Key(
        "DTLS",
        "dtls",
        readers.words,
        "DTLS-SRTP",
        words=vocabulary(("off", *_OFF[1:]), "passive", "active"),
        also=("DTLS-reverse",),
    ),
    Key(
        "DTLS-fingerprint",
        "dtls_fingerprint",
        readers.one_word,
        "hash of our fingerprint",
        words=vocabulary("sha-1", "sha-224", "sha-256", "sha-384", "sha-512"),
    ),
    Key(
        "SDES",
        "sdes",
        readers.sdes,
        "SDES-SRTP: `off`, `prefer`, `pad`, `lifetime`, `static`, `nonew`, `only-SUITE`, `no-SUITE`, `order:S1;S2;`, "
        "`offerer_pref:S1;S2;`, session parameters",
        words=vocabulary(("off", *_OFF[1:])),
    ),
    Key(
        "OSRTP",
        "osrtp",
        readers.words,
        "opportunistic SRTP",
        words=vocabulary(("offer", "offer-rfc"), "offer-legacy", "accept-rfc", "accept-legacy", "accept"),
    ),
    Key(
        "mode",
        "mode",
        readers.one_word,
        "ours: pass keys and packets end to end, or end the security of each leg (the default)",
        words=vocabulary("relay", "terminate"),
    ),
)

_SDP = (
    Key(
        "replace",
        "replace",
        readers.words,
        "parts of the SDP's session section to make our own",
        words=vocabulary(
            *("origin", "origin-full", "session-connection", "sdp-version", "force-increment-sdp-ver"),
            *("username", "session-name", "zero-address"),
        ),
    ),
    Key("sdp-attr", "sdp_attr", readers.manipulations, "attributes to add, remove, substitute"),
    Key("sdp-media-remove", "sdp_media_remove", readers.removed_medias, "medias left out of the offer"),
)

_CODECS = (
    Key(
        "codec",
        "codec",
        readers.codec,
        "lists of codecs: " + ", ".join(LISTS),
        words={name: name for name in LISTS},
        later=frozenset(("ignore", "mask", "transcode", "accept", "consume", "set")),
        also=("codecs",),
    ),
    Key("ptime", "ptime", readers.amount, "`a=ptime` toward the receiver"),
    Key("ptime-reverse", "ptime_reverse", readers.amount, "toward the offerer", _NO, also=("reverse-ptime",)),
    Key("repacketize", "", readers.nothing, "unknown to rtpengine too, sent by old scripts", _MOOT),
    Key(
        "T.38",
        "t38",
        readers.words,
        "T.38 gateway",
        _NO,
        words=vocabulary(
            *("decode", "force", "stop", "fec", "no-iaf", "no-ecm"),
            *("no-v.17", "no-v.27ter", "no-v.29", "no-v.34"),
        ),
        also=("T38",),
    ),
    Key("T.38-version", "t38_version", readers.amount, "its version", _NO, also=("T38-version",)),
)

_MEDIA = (
    Key(
        "endpoint-learning",
        "endpoint_learning",
        readers.one_word,
        "when a peer's address is learned",
        words=vocabulary("off", "immediate", "delayed", "heuristic"),
    ),
    Key("generate-RTCP", "generate_rtcp", readers.one_word, "send own RTCP reports", _NO, words=_SWITCH),
    Key(
        "media-echo",
        "media_echo",
        readers.one_word,
        "discard or return media",
        _NO,
        words=vocabulary(("blackhole", "sinkhole"), _FORWARD, _BACKWARD, "both"),
    ),
    Key("drop-traffic", "drop_traffic", readers.one_word, "drop all RTP", words=vocabulary("start", "stop")),
    Key(
        "passthrough",
        "passthrough",
        readers.one_word,
        "leave addresses and keys alone",
        _NO,
        words=_SWITCH,
        also=("passthru",),
    ),
    Key("delay-buffer", "delay_buffer", readers.amount, "milliseconds of delay", _NO),
    _later("audio-player", "a generated, mixed stream", "player"),
    _later("MoH", "music on hold"),
    _later("file", "`play media`: path", exact=True),
    _later("blob", "`play media`: the data"),
    _later("blob64", "`play media`: the data in base64", exact=True),
    _later("db-id", "`play media`: row of the database", exact=True),
    _later("repeat-times", "`play media`: how often"),
    _later("repeat-duration", "`play media`: how long"),
    _later("start-pos", "`play media`: where to begin"),
    Key("media", "medias", readers.medias, "`create`: types and codecs of the medias", also=("medias",)),
)

_RECORDING = (
    Key(
        "record-call",
        "record_call",
        readers.one_word,
        "start or stop recording",
        _NO,
        words=vocabulary(("yes", "on"), ("no", "off"), "discard"),
    ),
    _later("recording-file", "path of the recording", *_FILES),
    _later("recording-dir", "its directory", *_PATHS),
    _later("recording-pattern", "its name", "output-pattern"),
    _later("recording-media-slots", "slots of a mixed recording"),
    _later("recording-media-slot-offer", "slot of the offerer"),
    _later("recording-media-slot-answer", "slot of the answerer"),
    *(
        _later(f"VSC-{what}-rec", "DTMF code that drives recording", f"VSC-{what}-recording")
        for what in ("start", "stop", "start-stop", "pause", "pause-resume", "start-pause-resume")
    ),
)

_DTMF = (
    _later("DTMF-security", "what replaces blocked DTMF"),
    _later("DTMF-security-trigger", "the same after the trigger"),
    _later("DTMF-security-trigger-end", "the same after its end"),
    _later("trigger", "digits that switch"),
    _later("trigger-end", "digits that switch back", "end-trigger"),
    _later("trigger-end-time", "milliseconds until it switches back", "end-trigger-time"),
    _later("trigger-end-digits", "digits until it switches back", "end-trigger-digits"),
    _later("DTMF-delay", "milliseconds that events are delayed"),
    _later("digit", "the digit to play", "code"),
    _later("volume", "its level"),
    _later("frequency", "tones", "frequencies"),
    _later("duration", "`play DTMF`: milliseconds"),
    _later("pause", "`play DTMF`: milliseconds; `stop recording`: only pause"),
    _later("DTMF-log-dest", "where events are sent", "DTMF-log-destination"),
)

SECTIONS = {
    "Identity": _IDENTITY,
    "Addresses and profile": _ADDRESSES,
    "ICE, RTCP, BUNDLE": _ICE_AND_MUX,
    "Security": _SECURITY,
    "SDP": _SDP,
    "Codecs": _CODECS,
    "Media": _MEDIA,
    "Recording": _RECORDING,
    "DTMF": _DTMF,
}

BY_SPELLING = {
    spelling: row
    for rows in SECTIONS.values()
    for row in rows
    for name in (row.name, *row.also)
    for spelling in ((name,) if row.exact else spellings(name.lower()))
}
