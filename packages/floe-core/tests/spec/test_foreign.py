"""Fields that name an environment, a machine or a credential: told why, and where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.spec import FloeSpec, PlatformManifest, Problem, SpecError, foreign, load_manifest
from floe_core.spec.base import ENVIRONMENT_KEYS
from floe_core.spec.load import Text, validated
from floe_core.spec.source import Source
from floe_core.spec.yamltree import parse
from pydantic import BaseModel

PRODUCT = "apiVersion: floe.dev/v1\nkind: FloeSpec\nmetadata: {name: a, version: 1.0.0}\ntransforms: [{name: m}]\n"
MANIFEST = """apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: a, version: 1.0.0, owner: me}
plugins: {compute: {type: duckdb}}
"""
ENVIRONMENTS = ["environments", "environment", "env", "env_overrides", "dev", "staging", "prod", "target-env"]
MACHINES = ["host", "port", "database", "endpoint", "uri", "url"]
CREDENTIALS = ["username", "password", "credentials", "connection_string", "access_key", "token", "apiKey"]


def problems(text: str, model: type[BaseModel]) -> tuple[Problem, ...]:
    raw = text.encode()
    with pytest.raises(SpecError) as caught:
        validated(Text(Path("a.yaml"), raw, Source("a.yaml", parse(raw))), model)
    return caught.value.problems


@pytest.mark.parametrize(
    ("names", "code", "word"),
    [
        (ENVIRONMENTS, "FLOE-E106", "environment"),
        (MACHINES, "FLOE-E107", "where data lie"),
        (CREDENTIALS, "FLOE-E107", "who signs in"),
    ],
)
def test_a_foreign_field_says_why_and_where_it_belongs(names: list[str], code: str, word: str) -> None:
    for name in names:
        for text, model in ((PRODUCT, FloeSpec), (MANIFEST, PlatformManifest)):
            (problem,) = problems(f"{text}{name}: {{env: NAME}}\n", model)
            assert (problem.code, problem.field, problem.line, problem.column) == (code, name, 5, 1)
            assert word in problem.reason
            assert problem.remedy.startswith("remove it")


def test_every_foreign_name_is_far_from_every_field() -> None:
    """A misspelt field is told as such, even when it looks like a foreign one."""
    (problem,) = problems(MANIFEST.replace("{compute:", "{secret: {type: env}, compute:"), PlatformManifest)
    assert (problem.code, problem.nearest) == ("FLOE-E101", "secrets")


@pytest.mark.parametrize("name", ["colour", "descripton", "hosted", "reported", "environmental", "devices"])
def test_a_merely_unknown_field_is_not_foreign(name: str) -> None:
    assert foreign.why(name) == ("", "", "")


def test_a_plugin_may_have_such_settings(tmp_path: Path) -> None:
    """`host` and `port` are what a plugin's configuration is for; `{env: NAME}` is a reference."""
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST.replace("duckdb}", "duckdb, config: {host: {env: HOST}, port: 1, environment: x}}"))
    assert load_manifest(path).model.plugins.compute.config["port"] == 1


@pytest.mark.parametrize("name", sorted(ENVIRONMENT_KEYS))
def test_settings_by_environment_are_refused_in_a_plugin_too(name: str) -> None:
    text = MANIFEST.replace("duckdb}", f"duckdb, config: {{threads: 2, {name}: {{}}}}}}")
    (problem,) = problems(text, PlatformManifest)
    assert (problem.code, problem.field) == ("FLOE-E106", f"plugins.compute.config.{name}")
    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith(f"{name}: ")
