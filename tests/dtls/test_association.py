"""One association: its moves, and what a stranger or a lossy path can do to it."""

from collections.abc import Callable

import pytest
from OpenSSL import SSL

from ngdaemon.dtls.association import MAX_WAITING, Association
from ngdaemon.dtls.certificate import Identity, make
from ngdaemon.dtls.engine import PROFILE_ORDER, make_context
from ngdaemon.dtls.fingerprint import Fingerprint
from ngdaemon.dtls.policy import Policy
from ngdaemon.dtls.reassembly import AHEAD, Message
from ngdaemon.dtls.records import Content, Fragment, record, records, whole
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.seal import CIPHER_SUITES
from ngdaemon.dtls.states import (
    DONE,
    KEYS_USABLE,
    LIVE,
    MOVES,
    Cause,
    Closed,
    Established,
    Failed,
    Held,
    Mismatch,
    State,
)
from ngdaemon.srtp.suites import SUITES
from tests.dtls.rig import OURS, PEER, A, B, C
from tests.dtls.test_hello import hello
from tests.support.rng import SeededRng

OF_B, OF_C = frozenset({B.fingerprint()}), frozenset({C.fingerprint()})


class Duo:
    """A client of ours and the peer's server, back to back; datagrams wait until they are carried."""

    def __init__(
        self,
        announced: frozenset[Fingerprint] | None = OF_B,
        final: bool = True,
        policy: Policy | None = None,
        peer: Identity = B,
    ) -> None:
        self.now = 0.0
        self.client = Association(PEER, Role.ACTIVE, A, policy or Policy(), 0.0)
        self.server = Association(OURS, Role.PASSIVE, peer, Policy(), 0.0)
        if announced is not None:
            self.client.judge(announced, final, 0.0)
        self.client.start(0.0)
        self._greet()

    def _greet(self) -> None:
        ((datagram),) = self.client.transmits()
        (found,) = records(datagram)
        body = found.payload[12:]
        self.server.accept(Message(1, 0, body), body[2:34], 0, None, self.now)

    def carry(self, source: Association, to: Association) -> list[bytes]:
        """Carry what waits in one direction."""
        datagrams = source.transmits()
        for datagram in datagrams:
            to.receive(datagram, self.now)
        return datagrams

    def finish(self) -> None:
        for _ in range(3):
            self.carry(self.server, self.client)
            self.carry(self.client, self.server)


def finished(announced: frozenset[Fingerprint] | None = OF_B, final: bool = True, policy: Policy | None = None) -> Duo:
    duo = Duo(announced, final, policy)
    duo.finish()
    return duo


def test_mod_04_a_handshake_under_way() -> None:
    client = Association(PEER, Role.ACTIVE, A, Policy(), 0.0)
    states = [client.state]
    client.start(0.0)
    assert [*states, client.state] == [State.NEW, State.HANDSHAKING]


