"""What a request says about its two legs beyond their SDP: interfaces, families, transports, how to treat packets."""

from typing import Any

from ngdaemon.call.model import Leg
from ngdaemon.ng.options import Flag, Options

FIELDS = {
    Flag.STRICT_SOURCE: "strict_source",
    Flag.MEDIA_HANDOVER: "handover",
    Flag.ASYMMETRIC: "asymmetric",
    Flag.NAT_WAIT: "nat_wait",
    Flag.PIERCE_NAT: "pierce_nat",
}
"""Flag → the field of a leg that it sets, once and for all."""

SENDER_FLAGS = tuple(FIELDS)
RECEIVER_FLAGS = (Flag.STRICT_SOURCE, Flag.MEDIA_HANDOVER)
"""Flags that hold for both sides."""


def of_sender(leg: Leg, options: Options, *, is_answer: bool) -> Leg:
    """The leg that speaks, with what is asked for its side."""
    changes: dict[str, Any] = {FIELDS[flag]: True for flag in SENDER_FLAGS if flag in options.flags}
    if options.label:
        changes["label"] = options.label
    if options.metadata:
        changes["metadata"] = options.metadata
    if options.direction and options.direction[0]:
        changes["interface"] = options.direction[0]
    if options.endpoint_learning:
        changes["learning"] = options.endpoint_learning
    if options.ice_lite is not None and not is_answer:
        changes["lite"] = options.ice_lite in ("backward", "both")
    if is_answer and _is_final(options):
        changes["final"] = True
    return leg._replace(**changes) if changes else leg


def of_receiver(leg: Leg, options: Options, *, is_answer: bool) -> Leg:
    """The leg that is told, with what is asked for its side."""
    changes: dict[str, Any] = {FIELDS[flag]: True for flag in RECEIVER_FLAGS if flag in options.flags}
    if len(options.direction) > 1:
        changes["interface"] = options.direction[1]
    if options.address_family:
        changes["family"] = options.address_family
    if options.endpoint_learning:
        changes["learning"] = options.endpoint_learning
    if options.ice_lite is not None and not is_answer:
        changes["lite"] = options.ice_lite in ("forward", "both")
    if options.transport_protocol and not is_answer:
        changes["protocol"] = options.transport_protocol
    return leg._replace(**changes) if changes else leg


def is_provisional(options: Options) -> bool:
    """Whether an answer is said to have come in a provisional response: others may follow (FP-12)."""
    return Flag.PROVISIONAL in options.flags or 100 <= options.sip_code < 200


def _is_final(options: Options) -> bool:
    """Whether an answer came in a final response."""
    return options.sip_code >= 200 and options.sip_reply is True and Flag.PROVISIONAL not in options.flags
