"""Offer and answer: rtcp-mux (ng-protocol.md §3.5), addresses (§4.1), transports (§4.5), direction and hold (§4.10)."""

from typing import Any

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.media.plan import Socket
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"
MUX = "a=rtcp-mux"


def offered_mux(told: str) -> str:
    """How rtcp-mux is told: "none", "fallback" when RTCP has another port too, "single" when it has not."""
    has_rtcp = sdp.attribute(told, "rtcp") != str(sdp.port(told))
    if sdp.attribute(told, "rtcp-mux") is None:
        assert has_rtcp
        return "none"
    return "fallback" if has_rtcp else "single"


def facing(daemon: Daemon, told: str) -> list[Socket]:
    """The sockets that belong to the address and ports told in an SDP."""
    wanted = {sdp.port(told), int((sdp.attribute(told, "rtcp") or "0").split()[0])}
    numbers = [number for number, (_, local) in daemon.forwarder.bound.items() if local.port in wanted]
    return [socket for socket in daemon.plan().sockets if socket.id in numbers]


# ------------------------------------------------------------------------------------------------------------ rtcp-mux


@pytest.mark.parametrize(
    ("offers", "words", "told", "answers", "back"),
    [
        (True, (), "fallback", True, True),
        (True, (), "fallback", False, False),
        (True, ("demux",), "none", False, True),
        (True, ("demux",), "none", True, True),
        (True, ("demux", "reject"), "none", False, False),
        (True, ("accept",), "fallback", False, True),
        (True, ("accept",), "fallback", True, True),
        (True, ("reject",), "fallback", True, False),
        (True, ("reject",), "fallback", False, False),
        (False, (), "none", False, False),
        (False, (), "none", True, False),
        (False, ("accept",), "none", False, False),
        (False, ("offer",), "fallback", True, False),
        (False, ("offer",), "fallback", False, False),
        (False, ("require",), "single", True, False),
        (True, ("require",), "single", True, True),
        (True, ("offer", "reject"), "fallback", True, False),
    ],
)
def test_rtcp_mux(offers: bool, words: tuple[str, ...], told: str, answers: bool, back: bool) -> None:
    daemon = Daemon()
    offer = daemon.offer(audio(ALICE, 4000, *[MUX] * offers), rtcp_mux=list(words))
    assert offered_mux(offer) == told
    answer = daemon.answer(audio(BOB, 5000, *[MUX] * answers))
    assert offered_mux(answer) == ("single" if back else "none")
    toward_callee = (offers and "demux" not in words) or bool({"offer", "require"} & set(words))
    assert next(socket.muxed for socket in facing(daemon, offer)) is (answers and toward_callee)
    assert [socket.muxed for socket in facing(daemon, answer)] == [back, *([] if back else [False])]


def test_what_is_agreed_on_the_way_to_the_callee_needs_no_other_port_later() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, MUX))
    daemon.answer(audio(BOB, 5000, MUX))
    again = daemon.offer(audio(ALICE, 4000, MUX), to_tag="b")
    assert offered_mux(again) == "single"
    without = daemon.offer(audio(ALICE, 4000), to_tag="b")
    assert offered_mux(without) == "single"


def test_demux_ends_what_was_agreed_with_the_callee() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, MUX))
    daemon.answer(audio(BOB, 5000, MUX))
    assert offered_mux(daemon.offer(audio(ALICE, 4000, MUX), to_tag="b", rtcp_mux=["demux"])) == "none"


def test_mux_that_is_required_later_needs_no_other_port_either() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    daemon.answer(audio(BOB, 5000))
    assert offered_mux(daemon.offer(audio(ALICE, 4000), to_tag="b", rtcp_mux=["require"])) == "single"


def test_whoever_ends_mux_is_told_another_port_for_rtcp() -> None:
    daemon = Daemon()
    for to_tag in (None, "b"):
        daemon.offer(audio(ALICE, 4000, MUX), to_tag=to_tag)
        daemon.answer(audio(BOB, 5000, MUX))
    daemon.offer(audio(BOB, 5000), from_tag="b", to_tag="a")
    back = daemon.answer(audio(ALICE, 4000), from_tag="b", to_tag="a")
    assert offered_mux(back) == "none"


