"""The pseudorandom function, record protection, and the exported keys, against known answers and a second opinion."""

from itertools import product

import pytest

from ngdaemon.dtls.certificate import Identity
from ngdaemon.dtls.engine import EXPORTER_LABEL, PROFILE_ORDER, Engine, Step, make_context
from ngdaemon.dtls.flight import Clear, Sealed
from ngdaemon.dtls.reassembly import Message
from ngdaemon.dtls.records import Content, Record, records
from ngdaemon.dtls.roles import Role
from ngdaemon.dtls.seal import CIPHER_SUITES, REPLAY_WINDOW, CipherSuite, Opener, Seal, Secrets, prf
from ngdaemon.srtp.suites import SUITES
from tests.dtls.rig import A, B

OURS = [suite for suite in CIPHER_SUITES if not suite.rsa]


def test_the_pseudorandom_function_gives_the_published_answer() -> None:
    """The vector for P_SHA256 that the TLS working group's list has used since 2009."""
    assert prf(
        bytes.fromhex("9bbe436ba940f017b17652849a71db35"),
        b"test label",
        bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"),
        100,
        "sha256",
    ) == bytes.fromhex(
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
        "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    )


@pytest.mark.parametrize(
    ("master", "client", "server", "exported"),
    [
        (
            "9f4c75c9df5f055ca1c1b36789c47e4b018a89014ebba6a594080de52324971ad5d5bc6f7da7c6438fc0503f4baa7d51",
            "79ea12c2438de07cd6fab0885f07094ce35c7f1746645130f42209b2c8718078",
            "c037766b9ad227ac0dc338fab5fe0778f5ec1dddd74261d81346f8db275a3fc6",
            "7300086afdc15c55879ad612b474ad0496364f6404b1cc770d86d31b15b55eedcab13372494739bf3b0e60f3fb5f0c2444f1aba5c788a5e9"
            "b940d017",
        ),
        (
            "57cc72e15e75012476548bfb02f4a4dad27a6dc33ad0db71e26c1f7afdad6db1325f04b01ae085f1476980a2d442d8b1",
            "66b10e38cb0c71bc4284f2bfd3a9d438fc78148f9a1bd2d0ed754f0b777780d1",
            "03840fb091a5ac5d914f403b8220e616260f8958afbb5abb334eb4d70d2d7fbf",
            "20e7294b7ea1c25882d2b9e0f345a4e7f043ae1990227d5661c1c319c2aa7f8f3fcdcd7d966db3e78cd46fa046f0fc992acd08f4e2d44c98",
        ),
        (
            "044f042782822e0e59176e65a21a74cf0b8a233f100aa94a7a0827db43e07571a182bb15b8e9e92f6ae23cd61ba13b4f",
            "be8d7c62aad4a85baf4d46aba0f6535709c46cdaf690f120052d48cf97114453",
            "c5fb115c1191b2c964ddaa381ccf227974fb07eaa9658d4b2c41ea443191bb72",
            "43a1c1ea92c3c64c1607a5eb84781f19c5f84f1cdd54839a158cbc0788690ede5d9d9aabe594e50a3d24ea52384ebf6da6015d4f957103d7"
            "0b5806faf5a9e0a94feb0df7f8b5a513b20ea9aa033d08397d6d24220b5d2e5e",
        ),
    ],
    ids=["AES128_CM_80", "AEAD_128", "AEAD_256"],
)
def test_key_05_the_exporter_follows_the_hash_of_the_suite(
    master: str, client: str, server: str, exported: str
) -> None:
    wanted = bytes.fromhex(exported)
    seed = bytes.fromhex(client + server)
    assert prf(bytes.fromhex(master), EXPORTER_LABEL, seed, len(wanted), "sha384") == wanted


def finished(cipher: str, profile: str) -> tuple[Engine, Engine, list[Sealed]]:
    """Client and server of a finished handshake with these alone, and what was encrypted in it, the client's first."""
    context = make_context()
    context.set_cipher_list(cipher.encode())
    context.set_tlsext_use_srtp(SUITES[profile].profile.encode())

    client, server = Engine(Role.ACTIVE, A, context=context), Engine(Role.PASSIVE, B, context=context)
    client.start()
    sealed = []
    for speaker, hearer in ((client, server), (server, client), (client, server), (server, client)):
        for item in speaker.said().flight:
            if isinstance(item, Message):
                step = hearer.take(item)
            elif isinstance(item, Clear):
                hearer.take_change()
            else:
                assert speaker.seal is not None
                sealed.append(item)
                step = hearer.take_sealed(speaker.seal.seal(item.content, item.payload))
    assert step is Step.DONE
    return client, server, sealed


@pytest.mark.parametrize(
    ("suite", "profile"), list(product(OURS, PROFILE_ORDER)), ids=lambda each: getattr(each, "name", each)
)
def test_key_04_every_suite_and_profile_yields_the_keys_of_rfc_5764(suite: CipherSuite, profile: str) -> None:
    """Split as client key, server key, client salt, server salt, of the length that the profile needs."""
    client, server, _ = finished(suite.name, profile)
    ours, theirs = client.export(), server.export()
    assert ours is not None
    assert ours == theirs
    secrets = client.secrets()
    row = SUITES[profile]
    block = prf(
        secrets.master,
        EXPORTER_LABEL,
        secrets.client_random + secrets.server_random,
        2 * (row.key + row.salt),
        suite.aead.prf,
    )
    assert ours.suite is row
    assert ours.client.key + ours.server.key + ours.client.salt + ours.server.salt == block
    assert (len(ours.client.key), len(ours.client.salt)) == (row.key, row.salt)


@pytest.mark.parametrize("suite", OURS, ids=lambda suite: suite.name)
def test_what_is_sealed_anew_is_understood_by_openssl(suite: CipherSuite) -> None:
    """Both Finished messages went through our own sealing, or the handshake would not be done."""
    _, _, sealed = finished(suite.name, PROFILE_ORDER[0])
    assert [item.payload[0] for item in sealed] == [20, 20]


@pytest.mark.parametrize("suite", OURS, ids=lambda suite: suite.name)
def test_after_the_handshake_each_side_opens_what_the_other_sealed(suite: CipherSuite) -> None:
    client, server, _ = finished(suite.name, PROFILE_ORDER[0])
    for speaker, hearer, is_client in ((client, server, False), (server, client, True)):
        assert speaker.seal is not None
        found = read(speaker.seal.seal(Content.ALERT, b"\x01\x00"))
        assert Opener(hearer.secrets(), is_client).open(found) == b"\x01\x00"
        assert Opener(hearer.secrets(), not is_client).open(found) is None


def read(raw: bytes) -> Record:
    (found,) = records(raw)
    return found


SECRETS = Secrets(OURS[0].name, bytes(range(48)), bytes(32), bytes(range(32)))


def test_hs_11_an_altered_record_is_not_opened() -> None:
    good = Seal(SECRETS, is_client=True).seal(Content.ALERT, b"\x01\x00")
    opener = Opener(SECRETS, is_client=False)
    for at in [0, *range(5, len(good))]:
        for altered in records(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :]):
            assert opener.open(altered) is None
    assert opener.open(read(good)) == b"\x01\x00"