REACH: dict[tuple[State, Cause], tuple[Callable[[], Duo], Callable[[Duo], None]]] = {
    (State.HANDSHAKING, Cause.UNJUDGED): (lambda: Duo(None), Duo.finish),
    (State.HANDSHAKING, Cause.MATCH): (Duo, Duo.finish),
    (State.HANDSHAKING, Cause.MISMATCH): (lambda: Duo(OF_C), Duo.finish),
    (State.HANDSHAKING, Cause.BROKEN): (
        Duo,
        lambda duo: duo.client.take_fragment(whole_fragment(14, 0, b""), 0.0),
    ),
    (State.HANDSHAKING, Cause.DEADLINE): (Duo, lambda duo: duo.client.handle_timer(30.0)),
    (State.HANDSHAKING, Cause.ENDED): (Duo, lambda duo: duo.client.close()),
    (State.KEYED, Cause.MATCH): (lambda: finished(None), lambda duo: duo.client.judge(OF_B, False, 1.0)),
    (State.KEYED, Cause.MISMATCH): (lambda: finished(None), lambda duo: duo.client.judge(OF_C, True, 1.0)),
    (State.KEYED, Cause.HELD_TOO_LONG): (lambda: finished(None), lambda duo: duo.client.handle_timer(300.0)),
    (State.KEYED, Cause.PEER_CLOSED): (lambda: finished(None), lambda duo: part(duo)),
    (State.KEYED, Cause.ENDED): (lambda: finished(None), lambda duo: duo.client.close()),
    (State.VERIFIED, Cause.RENEWED): (finished, lambda duo: duo.client.renew(1.0)),
    (State.VERIFIED, Cause.PEER_CLOSED): (finished, lambda duo: part(duo)),
    (State.VERIFIED, Cause.ENDED): (finished, lambda duo: duo.client.close()),
    (State.DRAINING, Cause.DRAINED): (lambda: draining(), lambda duo: duo.client.handle_timer(6.0)),
    (State.DRAINING, Cause.PEER_CLOSED): (lambda: draining(), lambda duo: part(duo)),
    (State.DRAINING, Cause.ENDED): (lambda: draining(), lambda duo: duo.client.close()),
}
"""For each move but those from NEW: how to come to its state, and what brings it about."""


def whole_fragment(kind: int, sequence: int, body: bytes) -> Fragment:
    return Fragment(kind, len(body), sequence, 0, body)


def part(duo: Duo) -> None:
    duo.server.close()
    duo.carry(duo.server, duo.client)


def draining() -> Duo:
    duo = finished()
    duo.client.renew(1.0)
    duo.client.drain(1.0)
    return duo


def test_mod_04_every_move_is_walked() -> None:
    assert set(REACH) == {move for move in MOVES if move[0] is not State.NEW}


@pytest.mark.parametrize("move", REACH, ids=lambda move: f"{move[0].name}-{move[1].name}")
def test_mod_04_each_move_leads_where_the_table_says(move: tuple[State, Cause]) -> None:
    reach, act = REACH[move]
    duo = reach()
    assert duo.client.state is move[0]
    act(duo)
    assert duo.client.state is MOVES[move]
    usable = duo.client.state in KEYS_USABLE
    assert (duo.client.receive_keys is not None) is usable
    assert (duo.client.send_keys is not None) is usable
    if duo.client.state not in LIVE:
        assert duo.client.next_timeout() is None
        duo.client.close()
        duo.client.handle_timer(1e9)
        assert duo.client.state is MOVES[move]  # the end is the end


def test_mod_04_keys_are_usable_only_where_the_peer_was_verified() -> None:
    assert set(KEYS_USABLE) == {State.VERIFIED, State.DRAINING}
    before = {state for (state, _), to in MOVES.items() if to is State.VERIFIED}
    assert before == {State.HANDSHAKING, State.KEYED}
    assert {cause for (_, cause), to in MOVES.items() if to is State.VERIFIED} == {Cause.MATCH}
    assert {state for (state, _), to in MOVES.items() if to is State.DRAINING} == {State.VERIFIED}


def test_fp_10_the_second_look_comes_with_the_description() -> None:
    duo = finished(None)
    assert duo.client.state is State.KEYED
    assert duo.client.receive_keys is duo.client.send_keys is None
    duo.client.judge(OF_B, True, 5.0)
    assert duo.client.events() == [Held(PEER), Established(PEER)]
    assert duo.client.send_keys is not None


def test_fp_12_no_mismatch_is_a_verdict_while_answers_may_come() -> None:
    duo = finished(OF_C, final=False)
    assert duo.client.state is State.KEYED
    duo.client.judge(OF_C, False, 1.0)
    assert duo.client.state is State.KEYED
    duo.client.judge(OF_C, True, 2.0)
    assert duo.client.events() == [Held(PEER), Mismatch(PEER, B.fingerprint())]


