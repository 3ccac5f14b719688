"""WU-6: the alert channel against a real Prometheus Alertmanager, and its signature against other programs.

Slack itself cannot be had here: its format is held against Slack's documented limits by the plugin's own tests.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import floe_alert_webhook.signature
import pytest
import requests
import yaml
from floe_alert_webhook.plugin import WebhookConfig, WebhookPlugin
from floe_core.plugins import Alert, AlertDeliveryError, HealthState, Severity
from floe_core.plugins.alert_channel import EARLIEST, LATEST
from floe_core.testing.alert_channel import HOSTILE, example
from floe_ops import orphans, project, toolchain
from hypothesis import given, settings
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_exponential

# The first start of all builds Alertmanager from its module, which takes about two minutes.
pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU6-X1"), pytest.mark.timeout(1200)]

START_S, END_S = 60.0, 20.0
LISTENING = re.compile(r'msg="Listening on" address=(127\.0\.0\.1:\d+)')
CONFIG = """
route:
  receiver: told
  group_by: ["..."]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: told
    webhook_configs:
      - url: "%s"
        send_resolved: true
"""


@dataclass
class Told:
    """What arrived at a receiver: headers and body of each request."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def alerts(self) -> list[tuple[str, str]]:
        """Status and name of each alert in Alertmanager's own notifications."""
        documents = (json.loads(body) for _, body in self.requests)
        return [(one["status"], one["labels"]["alertname"]) for document in documents for one in document["alerts"]]


@contextmanager
def receiving() -> Iterator[Told]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Alertmanager:
    """A running Alertmanager that tells `told` what it would tell people."""

    def __init__(self, program: Path, folder: Path, told: Told) -> None:
        self.told = told
        self._log = folder / "alertmanager.log"
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG % told.url, encoding="utf-8")
        words = [str(program), f"--config.file={config}", f"--storage.path={folder / 'data'}"]
        words += ["--web.listen-address=127.0.0.1:0", "--cluster.listen-address=", "--log.level=debug"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                words,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - it makes one system call
            )

    def wait(self) -> None:
        """Until it is ready.

        Raises:
            AssertionError: It ended, or is not ready in time; holds its log.
        """
        waiting = Retrying(
            stop=stop_after_delay(START_S),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            retry=retry_if_exception_type((requests.ConnectionError, LookupError)),
            reraise=True,
        )
        self.url = waiting(self._address)

    def _address(self) -> str:
        text = self._log.read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        found = LISTENING.search(text)
        if found is None:
            raise LookupError(text)
        url = f"http://{found[1]}"
        requests.get(f"{url}/-/ready", timeout=5).raise_for_status()
        return url

    def alerts(self, **labels: str) -> list[Any]:
        """The alerts that it holds to be firing, by labels."""
        filters = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
        answer = requests.get(f"{self.url}/api/v2/alerts", params={"filter": filters, "active": "true"}, timeout=5)
        answer.raise_for_status()
        found: list[Any] = answer.json()
        return found

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(END_S)


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    program = toolchain.ensure("alertmanager")
    with receiving() as told:
        running = Alertmanager(program, tmp_path_factory.mktemp("alertmanager"), told)
        try:
            running.wait()
            yield running
        finally:
            running.end()


