from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.errors import MissingToolError
from floe_ops.targets.local import catalog


def _java(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    java = folder / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    return folder


@pytest.mark.parametrize("inside", ["", "server", "quarkus-app", "server/quarkus-app"])
def test_a_home_is_started_with_its_ports_on_loopback(tmp_path: Path, inside: str) -> None:
    jar = tmp_path / "polaris" / inside / "quarkus-run.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    home = _java(tmp_path / "jdk", "21.0.2")
    server = catalog.server({"FLOE_POLARIS_HOME": str(tmp_path / "polaris"), "JAVA_HOME": str(home)})
    command = server.command(8181, 8182, tmp_path)
    assert server.kind == "polaris-home"
    assert command[0] == str(home / "bin" / "java")
    assert command[-2:] == ["-jar", str(jar)]
    assert {"-Dquarkus.http.host=127.0.0.1", "-Dquarkus.management.port=8182"} < set(command)


def test_an_old_java_is_named_with_its_version(tmp_path: Path) -> None:
    home = _java(tmp_path / "jdk", "17.0.15")
    with pytest.raises(MissingToolError, match="needs Java 21") as caught:
        catalog.java({"JAVA_HOME": str(home)})
    assert caught.value.why == "it is 17"


def test_no_java_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="there is none"):
        catalog.java({"PATH": str(tmp_path)})


def test_a_home_without_a_server_is_said(tmp_path: Path) -> None:
    home = _java(tmp_path / "jdk", "23")
    with pytest.raises(MissingToolError, match="holds no Apache Polaris") as caught:
        catalog.server({"FLOE_POLARIS_HOME": str(tmp_path), "JAVA_HOME": str(home)})
    assert caught.value.where == str(tmp_path)


def test_the_stand_in_serves_without_a_home(tmp_path: Path) -> None:
    server = catalog.server({})
    command = server.command(1, 2, tmp_path)
    assert server.kind == "stand-in"
    assert command[-8:] == ["--host", "127.0.0.1", "--port", "1", "--management-port", "2", "--state", str(tmp_path)]
