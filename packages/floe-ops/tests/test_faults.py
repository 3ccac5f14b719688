from __future__ import annotations

import subprocess
from typing import Any

import pytest
from floe_core.errors import UsageError
from floe_ops import faults, plan, project

ROOT = project.root()
FAULTS = faults.load(ROOT)
PLAN = plan.load()
FAULT = faults.Fault(id="x", title="x", session="helm_bootstrap", message="base location")
DEPENDENTS = {"otel", "dbt_demo(iceberg)", "dbt_demo", "final"}


def verdict(**changes: tuple[str, str]) -> dict[str, Any]:
    """What a run says in which the fault of `helm_bootstrap` was found as it should be, but for `changes`."""
    units = {name: ("blocked", "") if name in DEPENDENTS else ("passed", "") for name in PLAN.sessions}
    units |= {"helm_bootstrap": ("failed", "base location: s3://a, not s3://b"), **changes}
    return {"units": [{"session": n, "status": status, "reason": why} for n, (status, why) in units.items()]}


def test_a_fault_found_by_its_session_for_its_reason_is_no_problem() -> None:
    assert FAULT.blocked(PLAN) == DEPENDENTS
    assert faults.judge(FAULT, verdict(), PLAN, session_only=False) == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"helm_bootstrap": ("passed", "")}, "survived: helm_bootstrap is passed"),
        (
            {"helm_bootstrap": ("failed", "port taken")},
            "helm_bootstrap failed without naming 'base location': port taken",
        ),
        ({"otel": ("passed", "")}, "otel requires what failed and should be blocked, but is passed"),
        ({"otel": ("failed", "")}, "otel requires what failed and should be blocked, but is failed"),
        ({"plugins": ("failed", "")}, "plugins has nothing to do with it and should pass, but is failed"),
        ({"security": ("blocked", "")}, "security has nothing to do with it and should pass, but is blocked"),
    ],
)
def test_each_difference_is_named(changes: dict[str, tuple[str, str]], problem: str) -> None:
    assert faults.judge(FAULT, verdict(**changes), PLAN, session_only=False) == (problem,)


def test_a_session_that_shares_the_cause_must_fail_too() -> None:
    shared = faults.Fault(id="x", title="x", session="security", also=("plugins",), message="cause")
    units = dict.fromkeys(PLAN.sessions, "passed") | {"security": "failed", "final": "blocked"}
    said = {"units": [{"session": n, "status": status, "reason": "cause"} for n, status in units.items()]}
    assert faults.judge(shared, said, PLAN, session_only=False) == (
        "plugins shares the cause and should fail, but is passed",
    )
    assert faults.judge(shared, said, PLAN, session_only=True) == ()


def test_an_unknown_fault_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no fault has the id 'nonsense'"):
        faults.run(only="nonsense")


def test_every_patch_has_its_entry_and_every_entry_its_patch() -> None:
    patches = {path.stem for path in (ROOT / faults.FOLDER).glob("*.patch")}
    assert patches == {fault.id for fault in FAULTS}
    assert {fault.session for fault in FAULTS} | {name for fault in FAULTS for name in fault.also} <= set(PLAN.sessions)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_patch_applies_to_the_tree(fault: faults.Fault) -> None:
    patch = ROOT / faults.FOLDER / f"{fault.id}.patch"
    done = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_leaves_no_trace_of_this_run_in_its_own(
    fault: faults.Fault, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOE_RUN_DIR", "/elsewhere")
    monkeypatch.setenv("TRACEPARENT", "00-x")
    environ = faults._environment(ROOT, tmp_path, fault)
    assert "FLOE_RUN_DIR" not in environ
    assert "TRACEPARENT" not in environ
    assert ("FLOE_ADVISORIES" in environ) is (fault.advisory is not None)
