"""What the how-to pages tell people to write, written and run; and the example plugin, installed and used.

A fenced block whose first line names a file (```yaml floe.yaml) is that file. Needs no service.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from floe_core.cli import main
from floe_ops import project

pytestmark = pytest.mark.duckdb

HOW_TO = project.root() / "docs" / "how-to"
EXAMPLE = project.root() / "examples" / "floe-alert-file"
BIN = Path(sys.executable).parent
FENCE = re.compile(r"^```\w+ (?P<file>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def lay_down(page: str, folder: Path) -> list[Path]:
    """Write the files of one page into `folder`."""
    written = []
    for block in FENCE.finditer((HOW_TO / page).read_text(encoding="utf-8")):
        place = folder / block["file"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(block["text"], encoding="utf-8")
        written.append(place)
    assert written, f"{page} shows no file"
    return written


def floe(folder: Path, *words: str | Path) -> Result:
    """Call the command line in `folder`, in this process: dbt is imported once for all pages."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.requirement("WU6-X5")
def test_the_product_of_the_page_is_built_and_tested(tmp_path: Path) -> None:
    folder = tmp_path / "a shop"
    lay_down("product.md", folder)
    for command in ("validate", "compile", "run", "test"):
        done = floe(folder, command)
        assert done.exit_code == 0, f"floe {command}: {done.output}"
    done = floe(folder, "compile", "--json")
    verdict = json.loads(done.stdout)["enforcement_result"]
    assert verdict["passed"]
    assert {"model_descriptions", "quality_checks"} <= set(verdict["policy_types_checked"])
    assert verdict["findings"] == []


@pytest.mark.requirement("WU6-X5")
def test_the_manifests_of_the_page_are_valid_for_a_product_that_keeps_their_rules(tmp_path: Path) -> None:
    lay_down("manifest.md", tmp_path)
    lay_down("product.md", tmp_path / "shop")
    spec = tmp_path / "shop" / "floe.yaml"
    kept = spec.read_text().replace("manifest: manifest.yaml", "manifest: ../domain/manifest.yaml")
    for column in ("orders, type: integer", "spent, type: number"):
        kept = kept.replace(column, f"{column}, classification: internal")
    spec.write_text(kept.replace("outputPorts:", "retention: { days: 400 }\n\noutputPorts:"))
    done = floe(tmp_path, "validate", "shop")
    assert done.exit_code == 0, done.output
    # The domain asks for 400 days, its enterprise for 90: the stricter rule is the one that holds.
    spec.write_text(spec.read_text().replace("days: 400", "days: 399"))
    done = floe(tmp_path, "validate", "shop")
    assert done.exit_code == 4, done.output
    assert "retention" in done.stderr


@pytest.mark.requirement("WU6-X5")
def test_the_retention_of_the_page_is_what_maintaining_asks_for(tmp_path: Path) -> None:
    lay_down("product.md", tmp_path)
    (page,) = lay_down("maintain.md", tmp_path)
    words = ("maintain", "--lane", "iceberg", "--dry-run")
    assert f"floe maintain demo/customer-360 {' '.join(words[1:])}" in (HOW_TO / "maintain.md").read_text()
    silent = floe(tmp_path, *words)
    assert silent.exit_code == 2, silent.output
    assert "retention: {" in silent.stderr, "it says what to write"
    spec = tmp_path / "floe.yaml"
    spec.write_text(f"{spec.read_text()}\n{page.read_text()}")
    assert floe(tmp_path, "validate").exit_code == 0
    without = floe(tmp_path, *words)
    assert without.exit_code == 2, without.output
    assert "plugins.catalog" in without.stderr


def program(folder: Path, *words: str | Path, **environment: str) -> str:
    """Run a program of the environment in `folder`; what it said."""
    command = [BIN / words[0], *words[1:]]
    environ = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built from a copy of its source and installed into a folder of its own."""
    folder = tmp_path_factory.mktemp("example")
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    words = ("pip", "install", "--offline", "--quiet", "--no-deps", "--target", folder / "site", source)
    program(folder, "uv", *words, "--python", sys.executable)
    return folder


@pytest.mark.requirement("WU6-X1")
def test_the_example_plugin_passes_its_suite_as_installed(installed: Path) -> None:
    words = ("pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "tests")
    said = program(installed / "source", *words, PYTHONPATH=str(installed / "site"))
    assert int(re.findall(r"(\d+) passed", said)[0]) > 15


@pytest.mark.requirement("WU6-X1")
def test_a_manifest_chooses_the_example_plugin(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_down("product.md", tmp_path)
    chosen = "  alert_channel: { type: file, config: { path: alerts.jsonl } }\n"
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(manifest.read_text() + chosen)
    assert floe(tmp_path, "compile").exit_code == 4, "without it, it is unknown"
    monkeypatch.syspath_prepend(str(installed / "site"))
    done = floe(tmp_path, "compile")
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "target" / "compiled_artifacts.json").read_text())["plugins"]["alert_channel"]
    assert (record["name"], record["version"], record["distribution"]) == ("file", "1.0.0", "floe-alert-file")
    # A test that fails is told to the channel.
    orders = tmp_path / "seeds" / "raw_orders.csv"
    orders.write_text(orders.read_text() + "1,eve,1.00\n")
    assert floe(tmp_path, "run").exit_code == 0
    assert floe(tmp_path, "test").exit_code == 4
    alert = json.loads((tmp_path / "alerts.jsonl").read_text().splitlines()[-1])
    assert alert["product"] == "shop"
