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
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    commands = gates.commands(tmp_path)
    assert [call.words[1:] for call in commands["shellcheck"]] == [
        ("charts/x/hook.sh", "noxw", "testing/ci/wait.sh"),
    ]
    assert [call.words[1:] for call in commands["mypy"]] == [
        ("packages/a/src", "noxfile.py"),
        ("packages/a/tests",),
        ("tests",),
    ]
    assert set(commands) == {"ruff", "format", "mypy", "shellcheck", "zizmor"}


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
