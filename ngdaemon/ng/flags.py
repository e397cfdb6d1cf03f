"""The table of flags: words of the list `flags` (ng-protocol.md §3). One row per flag."""

from dataclasses import dataclass
from enum import Enum

from ngdaemon.base.choice import Choice
from ngdaemon.ng.spelling import spelled


class Flag(Choice):
    """A flag by its canonical spelling."""

    ALL = "all"
    ALLOW_ASYMMETRIC_CODECS = "allow-asymmetric-codecs"
    ALLOW_NO_CODEC_MEDIA = "allow-no-codec-media"
    ALLOW_TRANSCODING = "allow-transcoding"
    ALWAYS_TRANSCODE = "always-transcode"
    ASYMMETRIC = "asymmetric"
    ASYMMETRIC_CODECS = "asymmetric-codecs"
    AUDIO_PLAYER = "audio-player"
    BIDIRECTIONAL = "bidirectional"
    BLOCK_DTMF = "block-dtmf"
    BLOCK_EGRESS = "block-egress"
    BLOCK_SHORT = "block-short"
    DEBUG = "debug"
    DETECT_DTMF = "detect-dtmf"
    DIRECTIONAL = "directional"
    DISCARD_RECORDING = "discard-recording"
    EARLY_MEDIA = "early-media"
    EGRESS = "egress"
    EXCLUDE_RECORDING = "exclude-recording"
    FAST = "fast"
    FATAL = "fatal"
    FORCE_TRANSCODING = "force-transcoding"
    FRAGMENT = "fragment"
    FULL_RTCP_ATTRIBUTE = "full-rtcp-attribute"
    GENERATE_MID = "generate-mid"
    GENERATE_RTCP = "generate-rtcp"
    INACTIVE = "inactive"
    INJECT_DTMF = "inject-dtmf"
    LOOP_PROTECT = "loop-protect"
    MEDIA_HANDOVER = "media-handover"
    MIX = "mix"
    NAT_WAIT = "nat-wait"
    NEW_BRANCH = "new-branch"
    NO_AUDIO_PLAYER = "no-audio-player"
    NO_JITTER_BUFFER = "no-jitter-buffer"
    NO_PASSTHROUGH = "no-passthrough"
    NO_PORT_LATCHING = "no-port-latching"
    NO_REDIS_UPDATE = "no-redis-update"
    NO_RTCP_ATTRIBUTE = "no-rtcp-attribute"
    NO_TLS_ID = "no-tls-id"
    ORIGINAL_SENDRECV = "original-sendrecv"
    PAD_CRYPTO = "pad-crypto"
    PASSTHROUGH = "passthrough"
    PAUSE = "pause"
    PIERCE_NAT = "pierce-nat"
    PORT_LATCHING = "port-latching"
    PROVISIONAL = "provisional"
    RECORD_CALL = "record-call"
    RECORDING_ANNOUNCEMENT = "recording-announcement"
    RECORDING_VSC = "recording-vsc"
    RECRYPT = "recrypt"
    REJECT_ICE = "reject-ice"
    REORDER_CODECS = "reorder-codecs"
    RESET = "reset"
    REUSE_CODECS = "reuse-codecs"
    RTCP_MIRROR = "rtcp-mirror"
    SINGLE_CODEC = "single-codec"
    SIP_SOURCE_ADDRESS = "sip-source-address"
    SIPREC = "siprec"
    SKIP_RECORDING_DB = "skip-recording-db"
    STATIC_CODECS = "static-codecs"
    STRICT_SOURCE = "strict-source"
    STRIP_EXTMAP = "strip-extmap"
    SYMMETRIC = "symmetric"
    SYMMETRIC_CODECS = "symmetric-codecs"
    TO_TAG = "to-tag"
    TRICKLE_ICE = "trickle-ice"
    TRUST_ADDRESS = "trust-address"
    UNIDIRECTIONAL = "unidirectional"
    UNSUBSCRIBE = "unsubscribe"
    WEBRTC = "webrtc"

    __hash__ = object.__hash__
    """By identity: Enum's own hash is a Python function, and flags live in sets."""


class Support(Enum):
    """Whether this daemon does what a word of the protocol asks for."""

    YES = "works"
    MOOT = "nothing to do"
    """Accepted, and there is nothing that has to be done for it."""
    NO = "not supported yet"
    """Known, and without effect."""


