from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import NotReadyError, WrongStateError
from floe_ops.audits import go_modules, osv_server, osv_snapshot
from floe_ops.audits.ecosystems import GO
from floe_ops.audits.sources import Source
from floe_ops.toolchain import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[4]
MOD = """module floe/toolchain/x

go 1.25.0

require example.org/direct v1.2.0

require (
\texample.org/old v2.0.0+incompatible // indirect
\texample.org/fork v1.0.0
\texample.org/local v1.0.0
)

replace example.org/fork => example.org/better v1.5.0

replace (
\texample.org/local v1.0.0 => ./local
)
"""


def modified(name: str, *, id: str, fixed: str, **more: Any) -> dict[str, Any]:  # noqa: A002 - the record's own word
    ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"name": name, "ecosystem": "Go"}, "ranges": ranges}]
    return {"id": id, "modified": "2026-06-15T12:00:00Z", "affected": affected, **more}


def test_a_go_mod_is_read_with_what_it_replaces() -> None:
    assert go_modules.build_list(MOD, Path()) == [
        ("example.org/better", "1.5.0"),
        ("example.org/direct", "1.2.0"),
        ("example.org/old", "2.0.0"),
    ]


@pytest.mark.parametrize("text", ["require x", "require (\n nonsense here and there\n)\n"])
def test_a_go_mod_that_is_not_understood_is_not_clean(text: str) -> None:
    with pytest.raises(WrongStateError, match="cannot be read"):
        go_modules.build_list(text, Path())


def test_every_tool_of_this_project_is_read_whole() -> None:
    folders = sorted(path.parent for path in (ROOT / go_modules.FOLDER).glob("*/go.mod"))
    assert {folder.name for folder in folders} == set(TOOLS)
    for folder in folders:
        text = (folder / "go.mod").read_text(encoding="utf-8")
        required = re.findall(r"^(?:require |\t)\S+ v[^ \n]+(?: //.*)?$", text, re.MULTILINE)
        assert len(go_modules.build_list(text, folder)) == len(required), folder


def test_a_vulnerable_module_is_found_with_its_tools_once_by_all_of_its_names(
    tmp_path: Path, export: Callable[..., Path]
) -> None:
    for tool in ("one", "two"):
        folder = tmp_path / go_modules.FOLDER / tool
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(MOD, encoding="utf-8")
    records = [
        modified("example.org/better", id="GHSA-1", fixed="1.5.1", aliases=["GO-1", "CVE-1"]),
        modified("example.org/better", id="GO-1", fixed="1.5.1", aliases=["GHSA-1", "CVE-1"]),
        modified("example.org/direct", id="GO-2", fixed="1.2.0"),
        modified("example.org/fork", id="GO-3", fixed="9.0.0"),
    ]
    (export(*records) / "PyPI").rename(tmp_path / "Go")
    snapshot = osv_snapshot.load(tmp_path, now=datetime(2026, 6, 16, tzinfo=UTC), ecosystem=GO)
    with osv_server.serving(snapshot) as base:
        modules = go_modules.audit(tmp_path, Source(base, "test", date(2026, 6, 15), date(2026, 6, 15)))
    assert [str(one) for one in modules.findings] == [
        "example.org/better 1.5.0 (Go, in one, two): GO-1, CVE-1, GHSA-1, fixed in 1.5.1"
    ]
    assert modules.sentence == "3 modules of 2 Go tools of 2026-06-15: 1 findings"


def test_without_advisories_of_go_it_is_said_that_nobody_looked(tmp_path: Path) -> None:
    source = Source("http://127.0.0.1:1", "test", date(2026, 6, 15))
    assert go_modules.audit(tmp_path, source).sentence == ""
    (tmp_path / go_modules.FOLDER / "x").mkdir(parents=True)
    (tmp_path / go_modules.FOLDER / "x" / "go.mod").write_text(MOD, encoding="utf-8")
    assert "were not looked at" in go_modules.audit(tmp_path, source).sentence


def test_a_source_that_dies_meanwhile_is_no_clean_result(tmp_path: Path) -> None:
    (tmp_path / go_modules.FOLDER / "x").mkdir(parents=True)
    (tmp_path / go_modules.FOLDER / "x" / "go.mod").write_text(MOD, encoding="utf-8")
    with pytest.raises(NotReadyError, match="does not answer any more"):
        go_modules.audit(tmp_path, Source("http://127.0.0.1:1", "test", date(2026, 6, 15), date(2026, 6, 15)))
