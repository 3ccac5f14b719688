from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits.findings import Finding
from floe_ops.audits.floors import listed, proposals
from floe_ops.audits.floors.listed import Floor

if TYPE_CHECKING:
    from pathlib import Path

OLD = Floor("pillow", "9.0.1", ("CVE-1",))


def found(package: str, version: str, name: str, *fixes: str, ecosystem: str = "PyPI") -> Finding:
    return Finding(package, version, name, (), fixes, ecosystem)


def test_the_lowest_fix_of_each_finding_and_the_highest_of_a_package() -> None:
    findings = [
        found("jinja2", "2.10", "PV-1", "2.10.1", "3.0"),
        found("jinja2", "2.10", "PV-2", "2.9", "2.11.3"),
        found("pillow", "9.0.1", "PV-3", "9.2"),
        found("diskcache", "5.6.3", "PV-4"),
        found("golang.org/x/net", "0.1.0", "PV-5", "0.2.0", ecosystem="Go"),
    ]
    result = proposals.propose(findings, [OLD])
    assert result.floors == (Floor("jinja2", "2.11.3", ("PV-1", "PV-2")), Floor("pillow", "9.2", ("CVE-1", "PV-3")))
    assert [text.partition(":")[0] for text in result.without_fix] == ["diskcache 5.6.3"]


@pytest.mark.parametrize(
    "text",
    [
        '[tool.uv]\nconstraint-dependencies = [\n    "pillow>=9.0.1", # CVE-1\n]\n\n[tool.x]\ny = [1]\n',
        '[tool.uv]\nconstraint-dependencies = [\n    "pillow>=9.0.1" # CVE-1\n]\nno-index = true\n\n[tool.x]\ny = 1\n',
    ],
)
def test_they_go_into_the_same_list_and_nothing_else_changes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    before = tomllib.loads(text)
    proposals.write(tmp_path, [Floor("jinja2", "2.11.3", ("PV-1", "PV-2"))])
    after = tomllib.loads(path.read_text(encoding="utf-8"))
    assert after["tool"]["uv"].pop("constraint-dependencies") == ["jinja2>=2.11.3", "pillow>=9.0.1"]
    before["tool"]["uv"].pop("constraint-dependencies")
    assert after == before
    assert listed.read(tmp_path).floors == (Floor("jinja2", "2.11.3", ("PV-1", "PV-2")), OLD)


def test_a_project_without_floors_gets_the_list(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\npackage = false\n", encoding="utf-8")
    proposals.write(tmp_path, [OLD])
    assert listed.read(tmp_path) == listed.Listed((OLD,), ())


@pytest.mark.parametrize("text", ["", '[tool.uv]\nconstraint-dependencies = ["pillow>=9.0.1"]\n'])
def test_what_cannot_be_written_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(WrongStateError, match="cannot be written"):
        proposals.write(tmp_path, [OLD])
    assert (tmp_path / "pyproject.toml").read_text(encoding="utf-8") == text
