from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops import gates

if TYPE_CHECKING:
    from pathlib import Path


def test_every_shell_script_and_workflow_is_looked_at(tmp_path: Path) -> None:
    for name in (
        "noxw",
        "noxfile.py",
        "testing/ci/wait.sh",
        "charts/x/hook.sh",
        ".github/workflows/ci.yml",
        "packages/a/src/a.py",
        "packages/a/tests/test_a.py",
        "tests/e2e/test_a.py",
        "plugins/b/tests/data.txt",
        "demo/one/generate_seeds.py",
        "demo/two/generate_seeds.py",
        "demo/manifest.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    commands = gates.commands(tmp_path)
    assert [call.words[1:] for call in commands["shellcheck"]] == [
        ("charts/x/hook.sh", "noxw", "testing/ci/wait.sh"),
    ]
    assert [call.words[1:] for call in commands["mypy"]] == [
        ("packages/a/src", "noxfile.py"),
        ("demo/one",),
        ("demo/two",),
        ("packages/a/tests",),
        ("tests",),
    ]
    (actionlint,) = commands["actionlint"]
    assert (actionlint.built, actionlint.words[-1]) == (True, ".github/workflows/ci.yml")
    assert set(commands) == {"ruff", "format", "mypy", "shellcheck", "zizmor", "actionlint"}


def test_a_tree_without_workflows_needs_no_program_that_is_built(tmp_path: Path) -> None:
    assert not any(call.built for calls in gates.commands(tmp_path).values() for call in calls)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("- run: echo ${{ github.event.pull_request.title }}", "potentially untrusted"),
        ("- run: echo $HOME/*.txt $UNQUOTED", "SC2086"),
        ("- run: echo ${{ steps.nobody.outputs.x }}", "is not defined"),
        ("- uses: actions/checkout@v4\n        wiht: {}", "unexpected key"),
        ("- run: echo hello", ""),
    ],
)
def test_actionlint_finds_what_is_planted_in_a_workflow(tmp_path: Path, planted: str, found: str) -> None:
    workflow = tmp_path / ".github" / "workflows" / "bad.yml"
    workflow.parent.mkdir(parents=True)
    job = f"jobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      {planted}\n"
    workflow.write_text(f"on: pull_request\n{job}", encoding="utf-8")
    said = gates.said_by(tmp_path, gates.commands(tmp_path)["actionlint"])
    assert bool(said) == bool(found)
    assert found in said


def test_a_gate_that_finds_something_is_named_and_the_others_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "ruff": [gates.Command(("ruff", "check", "--isolated", "a.py"))],
        "format": [gates.Command(("ruff", "format", "--isolated", "--check", "a.py"))],
    }
    monkeypatch.setattr(gates, "commands", lambda _root: bad)
    monkeypatch.setattr("floe_ops.audits.lock.check", lambda _root: None)
    (tmp_path / "a.py").write_text("import os\n", encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        gates.run(tmp_path)
    assert caught.value.what == "static gates failed: ruff"
    said = capsys.readouterr().out
    assert "F401" in said
    assert "✓ format" in said
