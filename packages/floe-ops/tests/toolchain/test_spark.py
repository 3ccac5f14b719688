"""The environment for Spark: made by uv as the lock says, once for each lock, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from floe_core.errors import MissingToolError
from floe_ops.toolchain import jars, java, spark

# Says what `export` is asked for; on `sync` makes an environment with a Python and an Ivy, and notes its call.
UV = """#!/bin/sh
case "$1" in
  export) cat "{root}/uv.lock" ;;
  sync)
    echo "$@" >> "{root}/log"
    {before}
    mkdir -p "$UV_PROJECT_ENVIRONMENT/bin" "$UV_PROJECT_ENVIRONMENT/lib/python3.11/site-packages/pyspark/jars"
    {ivy} "$UV_PROJECT_ENVIRONMENT/lib/python3.11/site-packages/pyspark/jars/ivy-2.5.3.jar"
    printf '#!/bin/sh\\n' > "$UV_PROJECT_ENVIRONMENT/bin/python"
    chmod 755 "$UV_PROJECT_ENVIRONMENT/bin/python" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "uv.lock").write_text("pyspark==4.0.5\n")
    monkeypatch.setattr("floe_ops.project.root", lambda: tmp_path)
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "no-environment"))
    monkeypatch.setattr(java, "find", lambda: java.Java(Path("/usr/bin/java"), 17))
    content = b"a jar"
    jar = jars.Jar("org.example", "thing", "1", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(jars, "ICEBERG", (jar,))
    jars.place(jar).parent.mkdir(parents=True)
    jars.place(jar).write_bytes(content)
    return tmp_path


def uv(checkout: Path, monkeypatch: pytest.MonkeyPatch, *, before: str = "", ivy: str = "touch") -> None:
    folder = checkout / "bin"
    folder.mkdir(exist_ok=True)
    (folder / "uv").write_text(UV.format(root=checkout, before=before, ivy=ivy))
    (folder / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def calls(checkout: Path) -> list[str]:
    return (checkout / "log").read_text().splitlines()


def made(checkout: Path) -> list[Path]:
    return sorted((checkout / "tools").glob("spark-*/"))


def test_it_is_made_once_from_the_lock(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv(checkout, monkeypatch)
    first = spark.ensure()
    assert first.python.is_file()
    assert [file.name for file in first.jars] == ["thing-1.jar"]
    assert spark.ensure() == first
    (call,) = calls(checkout)
    assert call.startswith("sync --locked --extra spark --no-dev")


def test_another_lock_is_another_environment_and_the_older_goes(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv(checkout, monkeypatch)
    first = spark.ensure()
    foreign = checkout / "tools" / "spark-of-another-checkout"
    foreign.mkdir()
    (checkout / "uv.lock").write_text("pyspark==4.0.6\n")
    second = spark.ensure()
    assert second.python != first.python
    assert not first.python.exists()
    assert foreign.exists()


def test_one_that_failed_leaves_nothing_and_says_why(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv(checkout, monkeypatch, before="echo 'no such index' >&2; exit 2")
    with pytest.raises(MissingToolError, match="cannot be made") as caught:
        spark.ensure()
    assert "no such index" in caught.value.why
    assert made(checkout) == []


def test_one_that_was_damaged_is_made_anew(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv(checkout, monkeypatch)
    spark.ensure().python.write_text("planted")
    assert spark.ensure().python.read_text() != "planted"
    assert len(calls(checkout)) == 2


def test_one_without_ivy_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv(checkout, monkeypatch, ivy="true")
    with pytest.raises(MissingToolError, match="Apache Ivy"):
        spark.ensure()
