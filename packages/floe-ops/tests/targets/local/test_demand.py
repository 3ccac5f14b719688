"""Dagster beside a platform: it joins, is found again, and ends with everything else, its runs too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from floe_ops import toolchain
from floe_ops.clients.dagster import Dagster
from floe_ops.targets.local import LocalTarget
from floe_ops.targets.local.sweeper import marked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Processes = list[psutil.Process]
    Poll = Callable[[Callable[[], bool], float], bool]

BUILT = all(toolchain.is_built(name) for name in ("jaeger", "otelcol"))
pytestmark = [pytest.mark.platform, pytest.mark.timeout(480 if BUILT else 2100)]

SPEC = """\
apiVersion: floe.dev/v1
kind: FloeSpec
metadata: { name: sold-goods, version: 1.0.0, owner: me }
platform: { manifest: ../manifest.yaml }
transforms: [{ name: sold, tier: bronze }]
"""
DEFINITIONS = """\
import threading

from dagster import AssetSelection, Definitions, asset, define_asset_job


@asset
def endless() -> None:
    threading.Event().wait()


defs = Definitions(assets=[endless], jobs=[define_asset_job("endless_job", selection=AssetSelection.all())])
"""
PARTS = ["dagster-broken", "dagster-sold-goods", "dagster", "dagster-daemon", "dagster-sweeper"]


@pytest.fixture
def products(root: Path) -> Path:
    for name, text in (("sold", DEFINITIONS), ("broken", "raise ValueError('planted fault')\n")):
        folder = root / "demo" / name
        folder.mkdir(parents=True)
        (folder / "floe.yaml").write_text(SPEC if name == "sold" else "metadata: [", encoding="utf-8")
        (folder / "definitions.py").write_text(text, encoding="utf-8")
    return root / "demo"


@pytest.mark.usefixtures("products")
def test_it_joins_is_found_again_and_nothing_of_it_outlives_a_killed_supervisord(
    root: Path, family: Callable[[Path], Processes], alive: Callable[[Processes], Processes], poll: Poll
) -> None:
    said: list[str] = []
    target = LocalTarget(said.append)
    platform = target.ensure("dagster")
    states = {row.name: row.state for row in target.status()}
    assert states.pop("dagster-broken") == "failed"
    assert states == dict.fromkeys(["s3", "polaris", "otel", "jaeger", *PARTS[1:], "lease"], "ready")
    assert any("broken cannot be loaded" in line and "planted fault" in line for line in said)
    processes, mark = family(root), target.layout.mark

    again = LocalTarget()
    assert again.ensure("dagster") == platform == LocalTarget().find()
    assert again.took == {}
    assert again.ensure() == LocalTarget().find()  # one who does not need it leaves it alone
    assert family(root)[0] == processes[0]
    for process in family(root):
        assert not [value for value in platform.secrets.values() if value in " ".join(process.cmdline())]

    client = Dagster(platform.urls["dagster"])
    servers = len(marked(mark))
    run = client.runs.launch(client.repository("sold-goods"), "endless_job")
    assert poll(lambda: client.runs.get(run.id).status == "STARTED", 90)
    working = marked(mark)
    assert len(working) > servers == 2

    processes[0].kill()
    if sys.platform.startswith("linux"):  # elsewhere the next start ends them
        assert poll(lambda: alive([*processes, *working]) == [], 15)
    client = Dagster(target.ensure("dagster").urls["dagster"])  # a port may be another's by then
    assert alive([*processes, *working]) == []
    assert client.runs.get(run.id).is_over  # it had the time to write that it was interrupted

    run = client.runs.launch(client.repository("sold-goods"), "endless_job")
    assert poll(lambda: client.runs.get(run.id).status == "STARTED", 90)
    for process in marked(mark):
        process.kill()  # nobody writes down what becomes of the run
    processes = family(root)
    target.down()
    assert alive(processes) == []
    assert marked(mark) == []
    client = Dagster(target.ensure("dagster").urls["dagster"])
    assert client.runs.get(run.id).status == "CANCELED"
    assert "1 runs that an earlier Dagster left under way were marked as cancelled" in said
