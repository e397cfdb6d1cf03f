"""Transports of `m=` lines."""

from collections.abc import Callable

import pytest

from ngdaemon.sdp.protocols import ROWS, Protocol, kind_shown, protocol_of, transport_shown


@pytest.mark.parametrize(
    ("name", "rtp", "feedback", "secure", "dtls"),
    [
        ("RTP/AVP", True, False, False, False),
        ("RTP/AVPF", True, True, False, False),
        ("RTP/SAVP", True, False, True, False),
        ("RTP/SAVPF", True, True, True, False),
        ("UDP/TLS/RTP/SAVP", True, False, True, True),
        ("UDP/TLS/RTP/SAVPF", True, True, True, True),
        ("udptl", False, False, False, False),
        ("UDP/BFCP", False, False, False, False),
        ("UDP/DTLS/SCTP", False, False, False, False),
        ("", False, False, False, False),
    ],
)
def test_what_a_transport_means(name: str, rtp: bool, feedback: bool, secure: bool, dtls: bool) -> None:
    assert protocol_of(name, "audio") == Protocol(name, rtp, feedback, secure, dtls, relayed=True)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title])
def test_names_compare_without_case_and_come_out_as_in_the_table(row: Protocol, spell: Callable[[str], str]) -> None:
    assert protocol_of(spell(row.name)) is row


@pytest.mark.parametrize("name", ["TCP/MSRP", "TCP/TLS/MSRP", "RTP/AVP"])
def test_messages_are_left_alone(name: str) -> None:
    assert protocol_of(name, "message") == Protocol(name, relayed=False)


def test_an_unknown_transport_keeps_its_spelling() -> None:
    assert protocol_of("Foo/Bar", "audio") == Protocol("Foo/Bar")


def test_only_kinds_and_transports_that_exist_are_named() -> None:
    """S17: what stands in their place may be a key."""
    assert [kind_shown(kind) for kind in ("video", "inline:SECRET")] == ["video", "media"]
    assert [transport_shown(protocol_of(name)) for name in ("rtp/avp", "SECRET")] == ["RTP/AVP", "another transport"]
