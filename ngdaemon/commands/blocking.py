"""`block`, `unblock`, `silence`, `unsilence`: media of a call, party or flow is held back (ng-protocol.md §2.7)."""

import logging

from ngdaemon.base.errors import RequestError
from ngdaemon.base.ids import CallId
from ngdaemon.call import facing, selection
from ngdaemon.call.model import NO_BLOCKS, Block, Call, Leg, Media, Subscription
from ngdaemon.commands.service import Asked, Reply, Service
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.protocols import protocol_of

logger = logging.getLogger("ngdaemon.call")


def block_dtmf(service: Service, asked: Asked) -> Reply:
    """DTMF events are not passed on."""
    return _whole(service, asked, Block.DTMF, on=True)


def unblock_dtmf(service: Service, asked: Asked) -> Reply:
    return _whole(service, asked, Block.DTMF, on=False)


def block_media(service: Service, asked: Asked) -> Reply:
    """Media other than DTMF events is not passed on."""
    return _media(service, asked, on=True)


def unblock_media(service: Service, asked: Asked) -> Reply:
    return _media(service, asked, on=False)


def silence_media(service: Service, asked: Asked) -> Reply:
    """Audio is passed on as silence (G.711 and G.722), or held back."""
    return _silence(service, asked, on=True)


def unsilence_media(service: Service, asked: Asked) -> Reply:
    return _silence(service, asked, on=False)


def _whole(service: Service, asked: Asked, block: Block, *, on: bool) -> Reply:
    """Blocks of a party or the whole call; flows cannot be named."""
    call = call_of(service, asked.options)
    leg = selection.directed_party(call, asked.options)
    return _apply(service, call, block, leg, None, asked, on=on)


def _media(service: Service, asked: Asked, *, on: bool) -> Reply:
    """Blocks of a party, the whole call, or with `directional` single flows."""
    call, options = call_of(service, asked.options), asked.options
    leg = selection.directed_party(call, options)
    flows = selection.flows(call, leg, options) if Flag.DIRECTIONAL in options.flags else None
    return _apply(service, call, Block.MEDIA, leg, flows, asked, on=on)


def _silence(service: Service, asked: Asked, *, on: bool) -> Reply:
    call, options = call_of(service, asked.options), asked.options
    leg = selection.party(call, options)
    return _apply(service, call, Block.SILENCE, leg, selection.flows(call, leg, options), asked, on=on)


def call_of(service: Service, options: Options) -> Call:
    """The call that is named. Raises RequestError."""
    call = service.registry.get(CallId(options.call_id or ""))
    if call is None:
        raise RequestError("Unknown call-ID")
    return call


def _apply(
    service: Service,
    call: Call,
    block: Block,
    leg: Leg | None,
    flows: tuple[Subscription, ...] | None,
    asked: Asked,
    *,
    on: bool,
) -> Reply:
    """Put a block on or take it off. Those of the call and of parties are separate, unless `all` is given."""
    if on and block is Block.DTMF and any(_is_opaque(item, media) for item in call.legs for media in item.medias):
        logger.warning("DTMF events in media that is passed end to end cannot be told apart", extra={"call": call.id})

    def change(blocks: frozenset[Block]) -> frozenset[Block]:
        return blocks | {block} if on else blocks - {block}

    if flows is not None:
        subscriptions = tuple(
            item._replace(blocks=change(item.blocks)) if item in flows else item for item in call.subscriptions
        )
        call = call._replace(subscriptions=subscriptions)
    elif leg is not None:
        legs = tuple(item._replace(blocks=change(item.blocks)) if item.id == leg.id else item for item in call.legs)
        call = call._replace(legs=legs)
    else:
        call = call._replace(blocks=change(call.blocks))
        if not on and (Flag.ALL in asked.options.flags or asked.options.all == "all"):
            call = _without_party_blocks(call, block)
    service.registry.replan(call, asked.now)
    return {}


def _is_opaque(leg: Leg, media: Media) -> bool:
    """Whether nobody looks into the packets of a media that may have events in it."""
    return media.active and protocol_of(media.protocol, media.kind).rtp and facing.is_relayed(leg, media)


def _without_party_blocks(call: Call, block: Block) -> Call:
    """The call with a block taken off every party and flow too."""
    legs = tuple(leg._replace(blocks=leg.blocks - {block}) for leg in call.legs)
    subscriptions = tuple(item._replace(blocks=item.blocks - {block} or NO_BLOCKS) for item in call.subscriptions)
    return call._replace(legs=legs, subscriptions=subscriptions)
