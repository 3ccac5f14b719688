"""What is remembered of a lane's scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.products import scaling

if TYPE_CHECKING:
    from pathlib import Path


def test_tables_of_another_scale_are_built_anew_until_a_build_has_ended(tmp_path: Path) -> None:
    lane = tmp_path / "lanes" / "duckdb"
    assert not scaling.begun(lane, 1)  # what an earlier build may have left is of the committed facts
    assert scaling.begun(lane, 3)
    assert scaling.begun(lane, 3)  # killed in the middle
    assert scaling.begun(lane, 1)
    scaling.built(lane, 3)
    assert not scaling.begun(lane, 3)
    assert scaling.begun(lane, 1)
