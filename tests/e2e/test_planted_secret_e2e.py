"""A planted secret is looked for in everything that compiling leaves: files, standard output and error, spans, errors.

The value stands in the environment, in a file, and behind the platform's secrets plugin, and every place that takes a
reference refers to it; then it is written down where it must not be, and plugins fail with it in their mouths.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from floe_core.cli import main
from floe_core.compilation import compile_bundle, compile_outputs, validate_product, write_outputs
from floe_core.errors import ExitCode, FloeError
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from floe_core.spec import SpecError
from floe_core.telemetry import span
from floe_ops import project
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU6-X3")]

DEMO = project.root() / "demo"
NAME = "PLANTED_SECRET"
Content = dict[str, Any]


@dataclass
class World:
    """A copy of customer-360 and its platform, the planted value, and the spans that were made.

    Attributes:
        folder: Where all of it lies, and where outputs go.
        value: The secret; it looks like a token of a code host, so that it is known for one wherever it stands.
        spans: What was exported.
    """

    folder: Path
    value: str
    spans: InMemorySpanExporter
    product: Content
    manifest: Content

    @property
    def home(self) -> Path:
        return self.folder / "product"

    def write(self) -> Path:
        for path, content in (("manifest.yaml", self.manifest), ("product/floe.yaml", self.product)):
            (self.folder / path).write_text(yaml.safe_dump(content), encoding="utf-8")
        return self.home

    def refer(self, reference: dict[str, str]) -> None:
        """Put `reference` into every place of product and platform that takes one."""
        plugins = self.manifest["plugins"]
        plugins["storage"]["config"] |= {"access_key": reference, "secret_key": reference, "endpoint": reference}
        plugins["catalog"]["config"] |= {"uri": reference, "client_id": reference, "client_secret": reference}
        plugins["secrets"] = {"type": "env"}
        plugins["rbac"] = {"type": "k8s"}
        plugins["ingestion"] = {"type": "dlt"}
        plugins["lineage_backend"] = {
            "type": "openlineage",
            "config": {"transport": {"type": "http", "url": reference, "api_key": reference}},
        }
        plugins["alert_channel"] = {
            "type": "webhook",
            "config": {"url": reference, "token": reference, "signing_secret": reference},
        }
        self.manifest["observability"] = {"tracing": {"endpoint": reference}}
        table = {"kind": "sql", "url": reference, "tables": [{"table": "orders"}]}
        self.product["sources"] = [{"name": "crm", "config": table}]
        self.product["destinations"] = [
            {
                "name": "crm",
                "sinkType": "postgres",
                "sourceTable": "mart_churn_risk",
                "connectionSecretRef": reference,
                "config": {"password": reference},
            }
        ]

    def left(self) -> str:
        """Everything that files and spans hold, but for the places in which the value was planted."""
        planted = {self.folder / "planted.txt", self.folder / "manifest.yaml"}
        files = [path for path in self.folder.rglob("*") if path.is_file() and path not in planted]
        kept = [path.read_text(errors="replace") for path in files if not path.is_relative_to(self.home)]
        made = self.home / "target"
        kept += [path.read_text(errors="replace") for path in made.rglob("*") if path.is_file()]
        return "\n".join([*kept, *(one.to_json() for one in self.spans.get_finished_spans())])

    def clean(self, *said: str) -> None:
        """Fail where the value is found."""
        for text in (*said, self.left()):
            # The text itself stays out of pytest's explanation.
            assert (self.value in text) is False, "the planted secret was found"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    value = f"ghp_{secrets.token_hex(20)}"
    monkeypatch.setenv(NAME, value)
    (tmp_path / "planted.txt").write_text(value)
    shutil.copytree(
        DEMO / "customer-360", tmp_path / "product", ignore=shutil.ignore_patterns("target", "*.duckdb", "seeds")
    )
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    read = [yaml.safe_load(path.read_text()) for path in (DEMO / "customer-360/floe.yaml", DEMO / "manifest.yaml")]
    return World(tmp_path, value, exporter, *read)


def floe(world: World, *words: str | Path) -> Result:
    """The command line in this process, as talkative as it can be."""
    return CliRunner(env={"FLOE_LOG_LEVEL": "debug"}).invoke(main, [str(word) for word in words], prog_name="floe")


FORMS = ("env", "file", "secret")


def reference_of(world: World, form: str) -> dict[str, str]:
    """A reference of each form, all to the same value."""
    return {form: str(world.folder / "planted.txt") if form == "file" else NAME}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_behind_a_reference_is_left_nowhere(world: World, form: str) -> None:
    reference = reference_of(world, form)
    world.refer(reference)
    product = world.write()
    validate_product(product)
    bundle = compile_bundle(product)
    outputs = compile_outputs(bundle)
    write_outputs(world.folder / "out", outputs | {"artifacts.json": bundle.artifacts.to_json()})
    # The reference is there, in every place, so the value was really within reach.
    kept = bundle.artifacts
    told = next(f"{name}:{where}" for name, where in reference.items())
    assert told in kept.secret_references
    for kind in ("storage", "catalog", "lineage_backend", "alert_channel"):
        assert reference in _below(kept.plugins[kind].config), kind
    assert reference in _below(kept.sources[0].config)
    assert kept.destinations[0].connection_secret_ref == kept.tracing.endpoint == reference
    assert {one.name for one in world.spans.get_finished_spans()} >= {"compile.pipeline", "rbac.manifests"}
    world.clean(repr(bundle), str(outputs))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("words", [["validate"], ["validate", "--json"], ["compile", "--outputs", "out", "--json"]])
def test_the_command_line_says_nothing_of_it(world: World, form: str, words: list[str]) -> None:
    world.refer(reference_of(world, form))
    command, *options = words
    done = floe(world, command, world.write(), *options)
    assert done.exit_code == ExitCode.OK, done.stderr.replace(world.value, "…")
    world.clean(done.stdout, done.stderr)


@pytest.mark.parametrize("form", FORMS)
def test_the_installed_program_says_nothing_of_it_to_the_end_of_its_process(world: World, form: str) -> None:
    world.refer(reference_of(world, form))
    program: list[str | Path] = [Path(sys.executable).with_name("floe"), "compile", world.write(), "--outputs", "out"]
    env = {**os.environ, "FLOE_LOG_LEVEL": "debug"}
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, cwd=world.folder, env=env)
    assert done.returncode == ExitCode.OK, done.stderr.replace(world.value, "…")
    world.clean(done.stdout, done.stderr)


@pytest.mark.parametrize("form", FORMS)
def test_an_error_beside_a_reference_says_nothing_of_it(world: World, form: str) -> None:
    world.refer(reference_of(world, form))
    world.manifest["plugins"]["storage"]["config"]["bukket"] = "x"
    world.product["transforms"][0]["dependsOn"] = ["nothing"]
    done = floe(world, "compile", world.write())
    assert done.exit_code == ExitCode.WRONG
    world.clean(done.stdout, done.stderr)
    del world.product["transforms"][0]["dependsOn"]
    done = floe(world, "compile", world.write(), "--json")
    assert "bukket" in done.stdout
    world.clean(done.stdout, done.stderr)


def _below(value: object) -> Iterator[object]:
    """`value` and everything in it."""
    yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _below(one)


def as_password(world: World) -> None:
    world.manifest["plugins"]["catalog"]["config"]["client_secret"] = world.value


def as_plain_setting(world: World) -> None:
    world.manifest["plugins"]["storage"]["config"]["bucket"] = world.value


def as_key(world: World) -> None:
    world.product["metadata"]["labels"] = {world.value: "x"}


def as_field(world: World) -> None:
    world.product[world.value] = "x"


def as_description(world: World) -> None:
    world.product["metadata"]["description"] = f"Log in with {world.value}"


def as_name(world: World) -> None:
    world.product["transforms"][0]["name"] = world.value


def as_name_of_a_variable(world: World) -> None:
    world.manifest["plugins"]["catalog"]["config"]["client_secret"] = {"env": world.value}


def as_dependency(world: World) -> None:
    world.product["transforms"][0]["dependsOn"] = [world.value]


def as_plugin(world: World) -> None:
    world.manifest["plugins"]["storage"]["type"] = world.value


LITERALS = [
    as_password,
    as_plain_setting,
    as_key,
    as_field,
    as_description,
    as_name,
    as_name_of_a_variable,
    as_dependency,
    as_plugin,
]


@pytest.mark.parametrize("plant", LITERALS, ids=lambda one: one.__name__)
def test_a_secret_that_is_written_down_is_refused_and_not_repeated(
    world: World, plant: Callable[[World], None]
) -> None:
    plant(world)
    product = world.write()
    for call in (validate_product, compile_bundle):
        with pytest.raises(SpecError) as caught:
            call(product)
        world.clean(str(caught.value), json.dumps([one.as_dict() for one in caught.value.problems]))
    done = floe(world, "compile", product)
    assert done.exit_code == ExitCode.WRONG
    world.clean(done.stdout, done.stderr)


@pytest.mark.parametrize("path", ["floe.yaml", "models/staging/staging.yml", "macros/x.sql", "profiles.yml"])
def test_a_secret_in_a_comment_or_in_dbts_files_is_found_and_not_repeated(world: World, path: str) -> None:
    product = world.write()
    with (product / path).open("a") as stream:
        stream.write(f"\n# {world.value}\n" if path.endswith("ml") else f"-- {world.value}\n")
    bundle = compile_bundle(product)
    (finding,) = bundle.artifacts.enforcement_result.findings
    assert (finding.code, finding.file) == ("FLOE-E318", path)
    done = floe(world, "compile", product, "--outputs", "out")
    assert done.exit_code == ExitCode.OK
    assert "FLOE-E318" in done.stdout + done.stderr or "credential" in done.stdout + done.stderr
    world.clean(repr(bundle), done.stdout, done.stderr)


BASES = {
    PluginType.COMPUTE: "floe_compute_duckdb.plugin:DuckDBComputePlugin",
    PluginType.RBAC: "floe_rbac_k8s.plugin:KubernetesRBACPlugin",
    PluginType.STORAGE: "floe_storage_s3.plugin:S3StoragePlugin",
}
FAULTS = {
    "its-module": (PluginType.STORAGE, "raise RuntimeError(os.environ[NAME])", ""),
    "its-constructor": (PluginType.STORAGE, "", "def __init__(self, config): raise RuntimeError(os.environ[NAME])"),
    "its-target": (PluginType.COMPUTE, "", "def dbt_target(self, request): raise RuntimeError(os.environ[NAME])"),
    "its-profile": (PluginType.COMPUTE, "", "def dbt_target(self, request): return {'password': os.environ[NAME]}"),
    "its-rights": (PluginType.RBAC, "", "def manifests(self, request): raise RuntimeError(os.environ[NAME])"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_that_fails_with_it_in_its_mouth_is_told_by_its_kind_only(world: World, fault: str) -> None:
    kind, at_import, body = FAULTS[fault]
    module, _, base = BASES[kind].partition(":")
    text = f"import os\nfrom {module} import {base}\nNAME = {NAME!r}\n{at_import}\n"
    text += f"class Plugin({base}):\n    name = 'planted'\n    {body or 'pass'}\n"
    name = f"planted_{secrets.token_hex(4)}"
    (world.folder / f"{name}.py").write_text(text)
    sys.path.insert(0, str(world.folder))
    world.manifest["plugins"].setdefault(kind.value, {})["type"] = "planted"
    entry = PluginEntry(kind, "planted", f"{name}:Plugin", "floe-planted", "1.2.3")
    with pytest.raises(FloeError) as caught:
        compile_bundle(world.write(), registry=Registry([*Registry().entries(), entry]))
    chain: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    with contextlib.suppress(KeyError):
        del sys.modules[name]
    world.clean(*chain)


def test_a_span_keeps_the_kind_of_a_foreign_error_and_the_words_of_ours(world: World) -> None:
    for error in (ValueError(world.value), FloeError("the store does not answer", why=world.value)):
        with pytest.raises(type(error)), span("planted"):
            raise error from RuntimeError(world.value)
    foreign, ours = world.spans.get_finished_spans()
    assert [one.status.description for one in (foreign, ours)] == ["ValueError", "the store does not answer"]
    assert [dict(one.events[0].attributes or {})["exception.type"] for one in (foreign, ours)] == [
        "builtins.ValueError",
        "floe_core.errors.FloeError",
    ]
    world.clean()
