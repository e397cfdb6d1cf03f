"""What the media node refuses ends at the proxy: no phone is told where the other is, no packet goes past the node.

At the end of each test `Site.check` looks at every description that a phone was told, and at every packet of each.
"""

import pytest

from .gateway import daemon_under_test
from .scenario import Callee, Caller, sdp
from .site import Phone, Site
from .tap import Sip
from .waiting import wait_for

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(daemon_under_test() == "rtpengine", reason="it takes nearly every description"),
]

CALL = "refused@example.com"
CLEAR = sdp()
CLEAR_AGAIN = sdp(version=2)
KEYLESS = sdp(protocol="RTP/SAVP")
KEYED = sdp(f"a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}", protocol="RTP/SAVP")
WEAK = sdp(f"a=fingerprint:sha-1 {':'.join(['AB'] * 20)}", "a=setup:active", protocol="UDP/TLS/RTP/SAVP")
UNREADABLE = "nonsense\n"
NO_MEDIA = sdp(port="0")


@pytest.fixture
def refusing_site(new_site: Site) -> Site:
    """A site whose users named `sdes-…` have phones that encrypt; Kamailio may complain that something was refused."""
    new_site.start_webrtc(SDES_USERS='"^sdes-"')
    new_site.tolerate("proxy replied with error")
    return new_site


@pytest.mark.parametrize(
    ("callee", "answer"),
    [("sdes-bob", CLEAR), ("sdes-bob", KEYLESS), ("dtls-bob", WEAK), ("dtls-bob", CLEAR), ("bob", UNREADABLE)],
    ids=["clear for SDES", "without keys", "sha-1", "clear for DTLS", "unreadable"],
)
def test_refused_answer_fails_the_call_at_both_phones(refusing_site: Site, callee: str, answer: str) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone(callee)
    bob.register()
    called = bob.play(Callee(callee).invited().ring().answer_in_vain(answer), CALL)
    alice.play(Caller("alice", callee).invite(CLEAR).refused(488, 180), CALL).finish()
    called.finish()
    _check_untold(alice)


