"""Which local ports are told to whom (ng-protocol.md §4.11), and that none is ever lost."""

import pytest

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId
from ngdaemon.call.negotiation.allocate import MOST_FORMER
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"
OTHER = "198.51.100.7"


def call_of(daemon: Daemon) -> tuple[int, int]:
    """A call that is set up; the ports told to callee and caller."""
    return sdp.port(daemon.offer(audio(ALICE, 4000))), sdp.port(daemon.answer(audio(BOB, 5000)))


def test_rtp_has_an_even_port_and_rtcp_the_next() -> None:
    daemon = Daemon()
    told = daemon.offer(audio(ALICE))
    assert sdp.port(told) % 2 == 0
    assert sdp.attribute(told, "rtcp") == str(sdp.port(told) + 1)


def test_each_media_and_each_side_has_its_own_ports() -> None:
    daemon = Daemon()
    two = ("m=audio {} RTP/AVP 0", "m=video {} RTP/AVP 31")
    offer = daemon.offer(sdp.sdp(ALICE, *(line.format(4000 + 2 * n) for n, line in enumerate(two))))
    answer = daemon.answer(sdp.sdp(BOB, *(line.format(5000 + 2 * n) for n, line in enumerate(two))))
    assert len({*sdp.ports(offer), *sdp.ports(answer)}) == 4


@pytest.mark.parametrize("times", [1, 3])
def test_the_same_endpoint_is_told_the_same_ports(times: int) -> None:
    daemon = Daemon()
    callee, caller = call_of(daemon)
    for _ in range(times):
        assert sdp.port(daemon.offer(audio(ALICE, 4000), to_tag="b")) == callee
        assert sdp.port(daemon.answer(audio(BOB, 5000))) == caller
    assert sdp.port(daemon.offer(audio(BOB, 5000), from_tag="b", to_tag="a")) == caller
    assert len(daemon.forwarder.bound) == 4


@pytest.mark.parametrize("moved", [audio(ALICE, 4444), audio(OTHER, 4000)], ids=["port", "address"])
def test_a_moved_endpoint_has_other_ports_told_to_the_far_side_until_it_comes_back(moved: str) -> None:
    daemon = Daemon()
    callee, _ = call_of(daemon)
    elsewhere = sdp.port(daemon.offer(moved, to_tag="b"))
    assert elsewhere != callee
    assert sdp.port(daemon.offer(audio(ALICE, 4000), to_tag="b")) == callee
    assert sdp.port(daemon.offer(moved, to_tag="b")) == elsewhere


def test_former_ports_stay_open_as_long_as_the_call() -> None:
    daemon = Daemon()
    callee, _ = call_of(daemon)
    daemon.offer(audio(ALICE, 4444), to_tag="b")
    assert callee in daemon.forwarder.ports_of(CallId("call"))
    daemon.command("delete", delete_delay=0)
    assert daemon.forwarder.bound == {}


def test_an_answer_from_another_endpoint_has_other_ports_told_to_the_offerer() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    assert sdp.port(daemon.answer(audio(BOB, 5555))) != caller
    assert sdp.port(daemon.answer(audio(BOB, 5000))) == caller


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (audio(ALICE, 4444), ["port-latching"]),
        (audio(ALICE, 4444, "a=sendonly"), []),
        (audio(ALICE, 4444, "a=inactive"), []),
        (audio("0.0.0.0", 4444), []),
    ],
    ids=["port-latching", "sendonly", "inactive", "zero address"],
)
def test_ports_stay_although_the_endpoint_moved(text: str, flags: list[str]) -> None:
    daemon = Daemon()
    callee, _ = call_of(daemon)
    assert sdp.port(daemon.offer(text, to_tag="b", flags=flags)) == callee


def test_another_interface_has_other_ports() -> None:
    daemon = Daemon()
    callee, _ = call_of(daemon)
    told = daemon.offer(audio(ALICE, 4000), to_tag="b", direction=["int", "ext"])
    assert sdp.address(told) == "192.0.2.2"
    assert Endpoint("192.0.2.2", sdp.port(told)) in [local for _, local in daemon.forwarder.bound.values()]
    assert sdp.port(daemon.offer(audio(ALICE, 4000), to_tag="b", direction=["int", "int"])) == callee


def test_branches_have_ports_of_their_own() -> None:
    daemon = Daemon()
    told = [sdp.port(daemon.offer(audio(ALICE), via_branch=branch)) for branch in ("x", "y", "x")]
    assert told[0] == told[2] != told[1]


def test_a_refused_media_holds_no_ports_and_gets_them_back_when_it_is_revived() -> None:
    daemon = Daemon()
    video = "m=video {} RTP/AVP 31"
    offer = daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", video.format(4002)))
    daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", video.format(5002)))
    refused = daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", video.format(0)), to_tag="b")
    assert sdp.ports(refused) == [sdp.port(offer), 0]
    daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", video.format(0)))
    revived = daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", video.format(4002)), to_tag="b")
    assert sdp.ports(revived) == sdp.ports(offer)
    bound = {number: local for number, (_, local) in daemon.forwarder.bound.items()}
    assert {socket.id for socket in daemon.plan().sockets} == set(bound)
    assert set(sdp.ports(revived)) <= {local.port for local in bound.values()}