def test_fp_05_sha_1_decides_only_where_the_policy_says_so() -> None:
    announced = frozenset({B.fingerprint("sha-1")})
    assert finished(announced).client.state is State.REJECTED
    assert finished(announced, policy=Policy(allow_sha1=True)).client.state is State.VERIFIED


def test_fp_13_nothing_but_the_digest_counts() -> None:
    """A certificate that is long expired will do."""

    class Expired:
        def microseconds(self) -> int:
            return 86_400_000_000 * 365

    old = make(SeededRng(), Expired())
    duo = Duo(frozenset({old.fingerprint()}), peer=old)
    duo.finish()
    assert duo.client.state is State.VERIFIED


def test_hs_11_clear_alerts_are_noted_and_not_obeyed() -> None:
    duo = Duo()
    forged = record(Content.ALERT, 0, 0, b"\x02\x28")
    for _ in range(3):
        for each in (duo.client, duo.server):
            for _ in range(50):
                each.receive(forged, 0.0)
        duo.carry(duo.server, duo.client)
        duo.carry(duo.client, duo.server)
    assert duo.client.state is State.VERIFIED
    assert duo.client.alert == "handshake_failure?"
    for each in (duo.client, duo.server):
        each.receive(forged, 0.0)
    assert duo.client.state is State.VERIFIED
    assert duo.client.send_keys is not None


def test_hs_11_forged_encrypted_records_end_nothing() -> None:
    duo = Duo()
    forged = [record(content, 1, number, bytes(40)) for content in Content for number in (0, 1, 2**48 - 1)]
    for _ in range(4):
        for datagram in forged:
            duo.client.receive(datagram, 0.0)
            duo.server.receive(datagram, 0.0)
        duo.carry(duo.server, duo.client)
        duo.carry(duo.client, duo.server)
    assert duo.client.state is State.VERIFIED
    assert duo.server.state is State.KEYED
    assert duo.client.events() == [Established(PEER)]


def test_hs_11_a_forged_record_number_locks_nobody_out() -> None:
    """A number far ahead would move OpenSSL's replay window past all that the peer sends."""
    duo = Duo()
    far = record(Content.HANDSHAKE, 0, 2**48 - 1, whole(11, 200, b"x"))
    duo.client.receive(far, 0.0)
    duo.server.receive(far, 0.0)
    duo.finish()
    assert duo.client.state is State.VERIFIED


def test_hs_11_messages_that_make_no_sense_to_a_role_are_passed_over() -> None:
    duo = Duo()
    for kind in (0, 4, 16, 15, 20, 25, 255):
        duo.client.receive(record(Content.HANDSHAKE, 0, 1, whole(kind, 0, b"junk")), 0.0)
    for kind in (0, 2, 4, 12, 20, 255):
        duo.server.receive(record(Content.HANDSHAKE, 0, 1, whole(kind, 1, b"junk")), 0.0)
    duo.finish()
    assert duo.client.state is State.VERIFIED


def test_an_early_finished_waits_for_what_comes_before_it() -> None:
    duo = Duo()
    duo.carry(duo.server, duo.client)
    (flight,) = duo.client.transmits()
    found = records(flight)
    for each in reversed(found):
        duo.server.receive(each.raw, 0.0)
    assert duo.server.state is State.KEYED


def test_the_peers_change_cipher_spec_may_be_lost() -> None:
    duo = Duo()
    duo.carry(duo.server, duo.client)
    for datagram in duo.client.transmits():
        for each in records(datagram):
            if each.content != Content.CHANGE_CIPHER_SPEC:
                duo.server.receive(each.raw, 0.0)
    assert duo.server.state is State.KEYED


def test_messages_without_end_are_not_kept_without_end() -> None:
    duo = Duo()
    for number in range(100):
        duo.server.take_fragment(whole_fragment(11, number + 1, bytes(100)), 0.0)
        assert len(duo.server._ready) <= AHEAD
    assert duo.server.state is State.FAILED


