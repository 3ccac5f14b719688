from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.images import join as joining
from floe_ops.images import proof
from floe_ops.images.join import JoinedIndex, PlatformImage
from floe_ops.tasks import cube
from invoke.context import Context
from invoke.exceptions import Exit

if TYPE_CHECKING:
    from pathlib import Path

JOINED = JoinedIndex("r/x:1", "sha256:9", (PlatformImage("linux/amd64", "r/x@sha256:1", "sha256:1", 2_000_000),))


@pytest.fixture(autouse=True)
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOE_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("FLOE_SESSION", "cube_multiarch")
    monkeypatch.setattr(cube, "_crane", lambda: tmp_path / "crane")
    return tmp_path


def evidence(run_dir: Path) -> list[dict[str, str]]:
    lines = (run_dir / "cube_multiarch.evidence.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_without_images_it_is_the_proof_and_leaves_evidence(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof, "prove_locally", lambda _crane: JOINED)
    cube.multiarch.body(Context(), json=True)
    assert json.loads(capsys.readouterr().out)["digest"] == "sha256:9"
    assert [(line["criterion"], line["status"]) for line in evidence(run_dir)] == [("WU2-AC1", "passed")]
    assert "sha256:1" in evidence(run_dir)[0]["evidence"]


def test_a_proof_that_fails_is_evidence_too_and_ends_with_its_code(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_crane: Path) -> JoinedIndex:
        raise WrongStateError("other digests", why="a and b")

    monkeypatch.setattr(proof, "prove_locally", fails)
    with pytest.raises(Exit) as caught:
        cube.multiarch.body(Context())
    assert caught.value.code == 4
    assert evidence(run_dir)[0]["evidence"] == "other digests: a and b"


def test_images_without_a_name_to_push_to_are_a_usage_error() -> None:
    with pytest.raises(Exit) as caught:
        cube.multiarch.body(Context(), amd64="r.io/x:1")
    assert caught.value.code == 2
    assert "--arm64, --to missing" in str(caught.value.message)


def test_a_dry_run_gives_no_tool_and_says_what_would_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, object] = {}

    def planned(sources: dict[str, object], to: str, *, crane: Path | None) -> JoinedIndex:
        given.update(sources=sources, to=to, crane=crane)
        return JoinedIndex(to, "", JOINED.images)

    monkeypatch.setattr(joining, "join", planned)
    cube.multiarch.body(Context(), amd64="r.io/a:1", arm64="r.io/b:1", to="r.io/c:1", dry_run=True)
    assert given["crane"] is None
    assert {platform: str(source) for platform, source in given["sources"].items()} == {  # type: ignore[attr-defined]  # a dict
        "linux/amd64": "r.io/a:1",
        "linux/arm64": "r.io/b:1",
    }
    assert capsys.readouterr().out.splitlines() == [
        "would push r.io/c:1 of:",
        "  linux/amd64  r/x@sha256:1  2.0 MB",
    ]
