"""Our own certificates: fresh, telling nothing, made ahead."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ngdaemon.dtls.certificate import BACKDATED, NAME, VALIDITY, Pool, from_pem, make, to_pem
from ngdaemon.dtls.fingerprint import of
from tests.dtls.rig import A, B, FixedWall
from tests.support.rng import SeededRng

NOW = datetime.fromtimestamp(FixedWall().microseconds() / 1e6, UTC)


def test_fp_08_each_identity_is_fresh() -> None:
    rng, wall = SeededRng(), FixedWall()
    one, other = make(rng, wall), make(rng, wall)
    assert one.fingerprint() != other.fingerprint()
    assert one.certificate.serial_number != other.certificate.serial_number
    assert one.key.private_numbers() != other.key.private_numbers()


def test_fp_08_the_certificate_tells_nothing_of_its_host() -> None:
    certificate = A.certificate
    assert certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == f"CN={NAME}"
    assert len(certificate.extensions) == 0
    assert certificate.version is x509.Version.v3


def test_fp_08_valid_from_before_now_for_days() -> None:
    assert A.certificate.not_valid_before_utc == NOW - BACKDATED
    assert A.certificate.not_valid_after_utc == NOW + VALIDITY
    assert timedelta(0) < BACKDATED
    assert timedelta(days=60) > VALIDITY


def test_fp_08_octets_are_those_of_a_builder() -> None:
    """Each certificate is what `cryptography` makes of the same fields, but for the signature, which is random."""
    built = (
        x509.CertificateBuilder()
        .subject_name(A.certificate.subject)
        .issuer_name(A.certificate.issuer)
        .public_key(A.key.public_key())
        .serial_number(A.certificate.serial_number)
        .not_valid_before(NOW - BACKDATED)
        .not_valid_after(NOW + VALIDITY)
        .sign(A.key, hashes.SHA256())
    )
    assert A.certificate.tbs_certificate_bytes == built.tbs_certificate_bytes
    assert A.certificate.signature_algorithm_oid == built.signature_algorithm_oid
    assert A.certificate.public_bytes(serialization.Encoding.DER) == A.der


@pytest.mark.parametrize("day", [datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 2, tzinfo=UTC)])
def test_validity_is_readable_beyond_the_years_of_two_digits(day: datetime) -> None:
    class Wall:
        def microseconds(self) -> int:
            return int(day.timestamp() * 1_000_000)

    certificate = make(SeededRng(), Wall()).certificate
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (day - BACKDATED, day + VALIDITY)


def test_the_key_is_on_p_256_and_signs_its_certificate() -> None:
    assert isinstance(A.key.curve, ec.SECP256R1)
    A.certificate.verify_directly_issued_by(A.certificate)


def test_fp_07_signed_with_the_hash_of_our_fingerprint() -> None:
    assert isinstance(A.certificate.signature_hash_algorithm, hashes.SHA256)
    assert A.fingerprint() == of(A.der, "sha-256")
    assert A.fingerprint("sha-1").hash == "sha-1"  # for receivers that ask for it


def test_the_serial_number_comes_from_the_given_randomness() -> None:
    wall = FixedWall()
    assert make(SeededRng(7), wall).certificate.serial_number == make(SeededRng(7), wall).certificate.serial_number


@pytest.mark.parametrize("octet", [b"\0", b"\xff"])
def test_the_serial_number_is_positive_and_short_enough(octet: bytes) -> None:
    class Constant(SeededRng):
        def bytes(self, count: int) -> bytes:
            return octet * count

    assert 0 < make(Constant(), FixedWall()).certificate.serial_number < 1 << 159


def test_s17_repr_shows_no_key() -> None:
    number = A.key.private_numbers().private_value
    assert repr(A) == f"Identity({A.fingerprint().text()})"
    assert str(number) not in f"{A}"


def test_an_identity_survives_a_snapshot() -> None:
    again = from_pem(to_pem(A))
    assert again.der == A.der
    assert again.key.private_numbers() == A.key.private_numbers()


@pytest.mark.parametrize(
    "pem",
    [b"", b"nonsense", to_pem(A)[:100], to_pem(A)[:241] + to_pem(B)[241:]],
    ids=["nothing", "nonsense", "cut short", "the key of another"],
)
def test_a_damaged_snapshot_is_refused(pem: bytes) -> None:
    with pytest.raises(ValueError):
        from_pem(pem)


def test_key_and_certificate_must_belong_together() -> None:
    def parts(pem: bytes) -> tuple[bytes, bytes]:
        at = pem.index(b"-----BEGIN CERTIFICATE")
        return pem[:at], pem[at:]

    with pytest.raises(ValueError, match="not that of the certificate"):
        from_pem(parts(to_pem(A))[0] + parts(to_pem(B))[1])


def test_the_pool_hands_out_each_identity_once_and_never_runs_dry() -> None:
    pool = Pool(SeededRng(), FixedWall())
    pool.refill(3)
    assert len(pool) == 3
    taken = [pool.take() for _ in range(5)]
    assert len(pool) == 0
    assert len({each.der for each in taken}) == 5
    pool.refill(2)
    pool.refill(1)
    assert len(pool) == 2
