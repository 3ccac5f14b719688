"""The workflows run the commands of the README, with no more rights than they need."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from floe_ops import gates, project
from floe_ops.tasks import namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = project.root()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CUBE_VALUES = ROOT / "charts" / "floe-platform" / "charts" / "cube" / "values.yaml"
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def workflow(name: str) -> dict[str, Any]:
    return load(ROOT / ".github" / "workflows" / name)


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in load(path)["jobs"].values():
        yield from job["steps"]


def steps_of(job: str) -> list[dict[str, Any]]:
    return list(workflow("release.yml")["jobs"][job]["steps"])


def test_ci_runs_the_commands_of_the_readme() -> None:
    jobs = workflow("ci.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {
        "lint": ["./noxw -s lint docs"],
        "tests": ["./noxw -s tests"],
        "final": ["./noxw -s final"],
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_least_and_no_published_workflow_takes_old_advisories(path: Path) -> None:
    loaded = load(path)
    assert loaded["permissions"] == {}
    assert loaded["concurrency"]["group"]
    for job in loaded["jobs"].values():
        assert "write-all" not in str(job["permissions"])
        assert job["timeout-minutes"] <= 60
    text = path.read_text(encoding="utf-8")
    assert "allow-stale-advisories" not in text
    assert "FLOE_ALLOW_STALE" not in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_with_its_version(path: Path) -> None:
    uses = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_checkout_leaves_its_token_and_no_script_is_put_together(path: Path) -> None:
    checkouts = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_task_that_a_workflow_calls_exists(path: Path) -> None:
    scripts = " ".join(step.get("run", "") for step in steps(path)).replace("\\\n", " ")
    called = [word for line in scripts.splitlines() for word in re.findall(r"(?<=\s)[a-z]+\.[a-z-]+(?=\s|$)", line)]
    assert [name for name in called if name not in namespace().task_names] == []


def test_an_image_that_cannot_be_made_harms_no_other_job_of_the_night() -> None:
    jobs = workflow("nightly.yml")["jobs"]
    assert set(jobs) == {"cube-store-image", "suite"}
    assert [name for name, job in jobs.items() if "needs" in job] == []
    assert jobs["suite"]["strategy"]["fail-fast"] is False
    assert jobs["suite"]["strategy"]["matrix"]["session"] == ["tests", "final"]


@pytest.mark.requirement("WU2-AC1")
def test_only_jobs_that_publish_may_write_anything() -> None:
    rights = {name: job["permissions"] for path in WORKFLOWS for name, job in load(path)["jobs"].items()}
    assert rights.pop("cube-store-image") == {"contents": "read", "packages": "write"}
    published = {name: rights.pop(name) for name in list(rights) if name.startswith("publish-")}
    assert set(published) == {"publish-packages", "publish-chart", "publish-image"}
    assert all(given == {"contents": "read"} for given in rights.values())


def test_a_release_is_of_a_tag_proved_first_and_published_by_identity_from_protected_environments() -> None:
    release = workflow("release.yml")
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert 'on:\n  push:\n    tags: ["v*"]\n\n' in text  # YAML 1.1 reads the key as true
    assert release["concurrency"]["cancel-in-progress"] is False
    for name, job in release["jobs"].items():
        identifies = job["permissions"].get("id-token") == "write"
        assert identifies == name.startswith("publish-"), name
        if identifies:
            assert job["environment"]["name"] in {"pypi", "registry"}
            assert {"prove", "build"} <= set(job["needs"])
            assert any("attest-build-provenance@" in step.get("uses", "") for step in job["steps"])
    assert "secrets." not in text  # no token is kept anywhere
    (publish,) = [step for step in steps_of("publish-packages") if "gh-action-pypi-publish@" in step["uses"]]
    assert publish["with"] == {"attestations": True}


def test_what_is_published_was_built_once_by_a_job_without_rights() -> None:
    built = workflow("release.yml")["jobs"]["build"]
    handed = {step["with"]["name"] for step in built["steps"] if "upload-artifact@" in step.get("uses", "")}
    taken = {
        step["with"]["name"]
        for name in ("publish-packages", "publish-chart")
        for step in steps_of(name)
        if "download-artifact@" in step.get("uses", "")
    }
    assert taken == {"packages", "chart"} < handed
    assert "SOURCE_DATE_EPOCH" in str(built["steps"])
    assert [step for step in steps_of("publish-packages") if "run" in step] == []


def test_the_image_is_pushed_by_digest_with_provenance_and_its_tag_is_given_last() -> None:
    image = steps_of("publish-image")
    (build,) = [step for step in image if "build-push-action@" in step.get("uses", "")]
    assert "push-by-digest=true" in build["with"]["outputs"]
    assert (build["with"]["provenance"], build["with"]["sbom"]) == ("mode=max", True)
    assert "tags" not in build["with"]
    assert "imagetools create --tag" in image[-1]["run"]
    (attest,) = [step for step in image if "attest-build-provenance@" in step.get("uses", "")]
    assert attest["with"]["subject-digest"] == "${{ steps.build.outputs.digest }}"


def test_one_tag_can_stand_for_everything_that_a_release_publishes() -> None:
    members = [path for tree in ("packages", "plugins") for path in (ROOT / tree).glob("*/pyproject.toml")]
    versions = {path: tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"] for path in members}
    versions[ROOT] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    chart = yaml.safe_load((ROOT / "charts" / "floe-platform" / "Chart.yaml").read_text(encoding="utf-8"))
    assert set(versions.values()) == {chart["version"]}


def test_packages_are_built_without_a_network_and_twice_alike(tmp_path: Path) -> None:
    """The backend comes with uv, which the lock pins by hash; times come from the commit."""
    built = [_built(tmp_path / str(turn)) for turn in range(2)]
    assert built[0] == built[1]
    assert {name.rpartition(".")[2] for name in built[0]} == {"whl", "gz"}


def _built(folder: Path) -> dict[str, str]:
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run(
        [uv, "build", "--offline", "--quiet", "--out-dir", str(folder), "plugins/floe-secrets-env"],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        timeout=60,
        check=True,
    )
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("floe_*")}


def test_an_action_is_pinned_alike_everywhere() -> None:
    used = {
        line.split("uses: ")[1]
        for path in WORKFLOWS
        for line in path.read_text("utf-8").splitlines()
        if "uses: " in line
    }
    assert len({use.partition("@")[0] for use in used}) == len(used)


@pytest.mark.requirement("WU2-BC3")
def test_the_index_is_of_the_version_that_the_chart_runs() -> None:
    environment = workflow("nightly.yml")["jobs"]["cube-store-image"]["env"]
    image = yaml.safe_load(CUBE_VALUES.read_text(encoding="utf-8"))["cubeStore"]["image"]
    assert (environment["SOURCE"], environment["VERSION"]) == (image["repository"], image["tag"])
    assert environment["VERSION"] != "latest"


def test_the_chart_is_installed_by_two_majors_of_helm_on_three_minors_of_kubernetes() -> None:
    install = workflow("helm.yml")["jobs"]["install"]
    matrix = install["strategy"]["matrix"]
    assert {version.partition(".")[0] for version in matrix["helm"]} == {"v3", "v4"}
    assert len({tuple(entry["version"].split(".")[:2]) for entry in matrix["kubernetes"]}) == 3
    for entry in matrix["kubernetes"]:
        assert re.fullmatch(rf"kindest/node:{re.escape(entry['version'])}@sha256:[0-9a-f]{{64}}", entry["image"])
    assert [step["run"] for step in install["steps"] if "run" in step] == [
        "./noxw -s helm_bootstrap -- --target cluster",
        ".venv/bin/pytest -q tests/cluster/test_network_policies.py",
    ]


def test_actionlint_finds_nothing_and_no_rule_is_disabled() -> None:
    assert not list((ROOT / ".github").glob("actionlint.y*ml"))
    assert gates.said_by(ROOT, gates.commands(ROOT)["actionlint"]) == ""


def test_zizmor_finds_nothing_and_no_rule_is_disabled() -> None:
    assert not list(ROOT.glob("zizmor.y*ml"))
    assert not list((ROOT / ".github").glob("zizmor.y*ml"))
    assert all("zizmor: ignore" not in path.read_text(encoding="utf-8") for path in WORKFLOWS)
    zizmor = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [str(zizmor), "--offline", ".github"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
