"""Keys and certificates, in files that only the owner can read; those of one start of the API server go with it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOST = "127.0.0.1"
LIFE = timedelta(days=7)
SKEW = timedelta(minutes=5)  # between this clock and that of a caller in a virtual machine
ADMINS = "system:masters"  # the group that the API server lets do everything, whatever RBAC says


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """One certificate authority; its own key is never written. What it signs is good for its own `life`."""

    def __init__(self, name: str, folder: Path, life: timedelta = LIFE) -> None:
        self._folder = folder
        self._life = life
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            _builder(self._name, self._name, self._key.public_key(), life)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        self.certificate = folder / f"{name}.crt"
        write_private(self.certificate, _pem(builder.sign(self._key, hashes.SHA256())))

    def server(self, name: str, others: Sequence[str] = ()) -> Pair:
        """For a server on loopback that is a client of itself too, as etcd is.

        Args:
            name: The common name, and that of the files.
            others: Names and addresses, loopback apart, under which it is reached as well.
        """
        names = x509.SubjectAlternativeName([_general(each) for each in ("localhost", HOST, *others)])
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(name, "", both, names)

    def client(self, name: str, group: str = "") -> Pair:
        """For a client: the API server takes `name` as the user and `group` as a group of theirs."""
        return self._issue(name, group, [ExtendedKeyUsageOID.CLIENT_AUTH], None)

    def _issue(
        self, name: str, group: str, uses: list[x509.ObjectIdentifier], names: x509.SubjectAlternativeName | None
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if group:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        builder = (
            _builder(x509.Name(parts), self._name, key.public_key(), self._life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        write_private(pair.certificate, _pem(builder.sign(self._key, hashes.SHA256())))
        write_private(pair.key, _private(key))
        return pair


def signing_key(folder: Path) -> Path:
    """The key with which the tokens of service accounts are signed; verified by its public half in the same file."""
    path = folder / "service-accounts.key"
    write_private(path, _private(ec.generate_private_key(ec.SECP256R1())))
    return path


def _general(name: str) -> x509.GeneralName:
    """A name or an address of a server, as certificates tell them apart."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # the one in which Kubernetes finds the public half too
        serialization.NoEncryption(),
    ).decode("ascii")
