from __future__ import annotations

import pytest
from floe_ops.audits import osv_snapshot
from floe_ops.audits.ecosystems import GO
from hypothesis import given
from hypothesis import strategies as st

# The order that Semantic Versioning 2.0.0, section 11, gives as its example, and a pseudo-version of Go among them.
IN_ORDER = [
    "0.0.0-20230225012048-214862532bf5",
    "v0.0.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0+incompatible",
    "10.0.0",
]


def test_versions_of_go_have_the_order_of_semantic_versioning() -> None:
    parsed = [GO.parse(text) for text in IN_ORDER]
    assert parsed == sorted(parsed)
    assert len(set(parsed)) == len(parsed)
    assert all(GO.beginning < one for one in parsed)


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "1..2", "v", "1.0.0-"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert GO.parse(text) is None


@pytest.mark.parametrize(
    ("version", "affected"),
    [("0.16.0", True), ("0.17.0", False), ("0.17.0-rc.1", True), ("0.0.0-20230225012048-214862532bf5", True)],
)
def test_a_record_of_go_is_evaluated_by_its_semver_ranges(version: str, *, affected: bool) -> None:
    ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.17.0"}]}]
    entry = {"package": {"name": "golang.org/x/crypto", "ecosystem": "Go"}, "ranges": ranges}
    record = {"id": "GO-1", "affected": [entry]}
    assert osv_snapshot.affects(record, "golang.org/x/crypto", version, GO) is affected
    assert not osv_snapshot.affects(record, "golang.org/x/Crypto", version, GO)


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_versions(text: str) -> None:
    GO.parse(text)
