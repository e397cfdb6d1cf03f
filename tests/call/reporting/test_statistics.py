"""The counters of the daemon (ng-protocol.md §6.4)."""

from typing import Any

import pytest

from ngdaemon.call.reporting.statistics import MAX_PROXIES, SHORT_NAMES, Statistics, Traffic
from ngdaemon.commands.table import ROWS
from ngdaemon.media.forwarder import SocketCounters
from tests.support import sdp
from tests.support.daemon import Daemon
from tests.support.sdp import audio

ALICE, BOB = "198.51.100.1", "198.51.100.2"


def statistics(daemon: Daemon) -> dict[str, Any]:
    tree = daemon.ask({"command": "statistics"})["statistics"]
    assert isinstance(tree, dict)
    return tree


def call_of(daemon: Daemon, call: str = "call") -> tuple[int, int]:
    offer = daemon.offer(audio(ALICE, 4000), call=call)
    return sdp.port(offer), sdp.port(daemon.answer(audio(BOB, 5000), call=call))


def test_calls_that_are_up_and_those_that_were() -> None:
    daemon = Daemon()
    for number in range(3):
        call_of(daemon, f"call {number}")
    daemon.command("delete", call="call 0", delete_delay=0)
    tree = statistics(daemon)
    current, total = tree["currentstatistics"], tree["totalstatistics"]
    assert (current["sessionsown"], current["sessionsforeign"], current["sessionstotal"]) == (2, 0, 2)
    assert (total["managedsessions"], total["regularterminatedsessions"]) == (3, 1)
    assert current["media_userspace"] == 4


def test_uptime_and_durations_are_text() -> None:
    daemon = Daemon()
    call_of(daemon, "one")
    call_of(daemon, "two")
    daemon.wait(10)
    daemon.command("delete", call="one", delete_delay=0)
    daemon.wait(20)
    daemon.command("delete", call="two", delete_delay=0)
    total = statistics(daemon)["totalstatistics"]
    assert total["uptime"] == "30"
    assert total["totalcallsduration"] == "40.000000"
    assert total["totalcallsduration2"] == "1000.000000"
    assert total["avgcallduration"] == "20.000000"
    assert total["totalcallsduration_stddev"] == "10.000000"


def test_nothing_ended_is_an_average_of_nothing() -> None:
    total = statistics(Daemon())["totalstatistics"]
    assert (total["avgcallduration"], total["totalcallsduration_stddev"]) == ("0.000000", "0.000000")


def relayed(daemon: Daemon) -> tuple[int, int, int]:
    total = statistics(daemon)["totalstatistics"]
    for suffix, share in (("_user", 1), ("_kernel", 0)):
        for key in ("relayedpackets", "relayedpacketerrors", "relayedbytes"):
            assert total[key + suffix] == total[key] * share
    return total["relayedpackets"], total["relayedpacketerrors"], total["relayedbytes"]


def test_relayed_packets_of_calls_that_are_up_of_parties_and_calls_that_ended() -> None:
    daemon = Daemon()
    callee, caller = call_of(daemon)
    counted = daemon.forwarder.counted
    counted[daemon.socket_at(caller)] = SocketCounters(errors_in=1, packets_out=10, bytes_out=1000, errors_out=2)
    counted[daemon.socket_at(callee)] = SocketCounters(packets_out=5, bytes_out=500)
    assert relayed(daemon) == (15, 3, 1500)
    daemon.offer(audio(ALICE, 4000), via_branch="x")
    daemon.command("delete", from_tag="a", via_branch="x", delete_delay=0)
    assert relayed(daemon) == (15, 3, 1500)
    daemon.command("delete", delete_delay=0)
    assert relayed(daemon) == (15, 3, 1500)


