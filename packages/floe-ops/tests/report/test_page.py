from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from floe_ops import plan
from floe_ops.report import page, terminal

EVIL = "<script>alert('x')</script>"
BREAKERS = (
    EVIL,
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</style><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- ",
    "]]>",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
)


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
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_data_cannot_become_markup(verdict: dict[str, Any]) -> None:
    trace = {"trace_id": EVIL, "rows": [_row(EVIL)], "total_ms": 10.0, "left_out": 0, "ui": ""}

    text = page.render(verdict, trace)

    seen = _Tags()
    seen.feed(text)
    assert "script" not in seen.tags
    assert not {name for name in seen.attributes if name.startswith("on") or name == "style"}
    assert "alert(" in text  # it is shown, as text


@pytest.mark.parametrize("evil", BREAKERS)
def test_no_text_of_a_verdict_breaks_out_wherever_it_stands(verdict: dict[str, Any], evil: str) -> None:
    """Names of products, models and tests arrive as evidence, reasons and spans; here every text is one."""
    trace = {"trace_id": evil, "rows": [_row(evil)], "total_ms": 10.0, "left_out": 3, "ui": evil}
    said = _Tags()
    said.feed(page.render(_filled(verdict, "x"), {**trace, "trace_id": "x", "rows": [_row("x")], "ui": ""}))
    seen = _Tags()
    seen.feed(page.render(_filled(verdict, evil), trace))
    assert seen.tags == said.tags
    assert seen.attributes == said.attributes
    assert "49" not in seen.text.split("floe: ")[1][:40]
    assert seen.text.count(evil) > 20


def test_the_link_to_the_trace_is_a_web_address_or_none(verdict: dict[str, Any]) -> None:
    trace = {"trace_id": "t", "rows": [_row("r")], "total_ms": 10.0, "left_out": 0}
    assert 'href="http://127.0.0.1:1/trace/t"' in page.render(verdict, {**trace, "ui": "http://127.0.0.1:1/trace/t"})
    assert "href" not in page.render(verdict, {**trace, "ui": "javascript:alert(1)"})


def _filled(verdict: dict[str, Any], text: str) -> dict[str, Any]:
    """The verdict with `text` in the place of every text that is not a name of the plan or a status."""
    kept = {"id", "session", "requires", "status"}

    def fill(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: fill(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, key) for inner in value]
        return text if isinstance(value, str) and key not in kept else value

    filled: dict[str, Any] = fill(verdict, "")
    return filled


def test_the_policy_allows_the_own_style_sheet_and_nothing_else(verdict: dict[str, Any]) -> None:
    text = page.render(verdict, None)

    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert f"style-src &#39;sha256-{digest}&#39;" in policy[1]
    allowed = dict(part.strip().split(" ", 1) for part in html.unescape(policy[1]).split(";"))
    assert allowed.keys() == {"default-src", "style-src", "base-uri", "form-action"}  # no script, not even by hash
    assert {allowed[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    assert text.index("Content-Security-Policy") < text.index("<title>")  # it holds for what comes after it
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
