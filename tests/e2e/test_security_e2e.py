"""WU-7: planted faults are found by the real tools (bandit, uv, pip-audit), and a clean project is clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_ops.audits import advisories, bearing, gate, lock, osv_server, osv_snapshot
from floe_ops.audits.collected import outside_of_a_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.audits.findings import Report

NOW = datetime.now(UTC)
PLANTED = {"jinja2": "2.10", "requests": "2.19.1", "pillow": "9.0.0"}
FIXED = {"jinja2": "2.10.1", "requests": "2.20.0", "pillow": "12.1.1"}
MARKERS = {"pillow": "sys_platform == 'darwin'"}
INDEX = "https://index.example/simple"
DEAD = {"PIP_AUDIT_OSV_URL": "http://127.0.0.1:1/v1/query"}


def write_project(folder: Path, pins: dict[str, str], *, markers: dict[str, str] | None = None) -> Path:
    """A project with these pins and a lock as uv writes it; nothing of it can be fetched."""
    markers = markers or {}
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}=={pin}" + (f" ; {markers[name]}" if name in markers else "") for name, pin in pins.items()]
    project = '[project]\nname = "planted"\nversion = "0"\nrequires-python = ">=3.11"\n'
    (folder / "pyproject.toml").write_text(f"{project}dependencies = {json.dumps(wanted)}\n", encoding="utf-8")
    text = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
    for name, pin in pins.items():
        url = f"https://files.example/{name}-{pin}-py3-none-any.whl"
        text += f'\n[[package]]\nname = "{name}"\nversion = "{pin}"\nsource = {{ registry = "{INDEX}" }}\n'
        text += f'wheels = [{{ url = "{url}", hash = "sha256:{"0" * 64}", size = 1 }}]\n'
    text += '\n[[package]]\nname = "planted"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [\n'
    marks = {name: f', marker = "{marker}"' for name, marker in markers.items()}
    text += "".join(f'    {{ name = "{name}"{marks.get(name, "")} }},\n' for name in pins)
    text += "]\n\n[package.metadata]\nrequires-dist = [\n"
    for name, pin in pins.items():
        text += f'    {{ name = "{name}"{marks.get(name, "")}, specifier = "=={pin}" }},\n'
    (folder / "uv.lock").write_text(f"{text}]\n", encoding="utf-8")
    return folder


def write_advisories(folder: Path, modified: datetime) -> Path:
    """An OSV export of our own making: one advisory for each planted pin."""
    path = folder / "PyPI" / "all.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, fixed in FIXED.items():
            record: dict[str, Any] = {
                "id": f"TEST-{name}",
                "aliases": [f"CVE-{name}"],
                "modified": modified.isoformat(),
                "affected": [
                    {
                        "package": {"name": name.title(), "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
                    }
                ],
            }
            archive.writestr(f"{record['id']}.json", json.dumps(record))
    return folder


@pytest.fixture(autouse=True)
def _no_evidence_of_planted_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in planted projects says nothing about this one."""
    monkeypatch.delenv("FLOE_RUN_DIR", raising=False)


@pytest.fixture
def audit(tmp_path: Path) -> Callable[..., Report]:
    """A function that audits a project with these pins against advisories of that age, by the real pip-audit."""

    def run(pins: dict[str, str], *, age_days: int = 0, markers: dict[str, str] | None = None) -> Report:
        source = write_advisories(tmp_path / "advisories", NOW - timedelta(days=age_days))
        project = write_project(tmp_path / "project", pins, markers=markers)
        return advisories.audit(project, environ={"FLOE_ADVISORIES": str(source), **DEAD}, now=NOW)

    return run


@pytest.mark.requirement("WU7-AC4")
def test_planted_pins_are_found_also_one_that_installs_elsewhere_only(audit: Callable[..., Report]) -> None:
    report = audit({**PLANTED, "attrs": "25.1.0"}, markers=MARKERS, age_days=30)
    assert (report.outcome, report.packages) == ("findings", 4)
    assert [str(finding) for finding in report.findings] == [
        "jinja2 2.10: CVE-jinja2, TEST-jinja2, fixed in 2.10.1",
        "pillow 9.0.0: CVE-pillow, TEST-pillow, fixed in 12.1.1",
        "requests 2.19.1: CVE-requests, TEST-requests, fixed in 2.20.0",
    ]
    settled = bearing.settle(report, bearing.Place(ci=False, final=True, allow_stale=True))
    assert settled.status == "failed"
    assert "pillow 9.0.0: CVE-pillow, TEST-pillow, fixed in 12.1.1" in str(settled.error)


