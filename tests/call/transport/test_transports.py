"""The transports of all calls together: many legs, their timers, facts told again, and whatever comes in."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ngdaemon.base.endpoint import Endpoint
from ngdaemon.base.ids import CallId, SocketId
from ngdaemon.call.transport.transport import Transport
from ngdaemon.call.transport.transports import MOST_STALE, Transports
from ngdaemon.ice import stun
from ngdaemon.ice.candidate import RTP
from ngdaemon.media.forwarder import Punted
from tests.support.daemon import CALL, Daemon
from tests.support.peer import TO_PLAIN, Peer, Site, call_to_phone
from tests.support.sdp import audio

BROWSER, PHONE = Endpoint("198.51.100.1", 50000), audio("198.51.100.2", 4000)
TO_BROWSER: dict[str, Any] = {
    "transport_protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "SDES": "off",
    "rtcp_mux": ["offer", "accept"],
}


def transports(site: Site) -> Transports:
    return site.daemon.controller._service.registry.transports


def sync(site: Site) -> None:
    """Tell the transports the facts that there are."""
    call = site.daemon.controller._service.registry.get(CallId(CALL))
    assert call is not None
    transports(site).sync(call, site.clock.now)
    transports(site).flush(call.id)


@pytest.mark.parametrize("ice", [True, False], ids=["ICE", "no ICE"])
@pytest.mark.parametrize("setup", ["active", "passive"])
@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1, 1.0, 40.0])
def test_the_same_facts_told_again_change_nothing_and_send_nothing(ice: bool, setup: str, moment: float) -> None:
    """MOD-01: before, in, and after checks and handshakes, failed ones among them."""
    site = Site()
    peer = Peer(site, BROWSER, ice=ice)
    site.daemon.offer(peer.describe(setup), **TO_PLAIN)
    peer.hear(site.daemon.answer(PHONE))
    peer.mute = moment > 30.0
    site.run(moment)
    call = CallId(CALL)
    links, sent, at = (
        dict(transports(site).links(call)),
        len(site.daemon.forwarder.sent),
        transports(site).next_timeout(),
    )
    for _ in range(2):
        sync(site)
    assert dict(transports(site).links(call)) == links
    assert len(site.daemon.forwarder.sent) == sent
    assert transports(site).next_timeout() == at


def test_a_call_between_two_secured_legs_has_a_handshake_on_each() -> None:
    """MOD-01, KEY-08: keys of one leg are never those of the other."""
    site = Site()
    one, two = Peer(site, BROWSER), Peer(site, Endpoint("198.51.100.7", 50700), controlling=False, seed=2)
    two.hear(site.daemon.offer(one.describe(), **TO_BROWSER))
    one.hear(site.daemon.answer(two.answer()))
    assert site.run(3.0, until=lambda: site.is_open(one) and site.is_open(two))
    keys = [site.protection(peer).send for peer in (one, two)] + [
        site.protection(peer).receive[0] for peer in (one, two)
    ]
    assert len(set(keys)) == 4
    assert one.heard.count(two.identity.fingerprint().text()) == 0


def test_ten_secured_legs_of_one_call_all_come_up() -> None:
    """MOD-01, MOD-03, FP-12: a caller and nine branches, each at ports of its own, all of them ringing."""
    site = Site()
    caller = Peer(site, BROWSER)
    branches = []
    for number in range(9):
        branch = Peer(site, Endpoint("198.51.100.20", 40000 + 2 * number), controlling=False, seed=2 + number)
        branch.hear(site.daemon.offer(caller.describe(), via_branch=f"branch{number}", **TO_BROWSER))
        branches.append(branch)
    site.run(1.0)
    for number, branch in enumerate(branches):
        names: dict[str, Any] = {"via_branch": f"branch{number}", "to_tag": f"b{number}", "flags": ["provisional"]}
        caller.hear(site.daemon.answer(branch.answer(), **names))
    peers = [caller, *branches]
    assert len({peer.told[RTP].port for peer in peers}) == 10
    assert site.run(10.0, until=lambda: all(site.is_open(peer) for peer in peers))
    assert len({site.protection(peer).send for peer in peers}) == 10


def test_deadlines_that_no_longer_count_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """MOD-03: strangers who shake hands make the next deadline a near one, then again that of minutes ahead."""
    site = Site()
    peer = Peer(site, BROWSER, ice=False)
    call_to_phone(site, peer, PHONE)
    site.run(0.1)
    near_and_far = cycle((site.clock.now + 1.0, site.clock.now + 300.0))
    asked: list[Transport] = []

    def restless(transport: Transport) -> float:
        asked.append(transport)
        return next(near_and_far)

    monkeypatch.setattr(Transport, "next_timeout", restless)
    for number in range(1000):
        site.network.send(b"\x16" + bytes(40), Endpoint("203.0.113.3", 1024 + number), peer.told[RTP])
    site.network.run(0.1)
    assert len(asked) >= 1000
    assert len(transports(site)._deadlines) <= 2 + MOST_STALE
    assert transports(site).next_timeout() is not None


def test_calls_that_come_and_go_leave_nothing_behind() -> None:
    """GATE-05, S19: no transport, socket, link or deadline."""
    site = Site()
    for number in range(50):
        peer = Peer(site, Endpoint("198.51.100.1", 20000 + number))
        call = f"call{number}"
        site.daemon.offer(peer.describe(), call=call, **TO_PLAIN)
        peer.hear(site.daemon.answer(PHONE, call=call))
        site.run(0.05)
        site.daemon.command("delete", call, delete_delay=0)
    kept = transports(site)
    assert (kept._calls, kept._links, kept._sockets, kept._noted) == ({}, {}, {}, {})
    assert kept.next_timeout() is None
    assert len(kept._deadlines) == 0


def test_a_call_id_that_comes_again_begins_anew() -> None:
    """GATE-05: late datagrams of the former call do not touch it, nor do its timers."""
    site = Site()
    old = Peer(site, BROWSER)
    call_to_phone(site, old, PHONE)
    site.run(0.03)
    former = site.daemon.socket_at(old.told[RTP].port)
    site.daemon.command("delete", delete_delay=0)
    new = Peer(site, Endpoint("198.51.100.1", 51000), seed=2)
    call_to_phone(site, new, PHONE)
    assert new.told[RTP].port != old.told[RTP].port
    site.daemon.forwarder.events.append(Punted(CallId(CALL), former, BROWSER, b"\x16" + bytes(40), site.clock.now))
    site.daemon.controller.handle_events(site.clock.now)
    assert site.run(3.0, until=lambda: site.is_open(new))


@pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/SAVP"])
def test_ice_without_dtls_decides_where_media_goes(protocol: str) -> None:
    """STUN-02, S08: clear media, and SDES, which needs no handshake to go the same way."""
    site = Site()
    peer = Peer(site, BROWSER)
    key = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}"
    lines = peer.describe("actpass", *([key] if protocol == "RTP/SAVP" else ()), protocol=protocol).splitlines()
    text = "".join(f"{line}\r\n" for line in lines if not line.startswith(("a=fingerprint", "a=setup")))
    site.daemon.offer(text, **TO_PLAIN)
    answer = site.daemon.answer(PHONE)
    assert "fingerprint" not in answer
    peer.hear(answer)
    assert site.facing(peer).signalled is None
    assert site.run(2.0, until=lambda: site.facing(peer).signalled == BROWSER)
    assert (site.facing(peer).protection is None) is (protocol == "RTP/AVP")
    assert not [data for _, data, _ in site.sent if 20 <= data[0] < 64]


def _descriptions() -> dict[str, str]:
    """One SDP of each kind."""
    site = Site()
    browser, second = Peer(site, BROWSER), Peer(site, BROWSER, seed=2)
    phone = Peer(site, Endpoint("198.51.100.5", 5000), ice=False, mux=False, tls_id="t" * 24, seed=3)
    key = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}"
    return {
        "browser": browser.describe(),
        "active": browser.describe("active"),
        "passive": browser.describe("passive"),
        "restarted": second.describe("active"),
        "phone": phone.describe("active"),
        "server": phone.describe("passive"),
        "held": phone.describe("actpass", "a=inactive"),
        "sdes": audio("198.51.100.5", 5000, key).replace("RTP/AVP", "RTP/SAVP"),
        "plain": PHONE,
        "zero": audio("0.0.0.0", 4000),
        "refused": browser.describe().replace("m=audio 50000", "m=audio 0"),
    }


SDPS = _descriptions()
TRANSPORTS = ["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF", None]
DATAGRAMS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda first, rest: bytes((first,)) + rest, st.sampled_from([0, 1, 20, 21, 22, 23, 63]), st.binary(max_size=80)
    ),
    st.builds(
        lambda kind, rest: kind + len(rest).to_bytes(2) + rest,
        st.sampled_from([b"\x16\xfe\xfd" + bytes(8), b"\x15\xfe\xfd" + bytes(8), b"\x17\xfe\xfd\0\1" + bytes(6)]),
        st.binary(max_size=60),
    ),
    st.sampled_from([stun.binding_request_bare(bytes(12)), stun.build(stun.REQUEST, bytes(12), [], b"x")]),
)
ACTIONS = st.one_of(
    st.tuples(
        st.just("offer"),
        st.sampled_from(sorted(SDPS)),
        st.sampled_from(TRANSPORTS),
        st.sampled_from(["force", "remove", "optional"]),
    ),
    st.tuples(
        st.just("back"),
        st.sampled_from(sorted(SDPS)),
        st.sampled_from(TRANSPORTS),
        st.sampled_from(["force", "remove"]),
    ),
    st.tuples(
        st.just("answer"), st.sampled_from(sorted(SDPS)), st.sampled_from(["b", "c"]), st.sampled_from([0, 183, 200])
    ),
    st.tuples(st.just("datagram"), st.integers(0, 7), DATAGRAMS, st.integers(1, 3)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.1, 3.0, 40.0])),
    st.tuples(st.just("delete"), st.sampled_from([0, 2])),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, max_size=25))
def test_nothing_raises_whatever_comes_in_whatever_order(actions: list[tuple[Any, ...]]) -> None:
    """S09, HS-11: requests, datagrams of anybody, and time."""
    daemon = Daemon()
    for kind, *rest in actions:
        reply = _act(daemon, kind, rest)
        assert reply.get("error-reason") != "Internal error"
        _check_plan(daemon)


def _act(daemon: Daemon, kind: str, rest: list[Any]) -> dict[str, Any]:
    match kind, rest:
        case "offer", [name, transport, ice]:
            return daemon.command("offer", from_tag="a", sdp=SDPS[name], transport_protocol=transport, ICE=ice)
        case "back", [name, transport, ice]:
            return daemon.command(
                "offer", from_tag="b", to_tag="a", sdp=SDPS[name], transport_protocol=transport, ICE=ice
            )
        case "answer", [name, tag, code]:
            return daemon.command("answer", from_tag="a", to_tag=tag, sdp=SDPS[name], sip_code=code)
        case "datagram", [place, data, host]:
            bound = sorted(daemon.forwarder.bound)
            socket = SocketId(bound[place % len(bound)]) if bound else SocketId(1)
            source = Endpoint(f"198.51.100.{host}", 50000)
            daemon.forwarder.events.append(Punted(CallId(CALL), socket, source, data, daemon.clock.now))
            daemon.controller.handle_events(daemon.clock.now)
        case "wait", [seconds]:
            daemon.wait(seconds)
        case "delete", [delay]:
            return daemon.command("delete", delete_delay=delay)
    return {}


def _check_plan(daemon: Daemon) -> None:
    """No handshake was finished: where one is needed nothing passes."""
    for socket in daemon.plan().sockets:
        found = socket.protection
        if found is not None and found.send is not None:
            assert found.low_start, "keys that are not of SDES"
