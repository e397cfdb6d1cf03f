"""Master key identifiers: where they stand, and that they are compared."""

import pytest

from ngdaemon.srtp.context import Inbound, Outbound
from tests.srtp.packets import NAMES, keys_of, passes, rtcp, rtp

MKIS = [b"\x01", b"\x00\x00\x00\x01", bytes(range(128))]
LENGTHS = ["1", "4", "128"]


@pytest.mark.parametrize("mki", MKIS, ids=LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_the_identifier_stands_where_the_suite_has_it(name: str, mki: bytes) -> None:
    """SRTP-13: before the tag of HMAC-SHA1, at the end with AES-GCM; not authenticated, so nothing else moves."""
    keys = keys_of(name)
    bare, marked = Outbound(keys), Outbound(keys._replace(mki=mki))
    for sealed, wanted, tag in (
        (marked.rtp(rtp(1)), bare.rtp(rtp(1)), keys.suite.tag),
        (marked.rtcp(rtcp()), bare.rtcp(rtcp()), keys.suite.rtcp_tag),
    ):
        at = len(wanted) if "GCM" in name else len(wanted) - tag
        assert sealed == wanted[:at] + mki + wanted[at:]


@pytest.mark.parametrize("mki", MKIS, ids=LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_packets_with_the_identifier_come_through_and_others_do_not(name: str, mki: bytes) -> None:
    """SRTP-13: another value, another length, none."""
    keys = keys_of(name)._replace(mki=mki)
    outbound, inbound = Outbound(keys), Inbound(keys)
    for other in (b"", mki[:-1] + b"\xee", mki + b"\x00", mki[:-1]):
        stranger = Outbound(keys._replace(mki=other))
        assert not passes(inbound.rtp, stranger.rtp(rtp(1)))
        assert not passes(inbound.rtcp, stranger.rtcp(rtcp()))
    assert inbound.rtp(outbound.rtp(rtp(1))) == rtp(1)
    assert inbound.rtcp(outbound.rtcp(rtcp())) == rtcp()


@pytest.mark.parametrize("name", NAMES)
def test_of_two_keys_the_identifier_tells_which(name: str) -> None:
    """SRTP-13: the other one refuses, though both know the sequence number."""
    first, second = keys_of(name, 1)._replace(mki=b"\x01"), keys_of(name, 2)._replace(mki=b"\x02")
    sender, receivers = Outbound(second), (Inbound(first), Inbound(second))
    assert [passes(receiver.rtp, sender.rtp(rtp(at))) for at, receiver in enumerate(receivers)] == [False, True]