@pytest.mark.requirement("WU7-AC4")
def test_a_pillow_that_only_a_mac_would_install_is_found(audit: Callable[..., Report]) -> None:
    report = audit({"pillow": "11.3.0", "attrs": "25.1.0"}, markers=MARKERS)
    assert (report.outcome, report.packages) == ("findings", 2)
    assert [str(one) for one in report.findings] == ["pillow 11.3.0: CVE-pillow, TEST-pillow, fixed in 12.1.1"]


@pytest.mark.requirement("WU7-AC4")
def test_a_vulnerable_module_of_a_go_tool_is_found_and_unknown_ones_are_said_to_be_unseen(
    audit: Callable[..., Report], tmp_path: Path
) -> None:
    tool = tmp_path / "project" / "toolchain" / "go" / "planted"
    tool.mkdir(parents=True)
    text = "module planted\n\ngo 1.25.0\n\nrequire golang.org/x/net v0.1.0\n"
    (tool / "go.mod").write_text(text, encoding="utf-8")
    assert "Go modules were not looked at" in bearing.settle(audit(FIXED), bearing.Place.of({})).sentence
    ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.7.0"}]}]
    affected = [{"package": {"name": "golang.org/x/net", "ecosystem": "Go"}, "ranges": ranges}]
    record = {"id": "GO-2023-1", "modified": NOW.isoformat(), "affected": affected}
    (tmp_path / "advisories" / "Go").mkdir()
    with zipfile.ZipFile(tmp_path / "advisories" / "Go" / "all.zip", "w") as archive:
        archive.writestr("GO-2023-1.json", json.dumps(record))
    report = audit(FIXED)
    assert report.outcome == "findings"
    assert [str(one) for one in report.findings] == [
        "golang.org/x/net 0.1.0 (Go, in planted): GO-2023-1, fixed in 0.7.0"
    ]


@pytest.mark.requirement("WU7-AC4")
def test_fixed_pins_are_clean_against_a_named_source_and_date(audit: Callable[..., Report]) -> None:
    report = audit(FIXED)
    assert (report.outcome, report.findings, report.as_of) == ("clean", (), NOW.date())
    assert "all.zip (3 records)" in report.source


@pytest.mark.requirement("WU7-AC4")
def test_a_clean_lock_against_an_old_source_is_stale(audit: Callable[..., Report]) -> None:
    assert audit(FIXED, age_days=30).outcome == "stale"


@pytest.mark.requirement("WU7-AC4")
@pytest.mark.parametrize("cut", [0.5, 0.98])
def test_a_truncated_source_is_refused_and_says_so(tmp_path: Path, cut: float) -> None:
    source = write_advisories(tmp_path / "advisories", NOW)
    whole = (source / "PyPI" / "all.zip").read_bytes()
    (source / "PyPI" / "all.zip").write_bytes(whole[: int(len(whole) * cut)])
    project = write_project(tmp_path / "project", FIXED)
    with pytest.raises(WrongStateError) as caught:
        advisories.audit(project, environ={"FLOE_ADVISORIES": str(source), **DEAD}, now=NOW)
    assert "truncated or corrupt" in caught.value.why


@pytest.mark.requirement("WU7-AC4")
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_corrupt_or_empty_source_is_refused(tmp_path: Path, content: bytes) -> None:
    source = write_advisories(tmp_path / "advisories", NOW)
    (source / "PyPI" / "all.zip").write_bytes(content)
    with pytest.raises(WrongStateError, match="cannot be used"):
        advisories.audit(
            write_project(tmp_path / "project", FIXED), environ={"FLOE_ADVISORIES": str(source), **DEAD}, now=NOW
        )


@pytest.mark.requirement("WU7-AC4")
def test_a_live_service_comes_first_and_a_dead_one_is_replaced_by_the_export(tmp_path: Path) -> None:
    knowing = write_advisories(tmp_path / "live", NOW)
    ignorant = write_advisories(tmp_path / "export", NOW - timedelta(days=30))
    project = write_project(tmp_path / "project", {"jinja2": "2.10"})
    with osv_server.serving(osv_snapshot.load(knowing)) as live:
        environ = {"FLOE_ADVISORIES": str(ignorant), "PIP_AUDIT_OSV_URL": f"{live}/v1/query"}
        asked = advisories.audit(project, environ=environ, now=NOW)
    assert (asked.source, asked.as_of) == (f"live, {live}/v1/query", NOW.date())
    fallen_back = advisories.audit(project, environ=environ, now=NOW)
    assert fallen_back.source.startswith("snapshot ")
    assert fallen_back.as_of == (NOW - timedelta(days=30)).date()
    assert asked.findings == fallen_back.findings


