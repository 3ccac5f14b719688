from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from floe_alert_webhook.plugin import WebhookConfig, WebhookPlugin
from floe_alert_webhook.signature import HEADER, SignatureError, verify
from floe_core.errors import ExitCode
from floe_core.plugins import Alert, AlertDeliveryError, HealthState
from floe_core.spec.secrets import SecretUnavailableError
from floe_core.testing import AlertChannelConformance
from pydantic import ValidationError

SECRET, TOKEN = "s1gning-secret-value", "t0ken-value"
PATH = "/services/T0/B0/hidden-path"
REFERENCES = {"signing_secret": {"env": "ALERT_SECRET"}, "token": {"env": "ALERT_TOKEN"}}
LIMITS = {"timeout_s": 0.5, "deadline_s": 0.6}


def make(**config: Any) -> WebhookPlugin:
    return WebhookPlugin(WebhookConfig.model_validate({**LIMITS, **config}))


@pytest.fixture(autouse=True)
def _references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_SECRET", SECRET)
    monkeypatch.setenv("ALERT_TOKEN", TOKEN)


def signed(request: Any) -> str:
    """What a careful receiver finds wrong."""
    try:
        verify(SECRET, request.body, request.headers.get(HEADER, ""), now=time.time())
    except SignatureError as error:
        return str(error)
    return ""


class _Conformance(AlertChannelConformance):
    @pytest.fixture
    def received(self, receiver: Any) -> Callable[[], list[str]]:
        return lambda: [json.dumps(one.json, ensure_ascii=False) for one in receiver.requests if one.method == "POST"]

    @pytest.fixture
    def failing(self, plugin: WebhookPlugin, receiver: Any, answers: Any) -> WebhookPlugin:
        receiver.script = [answers(503, f"no {SECRET} {TOKEN} {PATH}".encode())]
        return plugin


class TestGeneric(_Conformance):
    @pytest.fixture
    def secret(self) -> str:
        return SECRET

    @pytest.fixture
    def plugin(self, receiver: Any) -> WebhookPlugin:
        receiver.judge = signed
        return make(url=receiver.url, **REFERENCES)


class TestSlack(_Conformance):
    @pytest.fixture
    def secret(self) -> str:
        return PATH

    @pytest.fixture
    def plugin(
        self, receiver: Any, slack_judge: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
    ) -> WebhookPlugin:
        monkeypatch.setenv("SLACK_URL", receiver.url + PATH)
        receiver.judge = lambda request: slack_judge(request.json)
        return make(format="slack", url={"env": "SLACK_URL"})


class TestAlertmanager(_Conformance):
    @pytest.fixture
    def secret(self) -> str:
        return TOKEN

    @pytest.fixture
    def plugin(self, receiver: Any) -> WebhookPlugin:
        return make(format="alertmanager", url=receiver.url, token={"env": "ALERT_TOKEN"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"url": "receiver:80"},
        {"url": "ftp://host"},
        {"url": "https://"},
        {"url": "https://h:99999"},
        {"url": "https://user:hunter2@host"},  # nosec B105 - planted
        {"url": "http://receiver.example.com/hunter2"},
        {"url": "https://hooks.slack.com/services/hunter2", "format": "slack"},
        {"url": "https://h", "format": "teams"},
        {"url": "https://h", "token": "hunter2"},  # nosec B105 - planted
        {"url": "https://h", "format": "alertmanager", "signing_secret": {"env": "S"}},
        {"url": "https://h/?x=1", "format": "alertmanager"},
        {"url": "https://h", "deadline_s": 0},
        {"url": "https://h", "firing_s": 0},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**config)
    assert "hunter2" not in str(caught.value)


def test_http_to_another_machine_can_be_allowed() -> None:
    make(url="http://alertmanager.monitoring:9093", format="alertmanager", allow_http=True)