@pytest.mark.parametrize(
    ("received", "zero_way", "one_way"), [((0, 0), 2, 0), ((0, 5), 0, 1), ((5, 0), 0, 1), ((5, 5), 0, 0)]
)
def test_streams_without_packets(received: tuple[int, int], zero_way: int, one_way: int) -> None:
    daemon = Daemon()
    for port, packets in zip(call_of(daemon), received, strict=True):
        if packets:
            daemon.receive_media(port, packets)
    daemon.command("delete", delete_delay=0)
    total = statistics(daemon)["totalstatistics"]
    assert (total["zerowaystreams"], total["onewaystreams"]) == (zero_way, one_way)


def test_rates_are_those_since_they_were_asked_for_last() -> None:
    daemon = Daemon()
    _, caller = call_of(daemon)
    socket = daemon.socket_at(caller)
    statistics(daemon)
    daemon.wait(10)
    daemon.forwarder.counted[socket] = SocketCounters(packets_out=500, bytes_out=86000, errors_out=20)
    current = statistics(daemon)["currentstatistics"]
    assert (current["packetrate"], current["byterate"], current["errorrate"]) == (50, 8600, 2)
    assert (current["packetrate_user"], current["packetrate_kernel"]) == (50, 0)
    daemon.wait(10)
    assert statistics(daemon)["currentstatistics"]["packetrate"] == 0


def test_requests_are_counted_by_command_and_proxy() -> None:
    daemon = Daemon()
    call_of(daemon)
    daemon.command("query")
    daemon.command("query", call="unknown")
    daemon.command("no such command")
    control = statistics(daemon)["controlstatistics"]
    (proxy,) = control["proxies"]
    assert proxy["proxy"] == "192.0.2.50"
    assert (proxy["offercount"], proxy["answercount"], proxy["querycount"], proxy["errorcount"]) == (1, 1, 2, 2)
    assert (control["totaloffercount"], control["totalquerycount"], control["totalerrorcount"]) == (1, 2, 2)
    assert proxy["offerduration"] == "0.000000"


def test_every_command_has_a_short_name() -> None:
    assert {row.name for row in ROWS} - {"CLI"} == set(SHORT_NAMES)


def test_the_number_of_proxies_that_are_told_is_bounded() -> None:
    counted = Statistics(0.0)
    for number in range(MAX_PROXIES + 5):
        counted.count_request(f"192.0.2.{number}", "ping", 0.5, error=number == 0)
    control: Any = counted.tree([], Traffic(), {}, [], 1.0)["controlstatistics"]
    assert len(control["proxies"]) == MAX_PROXIES
    assert control["proxies"][0]["pingduration"] == "0.500000"
    assert (control["totalpingcount"], control["totalerrorcount"]) == (MAX_PROXIES + 5, 1)


def test_scores_of_streams_that_ended() -> None:
    counted = Statistics(0.0)
    counted.count_quality([(4.0, 3), (2.0, 1)])
    mos: Any = counted.tree([], Traffic(), {}, [], 1.0)["mos"]
    assert mos == {
        "mos_total": "14.000000",
        "mos2_total": "52.000000",
        "mos_samples_total": 4,
        "mos_average": "3.500000",
        "mos_stddev": "0.866025",
    }


def test_ports_in_use_by_interface() -> None:
    daemon = Daemon(port_min=30000, port_max=30099)
    call_of(daemon)
    daemon.offer(audio(ALICE), call="other", direction=["ext", "six"])
    used = {item["name"]: item["ports"]["used"] for item in statistics(daemon)["interfaces"]}
    assert used == {"int": 4, "ext": 2, "six": 2, "nat": 0}
    assert statistics(daemon)["interfaces"][0]["ports"] == {
        "min": 30000,
        "max": 30099,
        "used": 4,
        "used_pct": "4.000000",
        "free": 96,
        "totals": 100,
    }


def test_calls_that_a_limit_refused_are_counted() -> None:
    daemon = Daemon(max_sessions=0)
    daemon.refusal("offer", from_tag="a", sdp=audio(ALICE))
    assert statistics(daemon)["totalstatistics"]["rejectedsessions"] == 1
