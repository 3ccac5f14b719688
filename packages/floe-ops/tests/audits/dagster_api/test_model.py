from __future__ import annotations

import pytest
from floe_ops.audits.dagster_api.model import Fact, Report, Row, judge


@pytest.mark.parametrize(
    ("lifecycle", "breaking", "verdict"),
    [
        ("ga", "", "ok"),
        ("beta", "", "watch"),
        ("preview", "", "watch"),
        ("private", "", "watch"),
        ("superseded", "", "fail"),
        ("missing", "", "fail"),
        ("hidden", "", "fail"),
        ("warning", "", "fail"),
        ("import error", "", "fail"),
        ("unparsable", "", "fail"),
        ("deprecated", "2.0", "fail"),
        ("deprecated", "2.0.0", "fail"),
        ("deprecated", "1.10.0", "fail"),  # already past
        ("deprecated", "", "fail"),
        ("deprecated", "a future release", "fail"),
        ("deprecated", "2.1", "watch"),
        ("deprecated", "3.0.0", "watch"),
    ],
)
def test_what_is_gone_by_two_fails_and_what_has_no_promise_is_watched(
    lifecycle: str, breaking: str, verdict: str
) -> None:
    assert judge(Fact(lifecycle, breaking_version=breaking)) == verdict  # type: ignore[arg-type]  # parametrized words


def row(line: int, name: str, parameter: str = "", verdict: str = "ok") -> Row:
    return Row("a.py", line, name, parameter, "ga", "", verdict, "")  # type: ignore[arg-type]  # a plain word


def test_figures_count_names_and_parameters_once() -> None:
    rows = [row(1, "dagster.asset"), row(9, "dagster.asset"), row(9, "dagster.asset", "name"), row(2, "b", "", "fail")]
    report = Report("x", 1, {"dagster": "1"}, rows)
    assert report.figures == {"files": 1, "names": 1, "parameters": 1, "watched": 0, "findings": 1}
    assert report.findings == [rows[-1]]
    assert rows[2].subject == "dagster.asset(name=)"
    assert report.to_json()["rows"][0]["name"] == "dagster.asset"
