from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.health import Health
from polaris_standin.metrics import Metrics
from polaris_standin.store import Store

if TYPE_CHECKING:
    from polaris_standin.contract.stack import Server


def test_a_broken_database_is_down_but_alive() -> None:
    store = Store(Sqlite())
    health = Health(store, Metrics())
    assert json.loads(bytes(health._respond("/q/health/ready").body))["status"] == "UP"
    store.close()
    for path in ("/q/health/ready", "/q/health"):
        answer = health._respond(path)
        body = json.loads(bytes(answer.body))
        assert answer.status_code == 503
        assert body["status"] == body["checks"][0]["status"] == "DOWN"
        assert "closed database" in body["checks"][0]["data"]["<default>"]
    assert health._respond("/q/health/live").status_code == 200


def test_metrics_count_answers(server: Server) -> None:
    requests.get(f"{server.api}/nowhere", timeout=10)
    text = requests.get(f"{server.management}/q/metrics", timeout=10).text
    assert 'http_server_answers_total{status="404"}' in text
    assert text.endswith("# EOF\n")
