"""The layers of the floe image, and of the stand-in that shares most of them: from what changes seldom to often.

1. Debian's Python, 2. the locked packages, 3. the products, parsed, 4. this project's packages. A changed source file
makes only the last one new.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_ops import project
from floe_ops.images import layers, parts, python_parts, rooted
from floe_ops.images.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from floe_ops.images.layers import Entry
    from floe_ops.images.parts import Place

RUNTIME = ("--no-dev",)
STANDIN = ("--package", "floe-polaris-standin", "--extra", "postgresql", "--no-dev")
SCRIPTS = ("dagster", "dagster-daemon", "dagster-webserver", "dbt", "floe", "invoke", "polaris-standin")
PRODUCTS, PARSED = "app/products", "app/parsed"
USER_CODE = Path(__file__).parent / "content" / "floe_user_code.py"
NOT_OF_A_PRODUCT = frozenset({"target", "logs", "dbt_packages", "__pycache__", ".floe"})
NEVER = "1970-01-01T00:00:00Z"


def all_parts() -> tuple[Part, ...]:
    """The floe image, the lowest layer first."""
    base = parts.python_base()
    libraries = third_party(base)
    return (base, libraries, _products(base, libraries), _own("floe", RUNTIME, base, (USER_CODE,)))


def standin_parts() -> tuple[Part, ...]:
    """The stand-in for Polaris on the floe image's lower layers, so that a node stores those once."""
    base = parts.python_base()
    runtime, wanted = python_parts.locked(*RUNTIME), python_parts.locked(*STANDIN)
    more = tuple(block for name, block in sorted(wanted.items()) if name not in runtime)
    rest = _libraries("polaris-standin-libraries", more, base)
    return (base, third_party(base), rest, _own("polaris-standin", STANDIN, base))


def third_party(base: Part) -> Part:
    """All locked packages that the platform runs with: none for development, none of ours."""
    return _libraries("libraries", tuple(python_parts.locked(*RUNTIME).values()), base)


def _libraries(name: str, requirements: tuple[str, ...], base: Part) -> Part:
    def fill(place: Place) -> Iterator[Entry]:
        site = place.scratch / "site"
        python_parts.install(requirements, site)
        yield from python_parts.finish(site, place.root, SCRIPTS)

    return Part(name, (*requirements, *SCRIPTS, *python_parts.UNREAD), fill, needs=(base,))


def _own(name: str, words: Sequence[str], base: Part, modules: tuple[Path, ...] = ()) -> Part:
    members = python_parts.own(*words)
    sources = python_parts.content_key(members)
    inputs = (sources, *(module.read_text(encoding="utf-8") for module in modules))

    def fill(place: Place) -> Iterator[Entry]:
        site = place.scratch / "site"
        python_parts.install_own(members, site, place.scratch / "wheels")
        for module in modules:
            shutil.copy(module, site / module.name)
        yield from python_parts.finish(site, place.root, SCRIPTS)

    return Part(name, inputs, fill, needs=(base,))


def _products(base: Part, libraries: Part) -> Part:
    folders = tuple(path.parent for path in sorted((project.root() / "demo").glob("*/floe.yaml")))
    manifest = project.root() / "demo" / "manifest.yaml"
    inputs = (python_parts.content_key(folders), manifest.read_text(encoding="utf-8"))

    def fill(place: Place) -> Iterator[Entry]:
        source = place.scratch / "products"
        for folder in folders:
            shutil.copytree(folder, source / folder.name, ignore=lambda _path, names: NOT_OF_A_PRODUCT & set(names))
        shutil.copy(manifest, source / manifest.name)
        yield from layers.tree(source, PRODUCTS)
        parsed = place.scratch / "parsed"
        parsed.mkdir()
        for folder in folders:
            yield _parse(folder.name, place.root, {PRODUCTS: source, PARSED: parsed})

    return Part("products", inputs, fill, needs=(base, libraries))


def _parse(product: str, root: Path, places: dict[str, Path]) -> Entry:
    """Dbt's manifest of a product, made in the image's own files, without the times of its making."""
    target = f"{PARSED}/{product}/target"
    rooted.run(
        root,
        ["dbt", "--quiet", "parse", f"--project-dir=/{PRODUCTS}/{product}", f"--profiles-dir=/{PRODUCTS}/{product}",
         f"--target-path=/{target}", f"--log-path=/{PARSED}/{product}", "--no-partial-parse"],
        places=places,
        environment={"DO_NOT_TRACK": "1", "HOME": "/tmp", "LANG": "C.UTF-8", "FLOE_DUCKDB_PATH": "/tmp/p.duckdb"},  # noqa: S108 - the image's
    )  # fmt: skip
    manifest: dict[str, Any] = json.loads((places[PARSED] / product / "target" / "manifest.json").read_bytes())
    return layers.file(f"{target}/manifest.json", json.dumps(_timeless(manifest), separators=(",", ":")))


def _timeless(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without what differs between two parses of the same sources."""
    said = {"generated_at": NEVER, "invocation_id": None, "invocation_started_at": None, "user_id": None}
    manifest["metadata"] |= {name: value for name, value in said.items() if name in manifest["metadata"]}

    def still(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: 0.0 if name == "created_at" else still(part) for name, part in value.items()}
        return [still(part) for part in value] if isinstance(value, list) else value

    timeless: dict[str, Any] = still(manifest)
    return timeless
