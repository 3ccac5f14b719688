"""Any alert is a valid payload in each format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from floe_alert_webhook import alertmanager, generic, slack
from floe_core.plugins import Alert, Severity
from floe_core.plugins.alert_channel import EARLIEST, LATEST
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
PACKAGE = Path(generic.__file__).parent
SCHEMA = json.loads((PACKAGE / "alert.schema.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

LONG = ["", "&" * 5000, "<!here>", "🚨" * 4000, "__x"]
texts = st.text(alphabet=st.characters(), max_size=30) | st.sampled_from(
    ["", "&" * 5000, "<!here>", "🚨" * 4000, "__x"]
)
maps = st.dictionaries(texts, texts, max_size=4) | st.integers(0, 120).map(lambda n: {f"k{i}": "v" for i in range(n)})
zones = st.just(UTC) | st.just(timezone(timedelta(hours=-14))) | st.just(timezone(timedelta(hours=14)))
moments = st.datetimes(EARLIEST, LATEST, timezones=zones)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    began = draw(moments)
    over = draw(st.none() | moments.map(lambda moment: max(moment, began)))
    severity = draw(st.sampled_from(Severity))
    return Alert(draw(texts), severity, draw(texts), began, draw(maps), draw(maps), draw(texts), over)


def label_problems(alert: Any) -> list[str]:
    """What Prometheus's rules for labels, or the order of time, forbid in an alert for Alertmanager."""
    wrong = [
        f"name {name!r}" for part in ("labels", "annotations") for name in alert[part] if not LABEL.fullmatch(name)
    ]
    wrong += [f"reserved {name!r}" for name in alert["labels"] if name.startswith("__")]
    wrong += [f"empty {name!r}" for name, value in alert["labels"].items() if not value]
    begin, end = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))
    return wrong + (["ends before it starts"] if end < begin else [])


@given(alerts())
def test_any_alert_is_valid_generic_json(alert: Alert) -> None:
    document = json.loads(json.dumps(generic.payload(alert), ensure_ascii=False).encode())
    CHECK.validate(document)
    assert document["status"] == ("resolved" if alert.resolved_at else "firing")


@given(alerts())
def test_any_alert_is_within_the_limits_of_slack(slack_judge: Callable[[Any], str], alert: Alert) -> None:
    payload = json.loads(json.dumps(slack.payload(alert), ensure_ascii=False).encode())
    assert slack_judge(payload) == ""


@given(alerts())
def test_any_alert_has_valid_labels(alert: Alert) -> None:
    (found,) = json.loads(json.dumps(alertmanager.payload(alert, now=NOW, firing_s=60), ensure_ascii=False).encode())
    assert label_problems(found) == []
    assert found["labels"]["alertname"]


def test_the_published_schema_is_that_of_the_model() -> None:
    assert generic.schema() == SCHEMA


def test_the_generic_document(alert: Alert) -> None:
    with trace.use_span(trace.INVALID_SPAN):
        document = generic.payload(alert)
    assert document == {
        "version": "1.0",
        "identity": alert.identity,
        "status": "firing",
        "title": "A test of mart_orders failed",
        "severity": "critical",
        "product": "customer-360",
        "occurred_at": "2026-11-23T12:00:00Z",
        "resolved_at": None,
        "labels": {"model": "mart_orders"},
        "details": {"expected": "0 rows", "seen": "3 rows"},
        "omitted": 0,
        "link": "https://dagster.example.com/runs/1?a=1&b=2",
        "traceparent": None,
    }


def test_the_document_names_its_trace(alert: Alert) -> None:
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        assert generic.payload(alert)["traceparent"] == f"00-{1:032x}-{2:016x}-01"


def test_what_is_left_out_is_counted(alert: Alert) -> None:
    many = replace(alert, details={f"d{number}": "x" for number in range(130)})
    assert generic.payload(many)["omitted"] == 30
    assert "and 80 more details" in json.dumps(slack.payload(many))


def test_slack_is_mentioned_nowhere_and_linked_once(alert: Alert, slack_judge: Callable[[Any], str]) -> None:
    hostile = replace(alert, title="<!channel> & <https://evil.example|ok>", details={"<@U1>": "a<b&c>d"})
    payload = slack.payload(hostile)
    assert slack_judge(payload) == ""
    assert payload["blocks"][0]["text"]["text"] == "🚨 &lt;!channel&gt; &amp; &lt;https://evil.example|ok&gt;"
    assert payload["blocks"][2]["fields"] == [{"type": "mrkdwn", "text": "*&lt;@U1&gt;*\na&lt;b&amp;c&gt;d"}]
    (notes,) = payload["blocks"][-1]["elements"]
    assert notes["text"] == "model: mart_orders\n<https://dagster.example.com/runs/1?a=1&amp;b=2|more>"


@pytest.mark.parametrize(
    "link", ["", "javascript:alert(1)", "https://h/a|b", "https://h/<x>", "https://h/" + "&" * 3000]
)
def test_a_link_that_slack_would_misread_is_left_out(alert: Alert, link: str) -> None:
    assert "|more>" not in json.dumps(slack.payload(replace(alert, link=link)))


def test_slack_says_when_it_is_over(alert: Alert) -> None:
    payload = slack.payload(replace(alert, resolved_at=NOW))
    assert payload["blocks"][0]["text"]["text"].startswith("✅ ")
    assert "*resolved*" in payload["blocks"][1]["text"]["text"]
    assert "2026-11-23 12:30:00+00:00" in payload["blocks"][1]["text"]["text"]


def test_the_alert_for_alertmanager(alert: Alert) -> None:
    assert alertmanager.payload(alert, now=NOW, firing_s=3600) == [
        {
            "labels": {
                "alertname": "A test of mart_orders failed",
                "severity": "critical",
                "product": "customer-360",
                "model": "mart_orders",
            },
            "annotations": {"summary": "A test of mart_orders failed", "expected": "0 rows", "seen": "3 rows"},
            "startsAt": "2026-11-23T12:00:00.000+00:00",
            "endsAt": "2026-11-23T13:30:00.000+00:00",
            "generatorURL": "https://dagster.example.com/runs/1?a=1&b=2",
        }
    ]


def test_labels_do_not_replace_those_of_floe(alert: Alert) -> None:
    named = replace(alert, labels={"severity": "none", "a b": "1", "a-b": "2", "1st": "x", "__name__": "y", "": "z"})
    (found,) = alertmanager.payload(named, now=NOW, firing_s=1)
    assert found["labels"] == {
        "alertname": alert.title,
        "severity": "critical",
        "product": "customer-360",
        "unnamed": "z",
        "_1st": "x",
        "name": "y",
        "a_b": "1",
        "a_b_2": "2",
        "severity_2": "none",
    }


def test_over_means_an_end(alert: Alert) -> None:
    (found,) = alertmanager.payload(replace(alert, resolved_at=NOW), now=NOW, firing_s=3600)
    assert found["endsAt"] == "2026-11-23T12:30:00.000+00:00"
