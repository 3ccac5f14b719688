"""YAML from outside never makes objects: a tag that would run a command is refused wherever YAML is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from floe_core.errors import FloeError
from floe_core.spec.load import load_manifest, load_product
from floe_ops.chart import manifests, schema
from floe_ops.products import truths
from floe_ops.release.heal import _data_in
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.providers.context import ContextProvider

Read = Callable[[Path, str], object]
COMMANDS = (
    "!!python/object/apply:os.system ['touch {made}']",
    "!!python/object/apply:subprocess.check_call [[touch, {made}]]",
    "!!python/object/new:os.system ['touch {made}']",
    "!!python/name:os.system",
)


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def planted_truths(folder: Path, text: str) -> object:
    file(folder, truths.FILE, text)
    return truths.load(folder)


def kubeconfig(folder: Path, text: str) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(file(folder, "config", f"current-context: {text}")))
        patch.delenv("FLOE_KUBE_CONTEXT", raising=False)
        why = ContextProvider(Layout(folder), print).why_not()
    if "no current context" in why:
        raise FloeError(why)
    return why


def values(folder: Path, text: str) -> object:
    file(folder, "values.schema.json", "{}")
    file(folder, "values.yaml", f"a: {text}")
    return schema.check(folder)


def rendered(_folder: Path, text: str) -> object:
    return manifests.problems_of(f"a: {text}", manifests.Schemas("1.34"))


def of_a_release(_folder: Path, text: str) -> object:
    return _data_in(f"a: {text}")


READERS: dict[str, Read] = {
    "floe.yaml": lambda folder, text: load_product(file(folder, "floe.yaml", f"name: {text}")),
    "manifest": lambda folder, text: load_manifest(file(folder, "manifest.yaml", f"name: {text}")),
    "truths": planted_truths,
    "kubeconfig": kubeconfig,
    "values": values,
    "rendered": rendered,
    "release": of_a_release,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("reader", READERS)
def test_a_tag_that_would_run_a_command_is_refused(reader: str, command: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises((FloeError, yaml.YAMLError)):
        READERS[reader](tmp_path, command.format(made=made))
    assert not made.exists()
