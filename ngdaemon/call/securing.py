"""Keys in an exchange: what the sender's words are worth, what the receiver is told, and which medias are refused.

Said in SDP what can be said there: an m-line that cannot be secured as asked gets port 0, and when no other is left the
whole request is refused, for the proxy to turn it into a 488 (ERR-01, ERR-02).
"""

from dataclasses import dataclass, field

from ngdaemon.base.errors import RequestError
from ngdaemon.base.sources import Rng
from ngdaemon.call import keying, wishes
from ngdaemon.call.allocate import Allocator
from ngdaemon.call.keying import Policy, Refused
from ngdaemon.call.model import Media
from ngdaemon.call.security import Keying
from ngdaemon.dtls.roles import Role
from ngdaemon.ng.options import Options
from ngdaemon.sdp.protocols import protocol_of

OSRTP_ACCEPTED = frozenset(("accept", "accept-rfc"))

NOT_ACCEPTABLE = 488
"""The SIP response code that suits (RFC 3261 §21.4.26)."""


@dataclass(slots=True)
class Securing:
    """The keys of one exchange."""

    options: Options
    policy: Policy
    rng: Rng
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Places of medias that were refused, and why."""

    def judge(self, media: Media, *, answers: bool) -> Media:
        """A media of the sender after what it says about keys: an offer, or with `answers` an answer to ours."""
        protocol = protocol_of(media.protocol, media.kind)
        if not media.active or not protocol.rtp:
            return media
        security = media.security
        try:
            if answers:
                security = keying.chosen(security, security.said, protocol, self.options, self.policy)
                security = security._replace(final=not wishes.is_provisional(self.options))
            else:
                why = keying.unusable(security.said, self.policy) if protocol.secure else ""
                if why:
                    raise Refused(why)
                roles = self.options.dtls & {"active", "passive"}
                security = security._replace(
                    role_wanted=Role(next(iter(roles))) if len(roles) == 1 else None,
                    words=self.options.sdes,
                    refused="",
                    final=True,
                )
        except Refused as refused:
            return self._refuse(media, str(refused))
        return media if security is media.security else media._replace(security=security)

    def tell(self, told: Media, said: Media, allocator: Allocator, *, answers: bool, moved: bool) -> Media:
        """A media of the receiver with what it is told about keys."""
        protocol = protocol_of(told.protocol, told.kind)
        if not told.active or not said.active or not protocol.rtp:
            return told
        step = keying.answer if answers else keying.offer
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
            return allocator.none(self._refuse(told, str(refused)))
        if not answers and Keying.DTLS in security.offered:
            security = security._replace(final=False)  # its answer may name another certificate, and come late (FP-12)
        return told if security is told.security else told._replace(security=security)

    def _is_opportunistic(self, told: Media, said: Media, *, answers: bool) -> bool:
        """Whether the receiver is told keys in a plain profile (RFC 8643).

        An offerer that asked for them is, if the answerer took some too, or the script says so. The receiver of an
        offer is, if the offerer asked for them in a plain profile, or the script does.
        """
        words = self.options.osrtp
        if answers:
            return told.security.said.asked and (said.security.keying is not None or bool(words & OSRTP_ACCEPTED))
        plain = not protocol_of(said.protocol, said.kind).secure
        return "offer" in words or (plain and said.security.said.asked)

    def _refuse(self, media: Media, why: str) -> Media:
        self.refusals.append((media.place, why))
        return media._replace(active=False, security=media.security._replace(refused=why))

    def check(self, medias: list[Media]) -> list[str]:
        """What the reply says of refused medias. Raises RequestError when none is left."""
        if not self.refusals:
            return []
        texts = [f"{place + 1}:{why}" for place, why in sorted(self.refusals)]
        if not any(media.active for media in medias):
            raise RequestError(f"no acceptable media security: {', '.join(texts)}", {"sip-code": NOT_ACCEPTABLE})
        return [f"no acceptable media security: {text}" for text in texts]
