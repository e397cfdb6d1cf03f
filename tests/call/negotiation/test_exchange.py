"""Whole exchanges: whatever is said in whatever order, ports, plans and descriptions belong together."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from tests.sdp.descriptions import likely_texts
from tests.support import sdp
from tests.support.daemon import CALL, Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"
ADVERTISED = {"203.0.113.9": "192.0.2.9"}

# ----------------------------------------------------------------------------------------------------- whatever is said


def _media_lines(kind: str, port: int, mux: bool, direction: str) -> list[str]:
    protocol, formats = {"image": ("udptl", "t38"), "application": ("UDP/BFCP", "*")}.get(kind, ("RTP/AVP", "0 8"))
    return [f"m={kind} {port} {protocol} {formats}", *["a=rtcp-mux"] * mux, f"a={direction}"]


MEDIAS = st.builds(
    _media_lines,
    st.sampled_from(("audio", "audio", "video", "image", "application")),
    st.sampled_from((0, 4000, 4000, 4002, 4444)),
    st.booleans(),
    st.sampled_from(("sendrecv", "sendrecv", "sendonly", "inactive")),
)
TEXTS = st.builds(
    lambda address, medias: sdp.sdp(address, *(line for media in medias for line in media)),
    st.sampled_from((ALICE, BOB, "0.0.0.0", "2001:db8::5")),
    st.lists(MEDIAS, max_size=3),
)
TAGS = st.sampled_from(("a", "b", "c"))
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "via-branch": st.sampled_from(("x", "y")),
        "direction": st.lists(st.sampled_from(("int", "ext", "six", "nat")), min_size=2, max_size=2),
        "rtcp-mux": st.lists(st.sampled_from(("offer", "require", "demux", "accept", "reject")), max_size=2),
        "flags": st.lists(st.sampled_from(("port-latching", "new-branch", "to-tag", "generate-mid")), max_size=2),
        "sdp-media-remove": st.lists(st.sampled_from(("video", "image")), max_size=1),
        "replace": st.just(["origin", "sdp-version"]),
    },
)
DESCRIPTIONS = st.builds(
    lambda command, text, keys, tags: {"command": command, "sdp": text, **keys, **tags},
    st.sampled_from(("offer", "offer", "answer")),
    st.one_of(TEXTS, TEXTS, likely_texts()),
    KEYS,
    st.fixed_dictionaries({"from-tag": TAGS}, optional={"to-tag": TAGS}),
)
DELETES = st.builds(
    lambda keys: {"command": "delete", **keys},
    st.fixed_dictionaries(
        {},
        optional={
            "from-tag": TAGS,
            "to-tag": TAGS,
            "via-branch": st.sampled_from(("x", "y")),
            "delete-delay": st.sampled_from((0, 5)),
        },
    ),
)
COPIES = st.builds(
    lambda command, text, keys: {"command": command, "sdp": text, **keys},
    st.sampled_from(
        (
            "subscribe request",
            "subscribe request",
            "subscribe answer",
            "unsubscribe",
            "publish",
            "create",
            "create answer",
        )
    ),
    TEXTS,
    st.fixed_dictionaries(
        {"to-tag": st.sampled_from(("b", "r", "r", "s"))},
        optional={
            "from-tag": st.sampled_from(("a", "b", "p", "r")),
            "from-tags": st.lists(st.sampled_from(("a", "b", "p")), max_size=2),
            "flags": st.lists(
                st.sampled_from(
                    ("all", "all", "siprec", "inactive", "directional", "allow-transcoding", "RTCP-mirror")
                ),
                max_size=3,
            ),
            "rtcp-mux": st.lists(st.sampled_from(("offer", "require")), max_size=1),
            "interface": st.sampled_from(("int", "ext")),
            "sdp-media-remove": st.lists(st.sampled_from(("video", "image")), max_size=1),
            "codec": st.sampled_from(({"strip": ["PCMU"]}, {"offer": ["VP8", "opus"]})),
        },
    ),
)
REQUESTS = st.one_of(DESCRIPTIONS, DESCRIPTIONS, DESCRIPTIONS, DELETES, COPIES, COPIES)


@settings(deadline=None)
@given(st.lists(st.tuples(REQUESTS, st.sampled_from((0.0, 0.0, 6.0, 40.0))), max_size=12))
def test_ports_plans_and_descriptions_belong_together(requests: list[tuple[dict[str, Any], float]]) -> None:
    daemon = Daemon(timeout=30, port_quarantine=0)
    for request, pause in requests:
        before = daemon.plan()
        reply = daemon.ask({"call-id": CALL, **request})
        assert reply["result"] in ("ok", "error")
        assert reply.get("error-reason") != "Internal error"
        if reply["result"] == "error":
            assert daemon.plan() == before
        else:
            _told_ports_are_open(daemon, str(reply.get("sdp") or ""))
        _plan_and_sockets_agree(daemon)
        daemon.wait(pause)
        _plan_and_sockets_agree(daemon)
    daemon.command("delete", delete_delay=0)
    assert daemon.forwarder.bound == {}
    _plan_and_sockets_agree(daemon)


def _plan_and_sockets_agree(daemon: Daemon) -> None:
    """Every socket in the plan is bound, every bound one is in the plan, and so many ports are known to be in use."""
    assert {socket.id for socket in daemon.plan().sockets} == set(daemon.forwarder.bound)
    counted = daemon.ask({"command": "statistics"})["statistics"]["interfaces"]
    used = {item["address"]: item["ports"]["used"] for item in counted}
    bound = [local.address for _, local in daemon.forwarder.bound.values()]
    assert used == {address: bound.count(address) for address in used}


def _told_ports_are_open(daemon: Daemon, text: str) -> None:
    """Every port that is told is one of ours, unless it belongs to a hold, or to messages that pass us by."""
    bound = {local for _, local in daemon.forwarder.bound.values()}
    for place, number in enumerate(sdp.ports(text) if text else ()):
        address = sdp.address(text, place)
        if number and address not in ("0.0.0.0", "::") and not sdp.media(text, place)[0].startswith("m=message"):
            assert Endpoint(ADVERTISED.get(address, address), number) in bound


# -------------------------------------------------------------------------------------------------------- in particular


def test_a_sender_without_an_origin_gets_one_of_ours() -> None:
    daemon = Daemon()
    text = audio(ALICE).replace("o=- 1 1 IN IP4 198.51.100.1\r\n", "")
    words = sdp.parts(daemon.offer(text))[0][1].split(" ")
    assert (words[0], *words[3:]) == ("o=-", "IN", "IP4", "192.0.2.1")
    assert words[1].isdigit()
    assert words[2].isdigit()
    assert words[1] != words[2]


def test_a_sender_without_a_session_name_gets_ours() -> None:
    daemon = Daemon(software_id="gateway")
    assert sdp.parts(daemon.offer(audio(ALICE).replace("s=-\r\n", "")))[0][2] == "s=gateway"


def test_the_session_name_is_copied_unless_the_first_one_is_to_stay() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE).replace("s=-", "s=first"))
    later = audio(ALICE).replace("s=-", "s=later")
    assert sdp.parts(daemon.offer(later))[0][2] == "s=later"
    assert sdp.parts(daemon.offer(later, replace=["session-name"]))[0][2] == "s=first"


def test_a_late_offer_is_one_of_the_callee() -> None:
    daemon = Daemon()
    offer = daemon.offer(audio(BOB, 5000), from_tag="b", to_tag="a")
    answer = daemon.answer(audio(ALICE, 4000), from_tag="b", to_tag="a")
    assert sdp.port(offer) != sdp.port(answer)
    assert [leg["tag"] for leg in daemon.command("query")["tags"].values()] == ["b", "a"]
    assert len(daemon.plan().sockets) == 4


def test_an_answer_with_fewer_medias_refuses_the_rest() -> None:
    """D-ABSENT."""
    daemon = Daemon()
    two = sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31")
    daemon.offer(two)
    answer = daemon.answer(audio(BOB, 5000))
    assert [part[0] for part in sdp.parts(answer)[1:]][1:] == ["m=video 0 RTP/AVP 31"]


def test_m_lines_of_an_answer_that_answer_nothing_are_cut_off() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE, 4000))
    bound = set(daemon.forwarder.bound)
    answer = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", "m=video 5002 RTP/AVP 31"))
    assert len(sdp.parts(answer)) == 2
    assert set(daemon.forwarder.bound) == bound


def test_a_media_that_was_withheld_from_the_sender_does_not_exist_for_a_newcomer() -> None:
    daemon = Daemon()
    daemon.offer(sdp.sdp(ALICE, "m=video 4002 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"), sdp_media_remove=["video"])
    answer = daemon.answer(audio(BOB, 5000))
    assert [part[0].split(" ")[0] for part in sdp.parts(answer)[1:]] == ["m=video", "m=audio"]
    told = daemon.offer(audio(BOB, 5000), from_tag="b", to_tag="c")
    assert [part[0] for part in sdp.parts(told)[1:]] == [f"m=audio {sdp.port(told)} RTP/AVP 0"]


def test_what_a_request_says_of_the_legs_is_in_the_plan_from_then_on() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE), flags=["strict-source", "asymmetric", "NAT-wait", "pierce-NAT"], TOS=184)
    daemon.answer(audio(BOB), endpoint_learning="immediate")
    caller, callee = daemon.plan().sockets[0], daemon.plan().sockets[2]
    assert (caller.latch.strict, callee.latch.strict) == (True, True)
    assert (caller.latch.asymmetric, callee.latch.asymmetric) == (True, False)
    assert (caller.nat_wait, callee.nat_wait, caller.pierce, callee.pierce) == (True, False, True, False)
    assert (caller.latch.learning.value, callee.latch.learning.value) == ("immediate", "immediate")
    assert (caller.tos, callee.tos) == (184, 184)
    daemon.offer(audio(ALICE), to_tag="b", flags=["media-handover"])
    caller, callee = daemon.plan().sockets[0], daemon.plan().sockets[2]
    assert (caller.latch.strict, caller.latch.handover, callee.latch.handover) == (True, True, True)
    assert caller.tos is None


def test_learning_starts_anew_with_each_exchange() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    first = {socket.latch.generation for socket in daemon.plan().sockets}
    daemon.command("query")
    daemon.offer(audio(ALICE), to_tag="b")
    second = {socket.latch.generation for socket in daemon.plan().sockets}
    assert len(first) == len(second) == 1
    assert first != second


def test_a_failed_request_changes_nothing() -> None:
    daemon = Daemon()
    daemon.offer(audio(ALICE))
    daemon.answer(audio(BOB))
    plan, query = daemon.plan(), daemon.command("query")
    for text in ("nonsense", audio(ALICE, formats="300"), audio(ALICE, 70000), sdp.sdp(ALICE), audio(ALICE)[:60]):
        assert daemon.refusal("offer", from_tag="a", to_tag="b", sdp=text)
        assert daemon.refusal("answer", from_tag="a", to_tag="b", sdp=text)
    assert daemon.plan() == plan
    assert daemon.command("query") == query
    assert daemon.forwarder.plans.keys() == {CallId(CALL)}
