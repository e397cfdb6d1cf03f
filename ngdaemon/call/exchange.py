"""One half of an offer/answer exchange: who speaks, who is told, and what both are to each other afterwards."""

from dataclasses import dataclass, field
from typing import Protocol

from ngdaemon.base.endpoint import Endpoint, Family, Interface, family_of
from ngdaemon.base.errors import RequestError
from ngdaemon.base.evolve import replace
from ngdaemon.base.sources import Rng
from ngdaemon.call import negotiate, parties, rewrite
from ngdaemon.call.allocate import Allocator
from ngdaemon.call.interfaces import Interfaces
from ngdaemon.call.model import Call, Leg, Media
from ngdaemon.call.origin import told_origin, versioned
from ngdaemon.config import Config
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import protocol_of
from ngdaemon.sdp.session import MediaSection, Origin, SessionDescription


class Surroundings(Protocol):
    """What an exchange needs of the daemon."""

    config: Config
    interfaces: Interfaces
    rng: Rng
    instance: str


@dataclass(slots=True)
class Exchange:
    """The sender's SDP is folded into the call, and the SDP for the receiver comes out.

    `call` is replaced by the new call as the exchange goes on.
    """

    call: Call
    sender: Leg
    receiver: Leg
    is_answer: bool
    toward_receiver: Interface = field(init=False)
    """The local address that faces the receiver."""

    def run(self, description: SessionDescription, options: Options, around: Surroundings, allocator: Allocator) -> str:
        """The SDP for the receiver. Raises RequestError."""
        self._remember_options(options)
        slots = negotiate.slots(self.sender.medias, len(description.medias))
        heard = negotiate.hear(self.sender, slots, description, options, sip_source=around.config.sip_source)
        told = self._told(heard, slots, options)
        self._allocate(told, options, around, allocator)
        text = self._write(description, slots, options, around)
        call = parties.with_leg(self.call, self.sender)
        self.call = parties.with_leg(call, self.receiver)
        return text

    def _remember_options(self, options: Options) -> None:
        """What a request says about the two legs beyond its SDP."""
        sender, receiver = self.sender, self.receiver
        flags = options.flags
        directions = options.direction
        learning = options.endpoint_learning
        self.sender = replace(
            sender,
            answered=True,
            label=options.label or sender.label,
            metadata=options.metadata or sender.metadata,
            interface=directions[0] if directions else sender.interface,
            learning=learning or sender.learning,
            strict_source=sender.strict_source or Flag.STRICT_SOURCE in flags,
            handover=sender.handover or Flag.MEDIA_HANDOVER in flags,
            asymmetric=sender.asymmetric or Flag.ASYMMETRIC in flags,
            nat_wait=sender.nat_wait or Flag.NAT_WAIT in flags,
            pierce_nat=sender.pierce_nat or Flag.PIERCE_NAT in flags,
            final=sender.final or self._is_final(options),
        )
        self.receiver = replace(
            receiver,
            interface=directions[1] if len(directions) > 1 else receiver.interface,
            family=options.address_family or receiver.family,
            protocol=receiver.protocol if self.is_answer else options.transport_protocol or receiver.protocol,
            learning=learning or receiver.learning,
            strict_source=receiver.strict_source or Flag.STRICT_SOURCE in flags,
            handover=receiver.handover or Flag.MEDIA_HANDOVER in flags,
        )
        if options.metadata:
            self.call = replace(self.call, metadata=options.metadata)

    def _is_final(self, options: Options) -> bool:
        return (
            self.is_answer
            and options.sip_code >= 200
            and options.sip_reply is True
            and Flag.PROVISIONAL not in options.flags
        )

    def _told(self, heard: tuple[Media, ...], slots: list[int], options: Options) -> list[Media]:
        """The receiver's medias; `heard` is stored with the sender."""
        said = list(heard)
        told = list(self.receiver.medias)
        for slot in slots:
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
        self.sender = replace(self.sender, medias=tuple(said))
        return told

    def _allocate(
        self,
        told: list[Media],
        options: Options,
        around: Surroundings,
        allocator: Allocator,
    ) -> None:
        """Local ports facing both legs."""
        sender_family = _family(self.sender) or Family.IP4
        toward_sender = around.interfaces.choose(self.sender.interface, self.sender.family or sender_family)
        receiver_family = self.receiver.family or _family(self.receiver) or sender_family
        self.toward_receiver = toward_receiver = around.interfaces.choose(self.receiver.interface, receiver_family)
        latching = Flag.PORT_LATCHING in options.flags
        said = list(self.sender.medias)
        for index, (speaking, hearing) in enumerate(zip(said, told, strict=False)):
            keep = latching or not speaking.receives
            if speaking.ports is None or not speaking.active:
                said[index] = _with_ports(allocator, speaking, toward_sender, hearing.rtp, keep=keep)
            hearing = _with_ports(allocator, hearing, toward_receiver, speaking.rtp, keep=keep)
            told[index] = allocator.single(hearing) if self.is_answer and hearing.muxed else hearing
        self.sender = replace(self.sender, medias=tuple(said))
        self.receiver = replace(self.receiver, medias=tuple(told))

    def _write(self, description: SessionDescription, slots: list[int], options: Options, around: Surroundings) -> str:
        """The SDP for the receiver, its `o=` last because its version depends on all the rest."""
        local = self.toward_receiver.advertised
        sent = self.receiver.sent
        origin = told_origin(description.origin or _made_origin(around.rng, local), options.replace, sent, local)
        session_name = self._session_name(description, options, around.config.software_id)
        telling = rewrite.Telling(
            description,
            self.sender,
            self.receiver,
            options,
            self.is_answer,
            around.instance,
            session_name,
            self.toward_receiver.family,
        )
        lines = rewrite.session_lines(telling, str(origin))
        for slot, section in self._sections(description, slots):
            told = self.receiver.medias[slot]
            if section is None:
                lines.extend(rewrite.removed_lines(told, self.toward_receiver.family))
            elif not told.removed:
                said = self.sender.medias[slot]
                lines.extend(rewrite.media_lines(rewrite.MediaTelling(telling, section, said, told)))
        origin, memory = versioned(origin, options.replace, sent, lines)
        lines[1] = f"o={origin}"
        self.receiver = replace(self.receiver, sent=memory)
        lines.append("")
        return "\r\n".join(lines)

    def _session_name(self, description: SessionDescription, options: Options, software: str) -> str:
        """The `s=` value: the sender's, the first that it gave (`session-name`), or ours where there is none."""
        said = software if description.session_name is None else description.session_name
        if self.sender.session_name is None:
            self.sender = replace(self.sender, session_name=said)
        elif "session-name" in options.replace:
            return self.sender.session_name
        return said

    def _sections(self, description: SessionDescription, slots: list[int]) -> list[tuple[int, MediaSection | None]]:
        """The m-lines to write, by place; None where the sender was never shown one."""
        by_slot: dict[int, MediaSection | None] = dict(zip(slots, description.medias, strict=True))
        if self.is_answer:
            by_slot.update({media.index: None for media in self.sender.medias if media.removed})
        return sorted(by_slot.items())


