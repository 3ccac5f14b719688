"""Jars: fetched once by their coordinates, and refused when they are not what is pinned."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from floe_core.errors import MissingToolError, WrongStateError
from floe_ops.toolchain import jars
from floe_ops.toolchain.java import Java

BYTES = "what was published"
JAR = jars.Jar("org.example", "thing", "1.2.3", hashlib.sha256(BYTES.encode()).hexdigest())
# Writes BYTES to where Ivy would retrieve the jar to, and notes its call.
FAKE = """#!/bin/sh
echo "$@" >> "{log}"
while [ "$1" != -retrieve ]; do shift; done
printf '%s' "{bytes}" > "$(echo "$2" | sed 's/.artifact.-.revision.\\..ext./thing-1.2.3.jar/')"
{after}
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "tools"))
    monkeypatch.delenv(jars.SETTINGS_ENV, raising=False)
    return tmp_path


def java(tools: Path, published: str = BYTES, after: str = "") -> Java:
    program = tools / "java"
    program.write_text(FAKE.format(log=tools / "log", bytes=published, after=after))
    program.chmod(0o755)
    return Java(program, 17)


def calls(tools: Path) -> list[str]:
    log = tools / "log"
    return log.read_text().splitlines() if log.exists() else []


def test_a_jar_is_fetched_once_by_its_coordinates(tools: Path) -> None:
    (file,) = jars.ensure([JAR], java(tools), Path("ivy.jar"))
    assert file.read_text() == BYTES
    assert file.name == "thing-1.2.3.jar"
    assert jars.ensure([JAR], java(tools), Path("ivy.jar")) == (file,)
    (call,) = calls(tools)
    assert "-cp ivy.jar org.apache.ivy.Main" in call
    assert "-dependency org.example thing 1.2.3" in call
    assert "-notransitive" in call
    assert "://" not in call


def test_a_jar_that_is_not_what_is_pinned_is_refused_and_not_kept(tools: Path) -> None:
    with pytest.raises(WrongStateError, match=r"org\.example:thing:1\.2\.3 is not what is pinned") as caught:
        jars.ensure([JAR], java(tools, published="something else"), Path("ivy.jar"))
    assert JAR.sha256 in caught.value.why
    assert not jars.place(JAR).exists()
    assert not list((tools / "tools" / "jars").iterdir())


def test_a_jar_that_was_changed_on_disk_is_fetched_anew(tools: Path) -> None:
    (file,) = jars.ensure([JAR], java(tools), Path("ivy.jar"))
    file.write_text("planted")
    assert jars.ensure([JAR], java(tools), Path("ivy.jar"))[0].read_text() == BYTES
    assert len(calls(tools)) == 2


def test_a_copied_file_serves_without_a_network(tools: Path) -> None:
    jars.place(JAR).parent.mkdir(parents=True)
    jars.place(JAR).write_text(BYTES)
    assert jars.ensure([JAR], Java(tools / "no-java", 17), Path("ivy.jar")) == (jars.place(JAR),)
    assert calls(tools) == []


def test_a_failure_says_what_ivy_said_and_where_to_put_the_file(tools: Path) -> None:
    with pytest.raises(MissingToolError, match="cannot be fetched") as caught:
        jars.ensure([JAR], java(tools, after="echo UNRESOLVED DEPENDENCIES; exit 1"), Path("ivy.jar"))
    assert "UNRESOLVED" in caught.value.why
    assert str(jars.place(JAR)) in caught.value.remedy


def test_ivy_takes_settings_of_the_users_own(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jars.SETTINGS_ENV, "/etc/ivy.xml")
    jars.ensure([JAR], java(tools), Path("ivy.jar"))
    assert "-settings /etc/ivy.xml" in calls(tools)[0]


def test_what_is_pinned_is_of_one_version() -> None:
    assert len({jar.version for jar in jars.ICEBERG}) == 1
    assert all(len(jar.sha256) == 64 for jar in jars.ICEBERG)
