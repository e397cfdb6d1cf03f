"""Nothing passes before it is sure who is there (FP-10, S16), and nothing is ever clear on a secured leg (S07)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.network import Host

from .dtls import DtlsPeer
from .lab import Call, Lab, shown
from .peer import Peer
from .srtp import SdesPeer, spellings
from .verdict import Verdict, Verdicts

pytestmark = pytest.mark.interop

_ORDERS = ["handshake first", "SDP first"]
_LEGS = pytest.mark.parametrize("ice", [False, True], ids=["without ICE", "ICE"])
_DTLS = "UDP/TLS/RTP/SAVPF"


@_LEGS
@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.parametrize("who", ["callee", "caller"])
def test_a_wrong_certificate_gets_nothing_fp_10(lab: Lab, verdict: Verdicts, order: str, who: str, ice: bool) -> None:
    """FP-10, FP-11, FP-14, MBX-07, ERR-08, S16: 0 packets either way, whichever of handshake and SDP comes first."""
    liar = DtlsPeer("liar", lab.bob_host, ice, lies=True)
    honest = Peer("alice", lab.alice_host)
    call = lab.call(honest, liar) if who == "callee" else lab.call(liar, honest)
    liar.holds_back = order == "SDP first"
    liar.talking = honest.talking = True
    if who == "callee":
        call.offer(transport_protocol=_DTLS, ICE="force" if ice else "remove")
    else:
        call.offer(transport_protocol="RTP/AVP", ICE="remove")
    lab.stage.play(1.0)
    reply = call.try_answer(call.callee.describe())
    if reply["result"] == "ok":
        call.caller.listen_to(reply["sdp"])
    else:
        assert (who, order, reply["sip-code"]) == ("callee", "handshake first", 488)  # ERR-08
    lab.stage.play(0.5)
    liar.holds_back = False
    lab.stage.play(3.0)
    if lab.is_ours and reply["result"] == "ok":
        assert "mismatch" in shown(call.query())
        assert "its certificate is" in lab.log()
    heard, said = len(liar.heard) + liar.deaf, len(honest.heard)
    name = f"wrong fingerprint of the {who}, {order}, {'ICE' if ice else 'without ICE'}"
    verdict("FP-10", name, not heard and not said, f"{heard} packets to it, {said} of its passed on")


@_LEGS
def test_the_same_call_with_the_right_certificate_has_media(lab: Lab, ice: bool) -> None:
    """What the tests of FP-10 count is there to be counted."""
    call = lab.call(Peer("alice", lab.alice_host), DtlsPeer("bob", lab.bob_host, ice))
    call.set_up(transport_protocol=_DTLS, ICE="force" if ice else "remove")
    assert call.heard()


def test_the_genuine_peer_connects_after_a_wrong_one_fp_11(lab: Lab, verdict: Verdicts) -> None:
    """FP-11, FP-12, MBX-10: a handshake of somebody else from the very same host came first."""
    call = lab.call(Peer("alice", lab.alice_host), DtlsPeer("bob", lab.bob_host))
    call.offer(transport_protocol=_DTLS, ICE="remove")
    intruder = lab.stage.enter(DtlsPeer("intruder", lab.bob_host))
    intruder.setup, intruder.to = "active", call.callee.to
    bob = call.callee
    assert isinstance(bob, DtlsPeer)
    bob.holds_back = True
    lab.stage.until(
        lambda: intruder.handshake and (intruder.handshake.done or intruder.handshake.failed), "a handshake"
    )
    call.answer()
    bob.holds_back = False
    call.talk()
    talk = call.heard()
    passed = len(intruder.heard) + intruder.deaf
    measured = f"{'media both ways' if talk else 'no media'}, {passed} packets to the other"
    verdict("FP-11", "another certificate first, from the same host", talk and not passed, measured)


# -- clear media (S07)

_SECURED: dict[str, Callable[[str, Host], Peer]] = {
    "SDES": lambda name, host: SdesPeer(name, host),
    "DTLS": lambda name, host: DtlsPeer(name, host),
    "ICE": lambda name, host: DtlsPeer(name, host, ice=True),
}


@pytest.mark.parametrize("media", _SECURED)
@pytest.mark.parametrize("who", ["callee", "caller"])
def test_no_clear_octet_of_media_is_on_a_secured_leg_s07(lab: Lab, verdict: Verdicts, media: str, who: str) -> None:
    """S07, MBX-08, DMX-02: from the offer to the end, keys or none; clear media from the secured side goes nowhere."""
    plain, secured = Peer("alice", lab.alice_host), _SECURED[media]("bob", lab.bob_host)
    call = lab.call(plain, secured) if who == "callee" else lab.call(secured, plain)
    plain.talking = True
    if isinstance(secured, DtlsPeer):
        secured.holds_back = True
    call.offer(**_options(who, media))
    _chatter(lab, call, plain, secured)
    call.answer()
    _chatter(lab, call, plain, secured)
    if isinstance(secured, DtlsPeer):
        secured.holds_back = False
    secured.talking = True
    talk = call.heard()
    _chatter(lab, call, plain, secured)
    call.offer(**_options(who, media))
    call.answer()
    _chatter(lab, call, plain, secured)
    call.delete()
    lab.stage.play(0.3)
    assert lab.on_the_wire(b"alice says", outgoing=False), "the lab does not see clear media"
    clear = sum(b"alice says" in item.data for item in lab.sent_to(lab.bob_host))
    passed = sum(_CLEAR in heard.packet for heard in plain.heard)
    measured = f"{clear} clear packets to it, {passed} of its clear ones passed on{'' if talk else ', no media'}"
    verdict("S07", f"{media} {who}", not clear and not passed and talk, measured)


_CLEAR = b"CLEAR"


def _chatter(lab: Lab, call: Call, plain: Peer, secured: Peer) -> None:
    """For a while the plain phone talks, and the secured one sends clear packets besides what it does."""
    for number in range(15):
        lab.stage.play(0.02)
        if secured.to:
            header = bytes.fromhex("8000") + number.to_bytes(2) + bytes.fromhex("00000000deadbeef")
            secured.send(header + _CLEAR.ljust(160, b"-"), secured.to)


def _options(who: str, media: str) -> dict[str, str]:
    """How the proxy asks for the other kind of media on the other side."""
    if who == "caller":
        return {"transport_protocol": "RTP/AVP", "ICE": "remove"}
    return {
        "SDES": {"transport_protocol": "RTP/SAVP"},
        "DTLS": {"transport_protocol": _DTLS, "ICE": "remove"},
        "ICE": {"transport_protocol": _DTLS, "ICE": "force"},
    }[media]


# -- talked down (S16)


def _without(pattern: str) -> Callable[[str], str]:
    return lambda sdp: re.sub(rf"(?m)^a={pattern}.*\r\n", "", sdp)


_PLAIN_PROFILE = ("RTP/SAVP ", "RTP/AVP ")
_TALKED_DOWN: dict[str, tuple[str, Callable[[str], str]]] = {
    "no crypto": ("SDES", _without("crypto")),
    "no crypto and a clear profile": ("SDES", lambda sdp: _without("crypto")(sdp).replace(*_PLAIN_PROFILE)),
    "a clear profile, crypto kept": ("SDES", lambda sdp: sdp.replace(*_PLAIN_PROFILE)),
    "a NULL suite": ("SDES", lambda sdp: sdp.replace("AES_CM_128_HMAC_SHA1_80", "NULL_HMAC_SHA1_80")),
    "a suite that was not offered": ("SDES", lambda sdp: re.sub(r"crypto:\d+ \S+", "crypto:99 XYZ_80", sdp)),
    "unencrypted SRTP": ("SDES", lambda sdp: re.sub(r"(inline:\S+)", r"\1 UNENCRYPTED_SRTP", sdp)),
    "no fingerprint": ("DTLS", _without("fingerprint")),
    "a broken fingerprint": ("DTLS", lambda sdp: re.sub(r"sha-256 \S+", "sha-256 AA:BB", sdp)),
    "an MD5 fingerprint": ("DTLS", lambda sdp: re.sub(r"sha-256 \S+", f"md5 {':'.join(['AA'] * 16)}", sdp)),
    "holdconn": ("DTLS", lambda sdp: re.sub("a=setup:[a-z]+", "a=setup:holdconn", sdp)),
    "a clear profile": (
        "DTLS",
        lambda sdp: _without("fingerprint")(_without("setup")(sdp)).replace(_DTLS, "RTP/AVP"),
    ),
}
"""How somebody on the way of the signalling changes the answer."""


def test_a_secured_offer_is_not_answered_down_s16(lab: Lab, verdict: Verdicts) -> None:
    """S16, SDES-04, FP-06, OSR-02, ERR-05: refused, or no media at all in either direction."""
    calls: dict[str, Call] = {}
    for name, (media, change) in _TALKED_DOWN.items():
        peer = SdesPeer if media == "SDES" else DtlsPeer
        call = calls[name] = lab.call(peer("alice", lab.alice_host), _Impostor(peer("bob", lab.bob_host), change))
        call.offer()
        reply = call.try_answer(call.callee.describe())
        call.refusal = "refused" if reply.get("result") != "ok" else ""
        if not call.refusal and re.search(r"(?m)^m=audio 0 ", reply["sdp"]):
            call.refusal = "refused by port 0"
        call.talk()
    lab.stage.play(2.0)
    verdicts = []
    for name, call in calls.items():
        got = sum(b" says " in data for _, data in call.callee.received)
        given = call.caller.hears(call.callee) + sum(b" says " in data for _, data in call.caller.received)
        attack = f"answer with {name} to {_TALKED_DOWN[name][0]}"
        measured = f"{call.refusal or 'accepted'}, {got} clear packets out, {given} in"
        verdicts.append(Verdict("S16", attack, not got and not given, measured))
    verdict.together(verdicts)


class _Impostor(Peer):
    """A phone in clear, behind the answer of a secured one that was changed on the way."""

    def __init__(self, pretended: Peer, change: Callable[[str], str]) -> None:
        super().__init__(pretended.name, pretended.host)
        self._pretended = pretended
        self._change = change

    def describe(self, version: int = 1) -> str:
        text = self._change(self._pretended.describe(version))
        return text.replace(f"m=audio {self._pretended.endpoint.port} ", f"m=audio {self.endpoint.port} ")

    def listen_to(self, sdp: str) -> None:
        super().listen_to(sdp)
        self._pretended.listen_to(sdp)

    def close(self) -> None:
        super().close()
        self._pretended.close()


def test_keys_of_one_leg_are_not_told_to_the_other_s16(lab: Lab, verdict: Verdicts) -> None:
    """S16, SDES-05, OSR-08: neither keys nor fingerprints, in offer and answer."""
    verdicts = []
    for media, peer in (("SDES", SdesPeer), ("DTLS", DtlsPeer)):
        call = lab.call(peer("alice", lab.alice_host), peer("bob", lab.bob_host))
        call.offer()
        call.answer()
        pattern = r"inline:([^\s|]+)" if media == "SDES" else r"fingerprint:\S+ (\S+)"
        said = [re.findall(pattern, phone.describe()) for phone in (call.caller, call.callee)]
        told = [call.offered, call.answered]
        passed = sum(secret.rstrip("=") in text for ours, text in zip(said, told, strict=True) for secret in ours)
        verdicts.append(Verdict("S16", f"{media} told to the other side", not passed, f"{passed} passed on"))
    verdict.together(verdicts)


# -- keys (S17)


def test_keys_are_in_no_log_and_no_reply_s17(new_lab: Lab, verdict: Verdicts) -> None:
    """S17, KEY-07, SDES-17: everything that is logged at the highest level, and all replies but the SDP itself."""
    lab = new_lab
    lab.start("--log-level=7")
    sdes = lab.call(SdesPeer("alice", lab.alice_host), SdesPeer("bob", lab.bob_host))
    dtls = lab.call(DtlsPeer("carol", lab.alice_host), DtlsPeer("dave", lab.bob_host))
    replies = []
    for call in (sdes, dtls):
        call.set_up()
        assert call.heard()
        replies.append(call.query())
    for command in ("list", "statistics"):
        replies.append(lab.ask(command=command))
    replies += [sdes.delete(), dtls.delete()]
    texts = {"log": lab.log(), "replies": "".join(shown(reply) for reply in replies)}
    secrets = [secret for call in (sdes, dtls) for peer in (call.caller, call.callee) for secret in peer.secrets()]
    assert len(secrets) >= 8
    verdicts = []
    for name, text in texts.items():
        found = sum(spelling in text for secret in secrets for spelling in spellings(secret))
        verdicts.append(Verdict("S17", f"search for {len(secrets)} keys in {name}", not found, f"{found} found"))
    verdict.together(verdicts)


def test_no_core_is_written_s17(lab: Lab, verdict: Verdicts) -> None:
    """S17, KEY-07: the memory, where the keys are, does not come to a file when the daemon dies."""
    if not lab.is_ours:
        pytest.skip("others leave that to whoever starts them")
    assert lab.gateway.process
    limits = Path(f"/proc/{lab.gateway.process.pid}/limits").read_text()
    match = re.search(r"(?m)^Max core file size +(\S+) +(\S+)", limits)
    assert match
    verdict(
        "S17", "core file", match.groups() == ("0", "0"), f"at most {match[1]} octets, {match[2]} if it wanted more"
    )
