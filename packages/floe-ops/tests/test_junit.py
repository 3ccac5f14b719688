from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET  # nosec B405 - our own file

from floe_ops import junit


def _suite(name: str) -> str:
    return f'<testsuites><testsuite name="pytest" tests="1"><testcase name="{name}"/></testsuite></testsuites>'


def test_the_files_of_the_sessions_become_one(tmp_path: Path) -> None:
    (tmp_path / "otel.junit.xml").write_text(_suite("a"))
    (tmp_path / "dbt_demo-duckdb.junit.xml").write_text(_suite("b"))
    (tmp_path / "cut.junit.xml").write_text("<testsuites><tests")
    target = tmp_path / "junit.xml"

    junit.join(tmp_path, target)

    joined = ET.parse(target).getroot()  # noqa: S314  # nosec B314 - our own file
    found = {suite.get("name"): [case.get("name") for case in suite] for suite in joined}
    assert found == {"otel": ["a"], "dbt_demo-duckdb": ["b"]}


def test_without_tests_the_last_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    target.write_text("the last one")

    junit.join(tmp_path / "none", target)

    assert target.read_text() == "the last one"
