"""The certificates of one start, read back with the library that verifies them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from floe_ops.kube_api.certificates import Authority, Pair, signing_key


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority("ca", tmp_path)


def test_a_server_is_known_by_its_address(authority: Authority) -> None:
    pair = authority.server("server")
    found = read(pair.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in found.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    read(pair.certificate).verify_directly_issued_by(read(authority.certificate))


def test_a_server_may_have_other_names_and_addresses(authority: Authority) -> None:
    pair = authority.server("server", ("kubernetes.default.svc", "10.99.7.2"))
    found = read(pair.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["localhost", "kubernetes.default.svc"]
    assert [str(each) for each in found.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.99.7.2"]


def test_a_client_is_known_by_name_and_group(authority: Authority) -> None:
    certificate = read(authority.client("admin", "system:masters").certificate)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    (group,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert (name.value, group.value) == ("admin", "system:masters")
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_what_an_authority_signs_lives_as_long_as_it(tmp_path: Path) -> None:
    authority = Authority("ca", tmp_path, timedelta(days=90))
    for path in (authority.certificate, authority.client("client").certificate):
        left = read(path).not_valid_after_utc - datetime.now(UTC)
        assert timedelta(days=89) < left <= timedelta(days=90)


def test_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Authority("ca", other).client("admin")
    with pytest.raises(InvalidSignature):
        read(stranger.certificate).verify_directly_issued_by(read(authority.certificate))


def test_every_key_is_its_certificates_own_and_closed_to_others(authority: Authority) -> None:
    pairs: list[Pair] = [authority.server("server"), authority.client("client")]
    for pair in pairs:
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        assert key.public_key() == read(pair.certificate).public_key()
        assert pair.key.stat().st_mode & 0o777 == 0o600
    assert pairs[0].key.read_bytes() != pairs[1].key.read_bytes()


def test_the_authority_keeps_its_key_to_itself(authority: Authority, tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == [authority.certificate.name]


def test_tokens_are_signed_with_a_key_of_each_start(tmp_path: Path) -> None:
    first = signing_key(tmp_path).read_text(encoding="ascii")
    assert "BEGIN EC PRIVATE KEY" in first
    assert signing_key(tmp_path).read_text(encoding="ascii") != first
