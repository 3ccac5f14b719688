"""What is configured of an issuer, and what of its tokens is accepted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from floe_core.plugins import PluginConfig
from floe_core.spec.secrets import SecretRef, Setting
from pydantic import Field, StrictBool, model_validator

from floe_identity_oidc.urls import check_issuer

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a private key. `none` proves nothing, and HS* would take the published key for a shared secret."""

Text = Annotated[str, Field(min_length=1, max_length=512)]


class OidcConfig(PluginConfig):
    """One issuer and its tokens; times are in seconds.

    Attributes:
        issuer: Its URL exactly as it names itself, or a reference to it; https, or http on a loopback address.
        audience: The token must be meant for one of these.
        authorized_parties: The token must have been issued to one of these clients (`azp`, else `client_id`); any
            when empty.
        algorithms: Signatures that count.
        token_types: The header's `typ` must be one of these.
        require_type: Whether a header without `typ` is refused; many issuers leave it out of ID tokens.
        roles_claim: Where the roles are: a claim, or a path of claims with dots, for example `realm_access.roles`.
            A list of texts, or one text with blanks between the roles, as `scope`.
        required_claims: Further claims, or paths, that must be there.
        leeway_s: How far clocks may differ.
        max_age_s: How long after it was issued a token counts; as long as it says itself when None.
        max_token_bytes: Longer texts are not looked at.
        keys_fresh_s: Keys older than this are fetched again.
        keys_kept_s: Keys count up to this age while the issuer does not answer.
        fetch_every_s: At least this long lies between two fetches, whatever keys the tokens name.
        timeout_s: Limit of a verification, however slow the issuer is.
    """

    issuer: Setting
    audience: Annotated[tuple[Text, ...], Field(min_length=1, max_length=32)]
    authorized_parties: Annotated[tuple[Text, ...], Field(max_length=64)] = ()
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "PS256", "ES256", "EdDSA")
    token_types: Annotated[tuple[Text, ...], Field(min_length=1, max_length=8)] = ("JWT", "at+jwt")
    require_type: StrictBool = False
    roles_claim: Text = "groups"
    required_claims: Annotated[tuple[Text, ...], Field(max_length=32)] = ()
    leeway_s: Annotated[float, Field(ge=0, le=300)] = 30.0
    max_age_s: Annotated[float, Field(gt=0)] | None = None
    max_token_bytes: Annotated[int, Field(ge=256, le=262_144)] = 16_384
    keys_fresh_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    keys_kept_s: Annotated[float, Field(gt=0, le=604_800)] = 3600.0
    fetch_every_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not isinstance(self.issuer, SecretRef):
            check_issuer(self.issuer)
        if not self.fetch_every_s <= self.keys_fresh_s <= self.keys_kept_s:
            raise ValueError("fetch_every_s is at most keys_fresh_s, and that at most keys_kept_s")
        return self
