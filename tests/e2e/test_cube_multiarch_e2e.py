"""WU-2 against a real registry on loopback: one index of two platforms, and everything that must be refused."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.clients.registry import Reference, RegistryClient, RegistryUnreachableError
from floe_ops.images.join import (
    PLATFORMS,
    IndexMismatchError,
    MissingPlatformError,
    TagRefusedError,
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

    assert join(images, to, crane=crane) == joined  # again: the same bytes, the same digest


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
        verify(Reference(registry, amd64.name, tag="proof"), ())


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
