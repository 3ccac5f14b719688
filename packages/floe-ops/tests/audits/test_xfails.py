from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import xfails
from floe_ops.audits.collected import Test, Xfail

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 6, 15)
GOOD = "no arm64 image yet (#12), until 2026-06-15"


@pytest.mark.parametrize(
    ("reason", "strict", "expected"),
    [
        (GOOD, True, []),
        ("see https://example.org/issues/9 for the image, until 2026-12-31", True, []),
        (GOOD, False, ["is not strict"]),
        (
            "",
            True,
            ["has no reason", "has no tracking reference (#123 or a URL)", "has no last day (until YYYY-MM-DD)"],
        ),
        ("(#12), until 2026-12-31", True, ["has no reason"]),
        ("no image, until 2026-12-31", True, ["has no tracking reference (#123 or a URL)"]),
        ("no image (#12)", True, ["has no last day (until YYYY-MM-DD)"]),
        ("no image (#12), until 2026-02-30", True, ["has no last day (until YYYY-MM-DD)"]),
        ("no image (#12), until 2026-06-14", True, ["expired on 2026-06-14"]),
    ],
)
def test_what_a_mark_lacks(reason: str, expected: list[str], *, strict: bool) -> None:
    assert xfails.faults(Xfail(reason, strict), TODAY) == expected


def test_every_broken_mark_is_named() -> None:
    tests = [
        Test("tests/e2e/test_a.py::test_a", (), (Xfail(GOOD, strict=True),)),
        Test("tests/e2e/test_a.py::test_b", (), (Xfail("x #1 until 2026-01-01", strict=True),)),
        Test("tests/e2e/test_a.py::test_c", (), (Xfail(GOOD, strict=False),)),
    ]
    with pytest.raises(WrongStateError, match="2 expected failures") as caught:
        xfails.audit(tests, TODAY)
    assert "test_b: expired on 2026-01-01" in caught.value.why
    assert "test_c: is not strict" in caught.value.why
    assert "test_a.py::test_a" not in caught.value.why


def test_the_registry_is_kept_with_its_earliest_expiry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    tests = [
        Test(f"t::{day}", (), (Xfail(f"no image (#1), until 2026-{day}", strict=True),)) for day in ("09-01", "07-31")
    ]
    kept = json.loads(xfails.keep(xfails.audit(tests, TODAY)).read_text(encoding="utf-8"))
    assert kept["expires"] == "2026-08-01T00:00:00+00:00"
    assert [entry["nodeid"] for entry in kept["xfails"]] == ["t::09-01", "t::07-31"]
    assert json.loads(xfails.keep(()).read_text(encoding="utf-8")) == {"expires": None, "xfails": []}
