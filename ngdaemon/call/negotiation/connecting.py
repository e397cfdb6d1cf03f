"""ICE in an exchange: what the receiver of an offer or answer is told of it, media by media."""

from typing import NamedTuple

from ngdaemon.base.sources import Rng
from ngdaemon.call.connectivity import Ice, is_restart
from ngdaemon.call.model import Leg, Media
from ngdaemon.call.negotiation import icing
from ngdaemon.ice import credentials
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.session import SessionDescription

Pair = tuple[Media, Media]
"""The media of the one who speaks, and of the one who is told."""


class Connecting(NamedTuple):
    """The ICE of one exchange. `head` is the media whose transport is shared: its ICE is that of both (RFC 8843 §7)."""

    options: Options
    rng: Rng

    def offer(self, said: Media, told: Media, head: Media | None, *, answered: bool) -> Pair:
        """What is offered. `answered`: the receiver has shown what it can."""
        flags, asked = self.options.flags, said.ice_said
        rejected = Flag.REJECT_ICE in flags
        if said.ice_rejected != rejected or said.ice_reset != (Flag.RESET in flags):
            said = said._replace(ice_rejected=rejected, ice_reset=Flag.RESET in flags)
        if is_restart(asked, said.ice_answered):
            said = said._replace(controlling=False)
        if told.direct:
            return said, told._replace(ice=None if asked is None else icing.borrowed(asked, self.options))
        if head is not None:
            return said, self._told(told, head.ice)
        ice = icing.offer(
            told.ice_known,
            asked,
            None if told.ice_rejected else told.ice_said,
            self.options,
            self.rng,
            refused=told.ice_refused,
            rejected=rejected,
            answered=answered,
        )
        return said, self._told(told, ice)

    def answer(self, said: Media, told: Media, head: Media | None) -> Pair:
        """What an offerer is answered, and what it means that the other one answered so."""
        asked = told.ice_said
        if told.direct:
            ice = None if said.ice_said is None or asked is None else icing.borrowed(said.ice_said, self.options)
            return said, told._replace(ice=ice)
        if head is not None:
            ice = head.ice
        else:
            offered = None if told.ice_rejected else asked
            ice = icing.answer(told.ice_known, offered, told.ice_answered, self.options, self.rng, reset=told.ice_reset)
        if said.ice is not None:
            refused = said.ice_said is None
            said = said._replace(
                ice=None if refused else said.ice,
                ice_answered=said.ice_said,
                ice_refused=refused and said.bundled is None,
            )
        known = told.ice_known if ice is None else ice.local
        return said, told._replace(ice=ice, ice_known=known, ice_answered=asked, ice_reset=False)

    @staticmethod
    def _told(told: Media, ice: Ice | None) -> Media:
        if ice is None and told.ice is None:
            return told
        known = told.ice_known if ice is None else ice.local
        return told._replace(ice=ice, ice_known=known)


def restarted(told: Media, before: Media, rng: Rng) -> Media:
    """The media with other credentials of ours where it is told other ports than `before`."""
    ice, ports, old = told.ice, told.ports, before.ports
    if ice is None or ice.borrowed or ports is None or old is None or ports.rtp == old.rtp:
        return told
    if ice.local != before.ice_known:
        return told
    local = credentials.fresh(rng)
    return told._replace(ice=ice._replace(local=local), ice_known=local)


def with_fragment(leg: Leg, description: SessionDescription) -> Leg:
    """The leg with the candidates of a trickle fragment, which are for the media of that `mid`, or that place."""
    places = {media.mid: media.place for media in leg.medias if media.mid}
    medias = list(leg.medias)
    for number, section in enumerate(description.medias):
        place = places.get(section.get("mid") or "", number)
        before = medias[place].ice_said if place < len(medias) else None
        if before is not None:
            after = icing.fragment(section, description.session, before)
            medias[place] = medias[place]._replace(ice_said=after or before)
    return leg._replace(medias=tuple(medias))
