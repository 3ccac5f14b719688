"""What needs no registry; the rest is proved against a real one in tests/e2e/test_cube_multiarch_e2e.py."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, NotReadyError, UsageError, WrongStateError
from floe_ops.clients.registry import OCI_INDEX, Document, Reference
from floe_ops.images import join as joining
from floe_ops.images.join import (
    IndexMismatchError,
    JoinedIndex,
    MissingPlatformError,
    PlatformImage,
    TagRefusedError,
    checked_source,
    checked_target,
    join,
    run_crane,
)

if TYPE_CHECKING:
    from pathlib import Path

AMD = PlatformImage("linux/amd64", "r/x@sha256:1", "sha256:1", 10, "1.0")
ARM = PlatformImage("linux/arm64", "r/x@sha256:2", "sha256:2", 10, "")


def program(folder: Path, body: str) -> Path:
    path = folder / "crane"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.requirement("WU2-BC3")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("h.io/x", TagRefusedError),
        ("h.io/x:latest", TagRefusedError),
        (f"h.io/x:1@sha256:{'a' * 64}", UsageError),
        ("h.io/X:1", UsageError),
    ],
)
def test_a_target_without_a_tag_that_says_something_is_refused(text: str, error: type[UsageError]) -> None:
    with pytest.raises(error):
        checked_target(text)


@pytest.mark.requirement("WU2-BC3")
@pytest.mark.parametrize("text", ["h.io/x", "h.io/x:latest"])
def test_a_source_that_is_another_image_tomorrow_is_refused_before_any_network(text: str) -> None:
    images = {"linux/amd64": Reference("h.io", "x", "1"), "linux/arm64": Reference.parse(text)}
    with pytest.raises(TagRefusedError, match=r"refused to take h\.io/x"):
        join(images, "h.io/y:1", crane=None)


@pytest.mark.parametrize("text", ["h.io/x:1.3", f"h.io/x@sha256:{'a' * 64}", f"h.io/x:latest@sha256:{'a' * 64}"])
def test_a_source_by_version_or_by_digest_is_taken(text: str) -> None:
    assert checked_source(Reference.parse(text)) == Reference.parse(text)


def test_the_target_is_checked_before_the_platforms_and_both_before_any_network() -> None:
    with pytest.raises(TagRefusedError):
        join({}, "h.io/x", crane=None)
    with pytest.raises(MissingPlatformError, match="linux/amd64, linux/arm64"):
        join({}, "h.io/x:1", crane=None)


def index(*entries: tuple[str, str]) -> Document:
    manifests = [
        {"digest": digest, "platform": {"os": "linux", "architecture": architecture, "variant": "v8"}}
        for architecture, digest in entries
    ]
    return Document("sha256:9", OCI_INDEX, 1, {"manifests": manifests})


@pytest.mark.parametrize(
    "entries",
    [
        [("amd64", "sha256:1")],
        [("amd64", "sha256:1"), ("arm64", "sha256:3")],
        [("amd64", "sha256:2"), ("arm64", "sha256:1")],
        [("amd64", "sha256:1"), ("arm64", "sha256:2"), ("s390x", "sha256:3")],
        [],
    ],
)
def test_an_index_with_other_platforms_or_digests_is_not_ours(entries: list[tuple[str, str]]) -> None:
    with pytest.raises(IndexMismatchError):
        joining._check_entries(index(*entries), Reference("r", "x", "1"), (AMD, ARM))


def test_an_index_is_ours_in_any_order_and_whatever_the_variant() -> None:
    joining._check_entries(index(("arm64", "sha256:2"), ("amd64", "sha256:1")), Reference("r", "x", "1"), (AMD, ARM))


def test_a_layer_of_another_size_is_not_whole() -> None:
    with pytest.raises(IndexMismatchError, match="not whole"):
        joining._check_size({"digest": "sha256:5", "size": 10}, 9, AMD)


def test_the_evidence_names_every_digest() -> None:
    sentence = JoinedIndex("r/x:1", "sha256:9", (AMD, ARM)).sentence()
    assert sentence == (
        "r/x:1 = index sha256:9 of linux/amd64 sha256:1 (1.0) and linux/arm64 sha256:2 (version unknown)"
    )


def test_crane_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(WrongStateError, match="crane failed") as caught:
        run_crane(program(tmp_path, "echo denied >&2; exit 1"), "push", "x")
    assert (caught.value.why, caught.value.where) == ("denied", "crane push x")


def test_crane_that_is_not_there_or_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingToolError, match="cannot start crane"):
        run_crane(tmp_path / "absent", "push")
    monkeypatch.setattr(joining, "PUSH_TIMEOUT_S", 0.2)
    with pytest.raises(NotReadyError, match="did not end in time"):
        run_crane(program(tmp_path, "exec sleep 30"), "push")
