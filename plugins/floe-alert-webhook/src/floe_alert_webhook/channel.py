"""A configured receiver: its URL, its format and its secrets, resolved for one alert."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from floe_core.errors import ExitCode
from floe_core.http.answers import Wording
from floe_core.http.delivery import Delivery
from floe_core.http.urls import is_loopback, place
from floe_core.plugins import AlertDeliveryError
from floe_core.spec.secrets import resolved
from requests.utils import get_environ_proxies

from floe_alert_webhook import alertmanager, generic, signature, slack
from floe_alert_webhook.urls import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.plugins import Alert
    from floe_core.spec.secrets import SecretRef

    from floe_alert_webhook.plugin import WebhookConfig

USER_AGENT = "floe-alert-webhook"
SHORTEST_SECRET = 16


class Channel:
    """Sends alerts as its configuration says.

    Raises:
        AlertDeliveryError: The URL that a reference names cannot be posted to, or the secret that one names is short.
        SecretUnavailableError: A reference points to nothing.
    """

    def __init__(self, config: WebhookConfig) -> None:
        self._config = config
        self._token = _value(config.token)
        self._signing = _value(config.signing_secret)
        if 0 < len(self._signing) < SHORTEST_SECRET:
            raise AlertDeliveryError(
                "alerts are not signed with so short a secret",
                where=f"plugins.alert_channel.config.signing_secret ({config.signing_secret})",
                why=f"it has less than {SHORTEST_SECRET} characters, so one signed alert would be enough to guess it",
                remedy="make a random one, for example with: openssl rand -hex 32",
                exit_code=ExitCode.USAGE,
            )
        self._base = self._checked_url()

    def send(self, alert: Alert) -> None:
        """Post one alert.

        Raises:
            AlertDeliveryError: It was not accepted.
        """
        body = json.dumps(self._payload(alert), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        key = _idempotency_key(alert)
        self._delivery(self._url(alertmanager.PATH)).post(body, lambda: self._headers(body, key))

    def probe(self, timeout_s: float) -> str:
        """See whether the receiver is there; gives a sentence with what was seen.

        Raises:
            AlertDeliveryError: It is not.
        """
        if self._config.format == "alertmanager":
            self._delivery(self._base.removesuffix(alertmanager.PATH) + alertmanager.READY, timeout_s).ask()
            return f"{place(self._base)} says that it is ready"
        proxies = {} if is_loopback(self._base) else get_environ_proxies(self._base)
        parts = urlsplit(proxies.get(urlsplit(self._base).scheme) or self._base)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout_s).close()
        except OSError as error:
            why = f"{place(self._base)} takes no connection ({error.strerror or type(error).__name__})"
            raise AlertDeliveryError(
                "the receiver cannot be reached", why=why, remedy="see that it runs", exit_code=ExitCode.MISSING
            ) from None
        return f"{place(self._base)} takes connections; nothing was sent"

    def _payload(self, alert: Alert) -> object:
        if self._config.format == "slack":
            return slack.payload(alert)
        if self._config.format == "alertmanager":
            return alertmanager.payload(alert, now=datetime.now(UTC), firing_s=self._config.firing_s)
        return generic.payload(alert)

    def _headers(self, body: bytes, key: str) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Idempotency-Key": key}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._signing:
            headers[signature.HEADER] = signature.sign(self._signing, body, int(time.time()))
        return headers

    def _delivery(self, url: str, limit_s: float | None = None) -> Delivery:
        config, parts = self._config, urlsplit(self._base)
        # The path and the query of a URL by reference are secrets as well.
        hidden = (parts.path.strip("/"), parts.query) if not isinstance(config.url, str) else ()
        secrets = tuple(one for one in (self._base, *hidden, self._token, self._signing) if len(one) > 3)  # noqa: PLR2004 - shorter ones would blank out words
        wording = Wording(
            AlertDeliveryError,
            "the alert was not accepted",
            where=place(self._base),
            credentials="check the token, the signing secret, and the rights behind the URL",
            refusal="check the URL, and see the receiver's own log",
        )
        limit_s = limit_s or config.deadline_s
        return Delivery(url, min(config.timeout_s, limit_s), limit_s, wording, secrets)

    def _url(self, path: str) -> str:
        if self._config.format != "alertmanager":
            return self._base
        return self._base if self._base.endswith(path) else self._base + path

    def _checked_url(self) -> str:
        try:
            base = self._config.format == "alertmanager"
            return checked(resolved(self._config.url), allow_http=self._config.allow_http, base=base)
        except ValueError as error:
            raise AlertDeliveryError(
                "the receiver's URL cannot be used",
                where=f"plugins.alert_channel.config.url ({self._config.url})",
                why=str(error),
                remedy="correct the value that the reference names",
                exit_code=ExitCode.USAGE,
            ) from None


def _value(reference: SecretRef | None) -> str:
    return reference.resolve().get_secret_value() if reference else ""


def _idempotency_key(alert: Alert) -> str:
    """The same for each attempt, and for the same alert sent again; another one when it is over."""
    state = alert.resolved_at.isoformat() if alert.resolved_at else "firing"
    return str(uuid5(NAMESPACE_URL, f"urn:floe:alert:{alert.identity}:{alert.occurred_at.isoformat()}:{state}"))
