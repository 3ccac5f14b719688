from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import NotReadyError
from floe_ops.audits import osv_server, osv_snapshot
from floe_ops.audits.accepted import Barred
from floe_ops.audits.floors import held
from floe_ops.audits.floors.listed import Floor
from floe_ops.audits.lock import Pin
from floe_ops.audits.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[5]
LEAF = Floor("leaf", "2.0", ("A-1",))
# What uv 0.13 says of a planted project, resolved with one wheel each of pinner 1.0 and middle 3.0, leaf 1.0 and 2.0.
SAID = """error: No solution found when resolving dependencies
  cause: Because {because}, we can conclude that all versions of pinner cannot be used.
         And because all versions of middle depend on pinner and your project depends on middle, we can conclude that
         your project's requirements are unsatisfiable.
"""


def barred(**changes: str) -> Barred:
    return Barred.model_validate(
        {"id": "A-9", "package": "Disk_Cache", "fixed_in": "", "reason": "no fix is published", **changes}
    )


def test_a_barred_package_may_be_absent_or_fixed_and_nothing_else() -> None:
    pins = [Pin("disk-cache", "5.6.3")]
    assert held.by_lock([], [barred()], []) == ([], [])
    assert held.by_lock([], [barred(fixed_in="5.6.3")], pins) == ([], [])
    (problem,), _ = held.by_lock([], [barred()], pins)
    assert problem == "Disk_Cache 5.6.3 is in the lock and barred (A-9): no fixed version exists"
    (problem,), _ = held.by_lock([], [barred(fixed_in="5.6.4")], pins)
    assert problem.endswith("at least 5.6.4")


def test_every_version_of_the_lock_meets_the_floor() -> None:
    assert held.by_lock([LEAF], [], [Pin("leaf", "2.0"), Pin("leaf", "10.0")]) == ([], [])
    assert held.by_lock([LEAF], [], [Pin("leaf", "2.0"), Pin("leaf", "2.0rc1")]) == ([], [LEAF])
    assert held.by_lock([LEAF], [], []) == ([], [])


@pytest.mark.parametrize(
    ("because", "found"),
    [
        ("all versions of pinner depend on leaf<2 and leaf>=2.0", "conflicts with pinner, which wants leaf<2"),
        ("pinner==1.0 depends on leaf==1.0", "conflicts with pinner==1.0, which wants leaf==1.0"),
        ("pinner[extra]==1.0 depends on leaf>=1,<1.5", "conflicts with pinner[extra]==1.0, which wants leaf>=1,<1.5"),
        ("your project depends on leaf==1.0 and leaf>=2", "conflicts with your project, which wants leaf==1.0"),
        (
            "only leaf<=1.9 is available and your project depends on leaf>=2",
            "cannot be met: only leaf<=1.9 is available",
        ),
    ],
)
def test_the_words_of_uv_name_who_is_in_the_way(because: str, found: str) -> None:
    assert held.conflicts(SAID.format(because=because), LEAF) == [f"leaf>=2.0 (A-1) {found}"]


@pytest.mark.parametrize("because", ["pinner==1.0 depends on leafy<2", "pinner depends on leaf>=1", "nothing at all"])
def test_words_about_others_name_nobody(because: str) -> None:
    assert held.conflicts(SAID.format(because=because), LEAF) == []


def write_lock(folder: Path, leaf: str, wish: str) -> Path:
    (folder / "uv.lock").write_text(
        'version = 1\n[manifest]\nmembers = ["home"]\n[[package]]\nname = "home"\nsource = { virtual = "." }\n'
        f'[package.metadata]\nrequires-dist = [{{ name = "leaf", specifier = "{wish}" }}]\n'
        f'[[package]]\nname = "{leaf}"\nversion = "2.5"\nsource = {{ registry = "x" }}\n',
        encoding="utf-8",
    )
    return folder


def test_a_floor_that_changes_nothing_is_told(tmp_path: Path) -> None:
    assert held.needless([LEAF], write_lock(tmp_path, "leaf", ">=1,<3")) == []
    (said,) = held.needless([LEAF], write_lock(tmp_path, "leaf", ">=2.1,<3"))
    assert said == "leaf>=2.0 is not needed today: home wants <3,>=2.1 of leaf"
    (said,) = held.needless([LEAF], write_lock(tmp_path, "other", ">=1"))
    assert said == "leaf>=2.0 is not needed today: the lock does not hold leaf"


def test_packages_that_are_installed_say_by_themselves_what_they_want() -> None:
    wishes = {wish.who.split(" ")[0]: wish.specifier for wish in held.wishes(ROOT, "protobuf")}
    assert wishes["dagster"].contains("6.33.5")
    assert not wishes["dagster"].contains("7.0")
    (conflict,) = [
        text for text in held._conflicts_by_metadata(ROOT, Floor("protobuf", "7.0", ())) if "dagster 1." in text
    ]
    assert conflict.startswith("protobuf>=7.0 (no advisory) conflicts with dagster 1.")


def test_an_advisory_is_held_against_the_source_that_knows_it(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    records = [record("leaf", id="A-1", fixed="2.0", aliases=["CVE-1-1"]), record("other", id="A-2", fixed="1")]
    snapshot = osv_snapshot.load(export(*records), now=datetime(2026, 6, 16, tzinfo=UTC))
    floors = [Floor("leaf", "1.9", ("A-1", "CVE-1-1", "A-2", "A-3")), LEAF]
    with osv_server.serving(snapshot) as base:
        problems, remarks = held.by_source(floors, Source(base, "test", date(2026, 6, 15)))
    assert problems == [
        "leaf>=1.9 is too low: A-1 concerns 1.9 itself",
        "leaf>=1.9 is too low: CVE-1-1 concerns 1.9 itself",
        "A-2 does not concern leaf",
    ]
    assert remarks == ["A-3 of leaf>=1.9 is not known to the source"]


def test_a_source_that_dies_meanwhile_is_told() -> None:
    with pytest.raises(NotReadyError):
        held.by_source([LEAF], Source("http://127.0.0.1:1", "test", date(2026, 6, 15)))
