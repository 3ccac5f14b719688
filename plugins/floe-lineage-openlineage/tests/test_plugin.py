from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import HealthState, LineageError
from floe_core.spec.secrets import SecretRef
from floe_core.testing import LineageBackendConformance
from floe_lineage_openlineage.plugin import OpenLineageConfig, OpenLineagePlugin
from pydantic import ValidationError

KEY = "k3y-that-nobody-may-see"


def make(**transport: Any) -> OpenLineagePlugin:
    return OpenLineagePlugin(OpenLineageConfig.model_validate({"transport": transport}))


class TestFileConformance(LineageBackendConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> OpenLineagePlugin:
        return make(type="file", path=str(tmp_path / "events.jsonl"))

    @pytest.fixture
    def delivered(self, tmp_path: Path) -> Any:
        path = tmp_path / "events.jsonl"
        return lambda: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> OpenLineagePlugin:
        (tmp_path / "taken").write_text("")
        return make(type="file", path=str(tmp_path / "taken" / "events.jsonl"))

    @pytest.fixture
    def secret(self) -> str:
        return ""


class TestHttpConformance(LineageBackendConformance):
    @pytest.fixture(autouse=True)
    def secret(self, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("LINEAGE_KEY", KEY)
        return KEY

    @pytest.fixture
    def plugin(self, server: Any) -> OpenLineagePlugin:
        return make(type="http", url=server.url, api_key={"env": "LINEAGE_KEY"})

    @pytest.fixture
    def delivered(self, server: Any) -> Any:
        return lambda: [request.json for request in server.requests if request.method == "POST"]

    @pytest.fixture
    def unreachable(self, dead: str) -> OpenLineagePlugin:
        return make(type="http", url=dead, api_key={"env": "LINEAGE_KEY"}, timeout_s=0.2, deadline_s=0.5)


def test_without_configuration_it_writes_lines_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    OpenLineagePlugin(OpenLineageConfig()).emit(event)
    assert json.loads((tmp_path / ".floe" / "lineage" / "events.jsonl").read_text()) == event


@pytest.mark.parametrize(
    "transport",
    [
        {"type": "kafka"},
        {"type": "http"},
        {"type": "http", "url": "marquez:5000"},
        {"type": "http", "url": "https://user:hunter2@host"},  # nosec B105 - planted
        {"type": "http", "url": "https://h", "api_key": "hunter2"},  # nosec B105 - planted
        {"type": "http", "url": "https://h", "endpoint": "/absolute"},
        {"type": "http", "url": "https://h", "endpoint": "https://other"},
        {"type": "http", "url": "https://h", "timeout_s": 0},
        {"type": "file", "path": "x", "layout": "pages"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(transport: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        make(**transport)
    assert "hunter2" not in str(caught.value)


def test_a_wrong_event_stays_here(server: Any, event: dict[str, Any]) -> None:
    del event["job"]
    with pytest.raises(LineageError, match=r"event\.job"):
        make(type="http", url=server.url).emit(event)
    assert server.requests == []


def test_a_referenced_url(server: Any, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_URL", server.url)
    make(type="http", url=SecretRef(env="LINEAGE_URL")).emit(event)
    assert [request.json for request in server.requests] == [event]


def test_health_says_what_was_seen(server: Any, dead: str, tmp_path: Path) -> None:
    assert make(type="http", url=server.url).health_check(1).state is HealthState.HEALTHY
    sick = make(type="http", url=dead).health_check(1)
    assert sick.state is HealthState.UNHEALTHY
    assert "connection" in sick.message
    assert make(type="file", path=str(tmp_path / "e")).health_check(1).state is HealthState.HEALTHY


def test_emitting_is_a_span(tmp_path: Path, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    from contextlib import nullcontext

    from floe_lineage_openlineage import plugin

    def span(name: str, **attributes: Any) -> nullcontext[None]:
        seen.append((name, attributes))
        return nullcontext()

    monkeypatch.setattr(plugin, "span", span)
    make(type="file", path=str(tmp_path / "e")).emit(event)
    assert seen == [("lineage.emit", {"lineage.transport": "file", "lineage.event_type": "COMPLETE"})]