def test_early_encrypted_records_are_bounded() -> None:
    duo = Duo()
    for number in range(1000):
        duo.server.receive(record(Content.HANDSHAKE, 1, number, bytes(40)), 0.0)
    assert len(duo.server._waiting) == MAX_WAITING


def test_hs_05_the_last_flight_is_sent_again_when_the_peer_asks_also_after_the_end() -> None:
    duo = Duo()
    duo.carry(duo.server, duo.client)
    duo.carry(duo.client, duo.server)
    assert duo.server.state is State.KEYED
    assert len(duo.server.transmits()) == 1  # lost
    assert duo.client.send_keys is None
    duo.now = 0.4
    duo.client.handle_timer(0.4)
    duo.carry(duo.client, duo.server)
    duo.carry(duo.server, duo.client)
    assert duo.client.state is State.VERIFIED


def test_hs_05_a_finished_that_comes_again_alone_is_answered_too() -> None:
    """The rest of the peer's flight may be lost; its Finished has a new number and is authentic."""
    duo = Duo()
    duo.carry(duo.server, duo.client)
    duo.carry(duo.client, duo.server)
    duo.server.transmits()
    duo.now = 0.4
    duo.client.handle_timer(0.4)
    for datagram in duo.client.transmits():
        for each in records(datagram):
            if each.epoch == 1:
                duo.server.receive(each.raw, 0.4)
    duo.carry(duo.server, duo.client)
    assert duo.client.state is State.VERIFIED


def test_after_the_handshake_nothing_is_sent_unasked() -> None:
    duo = finished()
    assert duo.client.next_timeout() is None
    assert duo.server.state is State.KEYED
    assert duo.server.next_timeout() == Policy().hold
    duo.server.handle_timer(100.0)
    assert duo.server.transmits() == []


def test_hs_05_old_messages_draw_no_flood() -> None:
    duo = finished()
    old = record(Content.HANDSHAKE, 0, 9, whole(11, 1, b"forged"))
    for number in range(10000):
        duo.server.receive(old, 1.0 + number / 1000)
    assert sum(map(len, duo.server.transmits())) < 10000 * len(old) / 10


@pytest.mark.parametrize("k", range(5))
def test_hs_04_whatever_is_lost_first_is_sent_again_in_time(k: int) -> None:
    duo = Duo()
    duo.server.transmits()
    sent_at: list[float] = []
    while len(sent_at) <= k:
        due = duo.client.next_timeout()
        assert due is not None
        duo.client.handle_timer(due)
        (datagram,) = duo.client.transmits()  # lost, but for the last one
        sent_at.append(due)
    assert sent_at == pytest.approx([0.4, 1.2, 2.8, 6.0, 12.4][: k + 1])
    assert records(datagram)[0].sequence == k + 1
    duo.server.send_again(sent_at[-1])
    duo.finish()
    assert duo.client.state is State.VERIFIED


def test_tim_03_the_deadline_starts_when_both_descriptions_are_known() -> None:
    duo = Duo(None)
    duo.client.judge(OF_B, True, 20.0)
    duo.client.handle_timer(49.9)
    assert duo.client.state is State.HANDSHAKING
    duo.client.handle_timer(50.0)
    assert duo.client.events() == [Failed(PEER, "timeout")]


