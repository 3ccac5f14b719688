"""The identity plugin `oidc`: verifies the tokens of any OpenID Connect issuer by its published keys."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from floe_core.plugins import HealthState, HealthStatus, IdentityPlugin, PluginConfig
from floe_core.plugins.identity import IdentityError, TokenRefusedError
from floe_core.telemetry import span

from floe_identity_oidc.config import OidcConfig

if TYPE_CHECKING:
    from floe_core.plugins import Principal
    from pydantic import SecretStr

    from floe_identity_oidc.tokens import Verifier


class OidcPlugin(IdentityPlugin[OidcConfig]):
    """Tokens of one issuer: Dex, Keycloak, Entra ID, Okta, a Kubernetes cluster, any that publishes its keys."""

    name: ClassVar[str] = "oidc"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.identity.oidc"
    description: ClassVar[str] = "tokens of any OpenID Connect issuer"
    config_model: ClassVar[type[PluginConfig]] = OidcConfig

    def __init__(self, config: OidcConfig) -> None:
        super().__init__(config)
        self._lock = threading.Lock()
        self._made: Verifier | None = None

    def verify(self, token: SecretStr) -> Principal:
        """Who `token` belongs to; asks the issuer only for keys that are not known yet, or no longer fresh.

        Raises:
            TokenRefusedError: It proves nothing; `reason` says why.
            IdentityUnavailableError: The keys are needed and the issuer cannot be reached.
            IdentityTimeoutError: The keys are needed and did not come within `timeout_s`.
            IdentityError: The issuer answers, but not as an issuer does.
            SecretUnavailableError: The issuer is given by a reference that points to nothing.
        """
        verifier = self._verifier()
        with span("identity verify", **{"identity.issuer": verifier.issuer}) as current:
            try:
                principal = verifier.verify(token.get_secret_value())
            except TokenRefusedError as refused:
                current.set_attribute("identity.refusal", refused.reason.value)
                raise
            current.set_attribute("identity.roles", len(principal.roles))
            return principal

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Fetches the keys; degraded where the issuer fails but the keys at hand still hold."""
        verifier = self._verifier()
        try:
            keys = verifier.store.fetch_now(timeout_s)
        except IdentityError as error:
            held = verifier.store.held_s()
            state = HealthState.DEGRADED if held > 0 else HealthState.UNHEALTHY
            kept = f"; the keys at hand hold for {held:.0f} s" if held > 0 else ""
            return HealthStatus(state, f"{error.what}: {error.why}{kept}")
        return HealthStatus(HealthState.HEALTHY, f"{verifier.issuer} publishes its keys", {"keys": str(len(keys))})

    def _verifier(self) -> Verifier:
        """Made at the first use, because the libraries behind it are slow to import."""
        from floe_identity_oidc.tokens import Verifier

        with self._lock:
            if self._made is None:
                self._made = Verifier(self.config)
            return self._made
