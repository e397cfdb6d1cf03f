"""Two media nodes: a call finds the other one when its own is down or full, and stays where it began."""

import pytest

from .gateway import Gateway
from .scenario import Callee, Caller, sdp
from .site import Phone, Site

pytestmark = pytest.mark.interop

CALL = "failover@example.com"  # the same in every call, so the module prefers the same node


@pytest.fixture
def two_nodes(new_site: Site) -> Site:
    new_site.start(nodes=2, NG_TIMEOUT_MS="200", NG_RETRIES="1")
    return new_site


@pytest.fixture
def phones(two_nodes: Site) -> tuple[Phone, Phone]:
    alice, bob = two_nodes.phone("alice"), two_nodes.phone("bob")
    bob.register()
    return alice, bob


def call(phones: tuple[Phone, Phone], site: Site) -> Gateway:
    """A call from begin to end, heard at both phones; the node that carried it."""
    alice, bob = phones
    callee = bob.play(Callee("bob").invited().answer(sdp()).talk(bob.sound).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite(sdp()).answered().talk(alice.sound).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    node = carrier(phones, site)
    caller.go()
    caller.finish()
    callee.finish()
    return node


def carrier(phones: tuple[Phone, Phone], site: Site) -> Gateway:
    """The node whose address both phones were told."""
    nodes = [node for node in site.nodes if all(phone.told().address in node.addresses for phone in phones)]
    assert len(nodes) == 1
    return nodes[0]


def test_full_node_passes_the_call_on(two_nodes: Site, phones: tuple[Phone, Phone]) -> None:
    preferred = call(phones, two_nodes)
    preferred.stop()
    preferred.start("--max-sessions=0")
    assert call(phones, two_nodes) is not preferred
    assert {reply.node for reply in two_nodes.control.replies("load limit")} == {preferred.port}


def test_dead_node_is_replaced(two_nodes: Site, phones: tuple[Phone, Phone]) -> None:
    preferred = call(phones, two_nodes)
    preferred.kill()
    assert call(phones, two_nodes) is not preferred
    two_nodes.tolerate("can't send command|did not respond|timeout waiting reply")


def test_call_stays_on_its_node_when_the_preferred_one_is_back(two_nodes: Site, phones: tuple[Phone, Phone]) -> None:
    alice, bob = phones
    preferred = call(phones, two_nodes)
    two_nodes.proxy.rpc("rtpengine.enable", preferred.node, "0")
    callee = bob.play(
        Callee("bob")
        .invited()
        .answer(sdp())
        .talk(bob.sound)
        .accept_reinvite(sdp(version=2))
        .gate()
        .reinvite(sdp(version=3))
        .hung_up(),
        CALL,
    )
    caller = alice.play(
        Caller("alice", "bob")
        .invite(sdp())
        .answered()
        .talk(alice.sound)
        .gate()
        .reinvite(sdp(version=2))
        .accept_reinvite(sdp(version=3))
        .gate()
        .bye(),
        CALL,
    )
    alice.hear(bob)
    bob.hear(alice)
    other = carrier(phones, two_nodes)
    assert other is not preferred
    two_nodes.proxy.rpc("rtpengine.enable", preferred.node, "1")
    caller.go()
    bob.wait_for_request("ACK", 3)
    callee.go()
    alice.wait_for_request("ACK")
    assert carrier(phones, two_nodes) is other
    assert not preferred.calls()
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()


def test_no_node_at_all_refuses_the_call(two_nodes: Site, phones: tuple[Phone, Phone]) -> None:
    alice, bob = phones
    for node in two_nodes.nodes:
        node.kill()
    alice.play(Caller("alice", "bob").invite(sdp()).refused(503), CALL).finish()
    assert not [message for message in bob.tap.sip(outgoing=False) if message.first_line.startswith("INVITE ")]
    two_nodes.tolerate("can't send command|did not respond|timeout waiting reply|no available proxies")