@pytest.mark.parametrize("value", ["http://other.example/hunter2", "hunter2", "https://a:hunter2@h"])  # nosec B105 - planted
def test_a_referenced_url_is_checked_when_used(alert: Alert, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ALERT_URL", value)
    with pytest.raises(AlertDeliveryError, match="env:ALERT_URL") as caught:
        make(url={"env": "ALERT_URL"}).send(alert)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_an_unset_reference_is_told(alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERT_SECRET")
    with pytest.raises(SecretUnavailableError, match="ALERT_SECRET"):
        make(url="https://h", **REFERENCES).send(alert)


def test_a_short_secret_signs_nothing(receiver: Any, alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_SECRET", "hunter2")
    with pytest.raises(AlertDeliveryError, match="16 characters") as caught:
        make(url=receiver.url, **REFERENCES).send(alert)
    assert "hunter2" not in str(caught.value)
    assert receiver.requests == []


def test_each_attempt_is_signed_anew_under_one_key(receiver: Any, answers: Any, alert: Alert) -> None:
    receiver.script = [answers(503, Retry_After="1"), answers(200)]
    make(url=receiver.url, deadline_s=10, **REFERENCES).send(alert)
    first, second = receiver.requests
    assert first.headers[HEADER] != second.headers[HEADER]
    assert [signed(one) for one in receiver.requests] == ["", ""]
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_key_is_that_of_the_alert(receiver: Any, alert: Alert) -> None:
    plugin = make(url=receiver.url)
    over = replace(alert, resolved_at=alert.occurred_at + timedelta(hours=1))
    other = replace(alert, labels={"model": "stg_orders"})
    more = replace(alert, details={"seen": "4 rows"})
    for one in (alert, alert, more, over, other):
        plugin.send(one)
    keys = [request.headers["Idempotency-Key"] for request in receiver.requests]
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys)) == 3


@pytest.mark.parametrize("base", ["", "/", "/alertmanager", "/api/v2/alerts"])
def test_an_alertmanager_is_named_by_its_base(receiver: Any, alert: Alert, base: str) -> None:
    plugin = make(url=receiver.url + base, format="alertmanager")
    plugin.send(alert)
    assert plugin.health_check(1).state is HealthState.HEALTHY
    prefix = "/alertmanager" if base == "/alertmanager" else ""
    assert [one.path for one in receiver.requests] == [f"{prefix}/api/v2/alerts", f"{prefix}/-/ready"]


def test_a_referenced_alertmanager_with_a_query_is_refused(alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_URL", "https://h/?x=1")
    with pytest.raises(AlertDeliveryError, match="end with its path"):
        make(url={"env": "ALERT_URL"}, format="alertmanager").send(alert)


@pytest.mark.parametrize("kind", ["generic", "alertmanager"])
def test_silence_is_unhealthy(dead: str, kind: str) -> None:
    status = make(url=dead, format=kind).health_check(0.5)
    assert status.state is HealthState.UNHEALTHY
    assert dead in status.message or "connection" in status.message


def test_an_alertmanager_that_is_not_ready_is_unhealthy(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(503)]
    status = make(url=receiver.url, format="alertmanager").health_check(0.5)
    assert status.state is HealthState.UNHEALTHY
    assert "503" in status.message


def test_an_alert_keeps_firing_as_long_as_it_was_told_to(receiver: Any, alert: Alert) -> None:
    begin = datetime.now(UTC)
    make(url=receiver.url, format="alertmanager", firing_s=600).send(alert)
    ((sent,),) = [request.json for request in receiver.requests]
    end = datetime.fromisoformat(sent["endsAt"])
    assert begin + timedelta(seconds=599) < end < datetime.now(UTC) + timedelta(seconds=601)


def test_sending_is_a_span_without_the_url(receiver: Any, alert: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from floe_alert_webhook import plugin

    seen: list[tuple[str, dict[str, Any]]] = []

    def span(name: str, **attributes: Any) -> nullcontext[None]:
        seen.append((name, attributes))
        return nullcontext()

    monkeypatch.setattr(plugin, "span", span)
    make(url=receiver.url).send(alert)
    assert seen == [("alert.send", {"alert.format": "generic", "alert.severity": "critical"})]
