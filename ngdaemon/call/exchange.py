"""One half of an offer/answer exchange: who speaks, who is told, and what both are to each other afterwards."""

from dataclasses import dataclass, field
from typing import Protocol

from ngdaemon.base.endpoint import Family, Interface
from ngdaemon.base.sources import Rng
from ngdaemon.call import icing, negotiate, parties, rewrite, wishes
from ngdaemon.call.allocate import Allocator
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.keying import Policy
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.origin import made_origin, told_origin, versioned
from ngdaemon.call.securing import Securing
from ngdaemon.config import Config
from ngdaemon.dtls.certificate import Identity
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import MediaSection, SessionDescription


class Identities(Protocol):
    """Certificates for DTLS handshakes, made ahead."""

    def take(self) -> Identity: ...


class Surroundings(Protocol):
    """What an exchange needs of the daemon."""

    config: Config
    interfaces: Interfaces
    rng: Rng
    instance: str
    policy: Policy
    identities: Identities


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
    warnings: list[str] = field(default_factory=list)
    """What the reply says beside the SDP."""
    toward_receiver: Interface = field(init=False)
    """The local address that faces the receiver."""

    def run(self, description: SessionDescription, options: Options, around: Surroundings, allocator: Allocator) -> str:
        """The SDP for the receiver; `call` is the new call afterwards. Raises RequestError."""
        self.sender = wishes.of_sender(self.sender, options, is_answer=self.is_answer)
        self.receiver = wishes.of_receiver(self.receiver, options, is_answer=self.is_answer)
        self.slots = self._answerable_slots(description)
        self.said = negotiate.hear(self.sender, self.slots, description, options, sip_source=around.config.sip_source)
        self._forget_transport(options)
        securing = Securing(options, around.policy, around.rng)
        self._agree(options, securing)
        self._allocate(options, around, allocator)
        self._secure(securing, around, allocator)
        self._connect(options, around)
        return self._write(description, options, around)

    def _forget_transport(self, options: Options) -> None:
        """A sender that comes with another transport makes what was asked for toward the receiver moot (§4.5)."""
        changed = any(
            before.said and before.protocol != now.protocol
            for before, now in zip(self.sender.medias, self.said, strict=False)
        )
        if changed and not self.is_answer and options.transport_protocol is None:
            self.receiver = self.receiver._replace(protocol=None)

    def _answerable_slots(self, description: SessionDescription) -> list[int]:
        """The places of the sender's m-lines. Those that answer nothing are cut off the description (RFC 3264 §6)."""
        slots = negotiate.slots(self.sender.medias, len(description.medias))
        if self.is_answer and any(media.said for media in self.receiver.medias):
            slots = [slot for slot in slots if slot < len(self.receiver.medias)]
            del description.medias[len(slots) :]
        return slots

    def _agree(self, options: Options, securing: Securing) -> None:
        """What is told about each media, and what it means for the leg that said it."""
        said, told = self.said, list(self.receiver.medias)
        for slot in self.slots:
            for place in range(len(told), slot):
                # withheld from the one who speaks now: it does not exist for a newcomer either
                told.append(Media(place, said[place].kind, said[place].protocol, active=False, removed=True))
            before = told[slot] if slot < len(told) else None
            answers = self.is_answer and before is not None and before.said
            said[slot] = securing.judge(said[slot], answers=answers)
            if answers and before is not None:
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
            # A side that speaks ICE stays where it is: without new credentials it would not look for a new port.
            keep = latching or not speaking.receives or hearing.ice is not None
            if speaking.ports is None or not speaking.active:
                self.said[index] = allocator.for_media(speaking, toward_sender, hearing.rtp, keep=keep)
            hearing = allocator.for_media(hearing, toward_receiver, speaking.rtp, keep=keep)
            self.told[index] = allocator.single(hearing) if self.is_answer and hearing.muxed else hearing

    def _secure(self, securing: Securing, around: Surroundings, allocator: Allocator) -> None:
        """What the receiver is told about keys, now that it is known whether its ports are new."""
        for slot in self.slots:
            before = self.receiver.medias[slot] if slot < len(self.receiver.medias) else None
            answers = self.is_answer and before is not None and before.said
            moved = before is not None and before.ports is not None and before.ports != self.told[slot].ports
            told = securing.tell(self.told[slot], self.said[slot], allocator, answers=answers, moved=moved)
            self.told[slot] = told
            if told.security.hashes and self.receiver.identity is None:
                self.receiver = self.receiver._replace(identity=around.identities.take())
        self.warnings = securing.check([self.told[slot] for slot in self.slots])

    def _connect(self, options: Options, around: Surroundings) -> None:
        """What the receiver is told of ICE."""
        for slot in self.slots:
            said, told = self.said[slot], self.told[slot]
            before = self.receiver.medias[slot] if slot < len(self.receiver.medias) else None
            if not told.active or not said.active or not protocol_of(told.protocol, told.kind).rtp:
                continue
            if self.is_answer and before is not None and before.said:
                offered = None if told.ice_rejected else told.ice_said
                ice = icing.answer(told.ice, offered, told.ice_answered, said.ice_said, options, around.rng)
                self.told[slot] = told._replace(ice=ice, ice_answered=told.ice_said)
                refused = said.ice is not None and said.ice_said is None
                if said.ice is not None:
                    self.said[slot] = said._replace(
                        ice=None if refused else said.ice, ice_answered=said.ice_said, ice_refused=refused
                    )
            else:
                ice = icing.offer(told.ice, said.ice_said, options, around.rng, refused=told.ice_refused)
                self.told[slot] = told._replace(ice=ice)
                self.said[slot] = said._replace(ice_rejected=Flag.REJECT_ICE in options.flags)

    def _write(self, description: SessionDescription, options: Options, around: Surroundings) -> str:
        """The SDP for the receiver, its `o=` last because its version depends on all the rest."""
        local, family = self.toward_receiver.advertised, self.toward_receiver.family
        sent = self.receiver.sent
        origin = told_origin(description.origin or made_origin(around.rng, local), options.replace, sent, local)
        first_name, session_name = self._session_name(description, options, around.config.software_id)
        telling = rewrite.Telling(
            description,
            options,
            self.is_answer,
            around.instance,
            session_name,
            family,
            self.receiver.identity,
            lite=self.receiver.lite,
        )
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