def _family(leg: Leg) -> Family | None:
    """The address family of a leg's own SDP."""
    for media in leg.medias:
        if media.said and media.rtp is not None:
            return media.rtp.family
    return None


def _with_ports(allocator: Allocator, media: Media, interface: Interface, far: Endpoint | None, *, keep: bool) -> Media:
    """The media with the ports its leg is told, or with none where it has no use for them."""
    protocol = protocol_of(media.protocol, media.kind)
    if not media.active or not protocol.relayed:
        return allocator.none(media)
    pair = not media.muxed and not media.mux_required
    return allocator.facing(media, interface, far, pair=pair, keep=keep)


def _made_origin(rng: Rng, local: str) -> Origin:
    """An `o=` of our own for a sender that gave none."""
    return Origin("-", _number(rng), _number(rng), "IN", family_of(local).value, local)


def _number(rng: Rng) -> str:
    """A session id of 63 bits (RFC 8866 §5.2)."""
    return str(int.from_bytes(rng.bytes(8)) >> 1)


def check_no_downgrade(said: Media, told: Media) -> None:
    """Refuse what this daemon cannot do: changing between clear and secured media.

    Secured media passes through end to end, it never turns into clear media by accident.
    """
    if protocol_of(said.protocol).secure != protocol_of(told.protocol).secure:
        raise RequestError(f'Unsupported transport-protocol "{told.protocol}" for "{said.protocol}"')
