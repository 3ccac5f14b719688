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

AMD = PlatformImage("linux/amd64", "r/x@sha256:1", "sha256:1", 2_000_000, "1.0")
ARM = PlatformImage("linux/arm64", "r/y@sha256:2", "sha256:2", 1_500_000, "")
JOINED = JoinedIndex("r/x:1", "sha256:9", (AMD, ARM), pushed=True)


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
    assert "--arm64, --target missing" in str(caught.value.message)


class Joining:
    """Stands where the images are joined: what it was given, and what it answers."""

    def __init__(self, answer: JoinedIndex | WrongStateError) -> None:
        self.answer = answer
        self.given: dict[str, object] = {}

    def __call__(self, images: dict[str, object], to: str, *, crane: Path | None, rules: joining.Rules) -> JoinedIndex:
        self.given = {**{name: str(image) for name, image in images.items()}, "to": to, "crane": crane, "rules": rules}
        if isinstance(self.answer, WrongStateError):
            raise self.answer
        return self.answer


def joins(monkeypatch: pytest.MonkeyPatch, answer: JoinedIndex | WrongStateError) -> Joining:
    stand_in = Joining(answer)
    monkeypatch.setattr(joining, "join", stand_in)
    return stand_in


def test_a_dry_run_gives_no_tool_and_says_what_would_be(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = joins(monkeypatch, JoinedIndex("r.io/c:1", "", JOINED.images))
    cube.multiarch.body(Context(), amd64="r.io/a:1", arm64="r.io/b:1", target="r.io/c:1", dry_run=True)
    assert stand_in.given == {
        "linux/amd64": "r.io/a:1", "linux/arm64": "r.io/b:1", "to": "r.io/c:1", "crane": None, "rules": joining.Rules()
    }  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "would push r.io/c:1 of:",
        "  linux/amd64  r/x@sha256:1  2.0 MB  1.0",
        "  linux/arm64  r/y@sha256:2  1.5 MB  version unknown",
    ]
    assert list(run_dir.glob("*.jsonl")) == []


@pytest.mark.requirement("WU2-AC1")
@pytest.mark.parametrize(("pushed", "said"), [(True, "pushed"), (False, "was there already, nothing pushed")])
def test_the_index_is_printed_whole_and_left_as_evidence(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, pushed: bool, said: str
) -> None:
    stand_in = joins(monkeypatch, JoinedIndex("r.io/c:1", "sha256:9", (AMD, ARM), pushed=pushed))
    cube.multiarch.body(Context(), amd64="r.io/a:1", arm64="r.io/b:1", target="r.io/c:1")
    assert stand_in.given["crane"] == run_dir / "crane"
    assert capsys.readouterr().out.splitlines() == [
        f"✓ r.io/c:1@sha256:9  {said}",
        "  linux/amd64  r/x@sha256:1  2.0 MB  1.0",
        "  linux/arm64  r/y@sha256:2  1.5 MB  version unknown",
    ]
    (line,) = evidence(run_dir)
    assert (line["criterion"], line["status"]) == ("WU2-AC1", "passed")
    assert all(digest in line["evidence"] for digest in ("sha256:9", "sha256:1", "sha256:2"))


def test_as_json_it_is_every_digest_size_and_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    joins(monkeypatch, JOINED)
    cube.multiarch.body(Context(), amd64="r.io/a:1", arm64="r.io/b:1", target="r.io/c:1", json=True)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["digest"], printed["pushed"]) == ("sha256:9", True)
    assert printed["images"][0] == {
        "platform": "linux/amd64", "source": "r/x@sha256:1", "digest": "sha256:1", "size": 2_000_000, "version": "1.0"
    }  # fmt: skip


def test_what_the_caller_decides_reaches_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = joins(monkeypatch, JOINED)
    given = {"amd64": "r.io/a:1", "arm64": "r.io/b:1", "target": "r.io/c:1"}
    cube.multiarch.body(Context(), **given, version="v1", allow_unlabelled=True, replace=True)
    assert stand_in.given["rules"] == joining.Rules(version="v1", allow_unlabelled=True, replace=True)


def test_images_that_cannot_be_joined_are_evidence_too(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joins(monkeypatch, WrongStateError("the images are of different versions", why="1 and 2"))
    with pytest.raises(Exit) as caught:
        cube.multiarch.body(Context(), amd64="r.io/a:1", arm64="r.io/b:1", target="r.io/c:1")
    assert caught.value.code == 4
    assert [(line["status"], line["evidence"]) for line in evidence(run_dir)] == [
        ("failed", "the images are of different versions: 1 and 2")
    ]