def test_an_rtcp_port_is_closed_once_rtcp_shares_the_other() -> None:
    daemon = Daemon()
    offer = daemon.offer(audio(ALICE, 4000, MUX))
    assert len(daemon.forwarder.bound) == 4
    answer = daemon.answer(audio(BOB, 5000, MUX))
    local = sorted(address.port for _, address in daemon.forwarder.bound.values())
    assert sdp.port(answer) in local
    assert sdp.port(answer) + 1 not in local
    assert sdp.port(offer) in local


@pytest.mark.parametrize(
    "attribute", [f"a=rtcp:4000 IN IP4 {ALICE}", "a=rtcp:4000"], ids=["with address", "without address"]
)
def test_rtcp_at_the_port_of_rtp_is_mux_by_another_name(attribute: str) -> None:
    daemon = Daemon()
    assert offered_mux(daemon.offer(audio(ALICE, 4000, attribute))) == "fallback"


def test_rtcp_goes_where_the_phone_says_or_to_the_next_port() -> None:
    for attribute, expected in (
        ("a=sendrecv", Endpoint(ALICE, 4001)),
        ("a=rtcp:4711", Endpoint(ALICE, 4711)),
        ("a=rtcp:4711 IN IP4 198.51.100.9", Endpoint("198.51.100.9", 4711)),
        ("a=rtcp:4711 IN IP4 host.example.com", Endpoint(ALICE, 4711)),
        ("a=rtcp:0", Endpoint(ALICE, 4001)),
        ("a=rtcp:70000", Endpoint(ALICE, 4001)),
        ("a=rtcp:x", Endpoint(ALICE, 4001)),
        ("a=rtcp:", Endpoint(ALICE, 4001)),
        ("a=rtcp", Endpoint(ALICE, 4001)),
    ):
        daemon = Daemon()
        daemon.offer(audio(ALICE, 4000, attribute))
        signalled = {socket.signalled for socket in daemon.plan().sockets if socket.rtcp} - {None}
        assert signalled == {expected}, attribute


# ----------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ALICE),
        ({"received_from": ["IP4", "203.0.113.5"]}, ALICE),
        ({"received_from": ["IP4", "203.0.113.5"], "flags": ["SIP-source-address"]}, "203.0.113.5"),
        ({"received_from": "203.0.113.5", "flags": ["SIP-source-address"]}, "203.0.113.5"),
        ({"received_from": ["IP4", "203.0.113.5"], "flags": ["SIP-source-address", "trust-address"]}, "203.0.113.5"),
    ],
)
def test_media_goes_to_the_address_of_the_sdp_or_of_the_sip_message(keys: dict[str, Any], expected: str) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), **keys)
    signalled = {socket.signalled for socket in daemon.plan().sockets} - {None}
    assert signalled == {Endpoint(expected, 4000), Endpoint(expected, 4001)}


def test_with_sip_source_addresses_of_the_sdp_need_trust() -> None:
    for flags, expected in (([], "203.0.113.5"), (["trust-address"], ALICE)):
        daemon = Daemon(sip_source=True)
        daemon.offer(audio(ALICE), received_from=["IP4", "203.0.113.5"], flags=flags)
        assert Endpoint(expected, 4000) in {socket.signalled for socket in daemon.plan().sockets}


def test_packets_may_come_from_signalled_addresses_and_from_where_the_sip_message_came() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, "a=rtcp:4001 IN IP4 198.51.100.9"), received_from=["IP4", "203.0.113.5"])
    toward_caller = daemon.plan().sockets[0]
    assert toward_caller.latch.plausible == frozenset((ALICE, "198.51.100.9", "203.0.113.5"))


@pytest.mark.parametrize("received_from", [None, [], ["IP4"], ["IP4", "host"], ["IP4", ""], "host"])
def test_a_sip_source_address_that_is_not_given_is_an_error(received_from: object) -> None:
    daemon = Daemon()
    reason = daemon.refusal(
        "offer", from_tag="a", sdp=audio(ALICE), flags=["SIP-source-address"], received_from=received_from
    )
    assert reason == "Incomplete SDP specification"


