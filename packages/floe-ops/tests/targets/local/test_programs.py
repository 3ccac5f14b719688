from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_ops.services import LOCAL, started
from floe_ops.targets.local import credentials, programs, record
from floe_ops.targets.local.catalog import CatalogServer
from floe_ops.targets.local.layout import Layout


@pytest.fixture
def inputs() -> programs.Inputs:
    names = [*programs.wanted_ports(list(started(LOCAL))), "weed-admin-grpc"]
    return programs.Inputs(
        layout=Layout(Path("/srv/a, b%/.floe")),
        ports={name: 20_000 + n for n, name in enumerate(names)},
        secrets=credentials.new(),
        tools={"weed": Path("/t/weed"), "jaeger": Path("/t/jaeger"), "otelcol": Path("/t/otelcol")},
        catalog=CatalogServer("stand-in", ["/py", "/standin"]),
    )


def _config(program: programs.Program) -> dict[str, Any]:
    (text,) = (text for path, text in program.files.items() if path.suffix == ".yaml")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_no_secret_is_in_a_command_or_in_a_yaml_file(inputs: programs.Inputs) -> None:
    secrets = [value for name, value in inputs.secrets.items() if name != "polaris-client-id"]
    for program in programs.render(list(started(LOCAL)), inputs):
        shown = [*program.argv, *(text for path, text in program.files.items() if path.suffix == ".yaml")]
        assert not [secret for secret in secrets if secret in " ".join(shown)]


def test_telemetry_of_every_tool_is_off(inputs: programs.Inputs) -> None:
    assert "-master.telemetry=false" in programs.object_store(inputs).argv
    for program in (programs.collector(inputs), programs.jaeger(inputs)):
        assert _config(program)["service"]["telemetry"]["metrics"] == {"level": "none"}
        assert program.env["DO_NOT_TRACK"] == "1"
    assert _config(programs.jaeger(inputs))["extensions"]["jaeger_query"]["enable_tracing"] is False


def test_the_store_leaves_polariss_port_alone(inputs: programs.Inputs) -> None:
    assert "-s3.port.iceberg=0" in programs.object_store(inputs).argv


def test_a_comma_in_the_path_does_not_split_the_stores_folder(inputs: programs.Inputs) -> None:
    program = programs.object_store(inputs)
    (folder,) = (word.removeprefix("-dir=") for word in program.argv if word.startswith("-dir="))
    assert "," not in folder
    assert (program.cwd / folder).resolve() == inputs.layout.data.resolve() / "s3"


def test_the_stores_keys_are_in_its_private_file(inputs: programs.Inputs) -> None:
    program = programs.object_store(inputs)
    (text,) = (text for path, text in program.files.items() if path.name == "s3.json")
    (identity,) = json.loads(text)["identities"]
    assert identity["credentials"] == [
        {"accessKey": inputs.secrets["s3-access-key"], "secretKey": inputs.secrets["s3-secret-key"]}
    ]


def test_the_collector_sends_to_jaegers_port(inputs: programs.Inputs) -> None:
    receiver = _config(programs.jaeger(inputs))["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    config = _config(programs.collector(inputs))
    (exporter,) = config["service"]["pipelines"]["traces"]["exporters"]
    assert config["exporters"][exporter]["endpoint"] == f"http://{receiver}"


def test_services_see_nothing_of_the_callers_environment(
    inputs: programs.Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-caller")
    rendered = {program.name: program.env for program in programs.render(list(started(LOCAL)), inputs)}
    assert not [name for env in rendered.values() for name in env if name.startswith("OTEL_")]
    assert rendered["polaris"]["AWS_SECRET_ACCESS_KEY"] == inputs.secrets["s3-secret-key"]
    assert "AWS_SECRET_ACCESS_KEY" not in rendered["jaeger"]


def test_the_fingerprint_follows_settings_and_not_secrets(inputs: programs.Inputs) -> None:
    from dataclasses import replace

    def digest(of: programs.Inputs, outside: str = "") -> str:
        return record.fingerprint(programs.render(list(started(LOCAL)), of), outside)

    assert digest(inputs) == digest(replace(inputs, secrets=credentials.new()))
    assert digest(inputs) != digest(inputs, outside="elsewhere")
    assert digest(inputs) != digest(replace(inputs, ports={**inputs.ports, "otel-health": 1}))
    assert digest(inputs) != digest(replace(inputs, tools={**inputs.tools, "jaeger": Path("/other")}))
