"""At a terminal a person is asked before the current context is taken."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from floe_core.errors import UsageError
from floe_ops.clients.helm import Place
from floe_ops.release.place import find

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(io.StringIO):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump({"current-context": "production"}), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    monkeypatch.delenv("FLOE_KUBE_CONTEXT", raising=False)
    return path


def answer(monkeypatch: pytest.MonkeyPatch, word: str) -> Terminal:
    """A person who says that word; what the person is shown."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(f"{word}\n"))
    monkeypatch.setattr(sys, "stdout", shown)
    return shown


def test_a_yes_is_consent_after_it_was_said_what_is_meant(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = answer(monkeypatch, "y")
    said: list[str] = []
    place = find("shop", "sales", lambda line: said.append(f"{line}, asked: {bool(shown.getvalue())}"))
    assert place == Place("sales", kubeconfig, "production")
    assert said == [f"shop in sales: context production of {kubeconfig}, asked: False"]
    assert "context production? [y/N]" in shown.getvalue()


def test_anything_else_is_none(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "")
    with pytest.raises(UsageError, match="not touched without being asked for") as refused:
        find("shop", "sales", lambda _line: None)
    assert refused.value.where == f"context production in {kubeconfig}"
    assert refused.value.remedy == "name it: --context production (FLOE_KUBE_CONTEXT)"
