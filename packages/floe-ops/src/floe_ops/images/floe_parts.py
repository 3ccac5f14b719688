"""The layers of the floe image, and of the stand-in that shares most of them: from what changes seldom to often.

1. Debian's Python, 2. the locked packages, 3. the products, parsed, 4. this project's packages. A changed source file
makes only the last one new.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

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
CONTENT = Path(__file__).parent / "content"
PRODUCTS, PARSED = "app/products", "app/parsed"
USER_CODE = CONTENT / "floe_user_code.py"
PARSER = CONTENT / "parse_products.py"


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
    sources = [path for member in members for path in (member / "src", member / "pyproject.toml")]
    inputs = (python_parts.content_key([*sources, *modules]),)

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
    inputs = (python_parts.content_key([*folders, manifest, PARSER]),)

    def fill(place: Place) -> Iterator[Entry]:
        source = place.scratch / "products"
        for folder in folders:
            shutil.copytree(folder, source / folder.name, ignore=lambda _path, names: python_parts.UNKEPT & set(names))
        shutil.copy(manifest, source / manifest.name)
        parsed = place.scratch / "parsed"
        parsed.mkdir()
        program = source / PARSER.name
        shutil.copy(PARSER, program)
        rooted.run(
            place.root,
            ["python3", f"/{PRODUCTS}/{program.name}", f"/{PRODUCTS}", f"/{PARSED}"],
            places={PRODUCTS: source, PARSED: parsed},
            environment={"HOME": "/tmp", "LANG": "C.UTF-8", "TZ": "UTC"},  # noqa: S108 # nosec B108 - the image's own
        )
        program.unlink()
        yield from layers.tree(source, PRODUCTS)
        yield from layers.tree(parsed, PARSED)

    return Part("products", inputs, fill, needs=(base, libraries))
