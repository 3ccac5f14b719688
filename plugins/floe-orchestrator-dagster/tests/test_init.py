from __future__ import annotations

import subprocess
import sys

import floe_orchestrator_dagster
import pytest


def test_neither_the_package_nor_the_plugin_imports_dagster() -> None:
    script = (
        "import sys, floe_orchestrator_dagster\n"
        "print(floe_orchestrator_dagster.DagsterOrchestratorPlugin.name)\n"
        "print([name for name in sys.modules if name.startswith(('dagster', 'dbt', 'dlt'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["dagster", "[]"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        floe_orchestrator_dagster.nonsense  # noqa: B018 - the access is what is tested
