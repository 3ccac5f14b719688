from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from floe_core.errors import MissingToolError
from floe_ops.targets.local import dagster
from floe_ops.targets.local.sweeper import MARK

SPEC = """\
apiVersion: floe.dev/v1
kind: FloeSpec
metadata: { name: sold-goods, version: 1.0.0, owner: me }
platform: { manifest: ../manifest.yaml }
transforms: [{ name: sold, tier: bronze }]
"""
SECRET = "a-planted-value"  # noqa: S105 - stands for one


@pytest.fixture
def deployment(tmp_path: Path) -> dagster.Deployment:
    locations = (dagster.Location("sold-goods", tmp_path / "sold" / "definitions.py", 4001),)
    environment = {"POLARIS_CLIENT_SECRET": SECRET, "FLOE_LANE": "iceberg"}
    return dagster.Deployment(tmp_path / "home", 3000, locations, environment, "mine")


def product(folder: Path, spec: str, *, definitions: bool = True) -> Path:
    folder.mkdir()
    (folder / "floe.yaml").write_text(spec, encoding="utf-8")
    if definitions:
        (folder / "definitions.py").write_text("defs = None\n", encoding="utf-8")
    return folder / "definitions.py"


def test_every_product_with_definitions_is_found_by_its_name_and_a_broken_one_by_its_folders(tmp_path: Path) -> None:
    sold = product(tmp_path / "folder", SPEC)
    broken = product(tmp_path / "broken", "metadata: [")
    product(tmp_path / "without", SPEC, definitions=False)
    (tmp_path / "no-product").mkdir()
    assert dagster.discover(tmp_path) == {"sold-goods": sold, "broken": broken}


def test_no_product_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no product for Dagster to serve"):
        dagster.discover(tmp_path)


def test_everything_is_on_loopback_and_no_secret_is_in_a_command_or_a_file(deployment: dagster.Deployment) -> None:
    programs = {program.name: program for program in deployment.programs()}
    assert list(programs) == ["dagster-sold-goods", "dagster", "dagster-daemon", "dagster-sweeper"]
    assert programs["dagster"].argv[2:6] == ["-h", "127.0.0.1", "-p", "3000"]
    assert programs["dagster-sold-goods"].argv[5:9] == ["--host", "127.0.0.1", "--port", "4001"]
    for program in programs.values():
        assert SECRET not in " ".join([*program.argv, *program.files.values()])
        assert program.env["DAGSTER_DISABLE_TELEMETRY"] == "1"
        assert program.env["DAGSTER_HOME"] == str(deployment.home)
    assert SECRET not in repr(deployment)


def test_only_a_code_server_is_marked_and_has_a_state_of_its_own(deployment: dagster.Deployment) -> None:
    programs = {program.name: program for program in deployment.programs()}
    assert {name for name, program in programs.items() if program.env.get(MARK) == "mine"} == {"dagster-sold-goods"}
    assert programs["dagster-sold-goods"].env["FLOE_PRODUCT_STATE"] == str(deployment.home / "products" / "sold-goods")


def test_the_instance_is_one_that_dagster_takes(deployment: dagster.Deployment) -> None:
    from dagster._core.instance.config import dagster_instance_config

    (files,) = (program.files for program in deployment.programs() if program.files)
    deployment.home.mkdir()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    config, _custom = dagster_instance_config(str(deployment.home))
    assert config["telemetry"] == {"enabled": False}
    assert config["run_monitoring"]["enabled"] is True
    assert config["run_coordinator"]["class"] == "QueuedRunCoordinator"
    assert config["concurrency"]["pools"] == {"granularity": "op", "default_limit": 1}
    assert config["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    served = yaml.safe_load(deployment.workspace.read_text(encoding="utf-8"))["load_from"]
    assert served == [{"grpc_server": {"host": "127.0.0.1", "port": 4001, "location_name": "sold-goods"}}]


def test_the_fingerprint_follows_sources_and_settings_and_not_what_runs_make(
    deployment: dagster.Deployment, tmp_path: Path
) -> None:
    def digest() -> str:
        return dagster.fingerprint(deployment.programs(), [tmp_path / "products"])

    (tmp_path / "products").mkdir()
    file = product(tmp_path / "products" / "sold", SPEC)
    first = digest()
    made = file.parent / "target" / "run.sql"
    made.parent.mkdir()
    made.write_text("select 1", encoding="utf-8")
    assert digest() == first
    os.utime(file, (1, 1))
    assert digest() != first
