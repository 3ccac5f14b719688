from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_ops.images.layout import write_layout

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"etc/b": b"two", "etc/a": b"one"}


def blob(folder: Path, digest: str) -> bytes:
    content = (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
    return content


def test_the_layout_is_whole_by_the_specification(tmp_path: Path) -> None:
    digest = write_layout(tmp_path, "linux/arm64", FILES)
    assert json.loads((tmp_path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((tmp_path / "index.json").read_bytes())["manifests"]
    assert entry["digest"] == digest
    manifest = json.loads(blob(tmp_path, digest))
    config = json.loads(blob(tmp_path, manifest["config"]["digest"]))
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    (layer,) = manifest["layers"]
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]  # uncompressed: one and the same digest
    with tarfile.open(fileobj=io.BytesIO(blob(tmp_path, layer["digest"]))) as archive:
        assert archive.getnames() == ["etc/a", "etc/b"]
        assert [member.mtime for member in archive] == [0, 0]


def test_equal_inputs_give_equal_bytes_and_platforms_differ(tmp_path: Path) -> None:
    one = write_layout(tmp_path / "1", "linux/amd64", FILES)
    again = write_layout(tmp_path / "2", "linux/amd64", dict(reversed(FILES.items())))
    other = write_layout(tmp_path / "3", "linux/arm64", FILES)
    assert one == again
    assert one != other


def test_labels_stand_in_the_configuration(tmp_path: Path) -> None:
    manifest = json.loads(blob(tmp_path, write_layout(tmp_path, "linux/arm64", FILES, labels={"version": "1.0"})))
    config = json.loads(blob(tmp_path, manifest["config"]["digest"]))
    assert config["config"]["Labels"] == {"org.opencontainers.image.title": "floe platform proof", "version": "1.0"}


@pytest.mark.parametrize("platform", ["linux", "", "/arm64", "linux/", "linux/arm64/v8"])
def test_what_is_no_platform_is_a_usage_error(tmp_path: Path, platform: str) -> None:
    with pytest.raises(UsageError, match="not a platform"):
        write_layout(tmp_path, platform, FILES)
