"""WU-2 against a real registry on loopback: one index of two platforms, and everything that must be refused."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from floe_core.errors import WrongStateError
from floe_ops import project, toolchain
from floe_ops.audits.collected import outside_of_a_run
from floe_ops.clients.registry import Reference, RegistryClient, RegistryUnreachableError
from floe_ops.images.join import (
    PLATFORMS,
    IndexMismatchError,
    MissingPlatformError,
    Rules,
    TagRefusedError,
    TagTakenError,
    WrongArchitectureError,
    checked_target,
    inspect,
    join,
    run_crane,
    verify,
)
from floe_ops.images.layout import write_layout
from floe_ops.images.local_registry import serving
from floe_ops.images.proof import push_platform_image
from floe_ops.images.versions import UnlabelledImageError, VersionMismatchError
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.requirement("WU2-AC1")


@pytest.fixture(scope="module")
def crane() -> Path:
    return toolchain.ensure("crane")


@pytest.fixture(scope="module")
def registry(crane: Path) -> Iterator[str]:
    with serving(crane) as address:
        yield address


@pytest.fixture(scope="module")
def images(crane: Path, registry: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder = tmp_path_factory.mktemp("layouts")
    return {platform: push_platform_image(crane, registry, platform, folder) for platform in PLATFORMS}


def is_open(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def test_two_platform_images_become_one_index_with_both_digests(
    crane: Path, registry: str, images: dict[str, Reference]
) -> None:
    to = f"{registry}/floe/joined:1.0.0"
    joined = join(images, to, crane=crane, deep=True)

    # Looked at again from outside, by the registry's own HTTP API.
    with RegistryClient(registry) as client:
        index = client.document("floe/joined", "1.0.0")
        entries = {
            f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"]
            for entry in index.body["manifests"]
        }
        says = {
            platform: client.json_blob("floe/joined", client.document("floe/joined", digest).body["config"]["digest"])[
                "architecture"
            ]
            for platform, digest in entries.items()
        }
    assert index.is_index
    assert index.digest == joined.digest
    assert entries == {platform: reference.digest for platform, reference in images.items()}
    assert says == {"linux/amd64": "amd64", "linux/arm64": "arm64"}

    assert {image.platform: image.version for image in joined.images} == dict.fromkeys(PLATFORMS, "1.0.0")
    assert joined.pushed


def test_a_second_run_pushes_nothing_and_says_so(crane: Path, registry: str, images: dict[str, Reference]) -> None:
    to = f"{registry}/floe/twice:1.0.0"
    first = join(images, to, crane=crane)
    no_tool = crane.with_name("absent")  # would fail as soon as it were run
    assert join(images, to, crane=no_tool) == replace(first, pushed=False)


def test_an_index_that_lost_a_piece_is_made_whole_by_the_next_run(
    crane: Path, registry: str, images: dict[str, Reference]
) -> None:
    to = f"{registry}/floe/cut-off:1.0.0"
    first = join(images, to, crane=crane)
    lost = requests.delete(f"http://{registry}/v2/floe/cut-off/manifests/{first.images[0].digest}", timeout=5)
    assert lost.status_code == requests.codes.accepted
    assert join(images, to, crane=crane, deep=True) == first


def test_a_tag_that_names_another_image_stays_unless_it_is_told_to_move(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path
) -> None:
    to = f"{registry}/floe/taken:1.0.0"
    first = join(images, to, crane=crane)
    newer = {
        platform: push_platform_image(crane, registry, platform, tmp_path, version="1.0.1") for platform in PLATFORMS
    }
    with pytest.raises(TagTakenError, match="another image already"):
        join(newer, to, crane=crane)
    assert RegistryClient(registry).document("floe/taken", "1.0.0").digest == first.digest
    moved = join(newer, to, crane=crane, rules=Rules(replace=True))
    assert moved.pushed
    assert RegistryClient(registry).document("floe/taken", "1.0.0").digest == moved.digest != first.digest


def test_images_of_two_versions_are_refused_before_anything_is_pushed(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path
) -> None:
    floated = push_platform_image(crane, registry, "linux/arm64", tmp_path, version="1.0.1")
    with pytest.raises(VersionMismatchError) as caught:
        join({**images, "linux/arm64": floated}, f"{registry}/floe/mixed:1.0.0", crane=crane)
    assert caught.value.why == "linux/amd64 is 1.0.0, linux/arm64 is 1.0.1"
    with RegistryClient(registry) as client, pytest.raises(WrongStateError):
        client.document("floe/mixed", "1.0.0")


def test_a_tag_that_floats_on_to_another_version_is_noticed(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path
) -> None:
    floating = Reference(registry, "floe/cube-store-arm64", tag="floating")
    run_crane(crane, "tag", str(images["linux/arm64"]), "floating")
    sources = {**images, "linux/arm64": floating}
    to = f"{registry}/floe/floated:1.0.0"
    assert join(sources, to, crane=crane).images[1].digest == images["linux/arm64"].digest  # resolved, and recorded
    run_crane(
        crane, "tag", str(push_platform_image(crane, registry, "linux/arm64", tmp_path, version="1.0.1")), "floating"
    )
    with pytest.raises(VersionMismatchError):
        join(sources, to, crane=crane)


def test_both_must_be_of_the_version_asked_for(crane: Path, registry: str, images: dict[str, Reference]) -> None:
    with pytest.raises(VersionMismatchError, match=r"not all of version 1\.0\.1"):
        join(images, f"{registry}/floe/asked:1.0.1", crane=crane, rules=Rules(version="1.0.1"))
    assert join(images, f"{registry}/floe/asked:1.0.0", crane=crane, rules=Rules(version="1.0.0")).pushed


def test_an_image_without_a_version_is_refused_unless_it_is_allowed(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path
) -> None:
    silent = push_platform_image(crane, registry, "linux/arm64", tmp_path, version="")
    sources, to = {**images, "linux/arm64": silent}, f"{registry}/floe/silent:1.0.0"
    with pytest.raises(UnlabelledImageError, match="linux/arm64"):
        join(sources, to, crane=crane)
    assert join(sources, to, crane=crane, rules=Rules(allow_unlabelled=True)).images[1].version == ""


@pytest.mark.parametrize("json_wanted", [False, True])
def test_the_task_joins_prints_and_ends_with_its_code(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path, *, json_wanted: bool
) -> None:
    del crane
    to = f"{registry}/floe/by-task-{json_wanted}:1.0.0".lower()
    words = [f"--amd64={images['linux/amd64']}", f"--arm64={images['linux/arm64']}", f"--target={to}"]
    environment = {**os.environ, "FLOE_RUN_DIR": str(tmp_path), "FLOE_SESSION": "cube_multiarch"}

    def run(*more: str, version: str = "1.0.0") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "invoke", "cube.multiarch", *words, f"--version={version}", *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    first, again = run(*(["--json"] * json_wanted)), run()
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "was there already, nothing pushed" in again.stdout
    digest = RegistryClient(registry).document(to.removeprefix(f"{registry}/").partition(":")[0], "1.0.0").digest
    assert (json.loads(first.stdout)["digest"] if json_wanted else first.stdout).find(digest) >= 0
    facts = [json.loads(line) for line in (tmp_path / "cube_multiarch.evidence.jsonl").read_text("utf-8").splitlines()]
    assert [fact["status"] for fact in facts] == ["passed", "passed"]
    assert all(digest in fact["evidence"] for fact in facts)
    refused = run(version="2.0.0")
    assert (refused.returncode, "not all of version 2.0.0" in refused.stderr) == (4, True), refused.stderr


def test_each_platform_can_be_pulled_from_the_index_alone(
    crane: Path, registry: str, images: dict[str, Reference]
) -> None:
    to = f"{registry}/floe/pulled:1.0.0"
    join(images, to, crane=crane)
    for platform in PLATFORMS:
        assert run_crane(crane, "digest", "--platform", platform, to) == images[platform].digest


def test_an_image_of_another_architecture_is_refused_before_anything_is_pushed(
    crane: Path, registry: str, images: dict[str, Reference]
) -> None:
    swapped = {"linux/amd64": images["linux/arm64"], "linux/arm64": images["linux/arm64"]}
    with pytest.raises(WrongArchitectureError, match="linux/amd64") as caught:
        join(swapped, f"{registry}/floe/swapped:1.0.0", crane=crane)
    assert "linux/arm64" in caught.value.why
    with RegistryClient(registry) as client, pytest.raises(WrongStateError):
        client.document("floe/swapped", "1.0.0")


def test_a_platform_without_an_image_is_refused(crane: Path, registry: str, images: dict[str, Reference]) -> None:
    with pytest.raises(MissingPlatformError, match="linux/arm64"):
        join({"linux/amd64": images["linux/amd64"]}, f"{registry}/floe/half:1.0.0", crane=crane)


def test_an_index_that_lacks_the_platform_is_refused_as_a_source(
    crane: Path, registry: str, images: dict[str, Reference]
) -> None:
    only = f"{registry}/floe/only-amd64:1.0.0"
    run_crane(crane, "index", "append", "--manifest", str(images["linux/amd64"]), "--tag", only)
    assert inspect(Reference.parse(only), "linux/amd64").digest == images["linux/amd64"].digest
    with pytest.raises(MissingPlatformError, match="has no linux/arm64") as caught:
        inspect(Reference.parse(only), "linux/arm64")
    assert "linux/amd64" in caught.value.why


@pytest.mark.requirement("WU2-BC3")
@pytest.mark.parametrize("to", ["registry.example/floe/cube-store:latest", "registry.example/floe/cube-store"])
def test_a_tag_that_floats_is_refused(to: str, crane: Path, images: dict[str, Reference]) -> None:
    with pytest.raises(TagRefusedError):
        join(images, to, crane=crane)


def test_an_index_that_was_replaced_meanwhile_is_noticed(
    crane: Path, registry: str, images: dict[str, Reference], tmp_path: Path
) -> None:
    to = f"{registry}/floe/replaced:1.0.0"
    joined = join(images, to, crane=crane)
    write_layout(tmp_path / "other", "linux/arm64", {"etc/other": b"x"})
    run_crane(crane, "push", str(tmp_path / "other"), f"{registry}/floe/other:1")
    run_crane(
        crane, "index", "append", "--manifest", str(images["linux/amd64"]), "--manifest", f"{registry}/floe/other:1",
        "--tag", to,
    )  # fmt: skip
    with pytest.raises(IndexMismatchError):
        verify(checked_target(to), joined.images)


def test_a_plain_image_is_no_index(registry: str, images: dict[str, Reference]) -> None:
    amd64 = images["linux/amd64"]
    with pytest.raises(IndexMismatchError, match="not an image index"):
        verify(Reference(registry, amd64.name, tag="1.0.0"), ())


def test_a_dead_registry_is_named(crane: Path, images: dict[str, Reference]) -> None:
    with serving(crane) as gone:
        pass
    dead = {platform: Reference(gone, "floe/x", tag="1") for platform in images}
    with pytest.raises(RegistryUnreachableError) as caught:
        join(dead, f"{gone}/floe/y:1", crane=crane)
    assert gone in caught.value.what
    assert caught.value.why == "connection refused"


def test_the_local_registry_ends_with_its_block_and_with_a_killed_parent(crane: Path) -> None:
    seen: list[str] = []

    def interrupted() -> None:
        with serving(crane) as address:
            assert is_open(address)
            seen.append(address)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not is_open(seen[0])
    if not sys.platform.startswith("linux"):
        return  # elsewhere no kernel ends the child of a process that was killed with -9
    script = (
        "import sys; from pathlib import Path; from floe_ops.images.local_registry import serving\n"
        f"with serving(Path({str(crane)!r})) as address: print(address, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        orphaned = parent.stdout.readline().strip()
        assert is_open(orphaned)
        os.kill(parent.pid, signal.SIGKILL)
    gone = Retrying(
        retry=retry_if_result(bool), wait=wait_exponential(multiplier=0.05, max=0.5), stop=stop_after_delay(5)
    )
    assert not gone(is_open, orphaned)


def nightly(registry: str, scratch: Path, version: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the image job's own script as the runner would; its end, and all jobs of the workflow."""
    workflow = yaml.safe_load((project.root() / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["cube-store-image"]
    (script,) = (step["run"] for step in job["steps"] if "cube.multiarch" in step.get("run", ""))
    source = f"{registry}/upstream/cubestore"
    given = {"VERSION": version, "SOURCE": source, "REGISTRY": registry, "OWNER": "Some-Owner"}
    assert set(given) == {*job["env"], "OWNER"}  # what the runner would give it
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],  # as the runner's `shell: bash` does
        cwd=project.root(),
        env={**outside_of_a_run(os.environ), **given, "RUNNER_TEMP": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, workflow["jobs"]


def test_the_nightly_workflow_publishes_the_index_by_the_same_task(crane: Path, registry: str, tmp_path: Path) -> None:
    version, source = "v1.7.43", f"{registry}/upstream/cubestore"
    for platform, postfix in (("linux/amd64", ""), ("linux/arm64", "-arm64v8")):
        image = push_platform_image(crane, registry, platform, tmp_path, version=version)
        run_crane(crane, "copy", str(image), f"{source}:{version}{postfix}")
    done, _ = nightly(registry, tmp_path, version)
    assert done.returncode == 0, done.stderr
    recorded = json.loads((tmp_path / "cube-store-index.json").read_text(encoding="utf-8"))
    assert recorded["digest"] == RegistryClient(registry).document("some-owner/cube-store", version).digest
    assert [image["version"] for image in recorded["images"]] == [version, version]


@pytest.mark.requirement("WU2-BC1")
def test_a_night_without_an_image_fails_that_job_alone_and_publishes_nothing(registry: str, tmp_path: Path) -> None:
    done, jobs = nightly(registry, tmp_path, "v9.9.9")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    with RegistryClient(registry) as client, pytest.raises(WrongStateError):
        client.document("some-owner/cube-store", "v9.9.9")
    assert [name for name, job in jobs.items() if "needs" in job] == []  # nobody waits for it
