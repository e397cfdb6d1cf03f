"""One half of an offer/answer exchange: who speaks, who is told, and what both are to each other afterwards."""

from dataclasses import dataclass, field
from typing import Protocol

from ngdaemon.base.endpoint import Endpoint, Family, Interface
from ngdaemon.base.sources import Rng
from ngdaemon.call import facing, parties
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.negotiation import bundling, doubling, icing, negotiate, relaying, rewrite, wishes
from ngdaemon.call.negotiation.allocate import Allocator
from ngdaemon.call.negotiation.causes import Cause
from ngdaemon.call.negotiation.connecting import Connecting, restarted
from ngdaemon.call.negotiation.keying import Policy
from ngdaemon.call.negotiation.origin import made_origin, told_origin, versioned
from ngdaemon.call.negotiation.securing import Securing
from ngdaemon.call.negotiation.telling import MediaTelling, Telling
from ngdaemon.config import Config
from ngdaemon.dtls.certificate import Identity
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import Protocol as Transport
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
    refusals: list[tuple[int, Cause]] = field(default_factory=list)
    """Places of the medias that were refused, and why, where the call goes on without them."""
    toward_receiver: Interface = field(init=False)
    """The local address that faces the receiver."""

    def run(self, description: SessionDescription, options: Options, around: Surroundings, allocator: Allocator) -> str:
        """The SDP for the receiver; `call` is the new call afterwards. Raises RequestError."""
        self.sender = wishes.of_sender(self.sender, options, is_answer=self.is_answer)
        self.receiver = wishes.of_receiver(self.receiver, options, is_answer=self.is_answer)
        if options.mode is not None:
            self.sender = relaying.applied(self.sender, options)
            self.receiver = relaying.applied(self.receiver, options)
        if self._is_relayed():
            relaying.check(options)
        if self.is_answer:
            doubling.folded(description, self.sender.medias)
        self.slots = self._answerable_slots(description)
        twins = doubling.twins(description, options)
        said = negotiate.hear(self.sender, self.slots, description, options, sip_source=around.config.sip_source)
        self.sender, self.said = bundling.of_sender(self.sender, said, options, is_answer=self.is_answer)
        self._forget_transport(options)
        securing = Securing(options, around.policy, around.rng, passing=self._is_relayed())
        self._agree(options, securing, {self.slots[number] for number in twins})
        self._bundle(description, options)
        connected = self._uses_ice(options)
        if connected:
            self._connect(options, around)
        self._allocate(options, around, allocator)
        if connected:
            self._restart(around)
        self._secure(securing, around, allocator)
        self.said = [_with_open(self.sender, media) for media in self.said]
        self.told = [_with_open(self.receiver, media) for media in self.told]
        return self._write(description, options, around)

    def _forget_transport(self, options: Options) -> None:
        """A sender that comes with another transport makes what was asked for toward the receiver moot (§4.5)."""
        if self.is_answer or self.receiver.protocol is None or options.transport_protocol is not None:
            return
        if any(map(self._changes_transport, self.slots)):
            self.receiver = self.receiver._replace(protocol=None)

    def _changes_transport(self, slot: int) -> bool:
        """Whether the sender comes with another transport than before."""
        before = self.sender.medias[slot] if slot < len(self.sender.medias) else None
        return before is not None and before.said and before.protocol != self.said[slot].protocol

    def _answerable_slots(self, description: SessionDescription) -> list[int]:
        """The places of the sender's m-lines. Those that answer nothing are cut off the description (RFC 3264 §6)."""
        slots = negotiate.slots(self.sender.medias, len(description.medias))
        if self.is_answer and any(media.said for media in self.receiver.medias):
            slots = [slot for slot in slots if slot < len(self.receiver.medias)]
            del description.medias[len(slots) :]
        return slots

    def _agree(self, options: Options, securing: Securing, twins: set[int]) -> None:
        """What is told about each media, and what it means for the leg that said it."""
        said, told = self.said, list(self.receiver.medias)
        for slot in self._heads_first(said):
            for place in range(len(told), slot):
                # withheld from the one who speaks now: it does not exist for a newcomer either
                told.append(Media(place, said[place].kind, said[place].protocol, active=False, removed=True))
            before = told[slot] if slot < len(told) else None
            answers = self.is_answer and before is not None and before.said
            protocol = self._protocol(slot, before, options, answers=answers)
            direct = self._passes_by(said[slot], before, protocol, options, answers=answers)
            said[slot] = securing.judge(said[slot], self._head(said, slot), answers=answers, direct=direct)
            if answers and before is not None:
                media, said[slot] = negotiate.answered(before, said[slot], options, protocol)
            else:
                removed = slot in twins
                media = negotiate.offered(
                    self.receiver, said[slot], before, options, protocol, is_answer=self.is_answer, removed=removed
                )
                twice = doubling.is_offered(media, said[slot], options)
                media = media if media.twice == twice else media._replace(twice=twice)
                said[slot] = negotiate.settle_offerer(said[slot], options, removed=removed)
            if media.direct != direct:
                media = media._replace(direct=direct)
            if before is None:
                told.append(media)
            else:
                told[slot] = media
        self.told = told
        self._let_go()

    def _protocol(self, slot: int, before: Media | None, options: Options, *, answers: bool) -> Transport:
        """The transport toward the receiver. Raises RequestError where it cannot pass as it is, and is to."""
        said = self.said[slot]
        if answers and before is not None:
            protocol = negotiate.answered_protocol(before, said, options)
        else:
            changed = self._changes_transport(slot)
            protocol = negotiate.offered_protocol(self.receiver, said, before, options, changed=changed)
        if self._is_relayed():
            relaying.check_media(said, before, protocol, is_answer=answers)
        return protocol

    def _passes_by(
        self, said: Media, before: Media | None, protocol: Transport, options: Options, *, answers: bool
    ) -> bool:
        """Whether the sender's own address and keys pass, as is asked for: in an answer if the offer's did too."""
        if not options.ice or not protocol.rtp:
            return False
        if answers and before is not None:
            return said.direct and icing.is_direct(options, before.ice_said)
        return icing.is_direct(options, said.ice_said) and relaying.passes_by(said, before, protocol)

    def _heads_first(self, medias: list[Media]) -> list[int]:
        """The places of the m-lines, those that share a transport behind those that have it."""
        if len(self.slots) < 2:
            return self.slots
        return sorted(self.slots, key=lambda slot: medias[slot].bundled is not None)

    def _head(self, medias: list[Media], slot: int) -> Media | None:
        """The media whose transport another one shares; None for one with a transport of its own."""
        head = medias[slot].bundled
        return None if head is None else medias[head]

    def _answers(self, slot: int) -> bool:
        """Whether the receiver's media was offered by itself."""
        before = self._before(slot)
        return self.is_answer and before is not None and before.said

    def _before(self, slot: int) -> Media | None:
        """The receiver's media as it was; None for a new one."""
        return self.receiver.medias[slot] if slot < len(self.receiver.medias) else None

    def _is_relayed(self) -> bool:
        """Whether keys and packets pass end to end."""
        return self.sender.relayed or self.receiver.relayed

    def _bundle(self, description: SessionDescription, options: Options) -> None:
        """What the receiver is told of groups."""
        if self._is_relayed():
            self.told = bundling.broken_up(self.told)
        elif self.is_answer:
            if self.receiver.bundling or any(media.group is not None or media.grouped for media in self.told):
                self.receiver, self.told = bundling.answered(self.receiver, self.told, self.said)
        elif self._groups(options):
            extension = bundling.free_extension(description.medias, options)
            self.receiver, self.told = bundling.of_receiver(
                self.receiver, self.told, self.said, self.slots, options, extension
            )

    def _groups(self, options: Options) -> bool:
        """Whether the receiver of an offer is told, or was told, of a group, or of identifiers of ours."""
        if options.bundle or self.receiver.bundling or Flag.GENERATE_MID in options.flags:
            return True
        return any(media.grouped or media.mid_added for media in self.told)

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
        moves = Flag.NO_PORT_LATCHING not in options.flags
        for index, (speaking, hearing) in enumerate(zip(self.said, self.told, strict=False)):
            keep = latching or not speaking.receives or (moves and _has_ice(speaking, hearing))
            if speaking.ports is None or not speaking.active:
                self.said[index] = self._ported(speaking, toward_sender, hearing.rtp, allocator, around, keep=keep)
            hearing = self._ported(hearing, toward_receiver, speaking.rtp, allocator, around, keep=keep)
            agreed = hearing.muxed and (self.is_answer or hearing.mux_known)
            self.told[index] = allocator.single(hearing) if agreed else hearing

    def _facing(self, media: Media, interface: Interface, around: Surroundings, *, keep: bool) -> Interface:
        """The local address for a media. What keeps its ports moves only to a logical interface of another size."""
        if media.ports is None or not keep:
            return interface
        known = media.ports.interface
        same = len(around.interfaces.beside(known)) == len(around.interfaces.beside(interface))
        return known if same else interface

    def _ported(
        self,
        media: Media,
        interface: Interface,
        far: Endpoint | None,
        allocator: Allocator,
        around: Surroundings,
        *,
        keep: bool,
    ) -> Media:
        """A media with the ports that its leg is to be told: with ICE at all addresses of the logical interface."""
        if media.bundled is not None:
            return allocator.none(media)
        interface = self._facing(media, interface, around, keep=keep)
        media = allocator.for_media(media, interface, far, keep=keep)
        return media if media.ice is None else allocator.spread(media, around.interfaces.beside(interface))

    def _restart(self, around: Surroundings) -> None:
        """New ports are another ICE session: its credentials are new (ICE-08)."""
        for slot in self._heads_first(self.told):
            before, told, head = self._before(slot), self.told[slot], self._head(self.told, slot)
            if head is not None:
                self.told[slot] = told._replace(ice=head.ice, ice_known=head.ice_known)
            elif before is not None and before.ports is not None and told.ports is not None:
                self.told[slot] = restarted(told, before, around.rng)

    def _secure(self, securing: Securing, around: Surroundings, allocator: Allocator) -> None:
        """What the receiver is told about keys, now that it is known whether its ports are new."""
        for slot in self._heads_first(self.told):
            told = self.told[slot]
            if securing.has_nothing_to_tell(told, self.said[slot]):
                continue
            before = self._before(slot)
            moved = before is not None and before.ports is not None and before.ports != told.ports
            told = securing.tell(
                told,
                self.said[slot],
                self._head(self.told, slot),
                allocator,
                answers=self._answers(slot),
                moved=moved,
            )
            self.told[slot] = told
            if told.security.hashes and self.receiver.identity is None:
                self.receiver = self.receiver._replace(identity=around.identities.take())
        if securing.refusals:
            self.refusals = securing.check([self.told[slot] for slot in self.slots])

    def _uses_ice(self, options: Options) -> bool:
        """Whether one of the two uses ICE, has used it, or is to."""
        if options.ice or Flag.RESET in options.flags or Flag.REJECT_ICE in options.flags:
            return True
        for media in (*self.said, *self.told):
            if media.ice_said is not None or media.ice is not None or media.ice_known is not None or media.ice_rejected:
                return True
        return False

    def _connect(self, options: Options, around: Surroundings) -> None:
        """What the receiver is told of ICE."""
        connecting = Connecting(options, around.rng)
        grouped = next((place for place, media in enumerate(self.told) if media.grouped and media.active), None)
        for slot in self._heads_first(self.told):
            said, told = self.said[slot], self.told[slot]
            if not told.active or not said.active or not protocol_of(told.protocol, told.kind).rtp:
                continue
            if self._is_relayed():
                self.said[slot], self.told[slot] = said._replace(ice=None), told._replace(ice=None)
                continue
            head = self._head(self.told, slot)
            first = told if grouped is None else self.told[grouped]
            if head is None and told.grouped and first.ice is not None and not self.is_answer:
                told = told._replace(ice_known=first.ice.local)
            if self._answers(slot):
                self.said[slot], self.told[slot] = connecting.answer(said, told, head)
            else:
                known = self._before(slot)
                answered = known is not None and known.said and known.active
                self.said[slot], self.told[slot] = connecting.offer(said, told, head, answered=answered)

    def _write(self, description: SessionDescription, options: Options, around: Surroundings) -> str:
        """The SDP for the receiver, its `o=` last because its version depends on all the rest."""
        facing = next((media.ports.interface for media in self.told if media.ports), self.toward_receiver)
        local, family = facing.advertised, facing.family
        sent = self.receiver.sent
        origin = told_origin(description.origin or made_origin(around.rng, local), options.replace, sent, local)
        first_name, session_name = self._session_name(description, options, around.config.software_id)
        telling = Telling(
            description,
            options,
            self.is_answer,
            around.instance,
            session_name,
            family,
            self.receiver.identity,
            lite=self.receiver.lite,
            groups=tuple(bundling.lines(self.told, is_answer=self.is_answer)),
            relayed=self._is_relayed(),
            bundling=self.receiver.bundling or self.sender.bundling or bool(options.bundle),
        )
        lines = rewrite.session_lines(telling, str(origin))
        for slot, section in self._sections(description):
            told = self.told[slot]
            if section is None:
                lines.extend(rewrite.absent_lines(told, family))
            elif not told.removed:
                base = self._head(self.told, slot) or told
                lines.extend(rewrite.media_lines(MediaTelling(telling, section, self.said[slot], told, base)))
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


def _with_open(leg: Leg, media: Media) -> Media:
    """The media without an association that is closed now, as it has no transport any more: refused, or fax.

    When it comes back it is another one, and our tls-id has to say so (TID-01, TID-02).
    """
    security = media.security
    if security.association is None or media.bundled is not None or facing.has_transport(leg, media):
        return media
    return media._replace(security=security._replace(association=None, tls_id=""))


def _has_ice(speaking: Media, hearing: Media) -> bool:
    """Whether ICE knows where packets come from, whatever address the speaker tells: the hearer need not move."""
    return hearing.ice is not None or (speaking.ice is not None and hearing.mux_told)


def _family(medias: list[Media]) -> Family | None:
    """The address family of a leg's own SDP."""
    for media in medias:
        if media.said and media.rtp is not None:
            return media.rtp.family
    return None
