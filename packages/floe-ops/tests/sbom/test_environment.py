from __future__ import annotations

import json
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops import project
from floe_ops.audits import lock
from floe_ops.sbom import document, environment


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    return environment.bill(project.root())


def test_every_pin_of_the_lock_is_in_it_and_it_is_valid(told: dict[str, list[dict[str, str]]], tmp_path: Path) -> None:
    document.write(tmp_path / "floe.cdx.json", told)
    written = json.loads((tmp_path / "floe.cdx.json").read_text(encoding="utf-8"))
    pins = {lock.pin(part["name"], part["version"]) for part in written["components"]}
    assert pins >= lock.third_party(project.root() / "uv.lock")
    refs = {part["bom-ref"] for part in written["components"]}
    assert {need for one in written["dependencies"] for need in one["dependsOn"]} <= refs
    assert all(part["externalReferences"] for part in written["components"] if "purl" in part)  # files with their hash


def test_two_runs_give_the_same_bytes(told: dict[str, object]) -> None:
    assert environment.bill(project.root()) == told


def test_no_login_of_an_index_is_in_it() -> None:
    secret = "index-password"  # noqa: S105 # nosec B105 - planted, to be looked for
    part = {"bom-ref": "x", "externalReferences": [{"type": "distribution", "url": f"https://me:{secret}@h/x.whl"}]}
    made = document.finished({"type": "application", "bom-ref": "f", "name": "f"}, [part], [])
    assert secret not in json.dumps(made)
    assert made["components"][0]["externalReferences"][0]["url"] == "https://h/x.whl"


def test_a_lock_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0"\n', encoding="utf-8")
    (tmp_path / "uv.lock").write_text("not a lock", encoding="utf-8")
    with pytest.raises(WrongStateError, match="cannot be exported"):
        environment.bill(tmp_path)


def test_a_document_that_is_not_valid_is_not_written(tmp_path: Path) -> None:
    made = document.finished({"type": "no such type", "bom-ref": "f", "name": "f"}, [], [])
    with pytest.raises(WrongStateError, match="not valid"):
        document.write(tmp_path / "x.json", made)
    assert not list(tmp_path.iterdir())


def test_the_time_is_that_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = document.finished({"type": "application", "bom-ref": "f", "name": "f"}, [], [])
    assert made["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
