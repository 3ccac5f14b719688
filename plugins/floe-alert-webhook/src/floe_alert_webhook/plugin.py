"""The plugin that manifests choose as `webhook`: alerts to any receiver, to Slack, or to Prometheus Alertmanager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeAlias

from floe_core.errors import FloeError
from floe_core.plugins import Alert, AlertChannelPlugin, HealthState, HealthStatus, PluginConfig
from floe_core.spec.secrets import SecretRef, Setting
from floe_core.telemetry import span
from pydantic import Field, model_validator

from floe_alert_webhook.urls import checked

if TYPE_CHECKING:
    from floe_alert_webhook.channel import Channel

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=300)]
DAY_S = 24 * 60 * 60


class WebhookConfig(PluginConfig):
    """Configuration of the plugin.

    A bundle of certificates that `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE` or `SSL_CERT_FILE` names is used.

    Attributes:
        url: Where alerts are posted: the receiver's URL, Slack's webhook (by reference only, as whoever knows it may
            post), or the base URL of an Alertmanager.
        format: `generic` (signed JSON, see the JSON Schema `alert.schema.json`), `slack` or `alertmanager`.
        signing_secret: Where the secret lies that generic alerts are signed with; 16 characters or more.
        token: Where a bearer token lies that is sent along.
        timeout_s: Seconds for a connection, and for each silence of the receiver.
        deadline_s: Seconds for one alert with all its retries.
        firing_s: Seconds that an Alertmanager holds an alert that nobody has said to be over.
        allow_http: Send without encryption to other machines too.
    """

    url: Setting
    format: Literal["generic", "slack", "alertmanager"] = "generic"
    signing_secret: SecretRef | None = None
    token: SecretRef | None = None
    timeout_s: Seconds = 5.0
    deadline_s: Seconds = 20.0
    firing_s: Annotated[int, Field(ge=1, le=30 * DAY_S)] = DAY_S
    allow_http: bool = False

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if isinstance(self.url, str):
            if self.format == "slack":
                raise ValueError("a Slack webhook's URL is a secret: give url by reference, as {env: NAME}")
            checked(self.url, allow_http=self.allow_http, base=self.format == "alertmanager")
        if self.signing_secret is not None and self.format != "generic":
            raise ValueError(f"signing_secret is for the format generic; {self.format} knows no signature")
        return self


class WebhookPlugin(AlertChannelPlugin[WebhookConfig]):
    """Posts alerts as JSON.

    It does not hold back an alert that it has sent before: an instance lives as long as one compilation and would
    forget, an alert that is sent again says that the trouble lasts, and receivers can tell repetitions apart by
    `Idempotency-Key` and by the alert's `identity` (an Alertmanager does so by its labels).
    """

    name: ClassVar[str] = "webhook"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.alert.webhook"
    description: ClassVar[str] = "Alerts as signed JSON, to Slack, or to Prometheus Alertmanager"
    config_model: ClassVar[type[PluginConfig]] = WebhookConfig

    def send(self, alert: Alert) -> None:
        """Post `alert`; server errors, too many requests and lost connections are tried again.

        Raises:
            AlertDeliveryError: The receiver refused it, or no attempt before the deadline succeeded.
            SecretUnavailableError: A reference in the configuration points to nothing.
        """
        with span("alert.send", **{"alert.format": self.config.format, "alert.severity": alert.severity.value}):
            self._channel().send(alert)

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Whether the receiver takes connections (an Alertmanager: says that it is ready); no alert is sent."""
        with span("alert.health", **{"alert.format": self.config.format}):
            try:
                message = self._channel().probe(timeout_s)
            except FloeError as error:
                return HealthStatus(HealthState.UNHEALTHY, f"{error.what}: {error.why}")
        return HealthStatus(HealthState.HEALTHY, message)

    def _channel(self) -> Channel:
        from floe_alert_webhook.channel import Channel

        return Channel(self.config)