@pytest.mark.parametrize(
    "text",
    [
        audio(ALICE).replace(f"c=IN IP4 {ALICE}\r\n", ""),
        audio(ALICE, formats="128"),
        audio(ALICE, formats="0 x"),
        audio(ALICE, formats="-1"),
    ],
    ids=["no address", "payload type 128", "payload type x", "payload type -1"],
)
@pytest.mark.parametrize("command", ["offer", "answer"])
def test_a_description_that_says_too_little_is_incomplete(command: str, text: str) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    assert daemon.refusal(command, from_tag="a", to_tag="b", sdp=text) == "Incomplete SDP specification"


def test_the_address_of_a_media_goes_before_that_of_the_session() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "c=IN IP4 198.51.100.7", "m=audio 4002 RTP/AVP 0"))
    assert [socket.signalled for socket in daemon.plan().sockets if socket.signalled and not socket.rtcp] == [
        Endpoint("198.51.100.7", 4000),
        Endpoint(ALICE, 4002),
    ]


# ---------------------------------------------------------------------------------------------------------- transports


def protocols(told: str) -> list[str]:
    return [part[0].split(" ")[2] for part in sdp.parts(told)[1:]]


@pytest.mark.parametrize(
    ("offered", "wanted", "told"),
    [
        ("RTP/AVP", None, "RTP/AVP"),
        ("RTP/AVP", "RTP/AVPF", "RTP/AVPF"),
        ("RTP/AVPF", "RTP/AVP", "RTP/AVP"),
        ("RTP/AVPF", "rtp/avp", "RTP/AVP"),
        ("rtp/avp", None, "RTP/AVP"),
        ("RTP/AVPF", "accept", "RTP/AVPF"),
        ("RTP/AVPF", "FOO/BAR", "RTP/AVPF"),
        ("udptl", "RTP/AVPF", "udptl"),
        ("UDP/BFCP", "RTP/AVPF", "UDP/BFCP"),
        ("FOO/BAR", "RTP/AVP", "FOO/BAR"),
    ],
)
def test_the_transport_of_an_offer(offered: str, wanted: str | None, told: str) -> None:
    daemon = Daemon()
    offer = daemon.offer(audio(ALICE).replace("RTP/AVP", offered), transport_protocol=wanted)
    assert protocols(offer) == [told]


def test_the_transport_that_was_asked_for_is_remembered() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), transport_protocol="RTP/AVPF")
    daemon.answer(audio(BOB).replace("RTP/AVP", "RTP/AVPF"))
    assert protocols(daemon.offer(audio(ALICE), to_tag="b")) == ["RTP/AVPF"]


@pytest.mark.parametrize(
    ("answered", "wanted", "back"),
    [
        ("RTP/AVPF", None, "RTP/AVP"),
        ("RTP/AVP", None, "RTP/AVP"),
        ("RTP/AVP", "accept", "RTP/AVP"),
        ("RTP/AVPF", "accept", "RTP/AVP"),
        ("RTP/AVPF", "RTP/AVPF", "RTP/AVPF"),
    ],
)
def test_the_offerer_gets_the_transport_that_he_offered(answered: str, wanted: str | None, back: str) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), transport_protocol="RTP/AVPF")
    answer = daemon.answer(audio(BOB).replace("RTP/AVP", answered), transport_protocol=wanted)
    assert protocols(answer) == [back]


def test_a_transport_that_the_answerer_changed_is_passed_on_when_accepted() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    assert protocols(daemon.answer(audio(BOB).replace("RTP/AVP", "RTP/AVPF"), transport_protocol="accept")) == [
        "RTP/AVPF"
    ]


def test_an_rtcp_port_of_any_length_is_read_or_passed_over() -> None:
    for digits in ("9" * 20, "9" * 5000):
        daemon = Daemon()
        daemon.offer(audio(ALICE, 4000, f"a=rtcp:{digits}"))
        assert daemon.plan().sockets[1].signalled == Endpoint(ALICE, 4001)


# ----------------------------------------------------------------------------------------------------- direction, hold


@pytest.mark.parametrize("word", ["sendrecv", "sendonly", "recvonly", "inactive"])
def test_a_direction_is_passed_on(word: str) -> None:
    daemon = Daemon()
    assert sdp.direction(daemon.offer(audio(ALICE, 4000, f"a={word}"))) == word