@pytest.mark.requirement("WU7-AC4")
def test_without_a_source_the_audit_fails_but_for_a_final_at_a_desk(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", FIXED)
    report = advisories.audit(project, environ=DEAD, now=NOW)
    assert report.outcome == "not_looked"
    alone = bearing.settle(report, bearing.Place.of({}))
    assert isinstance(alone.error, MissingToolError)
    assert "set FLOE_ADVISORIES" in alone.error.remedy
    assert bearing.settle(report, bearing.Place.of({"FLOE_FINAL": "1"})).error is None
    assert bearing.settle(report, bearing.Place.of({"FLOE_FINAL": "1", "CI": "true"})).error is not None


@pytest.mark.requirement("WU7-AC4")
def test_the_task_ends_with_its_code_and_leaves_the_report_for_the_verdict(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "noxfile.py").touch()
    write_project(tmp_path, {"jinja2": "2.10"})
    source = write_advisories(tmp_path / "advisories", NOW)
    environ = {**outside_of_a_run(os.environ), "FLOE_ROOT": str(tmp_path), "FLOE_ADVISORIES": str(source)}
    environ |= {"FLOE_FINAL": "1", "UV_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "security.audit"],
        cwd=project_root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == WrongStateError.exit_code, done.stdout + done.stderr
    assert "jinja2 2.10: CVE-jinja2, TEST-jinja2, fixed in 2.10.1" in done.stderr
    kept = json.loads((tmp_path / ".floe" / "run" / "advisories.json").read_text(encoding="utf-8"))
    assert (kept["outcome"], kept["packages"], kept["date"]) == ("findings", 1, NOW.date().isoformat())


@pytest.mark.requirement("WU7-AC3")
def test_the_lock_fits_the_project_and_one_that_does_not_is_refused(
    project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.check(project_root)
    monkeypatch.setenv("UV_OFFLINE", "1")
    project = write_project(tmp_path, FIXED)
    lock.check(project)
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    (project / "pyproject.toml").write_text(text.replace("pillow==12.1.1", "pillow==12.2.0"), encoding="utf-8")
    with pytest.raises(WrongStateError, match="not up to date"):
        lock.check(project)


@pytest.mark.requirement("WU7-AC1", "WU7-BC1")
def test_planted_faults_in_a_test_are_found_by_their_place(tmp_path: Path) -> None:
    lines = {
        "import yaml; yaml.load(open('x'), Loader=yaml.Loader)": "B506 (medium)",
        "import subprocess; subprocess.run(yaml, shell=True)": "B602 (high)",
        "X = 1  # no" + "sec": "names no check or no reason",
        "Y = 1  # no" + "sec B105": "names no check or no reason",
        "Z = 1  # no" + "sec - it is safe": "names no check or no reason",
    }
    why = refused(tmp_path, *lines)
    for number, named in enumerate(lines.values(), start=1):
        assert any(f"test_planted.py:{number}: " in line and named in line for line in why.splitlines()), why


@pytest.mark.requirement("WU7-AC1")
def test_planted_credentials_in_a_test_are_found_and_not_repeated(tmp_path: Path) -> None:
    lines = [
        "client_secret = 'hunter2hunter2'",
        "login(password='hunter2hunter2')",
        "token: str = 'hunter2hunter2'",
        "URL = 'postgres://floe:" + "hunter2hunter2@db.example'",
    ]
    why = refused(tmp_path, *lines)
    assert [f"test_planted.py:{number}: " in why for number in range(1, 5)] == [True] * 4
    assert "hunter2" not in why


@pytest.mark.requirement("WU7-BC1")
def test_a_false_positive_with_its_check_and_its_reason_passes(tmp_path: Path) -> None:
    planted = tmp_path / "tests" / "test_planted.py"
    planted.parent.mkdir()
    lines = "import yaml\n\nyaml.load('1', Loader=yaml.Loader)  # no" + "sec B506 - a literal of our own\n"
    planted.write_text(lines, encoding="utf-8")
    assert "nothing high or medium" in gate.source(tmp_path)
    planted.write_text(lines.replace(" - a literal of our own", ""), encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        gate.source(tmp_path)
    assert "tests/test_planted.py:3: nosec (medium)" in caught.value.why


def refused(root: Path, *lines: str) -> str:
    """What the gate over the sources says of a test file with these lines."""
    planted = root / "tests" / "e2e" / "test_planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        gate.source(root)
    return caught.value.why