@pytest.mark.parametrize("suite", [suite.name for suite in CIPHER_SUITES if not suite.rsa])
def test_hs_02_each_cipher_suite_works(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make_context()
    context.set_cipher_list(suite.encode())
    monkeypatch.setattr("ngdaemon.dtls.engine._CONTEXT", context)
    duo = finished()
    assert duo.client.state is State.VERIFIED
    duo.server.judge(frozenset({A.fingerprint()}), True, 0.0)
    assert duo.client.send_keys == duo.server.receive_keys


@pytest.mark.parametrize("profile", PROFILE_ORDER)
def test_key_01_each_profile_works(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make_context()
    context.set_tlsext_use_srtp(SUITES[profile].profile.encode())
    monkeypatch.setattr("ngdaemon.dtls.engine._CONTEXT", context)
    assert finished().client.profile == profile


def test_key_02_the_most_preferred_profile_is_chosen() -> None:
    assert finished().client.profile == "AEAD_AES_256_GCM"


def test_fp_09_a_client_without_certificate_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Association(OURS, Role.PASSIVE, B, Policy(), 0.0)
    monkeypatch.setattr(SSL.Connection, "use_certificate", lambda *_: None)
    monkeypatch.setattr(SSL.Connection, "use_privatekey", lambda *_: None)
    client = Association(PEER, Role.ACTIVE, A, Policy(), 0.0)
    client.start(0.0)
    monkeypatch.undo()
    ((datagram),) = client.transmits()
    body = records(datagram)[0].payload[12:]
    server.accept(Message(1, 0, body), body[2:34], 0, None, 0.0)
    for datagram in server.transmits():
        client.receive(datagram, 0.0)
    for datagram in client.transmits():
        server.receive(datagram, 0.0)
    assert server.state is State.FAILED
    (alert,) = server.transmits()
    assert records(alert)[0].content == Content.ALERT
    assert server.events() == [Failed(OURS, "peer did not return a certificate")]


def say(duo: Duo, speaker: Association, content: int, plaintext: bytes) -> bytes:
    """An authentic record of one side; the other one hears it."""
    assert speaker._sender.seal is not None
    raw = speaker._sender.seal.seal(content, plaintext)
    (duo.client if speaker is duo.server else duo.server).receive(raw, 1.0)
    return raw


def test_hs_16_an_authentic_fatal_alert_closes() -> None:
    duo = finished()
    say(duo, duo.server, Content.ALERT, b"\x02\x50")
    assert duo.client.events() == [Established(PEER), Closed(PEER)]
    assert duo.client.alert == "internal_error"
    assert duo.client.send_keys is None


def test_hs_16_application_data_and_warnings_change_nothing() -> None:
    duo = finished()
    for content, plaintext in (
        (Content.APPLICATION_DATA, b"GET /"),
        (Content.APPLICATION_DATA, b""),
        (Content.ALERT, b"\x01\x5a"),
        (Content.ALERT, b"\x02"),
        (Content.CHANGE_CIPHER_SPEC, b"\x01"),
        (Content.HANDSHAKE, b"\x04 a ticket"),
    ):
        say(duo, duo.server, content, plaintext)
    assert duo.client.state is State.VERIFIED
    assert duo.client.transmits() == []
    assert duo.client.events() == [Established(PEER)]


@pytest.mark.parametrize("asker", Role)
def test_hs_03_renegotiation_is_refused_and_nothing_ends(asker: Role) -> None:
    duo = finished()
    speaker, hearer = (duo.client, duo.server) if asker is Role.ACTIVE else (duo.server, duo.client)
    raw = say(duo, speaker, Content.HANDSHAKE, whole(1, 0, hello()) if asker is Role.ACTIVE else whole(0, 0, b""))
    (answer,) = hearer.transmits()
    speaker.receive(answer, 1.0)
    assert speaker.alert == "no_renegotiation"
    assert speaker.state in DONE
    assert hearer.state in DONE
    hearer.receive(raw, 2.0)
    assert hearer.transmits() == []  # HS-18: a record counts once


def test_after_the_handshake_openssl_is_gone() -> None:
    duo = finished()
    assert duo.client._engine is None
    assert duo.server._engine is None


def test_key_07_keys_are_forgotten_at_the_end() -> None:
    duo = finished()
    duo.client.close()
    assert duo.client._export is None
    assert duo.client._opener is None
    assert duo.client._sender.seal is None