def test_no_direction_is_sendrecv_and_that_of_the_session_moves_to_the_media() -> None:
    daemon = Daemon()
    assert sdp.direction(daemon.offer(audio(ALICE))) == "sendrecv"
    told = daemon.offer(
        sdp.sdp(ALICE, "a=sendonly", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "a=recvonly"), call="other"
    )
    assert [sdp.direction(told, place) for place in (0, 1)] == ["sendonly", "recvonly"]
    assert "a=sendonly" not in sdp.parts(told)[0]


def test_directions_are_copied_as_they_are_with_original_sendrecv() -> None:
    daemon = Daemon()
    told = daemon.offer(
        sdp.sdp("0.0.0.0", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0", "a=recvonly"),
        flags=["original-sendrecv"],
    )
    words = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}
    assert [words & set(sdp.media(told, place)) for place in (0, 1)] == [set(), {"a=recvonly"}]


@pytest.mark.parametrize(
    ("zero", "word", "told"),
    [
        ("0.0.0.0", "sendrecv", "sendonly"),
        ("0.0.0.0", "sendonly", "sendonly"),
        ("0.0.0.0", "recvonly", "inactive"),
        ("0.0.0.0", "inactive", "inactive"),
        ("::", "sendrecv", "sendonly"),
    ],
)
def test_a_zero_address_is_a_hold(zero: str, word: str, told: str) -> None:
    daemon = Daemon()
    first = daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    held = daemon.offer(audio(zero, 4000, f"a={word}"), to_tag="b")
    assert sdp.direction(held) == told
    assert sdp.address(held) == "0.0.0.0"
    assert sdp.port(held) == sdp.port(first)


def test_a_zero_address_is_replaced_when_asked_for() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), replace=["zero-address"])
    daemon.answer(audio(BOB))
    held = daemon.offer(audio("0.0.0.0"), to_tag="b", replace=["zero-address"])
    assert (sdp.address(held), sdp.direction(held)) == ("192.0.2.1", "sendonly")


def rtp_ways(daemon: Daemon) -> set[str]:
    """Between which ends RTP flows, caller and callee by the order of their legs."""
    caller = {socket.id for socket in daemon.plan().sockets[:2]}
    found = set()
    for route in daemon.plan().routes:
        if route.carries.value == "RTP":
            found.add("caller to callee" if route.source in caller else "callee to caller")
    return found


@pytest.mark.parametrize(
    ("offered", "answered", "ways"),
    [
        ("sendrecv", "sendrecv", {"caller to callee", "callee to caller"}),
        ("sendonly", "recvonly", {"caller to callee"}),
        ("recvonly", "sendonly", {"callee to caller"}),
        ("inactive", "inactive", set()),
        ("sendrecv", "sendonly", {"callee to caller"}),
        ("sendrecv", "recvonly", {"caller to callee"}),
        ("sendrecv", "inactive", set()),
    ],
)
def test_media_flows_only_in_the_directions_that_were_agreed(offered: str, answered: str, ways: set[str]) -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000, f"a={offered}"))
    daemon.answer(audio(BOB, 5000, f"a={answered}"))
    assert rtp_ways(daemon) == ways
    rtcp = [route for route in daemon.plan().routes if route.carries.value == "RTCP"]
    assert len(rtcp) == 4


def test_a_held_phone_is_not_sent_to_and_is_again_after_the_hold() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB, 5000))
    daemon.offer(audio("0.0.0.0"), to_tag="b")
    daemon.answer(audio(BOB, 5000, "a=recvonly"))
    assert rtp_ways(daemon) == {"caller to callee"}
    assert all(socket.signalled is None for socket in daemon.plan().sockets[:1])
    daemon.offer(audio(ALICE), to_tag="b")
    daemon.answer(audio(BOB, 5000))
    assert rtp_ways(daemon) == {"caller to callee", "callee to caller"}
    assert daemon.plan().sockets[0].signalled == Endpoint(ALICE, 4000)


def test_many_medias_do_not_multiply_a_long_session_part() -> None:
    """S11: neither the work nor what comes out grows with the product of the two."""
    extensions = [f"a=extmap:{number} urn:x:{number}" for number in range(1, 250)]
    medias = [f"m=audio {4000 + 2 * place} RTP/AVP 0" for place in range(20)]
    told = Daemon().offer(sdp.sdp("198.51.100.1", *extensions, *medias))
    assert told.count("a=extmap:") == 20 * 64
