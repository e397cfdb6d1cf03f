"""One half of an offer/answer exchange: who speaks, who is told, and what both are to each other afterwards."""

from dataclasses import dataclass, field
from typing import Protocol

from ngdaemon.base.endpoint import Family, Interface
from ngdaemon.base.sources import Rng
from ngdaemon.call import negotiate, parties, rewrite, wishes
from ngdaemon.call.allocate import Allocator
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.origin import made_origin, told_origin, versioned
from ngdaemon.config import Config
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.session import MediaSection, SessionDescription


class Surroundings(Protocol):
    """What an exchange needs of the daemon."""

    config: Config
    interfaces: Interfaces
    rng: Rng
    instance: str


@dataclass(slots=True)
class Exchange:
    """The sender's SDP is folded into the call, and the SDP for the receiver comes out.

    `sender` and `receiver` are the legs as they were; `said` and `told` are their medias while the exchange goes on.
    """

    call: Call
    sender: Leg
    receiver: Leg
    is_answer: bool
    said: list[Media] = field(default_factory=list)
    told: list[Media] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    """Places of the m-lines of the sender's SDP among its medias."""
    toward_receiver: Interface = field(init=False)
    """The local address that faces the receiver."""

    def run(self, description: SessionDescription, options: Options, around: Surroundings, allocator: Allocator) -> str:
        """The SDP for the receiver; `call` is the new call afterwards. Raises RequestError."""
        self.sender = wishes.of_sender(self.sender, options, is_answer=self.is_answer)
        self.receiver = wishes.of_receiver(self.receiver, options, is_answer=self.is_answer)
        self.slots = self._answerable_slots(description)
        self.said = negotiate.hear(self.sender, self.slots, description, options, sip_source=around.config.sip_source)
        self._agree(options)
        self._allocate(options, around, allocator)
        return self._write(description, options, around)

    def _answerable_slots(self, description: SessionDescription) -> list[int]:
        """The places of the sender's m-lines. Those that answer nothing are cut off the description (RFC 3264 §6)."""
        slots = negotiate.slots(self.sender.medias, len(description.medias))
        if self.is_answer and any(media.said for media in self.receiver.medias):
            slots = [slot for slot in slots if slot < len(self.receiver.medias)]
            del description.medias[len(slots) :]
        return slots

    def _agree(self, options: Options) -> None:
        """What is told about each media, and what it means for the leg that said it."""
        said, told = self.said, list(self.receiver.medias)
        for slot in self.slots:
            for place in range(len(told), slot):
                # withheld from the one who speaks now: it does not exist for a newcomer either
                told.append(Media(place, said[place].kind, said[place].protocol, active=False, removed=True))
            before = told[slot] if slot < len(told) else None
            if self.is_answer and before is not None and before.said:
                media, said[slot] = negotiate.answered(before, said[slot], options)
            else:
                media = negotiate.offered(self.receiver, said[slot], before, options, is_answer=self.is_answer)
                said[slot] = negotiate.settle_offerer(said[slot], options)
            if before is None:
                told.append(media)
            else:
                told[slot] = media
        self.told = told
        self._let_go()

    def _let_go(self) -> None:
        """Medias that were shown to the sender and have no m-line in its SDP any more carry nothing (RFC 3264 §8)."""
        for place in set(range(len(self.said))).difference(self.slots):
            said = self.said[place]
            if not said.removed:
                self.said[place] = said._replace(said=False, active=False)
                if place < len(self.told):
                    self.told[place] = self.told[place]._replace(active=False)

    def _allocate(self, options: Options, around: Surroundings, allocator: Allocator) -> None:
        """Local ports facing both legs."""
        sender_family = _family(self.said) or Family.IP4
        receiver_family = self.receiver.family or _family(self.told) or sender_family
        toward_sender = around.interfaces.choose(self.sender.interface, self.sender.family or sender_family)
        toward_receiver = around.interfaces.choose(self.receiver.interface, receiver_family)
        self.toward_receiver = toward_receiver
        latching = Flag.PORT_LATCHING in options.flags
        for index, (speaking, hearing) in enumerate(zip(self.said, self.told, strict=False)):
            keep = latching or not speaking.receives
            if speaking.ports is None or not speaking.active:
                self.said[index] = allocator.for_media(speaking, toward_sender, hearing.rtp, keep=keep)
            hearing = allocator.for_media(hearing, toward_receiver, speaking.rtp, keep=keep)
            self.told[index] = allocator.single(hearing) if self.is_answer and hearing.muxed else hearing

    def _write(self, description: SessionDescription, options: Options, around: Surroundings) -> str:
        """The SDP for the receiver, its `o=` last because its version depends on all the rest."""
        local, family = self.toward_receiver.advertised, self.toward_receiver.family
        sent = self.receiver.sent
        origin = told_origin(description.origin or made_origin(around.rng, local), options.replace, sent, local)
        first_name, session_name = self._session_name(description, options, around.config.software_id)
        telling = rewrite.Telling(description, options, self.is_answer, around.instance, session_name, family)
        lines = rewrite.session_lines(telling, str(origin))
        for slot, section in self._sections(description):
            told = self.told[slot]
            if section is None:
                lines.extend(rewrite.absent_lines(told, family))
            elif not told.removed:
                lines.extend(rewrite.media_lines(rewrite.MediaTelling(telling, section, self.said[slot], told)))
        origin, memory = versioned(origin, options.replace, sent, lines)
        lines[1] = f"o={origin}"
        sender = self.sender._replace(
            answered=True, medias=tuple(self.said), session_name=first_name, description=description.text
        )
        receiver = self.receiver._replace(medias=tuple(self.told), sent=memory)
        self.call = parties.with_legs(self.call, sender, receiver)
        lines.append("")
        return "\r\n".join(lines)

    def _session_name(self, description: SessionDescription, options: Options, software: str) -> tuple[str, str]:
        """The first `s=` value of the sender, and the one to write: that (`session-name`), the present one, or ours."""
        said = software if description.session_name is None else description.session_name
        first = self.sender.session_name
        if first is None:
            return said, said
        return first, first if "session-name" in options.replace else said

    def _sections(self, description: SessionDescription) -> list[tuple[int, MediaSection | None]]:
        """The m-lines to write, by place; None for those that the sender was not shown, or left out of its answer."""
        by_slot: dict[int, MediaSection | None] = dict(zip(self.slots, description.medias, strict=True))
        if self.is_answer:
            offered = (media.place for media in self.told if media.said and not media.removed)
            by_slot.update({place: None for place in offered if place not in by_slot})
        return sorted(by_slot.items())


def _family(medias: list[Media]) -> Family | None:
    """The address family of a leg's own SDP."""
    for media in medias:
        if media.said and media.rtp is not None:
            return media.rtp.family
    return None
