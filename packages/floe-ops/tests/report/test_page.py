from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from floe_ops import plan
from floe_ops.report import page, terminal

EVIL = "<script>alert('x')</script>"


@pytest.fixture
def verdict() -> dict[str, Any]:
    criterion = {"id": "WU1-AC1", "title": EVIL, "tasks": ["T1"], "status": "failed", "evidence": EVIL}
    units = [
        {
            "id": session.unit,
            "session": session.name,
            "phase": session.phase,
            "requires": list(session.requires),
            "status": "failed",
            "started_s": 0.0,
            "wall_s": 1.5,
            "reason": EVIL,
            "criteria": [criterion],
        }
        for session in plan.load().sessions.values()
    ]
    return {
        "headline": f"FAILED {EVIL}",
        "run": "r",
        "trace_id": "ab" * 16,
        "commit": EVIL,
        "target": "local",
        "catalog": "stand-in",
        "started_at": "2026-11-23T12:00:00+00:00",
        "wall_s": 12.0,
        "critical_path_s": 3.0,
        "units": units,
        "totals": {"passed": 1, "failed": 1, "not_run": 0},
        "advisories": {"source": EVIL, "date": "2024-10-10"},
    }


def _row(name: str) -> dict[str, Any]:
    return {"depth": 1, "name": name, "start_ms": 1.0, "duration_ms": 2.0, "status": "error"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_data_cannot_become_markup(verdict: dict[str, Any]) -> None:
    trace = {"trace_id": EVIL, "rows": [_row(EVIL)], "total_ms": 10.0, "left_out": 0, "ui": ""}

    text = page.render(verdict, trace)

    seen = _Tags()
    seen.feed(text)
    assert "script" not in seen.tags
    assert not {name for name in seen.attributes if name.startswith("on") or name == "style"}
    assert "alert(" in text  # it is shown, as text


def test_the_policy_allows_the_own_style_sheet_and_nothing_else(verdict: dict[str, Any]) -> None:
    text = page.render(verdict, None)

    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert f"style-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;")
    assert "http" not in re.sub(r"sha256-\S+", "", text.split("<body>")[1])  # nothing is fetched


def test_a_page_is_written_whole(verdict: dict[str, Any], tmp_path: Path) -> None:
    path = page.write(tmp_path / "report", verdict, None)

    assert [entry.name for entry in path.parent.iterdir()] == ["index.html"]
    assert path.read_text().rstrip().endswith("</html>")


def test_the_terminal_shows_units_failures_and_headline(
    verdict: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from floe_ops import console

    console.out.cache_clear()
    monkeypatch.setattr(console, "LOG_WIDTH", 200)
    terminal.show(verdict, page="index.html")
    console.out.cache_clear()

    said = capsys.readouterr().out
    assert all(name in said for name in plan.load().sessions)
    assert f"WU1-AC1 failed: {EVIL}" in said
    assert said.index("FAILED") < said.index("report: index.html")
