"""What every alert channel promises."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

from floe_core.plugins import Alert, AlertChannelPlugin, AlertDeliveryError, HealthState, PluginType, Severity
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect

Received: TypeAlias = Callable[[], list[str]]
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GIVES_UP_S = 60.0  # far beyond a plugin's own limits: tells giving up from hanging
HOSTILE = (
    "",
    " \n\t ",
    "<!channel> & <https://example.com|click> *bold* `code`",
    '"quoted" \\ {{ .Labels }} %s ${x}',
    "Grüße 数据 🚨 \u202e\u0000\u001b[31m",
    "\ud800 a lone surrogate",
    "long " * 20_000,
)


def example(title: str = "A test of mart_orders failed", **changes: Any) -> Alert:
    """An alert with details, a label and a link."""
    alert = Alert(
        title,
        Severity.CRITICAL,
        "customer-360",
        AT,
        details={"expected": "0 rows", "seen": "3 rows"},
        labels={"model": "mart_orders"},
        link="https://dagster.example.com/runs/1",
    )
    return replace(alert, **changes)


class AlertChannelConformance(PluginConformance):
    """Fixtures of the suite.

    `plugin`, whose alerts arrive; `received`, a function that gives the text of each message that arrived, in their
    order; `failing`, the same plugin with a receiver that never accepts; `secret`, a value behind one of the
    configuration's references, empty where there is none.
    """

    plugin_type: ClassVar[PluginType] = PluginType.ALERT_CHANNEL

    def test_people_are_told(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """What matters of the alert is in the message, before `send` returns."""
        alert = example()
        plugin.send(alert)
        expect(len(received()) == 1, "one alert is one message, there before send returns")
        told = received()[0]
        for word in (alert.title, alert.product, "critical", "expected", "0 rows", "3 rows", "mart_orders"):
            expect(word.lower() in told.lower(), f"the message holds {word!r}")

    def test_every_severity_is_told_apart(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """Two severities are two different messages."""
        for severity in Severity:
            plugin.send(example(severity=severity))
        expect(len(set(received())) == len(Severity), "each severity makes another message")

    def test_the_end_is_told(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """An alert that is over is sent, and differs from one that lasts."""
        plugin.send(example())
        plugin.send(example(resolved_at=AT + timedelta(minutes=5)))
        begun, over = received()
        expect(begun != over, "the message says that the alert is over")

    def test_any_text_is_sent(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """Markup, control characters, nothing at all and far too much: everything is delivered somehow."""
        for text in HOSTILE:
            plugin.send(example(text, details={text: text}, labels={text: text}, product=text, link=text))
        expect(len(received()) == len(HOSTILE), "an alert with any text is delivered")

    def test_many_details_are_sent(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """More details than anybody reads do no harm."""
        plugin.send(example(details={f"column_{number}": "missing" for number in range(500)}))
        expect(len(received()) == 1, "an alert with 500 details is delivered")

    def test_refusal_is_told(self, failing: AlertChannelPlugin[Any], secret: str) -> None:
        """A receiver that does not accept makes its own error, in bounded time and without the secret."""
        begin = time.monotonic()
        try:
            failing.send(example())
        except AlertDeliveryError as error:
            told = f"{error} {error!r}"
            expect(error.why and error.remedy, "the error says why, and what to do")
        else:
            raise AssertionError("send raises AlertDeliveryError where nobody accepts")
        expect(time.monotonic() - begin < GIVES_UP_S, f"send gives up within {GIVES_UP_S:g} s")
        expect(not secret or secret not in told, "the secret stays out of errors")

    def test_health_sends_nothing(self, plugin: AlertChannelPlugin[Any], received: Received) -> None:
        """A health check bothers nobody."""
        health = plugin.health_check(5.0)
        expect(health.state is HealthState.HEALTHY, "health_check calls a channel that works healthy")
        expect(received() == [], "a health check is no message")

    def test_secrets_are_not_shown(self, plugin: AlertChannelPlugin[Any], secret: str) -> None:
        """What is printed and kept of the plugin holds references only."""
        shown = f"{plugin!r} {plugin.config!r} {plugin.config.model_dump_json()}"
        expect(not secret or secret not in shown, "the secret stays out of what is printed and kept")
