"""The facts of a call, frozen: legs, their medias, local ports, and who receives from whom.

They are named tuples because they change by copying, some dozen times a request: `_replace` costs a sixth of what it
costs with frozen dataclasses, and that of `quick` ones a third of that.

Every request makes a new `Call` out of the old one; the old one stays in force until the new one is complete.
`LegId` is the place of a leg in `Call.legs`: legs are never taken out, only marked as ended.
"""

from collections.abc import Collection
from typing import NamedTuple, NewType

from ngdaemon.base.choice import Choice
from ngdaemon.base.endpoint import Endpoint, Family, Interface, is_unspecified
from ngdaemon.base.ids import CallId, SocketId, Tag
from ngdaemon.base.record import quick
from ngdaemon.call.connectivity import Ice, SaidIce
from ngdaemon.call.security import CLEAR, Security
from ngdaemon.dtls.certificate import Identity
from ngdaemon.ice.credentials import Credentials
from ngdaemon.sdp.codecs import Codec

LegId = NewType("LegId", int)


class Block(Choice):
    """What commands may hold back of the media that a party sends (ng-protocol.md §2.7)."""

    MEDIA = "media"
    """Everything but DTMF events."""
    DTMF = "DTMF"
    """DTMF events (RFC 4733)."""
    SILENCE = "silence"
    """Audio passes as silence."""


NO_BLOCKS: frozenset[Block] = frozenset()


class Kind(Choice):
    """What one leg receives from another for; the value is the `type` in `query`."""

    OFFER_ANSWER = "offer/answer"
    PUB_SUB = "pub/sub"
    """A copy, which the source knows nothing of."""


class Copied(NamedTuple):
    """The media of which a subscriber gets a copy."""

    leg: LegId
    place: int


class LocalPort(NamedTuple):
    """A bound UDP port of ours."""

    socket: SocketId
    port: int


@quick
class PortSet(NamedTuple):
    """The local ports that one media of a leg is told to send to.

    They belong to the endpoint of the *other* side at the time: when that changes the leg is told other ports, when it
    comes back the former ports come back (ng-protocol.md §4.11).
    """

    interface: Interface
    rtp: LocalPort
    rtcp: LocalPort | None
    """None when RTCP shares the RTP port, or there is no RTCP."""
    far: Endpoint | None
    """The other side's RTP endpoint; None while not known."""
    paired: bool = True
    """There was a port for RTCP when it was opened."""
    others: tuple["PortSet", ...] = ()
    """The same at the further addresses of the logical interface, with ICE."""

    @property
    def sets(self) -> tuple["PortSet", ...]:
        """One for each local address, this one first."""
        return (self, *self.others)

    @property
    def ports(self) -> tuple[LocalPort, ...]:
        """Those of all addresses."""
        own = (self.rtp,) if self.rtcp is None else (self.rtp, self.rtcp)
        return own if not self.others else own + tuple(port for item in self.others for port in item.ports)


