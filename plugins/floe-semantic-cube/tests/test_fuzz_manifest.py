"""Whatever stands in dbt's manifest: a data model, or an error with the node's place."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.plugins import SemanticRequest
from floe_core.testing.any_input import BOUNDED, lives_through, wrong
from floe_semantic_cube.config import CubeConfig
from floe_semantic_cube.plugin import CubePlugin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable


@settings(BOUNDED, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_manifest_gives_a_data_model_or_is_refused(data: st.DataObject, dbt_manifest: dict[str, Any]) -> None:
    changed = data.draw(wrong(dbt_manifest))
    if not isinstance(changed, dict):
        changed = {"nodes": changed}
    plugin = CubePlugin(CubeConfig())
    with tempfile.TemporaryDirectory() as folder:
        ask: Callable[[], object] = lambda: plugin.generate(SemanticRequest(changed, Path(folder)))  # noqa: E731
        lives_through(ask)
