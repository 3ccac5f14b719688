from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_ops.audits import credentials

if TYPE_CHECKING:
    from pathlib import Path

VALUE = "hunter2" * 2
MARK = "# no" + "sec"


LITERALS = [
    "password = {v}  # no" + "qa: S105",
    "password = {v}",
    "client_secret: str = {v}",
    "login(token={v})",
    "def login(password={v}): ...",
    "settings = {{'client_secret': {v}}}",
    "settings['s3_secret_key'] = {v}",
    "self.api_key = {v}",
    "connect(secret_access_key={v})",
    "settings = {{'private_key': {v}}}",
    "AWS_SECRET_ACCESS_KEY = {v}",
]
HARMLESS = [
    "password = os.environ['PASSWORD']",
    "client_secret: str",
    "login(token=secrets.token_hex())",
    "sort_key: str = 'name'",
    "sorted(x, key='name')",
    f"password: str = 'example'  {MARK} B105 - the name of a field",
    "TOKEN_PATH = '/oauth/tokens'  # no" + "qa: S105 - a path",
    "answer = {'token_type': 'Bearer', 'token_seconds': 3600, 'access_token': ''}",
]


def plant(root: Path, name: str, *lines: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def test_a_literal_in_python_is_found_whichever_way_it_is_written_and_never_repeated(tmp_path: Path) -> None:
    plant(tmp_path, "tests/test_x.py", *HARMLESS, *(line.format(v=repr(VALUE)) for line in LITERALS))
    issues = credentials.scan(tmp_path)
    first = len(HARMLESS) + 1
    assert sorted({issue.line for issue in issues}) == list(range(first, first + len(LITERALS)))
    assert not any(VALUE in str(issue) for issue in issues)


@pytest.mark.parametrize("name", ["charts/values.yaml", ".github/workflows/x.yml", "docs/how.md", "x.toml"])
def test_a_password_in_a_url_is_found_in_any_file(tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, "", "value: postgres://floe:" + VALUE + "@db.example/x")
    assert [(issue.path, issue.line) for issue in credentials.urls(tmp_path)] == [(name, 2)]


@pytest.mark.parametrize("text", ["http://127.0.0.1:8181/x@y", "https://{user}:{password}@host", "s3://bucket/a:b"])
def test_a_url_without_a_literal_password_is_left_alone(tmp_path: Path, text: str) -> None:
    plant(tmp_path, "docs/how.md", text)
    assert credentials.urls(tmp_path) == ()
