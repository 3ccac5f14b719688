"""The program that parses products while an image is built, with the environment's dbt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from floe_ops import project
from floe_ops.images.content.parse_products import timeless

PROGRAM = project.root() / "packages/floe-ops/src/floe_ops/images/content/parse_products.py"


def parse(products: Path, parsed: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(products), str(parsed)],
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )


def test_two_parses_of_one_product_are_byte_equal_and_whole(tmp_path: Path) -> None:
    shutil.copytree(project.root() / "demo" / "customer-360", tmp_path / "products" / "customer-360")
    written = []
    for name in ("one", "two"):
        assert parse(tmp_path / "products", tmp_path / name).returncode == 0
        written.append((tmp_path / name / "customer-360/target/manifest.json").read_bytes())
        assert [path.name for path in (tmp_path / name / "customer-360/target").iterdir()] == ["manifest.json"]
    assert written[0] == written[1]
    manifest = json.loads(written[0])
    assert "model.customer_360.mart_customer_360" in manifest["nodes"]
    assert str(tmp_path / "one") not in written[0].decode()  # where it was made


def test_a_product_that_cannot_be_parsed_ends_it_with_dbts_words(tmp_path: Path) -> None:
    shutil.copytree(project.root() / "demo" / "customer-360", tmp_path / "products" / "broken")
    (tmp_path / "products/broken/models/marts/mart_customer_360.sql").write_text("{{ nothing", encoding="utf-8")
    done = parse(tmp_path / "products", tmp_path / "parsed")
    assert done.returncode != 0
    assert "mart_customer_360" in done.stdout + done.stderr
    assert not (tmp_path / "parsed/broken/target/manifest.json").exists()


def test_times_go_and_nothing_else() -> None:
    metadata = {"generated_at": "2026-01-01T00:00:00Z", "invocation_id": "x", "dbt_version": "1"}
    manifest = {"metadata": metadata, "nodes": {"a": {"created_at": 1.5, "name": "a", "tags": [{"created_at": 2}]}}}
    assert timeless(manifest) == {
        "metadata": {"generated_at": "1970-01-01T00:00:00Z", "invocation_id": None, "dbt_version": "1"},
        "nodes": {"a": {"created_at": 0.0, "name": "a", "tags": [{"created_at": 0.0}]}},
    }
