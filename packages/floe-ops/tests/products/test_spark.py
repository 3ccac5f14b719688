"""What surrounds a build in Spark; the build itself is `invoke dbt.spark`, which needs a platform and a Java."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from floe_core.compilation import compile_product
from floe_core.errors import ExitCode, FloeError
from floe_ops import project
from floe_ops.products import spark, spark_worker

DEMO = project.root() / "demo" / "customer-360"
CONFIG = {"master": "local[2]", "memory": "1g"}


def python(folder: Path, does: str) -> Path:
    """A Python that does what a test says; its arguments are those of the worker."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nfor outcome in "$@"; do :; done\n{does}\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def work(folder: Path, does: str, told: list[str] | None = None) -> dict[str, object]:
    tell = (told if told is not None else []).append
    return spark._work(folder, folder / "manifest.yaml", given={"GIVEN": "1"}, python=python(folder, does), tell=tell)


def test_the_product_is_the_demos_but_for_its_name_and_engine(tmp_path: Path) -> None:
    copied, manifest = spark._copy(DEMO, tmp_path, CONFIG)
    changed = {"floe.yaml", "dbt_project.yml"}
    for file in (path for room in ("models", "macros", "seeds", "tests") for path in (DEMO / room).rglob("*.*")):
        assert (copied / file.relative_to(DEMO)).read_bytes() == file.read_bytes()
    assert {path.name for path in copied.iterdir() if path.is_file()} >= changed
    artifacts = compile_product(copied, manifest)
    assert artifacts.metadata.product_name == "spark-customer-360"
    (profile,) = artifacts.dbt_profiles.values()
    assert list(profile["outputs"]) == ["iceberg"]
    target = profile["outputs"]["iceberg"]
    assert (target["type"], target["namespace"], target["master"]) == (
        "spark_iceberg",
        "spark_customer_360",
        "local[2]",
    )
    mine, theirs = (yaml.safe_load(path.read_text()) for path in (manifest, project.root() / "demo" / "manifest.yaml"))
    assert mine["plugins"].pop("compute") == {"type": "spark", "config": CONFIG}
    theirs["plugins"].pop("compute")
    assert mine == theirs


def test_progress_is_passed_on_and_the_outcome_read(tmp_path: Path) -> None:
    told: list[str] = []
    came_to = work(tmp_path, 'echo "seed  $GIVEN s"; echo noise >&2; echo \'{"nodes": []}\' > "$outcome"', told)
    assert came_to == {"nodes": []}
    assert told == ["  seed  1 s"]
    assert (tmp_path / "spark.log").read_text() == "noise\n"


def test_what_failed_keeps_its_words_and_its_exit_code(tmp_path: Path) -> None:
    failure = {"what": "model m failed", "where": "m.sql:3", "why": "no column", "remedy": "fix", "exit_code": 4}
    said = json.dumps({"failure": failure})
    with pytest.raises(FloeError, match=r"model m failed\n  where: m\.sql:3") as caught:
        work(tmp_path, f"echo '{said}' > \"$outcome\"; exit 4")
    assert caught.value.exit_code is ExitCode.WRONG


def test_a_build_that_died_shows_the_last_of_what_java_said(tmp_path: Path) -> None:
    with pytest.raises(FloeError, match="ended before it came to anything") as caught:
        work(tmp_path, "echo java.lang.OutOfMemoryError >&2; exit 137")
    assert "OutOfMemoryError" in caught.value.why


def test_the_outcome_of_an_earlier_build_is_not_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_text("{}")
    with pytest.raises(FloeError, match="ended before"):
        work(tmp_path, "exit 1")


def test_the_worker_tells_why_a_product_cannot_be_compiled(tmp_path: Path) -> None:
    outcome = tmp_path / "outcome.json"
    arguments = [str(tmp_path / "no-product"), str(tmp_path / "manifest.yaml"), str(tmp_path), str(outcome)]
    code = spark_worker.main(*arguments)
    assert code == ExitCode.USAGE
    assert json.loads(outcome.read_text())["failure"]["exit_code"] == code
