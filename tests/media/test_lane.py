"""The way out of a secured port: protected or not at all."""

import pytest

from ngdaemon.media.departure import Departure
from ngdaemon.media.lane import Lane, Sender, numbered
from ngdaemon.media.latching import Address
from ngdaemon.rtp.packet import header_length
from ngdaemon.srtp.context import Outbound
from ngdaemon.srtp.keys import Keys
from tests.media.judge import Far, keys
from tests.media.rig import ALICE, STRANGER, A, B
from tests.support import packets
from tests.support.packets import rtp

REPORT = packets.receiver_report(1)
OURS = keys(2)


class Port:
    """A port that writes down what it sends."""

    def __init__(self, sender: Sender | None, peer: Address | None = ALICE) -> None:
        self.sent: list[bytes] = []
        self.fails = False
        self.out = Departure(self._transmit, {STRANGER})
        self.out.direct(peer, secured=True)
        self.lane = Lane(B, self.out, sender)

    def _transmit(self, data: bytes, to: Address) -> None:
        if self.fails:
            raise ConnectionRefusedError
        self.sent.append(data)


def sender(material: Keys = OURS, lifetime: int = 1 << 48) -> Sender:
    return Sender(material, Outbound(material, lifetime))


def test_what_leaves_is_protected() -> None:
    port, far = Port(sender()), Far(OURS, OURS)
    port.lane.rtp(rtp(1), 0.0)
    port.lane.rtcp(REPORT, 0.0)
    assert [far.open_rtp(port.sent[0]), far.open_rtcp(port.sent[1])] == [rtp(1), REPORT]
    assert (port.out.packets_out, port.out.bytes_out) == (2, sum(map(len, port.sent)))


def test_without_keys_nothing_leaves_mbx_07() -> None:
    """MBX-07. There is no other way out either."""
    port = Port(None)
    port.lane.rtp(rtp(1), 0.0)
    port.lane.rtcp(REPORT, 0.0)
    port.out.send(rtp(1), 0.0)
    assert port.sent == []
    assert (port.out.withheld, port.out.errors_out) == (3, 0)


def test_with_nobody_to_send_to_no_index_is_used() -> None:
    made = sender()
    port = Port(made, None)
    port.lane.rtp(rtp(1), 0.0)
    port.lane.rtcp(REPORT, 0.0)
    port.out.send(rtp(1), 0.0)
    assert not made.outbound.knows(0x1234)
    assert (port.sent, port.out.withheld, port.out.errors_out) == ([], 0, 0)


def test_an_exhausted_key_protects_nothing_more_key_06() -> None:
    """KEY-06."""
    port = Port(sender(lifetime=2))
    for number in range(1, 20):
        port.lane.rtp(rtp(number), 0.0)
        port.lane.rtcp(REPORT, 0.0)
    assert len(port.sent) == 4
    assert port.out.errors_out == 2 * 17


def test_what_the_system_refuses_is_counted_and_its_index_is_gone() -> None:
    port, far = Port(sender()), Far(OURS, OURS)
    port.fails = True
    port.lane.rtp(rtp(1), 0.0)
    port.fails = False
    port.lane.rtp(rtp(1), 0.0)
    port.lane.rtp(rtp(2), 0.0)
    assert [far.open_rtp(packet) for packet in port.sent] == [rtp(2)]
    assert port.out.errors_out == 2


def test_a_loop_through_our_own_ports_is_cut_s14() -> None:
    """S14: a report is protected anew each time it comes round, so that it is the clear one that is known again."""
    port = Port(sender(), STRANGER)
    for _ in range(5):
        port.lane.rtcp(REPORT, 0.0)
        port.lane.rtp(rtp(1), 0.0)
    assert len(port.sent) == 2
    assert port.out.errors_out == 8


def test_two_sources_of_one_port_share_its_numbers() -> None:
    made = sender()
    port, far = Port(made), Far(OURS, OURS)
    other = Lane(A, port.out, made)
    for number in range(5):
        port.lane.rtp(rtp(number), 0.0)
        other.rtp(rtp(number), 0.0)
    assert [far.open_rtp(packet)[2:4] for packet in port.sent] == [number.to_bytes(2, "big") for number in range(10)]


@pytest.mark.parametrize("sequence", [0, 65535, 65536, -1, 10**6])
def test_a_number_is_replaced_and_nothing_else(sequence: int) -> None:
    packet = rtp(7, marker=True, csrcs=[1], extension=b"abcd", padding=4)
    changed = numbered(packet, sequence)
    assert int.from_bytes(changed[2:4], "big") == sequence % 65536
    assert changed[:2] + packet[2:4] + changed[4:] == packet
    assert header_length(changed) == header_length(packet)
