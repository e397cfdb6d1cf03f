"""Keys in an exchange: what the sender's words are worth, what the receiver is told, and which medias are refused.

Said in SDP what can be said there: an m-line that cannot be secured as asked gets port 0, and when no other is left the
whole request is refused, for the proxy to turn it into a 488 (ERR-01, ERR-02).
"""

from dataclasses import dataclass, field

from ngdaemon.base.sources import Rng
from ngdaemon.call.model import Media
from ngdaemon.call.negotiation import answering, causes, negotiate, offering, wishes
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.causes import Cause, Refused
from ngdaemon.call.negotiation.keying import Policy, unusable
from ngdaemon.call.security import CLEAR, Keying
from ngdaemon.dtls.roles import Role
from ngdaemon.ng.options import Options
from ngdaemon.sdp.protocols import Protocol, protocol_of

OSRTP_ACCEPTED = frozenset(("accept", "accept-rfc", "offer"))
"""Words of `OSRTP` in an answer by which the offerer gets keys in a plain profile, whatever the answerer wants."""

PLAIN = frozenset(("RTP/AVP", "RTP/AVPF"))
"""Profiles whose media is clear, unless it is OSRTP."""


@dataclass(slots=True)
class Securing:
    """The keys of one exchange."""

    options: Options
    policy: Policy
    rng: Rng
    passing: bool = False
    """Keys pass end to end: they are not ours to judge."""
    refusals: list[tuple[int, Cause]] = field(default_factory=list)
    """Places of medias that were refused, and why."""

    def judge(self, media: Media, head: Media | None, *, answers: bool, direct: bool = False) -> Media:
        """A media of the sender after what it says about keys: an offer, or with `answers` an answer to ours.

        `head` is the media whose transport it shares: what that one says counts for both (RFC 8843 §7.1.3). What is
        `direct` has keys of the other leg's.
        """
        protocol = protocol_of(media.protocol, media.kind)
        if not media.active or self.passing:
            return media
        usual = media.told_protocol == media.protocol if answers else not media.mux_only
        if usual and media.security is CLEAR and not protocol.secure:
            return media
        if answers and _contradicts(media, protocol, direct=direct):
            return self._refuse(media, causes.OTHER_TRANSPORT)
        if direct or not protocol.rtp:
            return media
        if head is not None:
            return self._like(media, head)
        security = media.security
        try:
            if answers:
                told = protocol_of(media.told_protocol, media.kind)
                if told.secure and not media.twice:
                    # a plain profile in the answer to a secure one is no way out (S16)
                    protocol = told
                security = answering.chosen(security, security.said, protocol, self.options, self.policy)
                final = not wishes.is_provisional(self.options)
                security = security if security.final == final else security._replace(final=final)
            else:
                cause = unusable(security.said, self.policy) if protocol.secure else None
                if media.mux_only and (not media.mux_offered or not negotiate.can_mux(media, self.options)):
                    cause = causes.MUX_ONLY
                if cause is not None:
                    raise Refused(cause)
                security = security._replace(
                    role_wanted=self._role_wanted(media),
                    words=self.options.sdes,
                    settled=False,
                    refused="",
                    final=True,
                )
        except Refused as refused:
            return self._refuse(media, refused.cause)
        return media if security is media.security else media._replace(security=security)

    def _role_wanted(self, media: Media) -> Role | None:
        """Our role where the offerer leaves it to us: what the script says; None for the usual one.

        Behind a NAT, without ICE, only the offerer can begin: nothing that we send would get through before (S05).
        """
        roles = self.options.dtls & {"active", "passive"}
        if len(roles) == 1:
            return Role(next(iter(roles)))
        source = self.options.received_from
        is_behind_nat = media.ice_said is None and media.rtp is not None and source not in (None, media.rtp.address)
        return Role.PASSIVE if is_behind_nat else None

    def _like(self, media: Media, head: Media) -> Media:
        """A media that shares the transport of another one: its keys are those of that one.

        One that is to be protected does not go along where there are none (SET-05).
        """
        if not head.active or (protocol_of(media.protocol, media.kind).secure and not _is_protected(head)):
            return self._refuse(media, causes.of_group(head.security.refused))
        return media._replace(security=head.security._replace(said=media.security.said))

    def has_nothing_to_tell(self, told: Media, said: Media) -> bool:
        """Whether a media is clear, and nobody has ever spoken of keys: that is soon done."""
        if told.security is not CLEAR or said.security is not CLEAR or self.options.osrtp or told.bundled is not None:
            return False
        return not protocol_of(told.protocol, told.kind).secure

    def tell(
        self, told: Media, said: Media, head: Media | None, allocator: Allocator, *, answers: bool, moved: bool
    ) -> Media:
        """A media of the receiver with what it is told about keys. `head`: as above."""
        protocol = protocol_of(told.protocol, told.kind)
        if not told.active or not said.active or not protocol.rtp or told.direct or self.passing:
            return told
        if head is not None:
            return self._like(told, head)
        step = answering.answer if answers else offering.offer
        try:
            security = step(
                told.security,
                said.security,
                protocol,
                self.options,
                self.policy,
                self.rng,
                moved=moved,
                opportunistic=self._is_opportunistic(told, said, answers=answers),
            )
        except Refused as refused:
            return allocator.none(self._refuse(told, refused.cause))
        if not answers and Keying.DTLS in security.offered:
            security = security._replace(final=False)  # its answer may name another certificate, and come late (FP-12)
        return told if security is told.security else told._replace(security=security)

    def _is_opportunistic(self, told: Media, said: Media, *, answers: bool) -> bool:
        """Whether the receiver is told keys in a plain profile (RFC 8643).

        Not if the script names that profile and says nothing of OSRTP: then it wants plain media there. An offerer that
        asked for keys is told some, if the answerer took some too, or it had some, or the script says so. The receiver
        of an offer is, if the offerer asked for them in a plain profile, or the script does, or it has got keys that
        way; but not one that has shown that it wants none.
        """
        words = self.options.osrtp
        if not words and self.options.transport_protocol in PLAIN:
            return False
        if answers:
            keyed = said.security.keying is not None or told.security.keying is not None
            return told.security.said.asked and (keyed or bool(words & OSRTP_ACCEPTED))
        if "offer" in words or told.security.keying is not None:
            return True
        plain = not protocol_of(said.protocol, said.kind).secure
        return plain and said.security.said.asked and (not told.said or said.security.keying is None)

    def _refuse(self, media: Media, cause: Cause) -> Media:
        self.refusals.append((media.place, cause))
        return media._replace(active=False, security=media.security._replace(refused=cause.word))

    def check(self, medias: list[Media]) -> list[tuple[int, Cause]]:
        """The refused medias, by place. Raises RequestError when no other is left."""
        if self.refusals and not any(media.active for media in medias):
            raise causes.refusal(self.refusals)
        return sorted(self.refusals)


def _contradicts(media: Media, protocol: Protocol, *, direct: bool) -> bool:
    """Whether the `protocol` of an answer is another kind of transport than a secured one that was offered (S16).

    Where keys pass by us this is all that can be judged.
    """
    if media.told_protocol == media.protocol:
        return False
    told = protocol_of(media.told_protocol, media.kind)
    if direct:
        return told.secure != protocol.secure
    return bool(media.told_protocol) and told.rtp != protocol.rtp and (told.secure or protocol.secure)


def _is_protected(media: Media) -> bool:
    """Whether packets of a media are to be protected, by its profile or by what was agreed on."""
    security = media.security
    return protocol_of(media.protocol, media.kind).secure or security.keying is not None or security.required