@dataclass(frozen=True, slots=True)
class FlagRow:
    """What there is to know about a flag."""

    flag: Flag
    help: str
    support: Support = Support.NO
    also: tuple[str, ...] = ()
    """Other names."""
    says: tuple[tuple[str, object], ...] = ()
    """Keys that the flag stands for, with their values."""
    implies: tuple[Flag, ...] = ()


_YES, _MOOT = Support.YES, Support.MOOT
_WEBRTC = (
    ("transport-protocol", "UDP/TLS/RTP/SAVPF"),
    ("ice", ["force", "trickle"]),
    ("rtcp-mux", ["offer", "require"]),
    ("sdes", "off"),
    ("bundle", "require"),
)

ROWS = (
    # whom and what the message is about (§2.2, §2.4, §3.1)
    FlagRow(Flag.ALL, "the whole call", _YES),
    FlagRow(Flag.DIRECTIONAL, "the party given by `from-tag`, not the whole call", _YES),
    FlagRow(Flag.TO_TAG, "honour `to-tag` in `delete`, and in `subscribe request` with `rtpp-flags`", _YES),
    FlagRow(Flag.NEW_BRANCH, "an answer with a new to-tag makes a new party", _YES),
    FlagRow(Flag.PROVISIONAL, "not a final answer, whatever `sip-code` says", _YES),
    FlagRow(Flag.FATAL, "`delete` of nothing is an error", _YES),
    FlagRow(Flag.FAST, "`delete` without statistics in the reply", _YES),
    FlagRow(Flag.RESET, "offer and answer ICE anew: refused before, or not", _YES),
    FlagRow(Flag.DEBUG, "log everything about this call", also=("debugging",)),
    FlagRow(Flag.NO_REDIS_UPDATE, "do not persist this message: nothing is persisted", _MOOT),
    FlagRow(Flag.UNSUBSCRIBE, "`mesh`: remove flows instead of adding them"),
    # addresses (§3.2)
    FlagRow(Flag.TRUST_ADDRESS, "media addresses are those of the SDP", _YES),
    FlagRow(Flag.SIP_SOURCE_ADDRESS, "media addresses are the SIP source, `received-from`", _YES),
    FlagRow(Flag.ASYMMETRIC, "send to the signalled address, never to a learned one", _YES),
    FlagRow(Flag.SYMMETRIC, "learn addresses: the default", _MOOT),
    FlagRow(Flag.PORT_LATCHING, "keep local ports although a remote port changes", _YES),
    FlagRow(Flag.NO_PORT_LATCHING, "change local ports with the remote port: the default without ICE", _YES),
    # ICE, RTCP, BUNDLE (§3.3 to §3.6)
    FlagRow(
        Flag.WEBRTC,
        "everything that a browser needs toward the receiver",
        _YES,
        says=_WEBRTC,
        implies=(Flag.NO_RTCP_ATTRIBUTE, Flag.GENERATE_MID),
    ),
    FlagRow(Flag.TRICKLE_ICE, "advertise trickle ICE", _YES, says=(("ice", "trickle"),)),
    FlagRow(Flag.REJECT_ICE, "answer the sender without ICE", _YES, also=("ice-reject",)),
    FlagRow(Flag.FRAGMENT, "the SDP is a trickle ICE fragment", _YES),
    FlagRow(Flag.FULL_RTCP_ATTRIBUTE, "write `a=rtcp` with an address", _YES),
    FlagRow(Flag.NO_RTCP_ATTRIBUTE, "write no `a=rtcp`", _YES),
    FlagRow(Flag.GENERATE_MID, "add `a=mid` where it is missing", _YES),
    FlagRow(Flag.STRIP_EXTMAP, "remove all `a=extmap`", _YES, says=(("extmap", {"strip": ["all"]}),)),
    # SRTP (§3.7)
    FlagRow(Flag.NO_TLS_ID, "write no `a=tls-id`", _YES),
    FlagRow(Flag.PAD_CRYPTO, "padding at the end of keys in `a=crypto`", _YES, says=(("sdes", "pad"),)),
    FlagRow(Flag.RECRYPT, "decrypt and encrypt between SRTP and SRTP: it always is", _MOOT),
    # SDP (§3.8)
    FlagRow(Flag.ORIGINAL_SENDRECV, "copy direction attributes", _YES),
    FlagRow(Flag.LOOP_PROTECT, "mark the SDP as ours, and return a marked one unchanged", _YES),
    FlagRow(Flag.INACTIVE, "subscribe with `a=inactive`", _YES),
    # codecs (§3.9)
    FlagRow(Flag.ALWAYS_TRANSCODE, "accept every codec", says=(("codec", {"accept": ["all"]}),)),
    FlagRow(Flag.FORCE_TRANSCODING, "transcode between equal codecs too"),
    FlagRow(Flag.ALLOW_TRANSCODING, "`subscribe answer` may refuse codecs: those are held back", _YES),
    FlagRow(Flag.ALLOW_ASYMMETRIC_CODECS, "answers may use other payload types", also=("allow-asymmetric-codec",)),
    FlagRow(
        Flag.ALLOW_NO_CODEC_MEDIA,
        "a media without codecs gets port 0",
        _YES,
        also=("allow-empty-codec-media", "allow-no-codec-medias", "allow-empty-codec-medias"),
    ),
    FlagRow(Flag.SINGLE_CODEC, "answers keep the first codec only", _YES),
    FlagRow(Flag.REUSE_CODECS, "keep earlier preferences on re-offers", also=("no-codec-renegotiation",)),
    FlagRow(Flag.STATIC_CODECS, "do not change codecs toward the answerer", also=("static-codec",)),
    FlagRow(Flag.ASYMMETRIC_CODECS, "obsolete", _MOOT),
    FlagRow(Flag.SYMMETRIC_CODECS, "obsolete", _MOOT),
    FlagRow(Flag.REORDER_CODECS, "obsolete", _MOOT),
    # media (§3.10)
    FlagRow(Flag.STRICT_SOURCE, "drop packets from any other address than the learned one", _YES),
    FlagRow(Flag.MEDIA_HANDOVER, "follow a peer that changes its address", _YES),
    FlagRow(Flag.PIERCE_NAT, "empty packets toward the peer until it sends", _YES),
    FlagRow(Flag.NAT_WAIT, "send nothing to the peer until it sends", _YES),
    FlagRow(Flag.UNIDIRECTIONAL, "one-way media may take the fast path: it always may", _MOOT),
    FlagRow(Flag.GENERATE_RTCP, "send own RTCP reports", says=(("generate-rtcp", "on"),)),
    FlagRow(Flag.RTCP_MIRROR, "subscriptions: RTCP flows back too", _YES, also=("mirror-rtcp",)),
    FlagRow(Flag.PASSTHROUGH, "leave addresses and keys alone", says=(("passthrough", "on"),)),
    FlagRow(Flag.NO_PASSTHROUGH, "the opposite", says=(("passthrough", "off"),)),
    FlagRow(Flag.NO_JITTER_BUFFER, "no jitter buffer: there is none", _MOOT),
    FlagRow(
        Flag.BLOCK_SHORT,
        "drop undersized RTP of codecs with a fixed size",
        also=("block-shorts", "block-short-packet", "block-short-packets"),
    ),
    FlagRow(Flag.AUDIO_PLAYER, "a generated, mixed stream"),
    FlagRow(Flag.NO_AUDIO_PLAYER, "the opposite: there is none", _MOOT, also=("no-player",)),
    FlagRow(Flag.EARLY_MEDIA, "start the player with the offer"),
    FlagRow(Flag.MIX, "subscriptions: one output a media type", also=("mixed",)),
    FlagRow(Flag.BIDIRECTIONAL, "subscribe both ways"),
    FlagRow(Flag.EGRESS, "subscribe to what a party is sent"),
    FlagRow(Flag.SIPREC, "subscriptions for a recorder, with labels", _YES),
    FlagRow(Flag.BLOCK_EGRESS, "`play media`: other media to that party is suppressed"),
    # recording and DTMF (§3.11, §3.12)
    FlagRow(Flag.RECORD_CALL, "start recording", says=(("record-call", "yes"),)),
    FlagRow(Flag.DISCARD_RECORDING, "delete the recording"),
    FlagRow(Flag.SKIP_RECORDING_DB, "no database rows of the recording", also=("skip-recording-database",)),
    FlagRow(Flag.EXCLUDE_RECORDING, "leave this party out of the recording"),
    FlagRow(Flag.RECORDING_ANNOUNCEMENT, "play a file when recording starts"),
    FlagRow(Flag.RECORDING_VSC, "DTMF codes drive recording"),
    FlagRow(Flag.PAUSE, "`stop recording` pauses"),
    FlagRow(Flag.INJECT_DTMF, "`play DTMF` will be used"),
    FlagRow(Flag.BLOCK_DTMF, "block DTMF from the start"),
    FlagRow(Flag.DETECT_DTMF, "find DTMF in the audio"),
)

BY_SPELLING = spelled(((row.flag.value, *row.also), row) for row in ROWS)
