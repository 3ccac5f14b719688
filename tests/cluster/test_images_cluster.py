"""Every image that is made here, taken in by a real containerd, and its programs run by runc on a read-only root."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
import zstandard
from floe_ops import orphans, project
from floe_ops.images import build
from floe_ops.images.archive import read_archive
from floe_ops.images.recipes import RECIPES
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = """version = 2
root = "{home}/root"
state = "{home}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{home}/socket"
"""
# Name, words, and what is said; the program is found and started as the image's user, without a way to write.
PROGRAMS = {
    "floe": ("python -m floe_ops.job --help", "bootstrap"),
    "postgresql": ("postgres --version", "PostgreSQL"),
    "minio": ("minio --version", "minio version"),
    "seaweedfs": ("weed version", "version"),
    "otelcol": ("/otelcol --version", "otelcol version"),
    "jaeger": ("/jaeger version", "git"),
    "polaris-standin": ("polaris-standin --help", "stand-in"),
    "busybox": ("sh -c true", ""),
    "coredns": ("/coredns -version", "CoreDNS"),
    "local-path-provisioner": ("/local-path-provisioner --version", "version"),
}
FACTS = """
import os, pathlib
assert os.getuid() == {user}, os.getuid()
pathlib.Path("/tmp/written").write_text("yes")
try:
    pathlib.Path("/app/written").write_text("no")
except OSError as error:
    print("read-only" if error.errno == 30 else error)
import floe_user_code
print(sorted(job.name for job in floe_user_code.defs.get_repository_def().get_all_jobs()))
"""


@pytest.fixture(scope="module")
def built() -> dict[str, build.BuiltImage]:
    return build.ensure(RECIPES)


@pytest.fixture(scope="module")
def ctr() -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`ctr` against a containerd of this module alone."""
    with tempfile.TemporaryDirectory(prefix="floe-images-") as home:
        config = Path(home, "config.toml")
        config.write_text(CONFIG.format(home=home), encoding="utf-8")

        def call(*words: str) -> subprocess.CompletedProcess[str]:
            command = ["ctr", "--address", f"{home}/socket", *words]
            return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)

        with (
            Path(home, "log").open("wb") as log,
            subprocess.Popen(
                ["containerd", "--config", str(config)],
                stdout=log,
                stderr=log,
                preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - one system call, prepared before the fork
            ) as daemon,
        ):
            waiting = Retrying(
                retry=retry_if_result(lambda done: done.returncode != 0),
                wait=wait_exponential(multiplier=0.05, max=0.5),
                stop=stop_after_delay(30),
            )
            try:
                waiting(call, "version")
                yield call
            finally:
                daemon.terminate()
                daemon.wait(30)


@pytest.fixture(scope="module")
def taken_in(
    built: dict[str, build.BuiltImage], ctr: Callable[..., subprocess.CompletedProcess[str]]
) -> dict[str, build.BuiltImage]:
    """The images, imported."""
    for image in built.values():
        done = ctr("images", "import", str(image.archive))
        assert done.returncode == 0, done.stderr
    return built


def run(ctr: Callable[..., subprocess.CompletedProcess[str]], image: build.BuiltImage, *words: str) -> str:
    scratch = "--mount=type=tmpfs,src=tmpfs,dst=/tmp,options=rw:mode=1777"
    done = ctr("run", "--rm", "--read-only", scratch, image.reference, f"test-{image.name}", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_every_image_is_named_and_whole_for_containerd(
    taken_in: dict[str, build.BuiltImage], ctr: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    lines = ctr("images", "ls").stdout.splitlines()[1:]
    seen = {line.split()[0]: line.split()[2] for line in lines}
    assert seen == {image.reference: image.digest for image in taken_in.values()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_its_program_runs_on_a_read_only_root(
    taken_in: dict[str, build.BuiltImage], ctr: Callable[..., subprocess.CompletedProcess[str]], name: str
) -> None:
    words, says = PROGRAMS[name]
    assert says in run(ctr, taken_in[name], *words.split())


@pytest.mark.timeout(300)
def test_user_code_loads_as_an_ordinary_user_without_a_way_to_write(
    taken_in: dict[str, build.BuiltImage], ctr: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    said = run(ctr, taken_in["floe"], "python", "-c", FACTS.format(user=1000))
    assert "read-only" in said
    assert "customer_360_build" in said


@pytest.mark.timeout(600)
def test_no_layer_names_the_machine_that_made_it(built: dict[str, build.BuiltImage]) -> None:
    here, looked_at, naming = os.fsencode(f"{project.root()}/"), set(), []
    for image in built.values():
        with tarfile.open(image.archive) as archive:
            for digest, _ in read_archive(image.archive).layers:
                if digest not in looked_at:
                    blob = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
                    naming += [f"{image.name}: {path}" for path, content in files(blob) if here in content]
                    looked_at.add(digest)
    assert naming == []
    assert len(looked_at) > len(built)


def files(blob: IO[bytes] | None) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in a layer."""
    assert blob is not None
    with (
        zstandard.ZstdDecompressor().stream_reader(blob) as plain,
        tarfile.open(fileobj=plain, mode="r|") as layer,
    ):
        for member in layer:
            if member.isfile() and (content := layer.extractfile(member)):
                yield member.name, content.read()