# --------------------------------------------------------------------------------------------------- ports that run out


def test_a_media_that_was_refused_gets_ports_of_its_own_when_a_later_answer_accepts_it() -> None:
    """D-REFUSED."""
    daemon = Daemon()
    video = "m=video {} RTP/AVP 31"
    daemon.offer(sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", video.format(4002)))
    refused = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", video.format(0)))
    assert sdp.ports(refused)[1] == 0
    accepted = daemon.answer(sdp.sdp(BOB, "m=audio 5000 RTP/AVP 0", video.format(5002)))
    assert sdp.ports(accepted)[1] not in (0, sdp.port(accepted))
    bound = {local.port for _, local in daemon.forwarder.bound.values()}
    assert set(sdp.ports(accepted)) <= bound


def test_ports_that_run_out_are_an_error_that_proxies_know_and_nothing_is_left_behind() -> None:
    """D-FAILED."""
    daemon = Daemon(port_min=30000, port_max=30005)
    two = sdp.sdp(ALICE, "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 31")
    assert daemon.refusal("offer", from_tag="a", sdp=two) == "Ran out of ports"
    assert daemon.forwarder.bound == {}
    assert daemon.calls() == []
    for _ in range(10):
        assert daemon.refusal("offer", from_tag="a", sdp=two) == "Ran out of ports"
    assert sdp.ports(daemon.offer(audio(ALICE)))
    assert len(daemon.forwarder.bound) == 4


def test_a_reoffer_for_which_there_are_no_ports_leaves_the_call_as_it_is() -> None:
    """D-FAILED."""
    daemon = Daemon(port_min=30000, port_max=30003, port_quarantine=0)
    call_of(daemon)
    before, query = daemon.plan(), daemon.command("query")
    for _ in range(3):
        assert daemon.refusal("offer", from_tag="a", to_tag="b", sdp=audio(ALICE, 4444)) == "Ran out of ports"
        assert daemon.plan() == before
        assert daemon.command("query") == query
    assert len(daemon.forwarder.bound) == 4


def test_an_answer_that_fails_names_no_party() -> None:
    """D-FAILED."""
    daemon = Daemon()
    daemon.offer(audio(ALICE), via_branch="x")
    assert daemon.refusal("answer", from_tag="a", to_tag="b", via_branch="x", sdp="nonsense")
    assert list(daemon.command("query")["tags"]) == ["a", "<untagged 1>"]


def test_a_lack_of_file_descriptors_is_the_same_error() -> None:
    daemon = Daemon()
    daemon.forwarder.room = 3
    assert daemon.refusal("offer", from_tag="a", sdp=audio(ALICE)) == "Ran out of ports"
    assert daemon.forwarder.bound == {}
    daemon.forwarder.room = 4
    assert daemon.offer(audio(ALICE))


def test_ports_of_other_programs_are_passed_over() -> None:
    daemon = Daemon()
    daemon.forwarder.taken = {Endpoint("192.0.2.1", port) for port in (39998, 39997)}
    told = daemon.offer(audio(ALICE))
    assert sdp.port(told) not in (39998, 39996)
    assert len(daemon.forwarder.bound) == 4


def test_the_cause_and_the_remedy_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    daemon = Daemon(port_min=30000, port_max=30001)
    daemon.refusal("offer", from_tag="a", sdp=audio(ALICE))
    (record,) = [item for item in caplog.records if item.name == "ngdaemon.ports"]
    assert "no free pair of ports on 192.0.2.1" in record.getMessage()
    assert (record.__dict__["call"], record.__dict__["tag"]) == ("call", "a")
    assert "widen port-min and port-max" in record.getMessage()


def test_closed_ports_rest_before_they_are_used_again() -> None:
    daemon = Daemon(port_min=30000, port_max=30003, port_quarantine=5)
    daemon.offer(audio(ALICE))
    daemon.command("delete", delete_delay=0)
    daemon.wait(4.9)
    assert daemon.refusal("offer", from_tag="a", sdp=audio(ALICE), call="next") == "Ran out of ports"
    daemon.wait(0.2)
    assert daemon.command("offer", from_tag="a", sdp=audio(ALICE), call="next")["result"] == "ok"


def test_of_former_ports_the_oldest_are_closed() -> None:
    daemon = Daemon()
    first = sdp.port(daemon.offer(audio(ALICE, 4000)))
    daemon.answer(audio(BOB))
    for place in range(20):
        daemon.offer(audio(ALICE, 5000 + 2 * place), to_tag="b")
    bound = {local.port for _, local in daemon.forwarder.bound.values()}
    assert len(bound) == 2 + 2 * (1 + MOST_FORMER)
    assert first not in bound
    daemon.command("delete", delete_delay=0)
    assert daemon.forwarder.bound == {}
