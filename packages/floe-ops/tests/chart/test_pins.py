"""Digests of a values file, asked of a real registry on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.chart import pins
from floe_ops.images.local_registry import serving

# The first start of all builds crane from its modules, which takes half a minute.
pytestmark = pytest.mark.timeout(1200)

OLD = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def registry() -> Iterator[tuple[str, str]]:
    """An address, and the digest of `small/image:1.0` there."""
    crane = toolchain.ensure("crane")
    with serving(crane) as host:
        subprocess.run(
            [crane, "append", "--new_tag", f"{host}/small/image:1.0", "--new_layer", "/dev/null"], check=True
        )
        told = subprocess.run([crane, "digest", f"{host}/small/image:1.0"], check=True, capture_output=True, text=True)
        yield host, told.stdout.strip()


@pytest.fixture
def file(tmp_path: Path, registry: tuple[str, str]) -> Path:
    path = tmp_path / "values.yaml"
    path.write_text(
        f"""\
# -- The one.
one:
  image:
    repository: {registry[0]}/small/image   # ours
    tag: "1.0"
    # -- Pinned.
    digest: ""   # beside
two:
  image: # without
    repository: {registry[0]}/small/image
    tag: "1.0"
    pullPolicy: Always
five:
  image:
    digest: "{OLD}"
    repository: {registry[0]}/small/image
    tag: "1.0"
three:
  image: {{repository: localhost/floe, tag: 0.1.0}}
four:
  repository: {registry[0]}/small/none
  tag: "1.0"
  digest: "{OLD}"
""",
        encoding="utf-8",
    )
    return path


def test_digests_are_resolved_and_only_their_lines_are_written(file: Path, registry: tuple[str, str]) -> None:
    before = file.read_text(encoding="utf-8")
    found = pins.resolve([file])
    digest = registry[1]
    assert [(pin.image.path, pin.digest, pin.changed) for pin in found] == [
        ("one.image", digest, True),
        ("two.image", digest, True),
        ("five.image", digest, True),
        ("four", "", False),
    ]
    assert "no such image" in found[3].why_not
    assert file.read_text(encoding="utf-8") == before
    pins.write(found)
    wanted = before.replace('digest: ""   # beside', f'digest: "{digest}"   # beside', 1)
    wanted = wanted.replace('tag: "1.0"\n    pull', f'tag: "1.0"\n    digest: "{digest}"\n    pull', 1)
    wanted = wanted.replace(f'image:\n    digest: "{OLD}"', f'image:\n    digest: "{digest}"', 1)
    assert file.read_text(encoding="utf-8") == wanted
    again = pins.resolve([file])
    assert not any(pin.changed for pin in again)


def test_a_registry_that_does_not_answer_leaves_the_file_as_it_is(file: Path) -> None:
    file.write_text(f'image:\n  repository: 127.0.0.1:1/x\n  tag: "1"\n  digest: "{OLD}"\n', encoding="utf-8")
    found = pins.resolve([file])
    assert "does not answer" in found[0].why_not
    before = file.read_text(encoding="utf-8")
    pins.write(found)
    assert file.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("tag", ["latest", '""'])
def test_a_floating_tag_is_refused(file: Path, tag: str) -> None:
    file.write_text(f"a:\n  image:\n    repository: quay.io/x/y\n    tag: {tag}\n", encoding="utf-8")
    with pytest.raises(WrongStateError, match="no explicit tag") as caught:
        pins.resolve([file])
    assert "a.image" in caught.value.why


def test_what_is_built_here_is_asked_of_nobody(file: Path) -> None:
    file.write_text("a:\n  repository: localhost/floe\n  tag: 0.1.0\n", encoding="utf-8")

    def ask(repository: str, tag: str) -> str:
        raise AssertionError((repository, tag))

    assert pins.resolve([file], ask)[0].why_not == "it is built on this machine"