def test_refused_answer_of_a_phone_with_ipv6(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("sdes-bob", ipv6=True)
    bob.register()
    called = bob.play(Callee("sdes-bob").invited().ring().answer_in_vain(CLEAR), CALL)
    alice.play(Caller("alice", "sdes-bob").invite(CLEAR).refused(488, 180), CALL).finish()
    called.finish()
    _check_untold(alice)


def test_refused_answer_ends_the_ringing_elsewhere(refusing_site: Site) -> None:
    alice, desk, mobile = (refusing_site.phone(user) for user in ("alice", "sdes-bob", "sdes-bob"))
    for phone in (desk, mobile):
        phone.register()
    rings = mobile.play(Callee("sdes-bob").invited().ring().cancelled(), CALL)
    takes = desk.play(Callee("sdes-bob").invited().ring().gate().answer_in_vain(CLEAR), CALL)
    caller = alice.play(Caller("alice", "sdes-bob").invite(CLEAR).refused(488, 180, 180), CALL)
    wait_for(lambda: len(alice.replies(180)) == 2, "both phones to ring")
    takes.go()
    for call in (caller, takes, rings):
        call.finish()
    _check_untold(alice)


def test_refused_early_answer_is_not_heard_of(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("sdes-bob")
    bob.register()
    called = bob.play(Callee("sdes-bob").invited().ring(CLEAR).talk(bob.sound).gate().answer(KEYED).hung_up(), CALL)
    caller = alice.play(Caller("alice", "sdes-bob").invite(CLEAR).answered().gate().bye(), CALL)
    wait_for(lambda: len(bob.tap.rtp(outgoing=True)) >= 10, "bob's early media")
    _check_untold(alice)
    called.go()
    bob.wait_for_request("ACK")
    caller.go()
    caller.finish()
    called.finish()
    assert alice.told().address in refusing_site.node.addresses
    assert not alice.tap.rtp(outgoing=False)


def test_refused_offer_of_the_callee_has_no_media(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(KEYLESS).hung_up(), CALL)
    caller = alice.play(Caller("alice", "bob").invite("").answered(body_in_ack=NO_MEDIA).gate().bye(), CALL)
    bob.wait_for_request("ACK")
    caller.go()
    caller.finish()
    callee.finish()
    _check_rejected(alice.replies(200)[0], bob, "RTP/SAVP")


def test_refused_answer_in_ack_rejects_the_media(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("sdes-alice"), refusing_site.phone("bob")
    bob.register()
    called = bob.play(Callee("bob").invited().answer(CLEAR).hung_up(), CALL)
    calls = Caller("sdes-alice", "bob").invite("").answered(body_in_ack=CLEAR).talk(alice.sound).gate().bye()
    caller = alice.play(calls, CALL)
    _check_rejected(bob.wait_for_request("ACK"), alice)
    wait_for(lambda: len(alice.tap.rtp(outgoing=True)) >= 10, "what alice says in the clear")
    caller.go()
    caller.finish()
    called.finish()
    assert not bob.tap.rtp(outgoing=False)


def test_refused_answer_in_prack_is_refused(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("sdes-alice"), refusing_site.phone("bob")
    bob.register()
    called = bob.play(Callee("bob").invited().ring(CLEAR).cancelled(), CALL)
    caller = Caller("sdes-alice", "bob").invite("").early().prack(CLEAR, 488).cancel()
    alice.play(caller, CALL).finish()
    called.finish()
    assert not [message for message in bob.tap.sip(outgoing=False) if message.first_line.startswith("PRACK ")]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_refused_answer_inside_the_dialogue_rejects_the_media(refusing_site: Site, method: str) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("sdes-bob")
    bob.register()
    called, calls = Callee("sdes-bob").invited().answer(KEYED), Caller("alice", "sdes-bob").invite(CLEAR).answered()
    if method == "INVITE":
        called.accept_reinvite(CLEAR_AGAIN)
        calls.reinvite(CLEAR_AGAIN)
    else:
        called.expect("UPDATE").reply(200, CLEAR_AGAIN)
        calls.update(CLEAR_AGAIN)
    callee = bob.play(called.talk(bob.sound).hung_up(), CALL)
    caller = alice.play(calls.gate().bye(), CALL)
    caller.wait_at_gate()
    _check_rejected(alice.replies(200)[-1], bob)
    wait_for(lambda: len(bob.tap.rtp(outgoing=True)) >= 10, "what bob says in the clear")
    caller.go()
    caller.finish()
    callee.finish()
    assert not alice.tap.rtp(outgoing=False)


def test_refused_offer_is_refused_with_488(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("bob")
    bob.register()
    alice.play(Caller("alice", "bob").invite(KEYLESS).refused(488), CALL).finish()
    assert not [message for message in bob.tap.sip(outgoing=False) if message.first_line.startswith("INVITE ")]


def test_refused_offer_inside_the_dialogue_leaves_the_call_as_it_was(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("bob")
    bob.register()
    callee = bob.play(Callee("bob").invited().answer(CLEAR).talk(bob.sound).hung_up(), CALL)
    calls = Caller("alice", "bob").invite(CLEAR).answered().talk(alice.sound).gate()
    caller = alice.play(calls.refused_reinvite(KEYLESS, 488).gate().bye(), CALL)
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.wait_at_gate()
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()


def test_answer_is_not_passed_on_when_the_node_has_died(new_site: Site) -> None:
    new_site.start(NG_TIMEOUT_MS="200", NG_RETRIES="1")
    new_site.tolerate("can't send command|did not respond|timeout waiting reply|no available proxies")
    alice, bob = new_site.phone("alice"), new_site.phone("bob")
    bob.register()
    called = bob.play(Callee("bob").invited().ring().gate().answer_in_vain(CLEAR), CALL)
    caller = alice.play(Caller("alice", "bob").invite(CLEAR).refused(503, 180), CALL)
    called.wait_at_gate()
    new_site.node.kill()
    called.go()
    caller.finish()
    called.finish()
    _check_untold(alice)


def test_offer_and_answer_in_prack_pass_the_media_node(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("bob")
    bob.register()
    called = Callee("bob").invited().ring(CLEAR).expect("PRACK").reply(200, CLEAR_AGAIN)
    callee = bob.play(called.reply(200, cseq="CSeq: 1 INVITE").expect("ACK").talk(bob.sound).hung_up(), CALL)
    calls = Caller("alice", "bob").invite(CLEAR).early().prack(CLEAR_AGAIN).answered().talk(alice.sound).gate().bye()
    caller = alice.play(calls, CALL)
    alice.hear(bob)
    bob.hear(alice)
    caller.go()
    caller.finish()
    callee.finish()
    assert len(refusing_site.control.requests("offer")) == len(refusing_site.control.requests("answer")) == 2


def test_late_copy_of_an_answer_goes_by_the_media_node_too(site: Site) -> None:
    """The proxy has forgotten the call's first transaction when the callee repeats its 200: the ACK got lost."""
    alice, bob = site.phone("alice"), site.phone("bob")
    bob.register()
    bob.play(Callee("bob").invited().answer(CLEAR), CALL)
    alice.play(Caller("alice", "bob").invite(CLEAR).expect_reply(200, 100).gate(), CALL)
    wait_for(lambda: alice.replies(200), "the answer")
    wait_for(lambda: not site.proxy.transactions(), "the end of the transaction", 20)
    since = alice.tap.mark()
    wait_for(lambda: [message for message in alice.tap.sip(outgoing=False, since=since) if message.sdp], "a copy")
    assert site.node.ask(command="delete", call_id=CALL)[b"result"] == b"ok"


def test_refused_answer_leaves_nothing_at_the_proxy(refusing_site: Site) -> None:
    alice, bob = refusing_site.phone("alice"), refusing_site.phone("sdes-bob")
    bob.register()
    called = bob.play(Callee("sdes-bob").invited().ring().answer_in_vain(CLEAR), CALL)
    alice.play(Caller("alice", "sdes-bob").invite(CLEAR).refused(488, 180), CALL).finish()
    called.finish()
    wait_for(lambda: not refusing_site.proxy.transactions(), "the end of all transactions", 20)


@pytest.mark.parametrize("user", ["bob", "sdes-bob"])
def test_answer_without_record_route_goes_by_the_media_node_too(refusing_site: Site, user: str) -> None:
    """The proxy is out of such a dialogue from then on, so the ACK never arrives."""
    alice, bob = refusing_site.phone("alice"), refusing_site.phone(user)
    bob.register()
    bob.play(Callee(user, copies_route=False).invited().reply(200, CLEAR), CALL)
    alice.play(Caller("alice", user).invite(CLEAR).answered(), CALL).finish()
    answer = alice.replies(200)[-1]
    if user == "bob":
        assert alice.told().address in refusing_site.node.addresses
    else:
        _check_rejected(answer, bob)
    assert refusing_site.node.ask(command="delete", call_id=CALL)[b"result"] == b"ok"


def _check_untold(phone: Phone) -> None:
    """Nobody told this phone where to send, and nothing was sent to it."""
    assert not [message for message in phone.tap.sip(outgoing=False) if message.sdp]
    assert not phone.tap.rtp(outgoing=False)


def _check_rejected(message: Sip, sender: Phone, protocol: str = "RTP/AVP") -> None:
    """The message rejects its only media, and nothing in it says where its sender is, or how it encrypts."""
    lines = message.sdp.splitlines()
    assert [line for line in lines if line.startswith("m=")] == [f"m=audio 0 {protocol} 8"]
    assert [line for line in lines if line.startswith("c=")] == ["c=IN IP4 0.0.0.0"]
    assert not [line for line in lines if line.startswith("a=")]
    assert not [line for line in lines if sender.address in line]
