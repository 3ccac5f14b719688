from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from bare_cluster import keys
from bare_cluster.network import Network
from cryptography import x509
from cryptography.x509.oid import NameOID
from floe_core.errors import WrongStateError

NETWORK = Network(7)


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def subject(path: Path) -> tuple[str, ...]:
    found = read(path).subject
    return tuple(
        str(each.value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for each in found.get_attributes_for_oid(oid)
    )


def names(path: Path) -> set[str]:
    found = read(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> keys.NodeKeys:
    return keys.ensure(tmp_path_factory.mktemp("cluster") / "pki", NETWORK)


def test_servers_are_known_by_every_name_that_they_are_called(made: keys.NodeKeys) -> None:
    loopback = {"localhost", "127.0.0.1"}
    assert names(made.api.server.certificate) == loopback | set(keys.API_NAMES) | {"10.201.7.1", "10.99.7.2"}
    assert names(made.pair(keys.KUBELET_SERVER).certificate) == loopback | {"bare", "10.99.7.2"}


def test_clients_are_who_the_authorizers_expect(made: keys.NodeKeys) -> None:
    assert subject(made.pair(keys.KUBELET).certificate) == ("system:node:bare", "system:nodes")
    assert subject(made.api.admin.certificate) == ("admin", "system:masters")
    assert subject(made.pair(keys.SCHEDULER).certificate) == ("system:kube-scheduler",)


def test_nobody_of_the_cluster_is_a_client_of_etcd(made: keys.NodeKeys) -> None:
    read(made.api.admin.certificate).verify_directly_issued_by(read(made.api.ca))
    with pytest.raises(ValueError, match="does not match"):
        read(made.api.admin.certificate).verify_directly_issued_by(read(made.api.etcd_ca))


def test_every_file_is_closed_and_no_authoritys_key_is_kept(made: keys.NodeKeys) -> None:
    assert {path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == {0o600}
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert not list(made.folder.glob("*ca.key"))


def test_a_kubeconfig_is_whole(made: keys.NodeKeys) -> None:
    found = yaml.safe_load(keys.kubeconfig(NETWORK.url, made, keys.ADMIN))
    assert found["clusters"][0]["cluster"]["server"] == "https://10.99.7.2:6443"
    given = base64.b64decode(found["users"][0]["user"]["client-key-data"])
    assert given == made.api.admin.key.read_bytes()


def test_keys_stay_as_long_as_the_data(made: keys.NodeKeys) -> None:
    before = made.api.ca.read_bytes()
    keys.ensure(made.folder, NETWORK)
    assert made.api.ca.read_bytes() == before


def test_what_a_killed_start_left_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "pki.making").mkdir()
    (tmp_path / "pki.making/ca.crt").write_text("half", encoding="ascii")
    made = keys.ensure(tmp_path / "pki", NETWORK)
    assert made.api.ca.read_bytes() != b"half"
    assert read(made.api.ca).subject
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]


def test_keys_that_expire_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "LIFE", timedelta(hours=1))
    folder = keys.ensure(tmp_path / "pki", NETWORK).folder
    with pytest.raises(WrongStateError, match="keys expire") as refused:
        keys.ensure(folder, NETWORK)
    assert "--wipe" in refused.value.remedy
