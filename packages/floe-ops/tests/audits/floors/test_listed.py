from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_ops.audits.floors import listed
from floe_ops.audits.floors.listed import Floor

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """[project]
name = "x"

[tool.uv]
constraint-dependencies = [
    "Pillow>=12.1.1", # GHSA-cfh3-3jmp-rvhc, CVE-2026-1
    "protobuf>=6.33.5", # CVE-2026-0994 (the C++ half)
]

[tool.uv.workspace]
members = ["packages/*"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_floors_with_their_advisories_are_in_order(tmp_path: Path) -> None:
    found = listed.read(write(tmp_path, GOOD))
    assert found.problems == ()
    assert found.floors == (
        Floor("pillow", "12.1.1", ("GHSA-cfh3-3jmp-rvhc", "CVE-2026-1")),
        Floor("protobuf", "6.33.5", ("CVE-2026-0994",)),
    )


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (" # GHSA-cfh3-3jmp-rvhc, CVE-2026-1", "", "pillow>=12.1.1 does not say which advisory"),
        (" # GHSA-cfh3-3jmp-rvhc, CVE-2026-1", " # it is old", "pillow>=12.1.1 does not say which advisory"),
        ("Pillow>=12.1.1", "pillow==12.1.1", "'pillow==12.1.1' is no floor"),
        ("Pillow>=12.1.1", "pillow>=12,<13", "'pillow>=12,<13' is no floor"),
        ("Pillow>=12.1.1", "pillow >= 12; sys_platform == 'darwin'", "is no floor"),
        ("Pillow>=12.1.1", "not a requirement", "is no floor"),
        ("Pillow>=12.1.1", "protobuf>=6", "protobuf has more than one floor"),
        ("[tool.uv]\n", "[tool.uv]\noverride-dependencies = ['a>1']\n", "override-dependencies is never used"),
    ],
)
def test_what_is_wrong_with_the_list_is_told(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    (problem,) = listed.read(write(tmp_path, GOOD.replace(was, becomes))).problems
    assert said in problem


def test_a_list_that_is_none_is_told(tmp_path: Path) -> None:
    text = '[tool.uv]\nconstraint-dependencies = "pillow>=12"\n'
    assert listed.read(write(tmp_path, text)).problems == ("pyproject.toml: constraint-dependencies is no list",)


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.toml"])
def test_a_member_overrides_nothing_either(tmp_path: Path, name: str) -> None:
    write(tmp_path, GOOD)
    member = tmp_path / "packages" / "one"
    member.mkdir(parents=True)
    write(member, "[project]\nname = 'one'\n")
    head = "" if name == "uv.toml" else "[tool.uv]\n"
    (member / name).write_text(f"{head}override-dependencies = ['a==1']\n", encoding="utf-8")
    (problem,) = listed.read(tmp_path).problems
    assert problem.startswith(f"packages/one/{name}: override-dependencies")