def test_hs_18_each_record_is_opened_once_in_any_order_within_the_window() -> None:
    seal, opener = Seal(SECRETS, is_client=True), Opener(SECRETS, is_client=False)
    made = [read(seal.seal(Content.ALERT, b"x")) for _ in range(REPLAY_WINDOW + 40)]
    assert opener.open(made[30]) == b"x"
    assert [opener.open(each) for each in (made[10], made[29], made[0])] == [b"x"] * 3
    assert [opener.open(each) for each in (made[30], made[10], made[29], made[0])] == [None] * 4
    newest = REPLAY_WINDOW + 35
    assert opener.open(made[newest]) == b"x"
    assert opener.open(made[newest - REPLAY_WINDOW]) is None  # too old to tell
    assert opener.open(made[newest - REPLAY_WINDOW + 1]) == b"x"
    assert opener.open(made[newest]) is None


def test_hs_18_what_comes_in_order_is_remembered_too() -> None:
    seal, opener = Seal(SECRETS, is_client=True), Opener(SECRETS, is_client=False)
    made = [read(seal.seal(Content.ALERT, b"x")) for _ in range(10)]
    assert [opener.open(each) for each in made] == [b"x"] * 10
    assert [opener.open(each) for each in made] == [None] * 10


def test_hs_18_a_forged_number_does_not_move_the_window() -> None:
    seal, opener = Seal(SECRETS, is_client=True), Opener(SECRETS, is_client=False)
    good = read(seal.seal(Content.ALERT, b"x"))
    forged = read(good.raw[:5] + b"\xff" * 6 + good.raw[11:])
    assert opener.open(forged) is None
    assert opener.open(good) == b"x"


def test_no_number_is_used_twice() -> None:
    seal = Seal(Secrets(OURS[0].name, bytes(48), bytes(32), bytes(32)), is_client=True)
    made = [records(seal.seal(Content.HANDSHAKE, b"same"))[0] for _ in range(3)]
    assert [each.sequence for each in made] == [0, 1, 2]
    assert len({each.payload for each in made}) == 3
    assert [seal.open(each) for each in made] == [b"same"] * 3


def test_only_ones_own_records_open() -> None:
    secrets = Secrets(OURS[0].name, bytes(48), bytes(32), bytes(32))
    theirs = records(Seal(secrets, is_client=False).seal(Content.HANDSHAKE, b"text"))[0]
    assert Seal(secrets, is_client=True).open(theirs) is None
    assert Seal(secrets, is_client=False).open(theirs._replace(payload=b"short")) is None


def test_s17_secrets_are_not_shown() -> None:
    assert repr(Secrets(OURS[0].name, b"\x01" * 48, bytes(32), bytes(32))) == f"Secrets({OURS[0].name})"


def test_identities_are_not_mixed_up() -> None:
    client, server, _ = finished(OURS[0].name, PROFILE_ORDER[0])
    seen: tuple[Identity, Identity] = (B, A)
    assert (client.peer_certificate(), server.peer_certificate()) == tuple(each.der for each in seen)
