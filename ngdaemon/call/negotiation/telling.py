"""What a description is written from: who said what, and who is told."""

from typing import NamedTuple

from ngdaemon.base.endpoint import Family
from ngdaemon.call.model import Media
from ngdaemon.dtls.certificate import Identity
from ngdaemon.ng.options import Options
from ngdaemon.sdp.session import MediaSection, SessionDescription


class Telling(NamedTuple):
    """What the steps may look at: who said what, and who is told."""

    description: SessionDescription
    options: Options
    is_answer: bool
    instance: str
    """Name of this daemon for `loop-protect`: 12 hex digits."""
    session_name: str
    family: Family
    """The address family toward the receiver."""
    identity: Identity | None = None
    """Our certificate toward the receiver."""
    lite: bool = False
    """We are ICE-lite toward the receiver."""
    groups: tuple[str, ...] = ()
    """`a=group` lines of ours."""
    relayed: bool = False
    """Keys, ICE and groups pass end to end."""
    bundling: bool = False
    """The groups of one of the two are understood."""


class MediaTelling(NamedTuple):
    """The same for one media: the section as received, the sender's media and the receiver's."""

    of: Telling
    section: MediaSection
    said: Media
    told: Media
    base: Media
    """The media whose ports the receiver is told: `told` itself, or the first one of its BUNDLE group."""