@quick
class Media(NamedTuple):
    """One `m=` line of a leg: what the leg said of it, and what we agreed with the leg."""

    place: int
    """From 0."""
    kind: str
    """`audio`, `video`, `image`, …"""
    protocol: str
    """The transport in use toward this leg, as written in its `m=` line."""
    told_protocol: str = ""
    """The transport that the leg was offered last."""
    agreed: str = ""
    """The transport that was in force after the last answer: an offer changes nothing before it is answered (RFC 3264
    §8). "" before the first answer."""
    active: bool = True
    """False for a media that was refused or ended (port 0)."""
    said: bool = False
    """The leg's own SDP is known; until then all that follows is what we offered to it."""
    codecs: tuple[Codec, ...] = ()
    told_codecs: tuple[Codec, ...] = ()
    """The codecs that the leg was told last."""
    formats: tuple[str, ...] = ()
    """The formats as written."""
    rtp: Endpoint | None = None
    """Where the leg says that it receives."""
    rtcp: Endpoint | None = None
    """Where the leg receives RTCP unless it is `muxed`; None when there is no RTCP."""
    aimed: tuple[Endpoint | None, Endpoint | None] = (None, None)
    """The same of RTP and RTCP as it was before ICE: with ICE a later SDP does not change where packets go."""
    plausible: frozenset[str] = frozenset()
    """Addresses from which the leg's packets may come: signalled ones and the SIP source (design.md §5)."""
    direction: str = ""
    """The direction as the leg wrote it; "" for none."""
    sends: bool = True
    """The leg may send media to us."""
    receives: bool = True
    """The leg wants to receive media from us."""
    feedback: bool = False
    """The leg's SDP has `rtcp-fb` lines."""
    mux_offered: bool = False
    """The leg's own offer asked for rtcp-mux."""
    mux_only: bool = False
    """The leg's own offer does without an RTCP port (`rtcp-mux-only`, RFC 8858)."""
    muxed: bool = False
    """RTP and RTCP share a port toward this leg (RFC 5761), agreed in both directions."""
    mux_told: bool = False
    """What we told the leg last had `a=rtcp-mux`."""
    mux_known: bool = False
    """It had that the time before too: no other RTCP port is offered any more."""
    mux_required: bool = False
    """The leg is offered a single port only (`rtcp-mux=require`)."""
    mux_policy: str = ""
    """How the leg's offer of rtcp-mux is to be answered: "accept", "reject", or "" for as the answerer does."""
    mid: str | None = None
    mid_extension: int = 0
    """The number of the MID header extension (RFC 9143) in the leg's packets; 0 for none."""
    mid_added: int = 0
    """The number of the MID header extension that we offered the leg and the other leg knows nothing of; 0 for none."""
    ssrcs: frozenset[int] = frozenset()
    """The sources that the leg's SDP names (`a=ssrc`)."""
    group: int | None = None
    """The place of the first media of the BUNDLE group in which the leg's own SDP has this one; None for no group."""
    grouped: bool = False
    """What we told the leg last has the media in our BUNDLE group."""
    bundled: int | None = None
    """The place of the media whose transport (ports, ICE, DTLS) this one shares (RFC 8843); None for one of its own."""
    security: Security = CLEAR
    """How packets are protected between the leg and us."""
    ice_said: SaidIce | None = None
    """ICE of the leg's newest SDP; None for none."""
    ice_answered: SaidIce | None = None
    """The same of the SDP that was last answered, or answered us: other credentials since are a restart."""
    ice: Ice | None = None
    """What the leg was told of ICE last; None for nothing."""
    ice_known: Credentials | None = None
    """Our credentials that the leg was told last, also where ICE is not used at present."""
    ice_reset: bool = False
    """The leg's own offer asked for new credentials of ours (`reset`)."""
    direct: bool = False
    """The leg was told the other leg's own address, keys and ICE credentials: media passes us by, or unread
    (`ICE=optional`, `ICE=force-relay`)."""
    ice_refused: bool = False
    """The leg answered an offer of ICE without it: it is not offered again (ng-protocol.md §4.8)."""
    ice_rejected: bool = False
    """The leg's own offer of ICE is to be answered without it (`ICE-reject`)."""
    ptime: str | None = None
    """Packet time in force for the leg (`a=ptime`, milliseconds): what it asked for or was told last."""
    own_ptime: str | None = None
    """The packet time of its newest SDP."""
    maxptime: str | None = None
    ports: PortSet | None = None
    """What the leg is told to send to."""
    former: tuple[PortSet, ...] = ()
    """Port sets of earlier endpoints of the other side; bound until the call ends."""
    controlling: bool = False
    """The leg was first offered this media: with ICE we are the controlling side toward it (RFC 8445 §6.1.1)."""
    mixed: bool | None = None
    """Whether the leg's SDP has `extmap-allow-mixed` (RFC 8285 §6); None where it has no header extensions."""
    twice: bool = False
    """The leg was offered the media in the clear as well (`OSRTP=offer-legacy`): it may answer so."""
    removed: bool = False
    """Withheld from this leg by `sdp-media-remove`."""
    withheld: bool = False
    """Withheld from the other leg: nothing becomes of it."""
    copied: Copied | None = None
    """What the leg, a subscriber, gets here."""
    label: str = ""
    """The number by which recorders know this media (RFC 7866), once there was one."""

    @property
    def port_sets(self) -> tuple[PortSet, ...]:
        """All ports that are held for the media, those in use first. A refused media may hold former ones."""
        return self.former if self.ports is None else (self.ports, *self.former)

    @property
    def is_answered(self) -> bool:
        """Whether the leg has both said something of the media and been told something."""
        return self.said and bool(self.told_codecs)

    @property
    def is_zero(self) -> bool:
        """Whether the leg told the zero address: it does not want to be sent to (old hold, RFC 3264 §8.4).

        With trickle ICE it only says that no address is known yet (RFC 8840 §4.1.1).
        """
        if self.rtp is None or not is_unspecified(self.rtp.address):
            return False
        return self.ice_said is None or not self.ice_said.trickle


@quick
class SentOrigin(NamedTuple):
    """What a leg was told in `o=`, for the `replace` options (ng-protocol.md §4.9)."""

    username: str
    session_id: str
    version: int
    family: str
    address: str
    body: str = ""
    """The SDP as last sent, without its version; only kept while versions are ours."""

    def __repr__(self) -> str:
        return f"SentOrigin({self.session_id} {self.version})"  # the body holds keys of ours (S17)


