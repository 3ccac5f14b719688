from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bare_cluster import images
from bare_cluster.images import Image
from floe_core.errors import UsageError

Archives = Callable[..., Path]
DIGEST = "sha256:" + "1" * 64


def test_an_archive_says_which_images_it_holds(archive: Archives) -> None:
    path = archive("x.tar", {"digest": DIGEST, "annotations": {images.FULL_NAME: "localhost/coredns:1"}})
    (found,) = images.held(path)
    assert found == Image("localhost/coredns:1", DIGEST)
    assert found.name == "coredns"


def test_a_full_name_may_stand_in_the_ocis_own_annotation(archive: Archives) -> None:
    path = archive("x.tar", {"digest": DIGEST, "annotations": {images.SHORT_NAME: "localhost/a/b:1"}})
    assert [each.name for each in images.held(path)] == ["b"]


@pytest.mark.parametrize(
    "manifests", [[], [{"digest": DIGEST}], [{"digest": DIGEST, "annotations": {images.SHORT_NAME: "1.0"}}]]
)
def test_an_archive_without_a_full_name_is_refused(archive: Archives, manifests: list[dict[str, object]]) -> None:
    with pytest.raises(UsageError, match="cannot be read") as refused:
        images.held(archive("x.tar", *manifests))
    assert images.FULL_NAME in refused.value.why


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"\0" * 10240])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        images.held(path)


def test_images_that_are_there_are_told_from_what_ctr_prints() -> None:
    line = "localhost/pause:1 application/vnd.oci.image.manifest.v1+json {} 1.4 MiB linux/amd64 managed"
    assert images.parse([line.format(DIGEST), "", "odd line"]) == [Image("localhost/pause:1", DIGEST)]


@pytest.mark.parametrize(
    ("reference", "name"),
    [("localhost/floe:0.1.0", "floe"), ("docker.io/library/x@sha256:12", "x"), ("r:5000/a/b:1@sha256:1", "b")],
)
def test_the_name_is_the_last_part_of_the_repository(reference: str, name: str) -> None:
    assert Image(reference, DIGEST).name == name
