from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_ops.audits import osv_snapshot
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 6, 16, tzinfo=UTC)


releases = st.builds(lambda parts: ".".join(map(str, parts)), st.lists(st.integers(0, 12), min_size=1, max_size=3))


@st.composite
def intervals(draw: st.DrawFn) -> list[tuple[Version, Version | None, bool]]:
    """Disjoint stretches of versions: start, end (None for none), and whether the end itself is affected."""
    cuts = sorted({Version(text) for text in draw(st.lists(releases, min_size=1, max_size=6))})
    pairs = [cuts[at : at + 2] for at in range(0, len(cuts), 2)]
    inclusive = draw(st.booleans())
    return [(pair[0], pair[1] if len(pair) == 2 else None, inclusive) for pair in pairs]


def events(stretches: list[tuple[Version, Version | None, bool]]) -> list[dict[str, str]]:
    found = []
    for start, end, inclusive in stretches:
        found.append({"introduced": str(start)})
        if end is not None:
            found.append({"last_affected" if inclusive else "fixed": str(end)})
    return found


@given(intervals(), releases, st.randoms(use_true_random=False))
def test_a_version_is_affected_exactly_inside_of_a_stretch_in_whatever_order_events_come(
    stretches: Any, text: str, shuffler: Any
) -> None:
    version = Version(text)
    shuffled = events(stretches)
    shuffler.shuffle(shuffled)
    expected = any(
        start <= version and (end is None or version < end or (inclusive and version == end))
        for start, end, inclusive in stretches
    )
    assert osv_snapshot.in_range(shuffled, version) is expected


@given(releases)
def test_the_beginning_is_before_every_release(text: str) -> None:
    assert osv_snapshot.in_range([{"introduced": "0"}], Version(f"{text}.dev0"))


@pytest.mark.parametrize(
    ("list_of_events", "version", "expected"),
    [
        ([{"introduced": "1.0"}, {"fixed": "2.0"}], "1.5", True),
        ([{"introduced": "1.0"}, {"fixed": "2.0"}], "2.0", False),
        ([{"introduced": "1.0"}, {"fixed": "2.0"}], "2.0rc1", True),
        ([{"introduced": "0"}, {"last_affected": "2.0"}], "2.0", True),
        ([{"introduced": "0"}, {"last_affected": "2.0"}], "2.0.post1", False),
        ([{"introduced": "0"}, {"limit": "2.0"}], "3.0", False),
        ([{"introduced": "0"}, {"limit": "*"}], "3.0", True),
        ([{"introduced": "2004d"}], "1.0", True),
        ([{"introduced": "0"}, {"fixed": "not-a-version"}], "99", True),
        ([], "1.0", False),
    ],
)
def test_events(list_of_events: list[dict[str, str]], version: str, *, expected: bool) -> None:
    assert osv_snapshot.in_range(list_of_events, Version(version)) is expected


def test_a_listed_version_counts_in_any_spelling(record: Callable[..., dict[str, Any]]) -> None:
    listed = record("Some.Package", introduced="9")
    listed["affected"][0]["versions"] = ["1.0.0"]
    assert osv_snapshot.affects(listed, "some-package", "1.0")
    assert not osv_snapshot.affects(listed, "some-package", "1.1")
    assert not osv_snapshot.affects(listed, "another", "1.0")


def test_a_record_without_versions_counts_for_all_and_a_withdrawn_one_for_none(
    record: Callable[..., dict[str, Any]],
) -> None:
    bare = record("x")
    bare["affected"][0]["ranges"] = [{"type": "GIT", "events": [{"introduced": "0"}]}]
    assert osv_snapshot.affects(bare, "x", "1.0")
    assert not osv_snapshot.affects({**bare, "withdrawn": "2026-01-01T00:00:00Z"}, "x", "1.0")


def test_a_version_without_order_is_shown_where_a_range_cannot_rule_it_out(
    record: Callable[..., dict[str, Any]],
) -> None:
    assert osv_snapshot.affects(record("x", fixed="1.0"), "x", "2004d")


def test_load_indexes_names_ids_and_aliases_and_takes_the_newest_date(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    folder = export(
        record("Jinja2", id="A-1", modified="2026-06-01T00:00:00Z", aliases=["CVE-1"]),
        record("x", id="A-2", modified="2026-06-15T08:00:00.5Z"),
    )
    for source in (folder, folder / "PyPI", folder / "PyPI" / "all.zip"):
        snapshot = osv_snapshot.load(source, now=NOW)
        assert (snapshot.count, snapshot.date.date().isoformat()) == (2, "2026-06-15")
        assert [entry["id"] for entry in snapshot.matching("JINJA2", "2.10")] == ["A-1"]
        assert snapshot.by_id["CVE-1"]["id"] == "A-1"


def test_a_missing_export_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError) as caught:
        osv_snapshot.load(tmp_path / "nowhere")
    assert caught.value.where == str(tmp_path / "nowhere")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]], kept: float
) -> None:
    path = export(*(record("x", id=f"A-{number}") for number in range(50))) / "PyPI" / "all.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(WrongStateError, match="cannot be used") as caught:
        osv_snapshot.load(path, now=NOW)
    assert "truncated or corrupt" in caught.value.why


def test_a_flipped_byte_inside_of_a_record_is_refused(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    path = export(record("x", details="y" * 3000)) / "PyPI" / "all.zip"
    body = bytearray(path.read_bytes())
    body[60] ^= 0xFF
    path.write_bytes(bytes(body))
    with pytest.raises(WrongStateError, match="cannot be used"):
        osv_snapshot.load(path, now=NOW)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "it has no id"),
        (b'{"id": "A-1", "affected": []}', "does not say when it was modified"),
        (b'{"id": "A-1", "modified": "2026-06-01T00:00:00Z", "schema_version": "2.0.0"}', "schema version is 2.0.0"),
        (b'{"id": "A-1", "modified": "2026-06-01T00:00:00Z", "affected": [{}]}', "names no package"),
        (b'{"id": "A-1", "modified": "2036-06-01T00:00:00Z"}', "lies in the future"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("A-1.json", content)
    with pytest.raises(WrongStateError) as caught:
        osv_snapshot.load(path, now=NOW)
    assert why in caught.value.why


def test_an_export_without_records_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(WrongStateError) as caught:
        osv_snapshot.load(path)
    assert caught.value.why == "it holds no record"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "modified",
                        "affected",
                        "package",
                        "name",
                        "ecosystem",
                        "ranges",
                        "events",
                        "type",
                        "versions",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_either_read_or_refused_in_one_shape(body: Any) -> None:
    try:
        record = osv_snapshot._record(Path("all.zip"), "A-1.json", json.dumps(body).encode())
    except WrongStateError:
        return
    osv_snapshot.affects(record, "name", "1.0")