@quick
class Leg(NamedTuple):
    """One participant: half of a dialogue. `tag` is "" until its tag is known."""

    id: LegId
    tag: Tag
    created: int
    """Wall-clock microseconds."""
    via_branch: str = ""
    label: str = ""
    metadata: str = ""
    aliases: tuple[Tag, ...] = ()
    medias: tuple[Media, ...] = ()
    interface: str | None = None
    """The logical interface that faces this leg, once `direction` named one."""
    family: Family | None = None
    """The address family asked for by `address-family`."""
    lite: bool = False
    """We are ICE-lite toward the leg."""
    protocol: str | None = None
    """The `transport-protocol` asked for toward this leg."""
    sent: SentOrigin | None = None
    session_name: str | None = None
    """The first `s=` that the leg itself wrote."""
    description: str = ""
    """The newest session description that the leg itself wrote, for those who subscribe to it."""
    alone: bool = False
    """The leg speaks with the daemon only (`publish`, `create`): it lives although nobody is joined to it."""
    answered: bool = False
    """The leg's SDP was seen."""
    final: bool = False
    """A final response was seen from this leg."""
    ended: bool = False
    """Marked deleted."""
    blocks: frozenset[Block] = NO_BLOCKS
    """Blocks of what this leg sends."""
    identity: Identity | None = None
    """The certificate that we show this leg in DTLS handshakes, once one was needed (FP-08)."""
    bundling: bool = False
    """The leg's BUNDLE groups are understood, and offered to it again (RFC 8843)."""
    relayed: bool = False
    """The leg's media passes end to end, keys included (`mode=relay`, RFC 7879)."""
    learning: str | None = None
    """`endpoint-learning` asked for; None is the daemon's."""
    strict_source: bool = False
    handover: bool = False
    asymmetric: bool = False
    nat_wait: bool = False
    pierce_nat: bool = False

    def __repr__(self) -> str:
        return f"Leg({self.id}, {self.tag!r}, {self.medias!r})"  # its description may hold keys (S17)

    def has_tag(self, tag: str) -> bool:
        """Whether the leg is known by that tag."""
        return bool(tag) and (self.tag == tag or tag in self.aliases)

    @property
    def is_subscriber(self) -> bool:
        """Whether the leg only gets copies: it is no party of the call."""
        return any(media.copied is not None for media in self.medias)


class Subscription(NamedTuple):
    """`subscriber` receives what `source` sends.

    Offer and answer make two of them, media by media in order; what a subscriber to copies gets is said by its medias.
    """

    subscriber: LegId
    source: LegId
    blocks: frozenset[Block] = NO_BLOCKS
    kind: Kind = Kind.OFFER_ANSWER
    mirrored: bool = False
    """RTCP flows back from the subscriber to the source (`RTCP-mirror`); only asked for copies."""


@quick
class Call(NamedTuple):
    """Everything under one call-id."""

    id: CallId
    created: int
    """Wall-clock microseconds."""
    last_signal: int
    """Wall-clock microseconds of the newest offer or answer."""
    legs: tuple[Leg, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    tos: int | None = None
    """TOS octet of this call; None leaves the system's."""
    generation: int = 0
    """Counts offers and answers; endpoint learning starts anew with each."""
    metadata: str = ""
    created_from: str = ""
    """Where the first request came from, for the logs."""
    drop_traffic: bool = False
    blocks: frozenset[Block] = NO_BLOCKS
    """Blocks of the whole call, apart from those of parties."""

    def leg(self, number: LegId) -> Leg:
        return self.legs[number]

    def sources_of(self, leg: LegId) -> tuple[LegId, ...]:
        """The legs that a leg receives from."""
        return tuple(item.source for item in self.subscriptions if item.subscriber == leg)

    def partners_of(self, leg: LegId) -> tuple[LegId, ...]:
        """The legs that a leg is joined to by offer and answer."""
        return tuple(
            item.source for item in self.subscriptions if item.subscriber == leg and item.kind is Kind.OFFER_ANSWER
        )

    def is_over(self, gone: Collection[LegId] = ()) -> bool:
        """Whether no party is left when these legs are gone: subscribers to copies keep no call alive."""
        if any(leg.alone and not leg.ended and leg.id not in gone for leg in self.legs):
            return False
        return all(
            item.kind is Kind.PUB_SUB or item.subscriber in gone or item.source in gone for item in self.subscriptions
        )

    def subscribers_of(self, leg: LegId) -> tuple[LegId, ...]:
        """The legs that receive from a leg."""
        return tuple(item.subscriber for item in self.subscriptions if item.source == leg)
