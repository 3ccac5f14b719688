from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import uv_audit
from floe_ops.audits.findings import Finding

OURS = Finding("jinja2", "2.10", "PYSEC-1", ("CVE-1",), ("2.10.1",))


def report(*names: str, looked: int = 2) -> dict[str, Any]:
    entries = [
        {
            "dependency": {"name": "Jinja2", "version": "2.10.0"},
            "id": name,
            "aliases": ["CVE-" + name.rpartition("-")[2]],
            "fix_versions": [],
        }
        for name in names
    ]
    return {"summary": {"audited_packages": looked}, "vulnerabilities": entries}


def test_one_advisory_by_two_of_its_names_is_agreement() -> None:
    (theirs,) = uv_audit.findings(report("GHSA-1"))
    uv_audit.agree([Finding("jinja2", theirs.version, "PYSEC-1", ("CVE-1",), ())], report("GHSA-1"), 2, Path())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (report(), "pip-audit alone: jinja2 2.10: PYSEC-1"),
        (report("GHSA-2"), "uv alone: jinja2 2.10.0: GHSA-2"),
        (report("GHSA-1", looked=1), "uv looked at 1 packages, the lock has 2"),
    ],
)
def test_a_disagreement_names_who_found_what(said: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongStateError, match="do not agree") as caught:
        uv_audit.agree([OURS], said, 2, Path())
    assert why in caught.value.why


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"vulnerabilities": [], "summary": {}}', '{"vulnerabilities": [{}]}']
)
def test_a_report_of_another_shape_is_none(text: str) -> None:
    assert uv_audit._report(text) is None
