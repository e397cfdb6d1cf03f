"""Offer and answer of ICE: what a leg says of it, what it is told, and the credentials that both are to use.

The words are those of ng-protocol.md §3.4; which lines come out for which of them is its table. The agent that acts on
these facts is in `ngdaemon/ice`.
"""

from ngdaemon.base.endpoint import Endpoint, is_unspecified
from ngdaemon.base.sources import Rng
from ngdaemon.call.connectivity import Ice, SaidIce, is_restart
from ngdaemon.ice import candidate, credentials
from ngdaemon.ice.candidate import Candidate
from ngdaemon.ice.credentials import Credentials
from ngdaemon.ng.options import Flag, Options
from ngdaemon.sdp.session import MediaSection, Section

DISCARD = 9
"""The port of a description that has no address yet (RFC 8839 §4.2.5)."""
MAX_CANDIDATES = 100
WAYS = frozenset(("remove", "force", "default", "optional", "force-relay"))
BORROWING = frozenset(("optional", "force-relay"))
"""Ways in which the sender's own attributes pass, and we are only one more candidate."""


def heard(section: MediaSection, session: Section, rtp: Endpoint) -> SaidIce | None:
    """What a media section says of ICE, or None. Candidates without credentials are not ICE."""
    if "ice-ufrag" not in section.names and "ice-ufrag" not in session.names:
        return None
    ufrag = _value("ice-ufrag", section, session)
    pwd = _value("ice-pwd", section, session)
    options = _value("ice-options", section, session).split()
    candidates = _candidates(section)
    ended = "end-of-candidates" in section.names or "end-of-candidates" in session.names
    return SaidIce(
        credentials.received(ufrag, pwd),
        ufrag,
        pwd,
        candidates,
        lite="ice-lite" in session.names or "ice-lite" in section.names,
        trickle="trickle" in options,
        ice2="ice2" in options,
        ended=ended or "trickle" not in options,
        mismatched=_is_mismatched(candidates, rtp),
    )


def fragment(section: MediaSection, session: Section, before: SaidIce) -> SaidIce | None:
    """The same with the candidates of a trickle fragment added (RFC 8840); None for another ICE session's."""
    ufrag, pwd = _value("ice-ufrag", section, session), _value("ice-pwd", section, session)
    if (ufrag and ufrag != before.ufrag) or (pwd and pwd != before.pwd):
        return None
    ended = "end-of-candidates" in section.names or "end-of-candidates" in session.names
    if before.ended and before.trickle:
        return before
    added = tuple(item for item in _candidates(section) if item not in before.candidates)
    return before._replace(candidates=(*before.candidates, *added)[:MAX_CANDIDATES], ended=before.ended or ended)


def _value(name: str, section: MediaSection, session: Section) -> str:
    return (section.get(name) or session.get(name) or "").strip()


def _candidates(section: MediaSection) -> tuple[Candidate, ...]:
    found = (candidate.parse(value) for value in section.get_all("candidate")[:MAX_CANDIDATES])
    return tuple(item for item in found if item is not None)


def _is_mismatched(candidates: tuple[Candidate, ...], rtp: Endpoint) -> bool:
    """Whether candidates are there, and the address of the media is none of them (RFC 8839 §4.2.5)."""
    if not candidates or rtp.port in (0, DISCARD) or is_unspecified(rtp.address):
        return False
    return all(item.endpoint != rtp for item in candidates) and all(item.usable for item in candidates)


def way_of(options: Options) -> str:
    """How ICE is treated."""
    return next(iter(options.ice & WAYS), "default")


def is_direct(options: Options, asked: SaidIce | None) -> bool:
    """Whether the other leg's own address and attributes are asked to pass, ours being only one more candidate.

    `asked` is what the one who offers says of ICE.
    """
    way = way_of(options)
    return way == "force-relay" or (way == "optional" and asked is not None)


def borrowed(said: SaidIce, options: Options) -> Ice:
    """What is told where the attributes of the other leg pass."""
    way = way_of(options)
    return Ice(Credentials(said.ufrag, said.pwd), said.trickle, borrowed=way, relayed=way == "force-relay")


def offer(
    known: Credentials | None,
    asked: SaidIce | None,
    heard: SaidIce | None,
    options: Options,
    rng: Rng,
    *,
    refused: bool,
    rejected: bool,
    answered: bool,
) -> Ice | None:
    """What the receiver of an offer is told of ICE.

    `known` are our credentials that it knows, `asked` is what the sender says, `heard` what the receiver said last.
    `refused`: it answered without ICE before. `rejected`: the sender is treated as one without ICE.
    `answered`: the receiver's own SDP is known.
    """
    way = way_of(options)
    if way == "remove":
        return None
    if way != "force" and refused and Flag.RESET not in options.flags:
        return None
    if way == "default" and heard is None and (asked is None or answered):
        return None
    if way == "default" and rejected and heard is not None:
        return None
    local = None if Flag.RESET in options.flags else known
    trickle = Flag.TRICKLE_ICE in options.flags or (heard is not None and heard.trickle)
    ice2 = "ice2" in options.ice or (heard is not None and heard.ice2)
    return Ice(local or credentials.fresh(rng), trickle, ice2)


def answer(
    known: Credentials | None, asked: SaidIce | None, last: SaidIce | None, options: Options, rng: Rng, *, reset: bool
) -> Ice | None:
    """What an offerer is told of ICE: nothing that it did not offer.

    `last` is what it offered before: other credentials now mean a restart, which ours follow (ICE-08), and so does a
    `reset` in its offer.
    """
    if asked is None or way_of(options) == "remove" or asked.mismatched:
        return None
    local = None if reset or is_restart(asked, last) else known
    return Ice(local or credentials.fresh(rng), asked.trickle, asked.ice2 or "ice2" in options.ice)
