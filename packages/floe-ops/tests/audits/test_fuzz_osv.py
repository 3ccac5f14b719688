"""Whatever an advisory export or a list of accepted advisories holds: it is read whole, or refused with its place."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_core.testing.any_input import BOUNDED, encoded, inputs, lives_through
from floe_ops.audits import accepted, osv_server, osv_snapshot
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 27, tzinfo=UTC)
RECORD = {
    "schema_version": "1.7.0", "id": "GHSA-1", "modified": "2026-11-01T00:00:00Z", "aliases": ["CVE-1"],
    "affected": [{
        "package": {"name": "jinja2", "ecosystem": "PyPI"}, "versions": ["2.10"],
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}],
    }],
}  # fmt: skip
ACCEPTED = b"""max_age_days = 30
[[accepted]]
id = "GHSA-1"
package = "jinja2"
fixed_in = "2.11.3"
reason = "not reached"
owner = "x"
expires = 2027-01-01
"""


def ask(source: bytes, folder: pytest.TempPathFactory) -> None:
    path = folder.getbasetemp() / "all.zip"
    path.write_bytes(source)
    snapshot = osv_snapshot.load(path, now=NOW)
    for record in snapshot.matching("Jinja2", "2.10"):
        osv_server.presentable(record)
    snapshot.matching("jinja2", "no version")


@BOUNDED
@given(inputs(RECORD))
def test_any_record_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("GHSA-1.json", raw)
        archive.writestr("GHSA-2.json", encoded({**RECORD, "id": "GHSA-2"}))
    lives_through(lambda: ask(packed.getvalue(), tmp_path_factory))


@BOUNDED
@given(st.data())
def test_any_archive_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GHSA-1.json", encoded(RECORD))
    raw = bytearray(packed.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    lives_through(lambda: ask(bytes(raw), tmp_path_factory))


def test_an_archive_that_unfolds_into_far_more_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GHSA-1.json", b" " * (osv_snapshot.MAX_RECORD + 1))
    path = tmp_path / "all.zip"
    path.write_bytes(packed.getvalue())
    with pytest.raises(WrongStateError, match="larger than"):
        osv_snapshot.load(path, now=NOW)


@BOUNDED
@given(inputs({}))
def test_any_list_of_accepted_advisories_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "advisories.toml"
    for text in (raw, ACCEPTED + raw):
        path.write_bytes(text)
        lives_through(lambda: accepted.load(path))
