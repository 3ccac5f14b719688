"""Runs, assets and automation of the client against answers of a scripted webserver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import NotReadyError, UsageError, WrongStateError
from floe_ops.clients.dagster import Dagster, Repository, Sensor
from floe_ops.clients.dagster.queries import DOCUMENTS
from floe_ops.clients.dagster.schema import problems, require_valid
from floe_ops.clients.dagster.webserver import Webserver
from polaris_standin.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Repository("__repository__", "sold")
KEY = {"path": ["sold", "marts", "sold"]}


def data(**fields: Any) -> Reply:
    return Reply(body={"data": fields})


def run(status: str, **more: Any) -> dict[str, Any]:
    plain = {"id": "r1", "jobName": "sold_build", "status": status, "startTime": 1.0, "endTime": 3.5}
    tags = [{"key": "traceparent", "value": "00-a-b-01"}]
    return {"__typename": "Run", **plain, "tags": tags, "repositoryOrigin": None, **more}


def page(*events: dict[str, Any], more: bool = False) -> Reply:
    return data(logsForRun={"__typename": "EventConnection", "cursor": "c", "hasMore": more, "events": list(events)})


def entry(kind: str, label: str, **value: Any) -> dict[str, Any]:
    return {"__typename": f"{kind}MetadataEntry", "label": label, **value}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({}) as running:
        yield running


def answer(server: ScriptedServer, *replies: Reply) -> Dagster:
    server.script["POST /graphql"] = list(replies) if len(replies) > 1 else replies[0]
    return Dagster(server.url)


def test_a_run_is_waited_for_and_read_with_its_tags(server: ScriptedServer) -> None:
    client = answer(
        server, data(runOrError=run("QUEUED")), data(runOrError=run("STARTED")), data(runOrError=run("SUCCESS"))
    )
    done = client.runs.wait("r1", 20)
    assert (done.status, done.is_over, done.tags) == ("SUCCESS", True, {"traceparent": "00-a-b-01"})


def test_a_failed_run_names_the_step_its_error_and_its_last_lines(server: ScriptedServer) -> None:
    error = {"message": "boom", "causes": [{"message": "no such table\nStack Trace: File x"}]}
    failed = {"__typename": "ExecutionStepFailureEvent", "stepKey": "sold", "error": error}
    captured = {"__typename": "LogsCapturedEvent", "fileKey": "f1", "stepKeys": ["sold"]}
    logs = data(capturedLogs={"stdout": "one\ntwo\n", "stderr": None})
    client = answer(server, data(runOrError=run("FAILURE")), page(failed, captured), logs)
    with pytest.raises(WrongStateError, match="sold_build ended with FAILURE") as caught:
        client.runs.wait("r1", 5)
    assert "step sold: boom; caused by no such table\n" in caught.value.why
    assert "| two" in caught.value.why
    assert "Stack Trace" not in caught.value.why


def test_a_run_that_was_cancelled_has_the_runs_own_error(server: ScriptedServer) -> None:
    ended = {"__typename": "RunCanceledEvent", "message": "by hand", "error": None}
    client = answer(server, data(runOrError=run("CANCELED")), page(ended))
    with pytest.raises(WrongStateError, match="ended with CANCELED") as caught:
        client.runs.wait("r1", 5)
    assert "by hand" in caught.value.why


def test_a_run_that_stays_queued_points_to_the_daemon(server: ScriptedServer) -> None:
    client = answer(server, data(runOrError=run("QUEUED")))
    with pytest.raises(NotReadyError, match=r"not over after 0\.2 s") as caught:
        client.runs.wait("r1", 0.2)
    assert "QUEUED" in caught.value.why
    assert "daemon" in caught.value.remedy


def test_what_a_run_made_and_checked_is_read_page_by_page(server: ScriptedServer) -> None:
    values = [
        entry("Int", "dagster/row_count", intRepr="9007199254740993"),
        entry("Text", "uri", text="s3://x"),
        entry("Json", "files", jsonString='["a"]'),
        entry("Bool", "whole", boolValue=False),
        entry("TableSchema", "columns"),
    ]
    made = {
        "__typename": "MaterializationEvent",
        "runId": "r1",
        "stepKey": "s",
        "assetKey": KEY,
        "metadataEntries": values,
    }
    check = {
        "checkName": "unique",
        "assetKey": KEY,
        "success": False,
        "severity": "WARN",
        "metadataEntries": values[:1],
    }
    checked = {"__typename": "AssetCheckEvaluationEvent", "evaluation": check}
    client = answer(server, page(made, more=True), page(checked))
    (one,) = client.runs.materializations("r1")
    assert one.asset == "sold/marts/sold"
    assert one.metadata == {
        "dagster/row_count": 9007199254740993,
        "uri": "s3://x",
        "files": ["a"],
        "whole": False,
        "columns": None,
    }
    client = answer(server, page(made, more=True), page(checked))
    (found,) = client.runs.checks("r1")
    assert (found.check, found.passed, found.severity) == ("unique", False, "WARN")


def test_a_launch_sends_selector_assets_and_tags(server: ScriptedServer) -> None:
    client = answer(server, data(launchRun={"__typename": "LaunchRunSuccess", "run": run("QUEUED")}))
    assert client.runs.launch(HOME, "sold_build", assets=["sold/raw/a"], tags={"traceparent": "t"}).id == "r1"
    (sent,) = [json.loads(seen.body)["variables"]["parameters"] for seen in server.seen]
    assert sent["selector"] == {
        "repositoryName": "__repository__",
        "repositoryLocationName": "sold",
        "pipelineName": "sold_build",
        "assetSelection": [{"path": ["sold", "raw", "a"]}],
    }
    assert sent["executionMetadata"]["tags"] == [{"key": "traceparent", "value": "t"}]


def test_a_configuration_that_does_not_fit_is_told_in_dagsters_words(server: ScriptedServer) -> None:
    refused = {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "unknown field x"}]}
    client = answer(server, data(launchRun=refused))
    with pytest.raises(WrongStateError, match="launchRun with RunConfigValidationInvalid") as caught:
        client.runs.launch(HOME, "sold_build", config={"x": 1})
    assert "unknown field x" in caught.value.why


def test_an_unknown_sensor_is_told_with_those_that_are_there(server: ScriptedServer) -> None:
    state = {"id": "i", "status": "STOPPED", "ticks": []}
    sensor = {"name": "healthy", "minIntervalSeconds": 5, "targets": None, "sensorState": state}
    client = answer(server, data(sensorsOrError={"__typename": "Sensors", "results": [sensor]}))
    assert client.automation.sensor(HOME, "healthy") == Sensor("healthy", HOME, False, (), "i", (), 5)  # noqa: FBT003
    with pytest.raises(UsageError, match="no sensor named 'other'") as caught:
        client.automation.sensor(HOME, "other")
    assert "healthy" in caught.value.why


def test_the_documents_are_valid_for_the_installed_schema_and_a_removed_or_deprecated_field_is_found(
    server: ScriptedServer,
) -> None:
    from dagster_graphql.schema import create_schema
    from graphql import get_introspection_query, graphql_sync

    query = get_introspection_query(descriptions=False, input_value_deprecation=True)
    served = graphql_sync(create_schema().graphql_schema, query).data
    assert served is not None
    answer(server, Reply(body={"data": served}))
    assert problems(Webserver(server.url)) == []
    assert require_valid(Webserver(server.url)) == len(DOCUMENTS)
    fields = {kind["name"]: kind["fields"] for kind in served["__schema"]["types"] if kind["fields"]}
    for field in fields["Workspace"]:
        if field["name"] == "locationEntries":
            field["name"] = "locationEntriesOf"
    for field in fields["Run"]:
        if field["name"] == "jobName":
            field.update(isDeprecated=True, deprecationReason="gone soon")
    answer(server, Reply(body={"data": served}))
    found = problems(Webserver(server.url))
    assert any("workspace: Cannot query field 'locationEntries'" in one for one in found)
    assert any("run: The field Run.jobName is deprecated. gone soon" in one for one in found)
    with pytest.raises(WrongStateError, match="problems of the client's GraphQL"):
        require_valid(Webserver(server.url))
