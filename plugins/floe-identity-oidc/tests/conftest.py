"""An issuer on a loopback port that answers as a test says, and signs whatever a test wants signed."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from floe_identity_oidc.config import OidcConfig
from floe_identity_oidc.plugin import OidcPlugin
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from polaris_standin.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"


class Issuer:
    """Publishes the keys it was told to, and signs with any of those it has.

    Attributes:
        server: The server; its script can be changed.
        private: Private keys by id.
        published: The JWKs that it publishes.
    """

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.private: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []
        self.document: dict[str, Any] = {"issuer": server.url, "jwks_uri": f"{server.url}{KEYS}"}
        server.script[f"GET {DISCOVERY}"] = lambda _: Reply(body=self.document)
        server.script[f"GET {KEYS}"] = lambda _: Reply(body={"keys": self.published})

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def fetches(self) -> int:
        return self.server.count("GET", KEYS)

    def add(self, kid: str, kind: str = "RSA", **more: Any) -> dict[str, Any]:
        """Make a key and publish it."""
        private, algorithm = _made(kind, kid)
        self.private[kid] = private
        public: dict[str, Any] = json.loads(algorithm.to_jwk(private.public_key()))
        self.published.append({**public, "kid": kid, "use": "sig", **more})
        return self.published[-1]

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        whole = {"iss": self.url, "sub": "ann", "aud": "floe", "iat": now, "exp": now + 600, "groups": ["data"]}
        return {name: value for name, value in {**whole, **changes}.items() if value is not None}

    def sign(
        self, kid: str = "k1", algorithm: str = "RS256", headers: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A token of the usual claims with `changes`; None leaves a claim out."""
        return jwt.encode(self.claims(**changes), self.private[kid], algorithm, {"kid": kid, **(headers or {})})


@cache
def _made(kind: str, kid: str) -> tuple[Any, Any]:
    """A private key, the same for the same id: an RSA key takes its time."""
    del kid
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1()), ECAlgorithm
    if kind == "OKP":
        return ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm
    return rsa.generate_private_key(65537, 2048), RSAAlgorithm


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with ScriptedServer() as server:
        made = Issuer(server)
        made.add("k1")
        yield made


@pytest.fixture
def make(issuer: Issuer) -> Callable[..., OidcPlugin]:
    """Makes a plugin for that issuer, with the configuration given."""

    def made(**config: Any) -> OidcPlugin:
        return OidcPlugin(OidcConfig.model_validate({"issuer": issuer.url, "audience": ["floe"], **config}))

    return made


@pytest.fixture
def plugin(make: Callable[..., OidcPlugin]) -> OidcPlugin:
    return make(leeway_s=0)
