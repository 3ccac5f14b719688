"""Whatever stands in the documents of an image's archive, or in the place of the archive."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from floe_core.testing.any_input import BOUNDED, encoded, inputs, lives_through, wrong
from floe_ops.images.archive import NAME, read_archive
from floe_ops.images.layout import digest_of
from hypothesis import given
from hypothesis import strategies as st

CONFIG = {"os": "linux", "config": {}}
MANIFEST = {"config": {"digest": digest_of(encoded(CONFIG))}, "layers": [{"digest": "sha256:0", "size": 1}]}


def index(manifest: bytes) -> dict[str, Any]:
    return {"manifests": [{"digest": digest_of(manifest), "annotations": {NAME: "localhost/x:1"}}]}


def archive(path: Path, index_json: bytes, *blobs: bytes) -> None:
    files = {"index.json": index_json} | {f"blobs/{digest_of(blob).replace(':', '/')}": blob for blob in blobs}
    with tarfile.open(path, "w") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))


@BOUNDED
@given(manifest=inputs(MANIFEST), listed=wrong(index(encoded(MANIFEST))), raw=st.binary(max_size=600))
def test_any_archive_is_read_or_refused(manifest: bytes, listed: object, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image.tar")
        for index_json in (encoded(index(manifest)), encoded(listed)):
            archive(path, index_json, manifest, encoded(MANIFEST), encoded(CONFIG))
            lives_through(lambda: read_archive(path))
        path.write_bytes(raw)
        lives_through(lambda: read_archive(path))