@pytest.fixture(scope="module")
def plugin(alertmanager: Alertmanager) -> WebhookPlugin:
    return WebhookPlugin(WebhookConfig(url=alertmanager.url, format="alertmanager"))


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Poll from 50 ms on until `condition` holds."""
    waiting = Retrying(
        stop=stop_after_delay(END_S),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        retry=retry_if_result(lambda met: not met),
        retry_error_callback=lambda _: pytest.fail(f"not within {END_S:g} s: {what}"),
    )
    waiting(condition)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_an_alert_is_found_with_its_labels(alertmanager: Alertmanager, plugin: WebhookPlugin) -> None:
    began = now() - timedelta(minutes=5)
    alert = example("Rows are missing in mart_orders", occurred_at=began)
    plugin.send(alert)
    (found,) = alertmanager.alerts(alertname=alert.title)
    assert found["labels"] == {
        "alertname": alert.title,
        "severity": "critical",
        "product": "customer-360",
        "model": "mart_orders",
    }
    assert found["annotations"] == {"summary": alert.title, "expected": "0 rows", "seen": "3 rows"}
    assert datetime.fromisoformat(found["startsAt"]) == began
    assert datetime.fromisoformat(found["endsAt"]) > datetime.now(UTC) + timedelta(hours=23)
    assert found["generatorURL"] == alert.link
    assert found["status"]["state"] == "active"
    assert plugin.health_check(5).state is HealthState.HEALTHY


def test_it_fires_once_and_is_resolved(alertmanager: Alertmanager, plugin: WebhookPlugin) -> None:
    alert = example("The load is late", occurred_at=now() - timedelta(minutes=5))
    for seen in ("1 h", "2 h"):
        plugin.send(replace(alert, details={"seen": seen}))
    (found,) = alertmanager.alerts(alertname=alert.title)
    assert found["annotations"]["seen"] == "2 h"
    firing, resolved = ("firing", alert.title), ("resolved", alert.title)
    eventually(lambda: firing in alertmanager.told.alerts(), "Alertmanager tells that it fires")
    assert resolved not in alertmanager.told.alerts()
    plugin.send(replace(alert, resolved_at=now()))
    eventually(lambda: alertmanager.alerts(alertname=alert.title) == [], "it is active no more")
    eventually(lambda: resolved in alertmanager.told.alerts(), "Alertmanager tells that it is over")


def test_any_text_is_accepted(alertmanager: Alertmanager, plugin: WebhookPlugin) -> None:
    for number, text in enumerate(HOSTILE):
        product = f"hostile-{number}"
        alert = example(text, details={text: text}, labels={text: text}, product=product, link=text, occurred_at=now())
        plugin.send(alert)
        assert len(alertmanager.alerts(product=product)) == 1, text[:40]


TEXTS = st.text(alphabet=st.characters(), max_size=20)
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=3)


MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
ALERTS = st.builds(Alert, TEXTS, st.sampled_from(Severity), st.just("any"), MOMENTS, PAIRS, PAIRS, TEXTS)


@settings(max_examples=60, deadline=None)
@given(ALERTS)
def test_any_alert_is_accepted(plugin: WebhookPlugin, alert: Alert) -> None:
    plugin.send(alert)


def test_one_that_stands_still_is_told_and_found_again(alertmanager: Alertmanager, plugin: WebhookPlugin) -> None:
    hasty = WebhookPlugin(WebhookConfig(url=alertmanager.url, format="alertmanager", timeout_s=0.3, deadline_s=1.0))
    alert = example("It stood still", occurred_at=now())
    alertmanager.process.send_signal(signal.SIGSTOP)
    try:
        # A signal arrives when it arrives: until all threads stand, a quick one may still answer.
        os.waitid(os.P_PID, alertmanager.process.pid, os.WSTOPPED | os.WNOWAIT)
        begin = time.monotonic()
        with pytest.raises(AlertDeliveryError) as caught:
            hasty.send(alert)
        assert time.monotonic() - begin < END_S
        assert "attempts" in caught.value.why
        assert hasty.health_check(0.3).state is HealthState.UNHEALTHY
    finally:
        alertmanager.process.send_signal(signal.SIGCONT)
    plugin.send(alert)
    assert len(alertmanager.alerts(alertname=alert.title)) == 1


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> tuple[str, bytes]:
    """The header and the body of a generic alert as they arrived."""
    monkeypatch.setenv("ALERT_SECRET", "a secret that both share")
    with receiving() as told:
        config = {"url": told.url, "signing_secret": {"env": "ALERT_SECRET"}}
        WebhookPlugin(WebhookConfig.model_validate(config)).send(example())
    ((headers, body),) = told.requests
    return headers["X-Floe-Signature"], body


def test_openssl_computes_the_same_signature(signed: tuple[str, bytes]) -> None:
    moment, digest = (part.partition("=")[2] for part in signed[0].split(","))
    words = ["openssl", "dgst", "-sha256", "-hmac", "a secret that both share"]
    done = subprocess.run(words, input=f"{moment}.".encode() + signed[1], capture_output=True, check=True, timeout=30)
    assert done.stdout.decode().split()[-1] == digest


VERIFY = """
import runpy, sys, time
verify = runpy.run_path(sys.argv[1])["verify"]
verify("a secret that both share", sys.stdin.buffer.read(), sys.argv[2], now=time.time())
print("accepted")
"""


def test_a_receiver_needs_that_one_file_only(signed: tuple[str, bytes]) -> None:
    """The module verifies in an interpreter that sees the standard library and nothing else."""
    words = [sys.executable, "-I", "-S", "-c", VERIFY, floe_alert_webhook.signature.__file__, signed[0]]
    done = subprocess.run(words, input=signed[1], capture_output=True, timeout=30, check=False)
    assert done.stdout.decode().strip() == "accepted", done.stderr.decode()
    changed = subprocess.run(words, input=signed[1] + b" ", capture_output=True, timeout=30, check=False)
    assert changed.returncode != 0
    assert b"SignatureError" in changed.stderr


PAGE = project.root() / "docs" / "how-to" / "alerts.md"
FENCE = re.compile(r"^```\w+ (?P<file>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(tmp_path: Path) -> dict[str, Path]:
    """The files that the how-to page shows, by name."""
    blocks = {block["file"]: block["text"] for block in FENCE.finditer(PAGE.read_text(encoding="utf-8"))}
    for name, text in blocks.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: tmp_path / name for name in blocks}


@pytest.mark.requirement("WU6-X5")
@pytest.mark.parametrize("kind", ["generic", "slack", "alertmanager"])
def test_the_channels_of_the_page_are_valid(page: dict[str, Path], kind: str) -> None:
    config = yaml.safe_load(page["channels.yaml"].read_text())[kind]["config"]
    assert WebhookConfig.model_validate(config).format == kind


@pytest.mark.requirement("WU6-X5")
def test_the_receiver_of_the_page_takes_each_signed_alert_once(
    page: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_SECRET", "a secret that both share")
    config = yaml.safe_load(page["channels.yaml"].read_text())["generic"]["config"]
    words = [sys.executable, str(page["receiver.py"])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as receiver:
        try:
            assert receiver.stdout
            monkeypatch.setenv("ALERT_URL", f"http://127.0.0.1:{int(receiver.stdout.readline())}/")
            plugin = WebhookPlugin(WebhookConfig.model_validate(config))
            first, second = example("Rows are missing"), example("The load is late")
            for one in (first, first, second):
                plugin.send(one)
            with monkeypatch.context() as other:
                other.setenv("ALERT_SECRET", "a secret of somebody else")
                with pytest.raises(AlertDeliveryError, match=r"HTTP 401.*does not fit"):
                    plugin.send(replace(first, product="forged"))
            unsigned = WebhookPlugin(WebhookConfig.model_validate({"url": config["url"]}))
            with pytest.raises(AlertDeliveryError, match=r"HTTP 401.*is missing"):
                unsigned.send(replace(first, product="unsigned"))
        finally:
            receiver.terminate()
        told = receiver.stdout.read().splitlines()
    assert [line.split(" {")[0] for line in told] == [f"critical customer-360 {one.title}" for one in (first, second)]
