"""Images of values files resolved to digests by their registries; only the lines of digests are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from floe_core.errors import FloeError, WrongStateError

from floe_ops.clients.registry import Reference, RegistryClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_WRITTEN = re.compile(r"""(digest:\s*)("[^"]*"|'[^']*'|[^\s#]*)""")
MADE_HERE = "localhost"  # the host of images that are built on this machine; no registry has them


@dataclass(frozen=True)
class Image:
    """An image that a values file names with repository and tag.

    Attributes:
        file: The values file.
        path: Of the image's mapping, with dots.
        repository: Registry and name.
        tag: Its tag.
        digest: As it is written; empty when there is none.
        digest_line: The line of `digest:`, from 1; 0 when there is none.
        tag_line: The line of `tag:`.
    """

    file: Path
    path: str
    repository: str
    tag: str
    digest: str
    digest_line: int
    tag_line: int


@dataclass(frozen=True)
class Pin:
    """What was found out about an image: its digest, or why it has none."""

    image: Image
    digest: str
    why_not: str

    @property
    def changed(self) -> bool:
        """Whether the values file says another digest, or none."""
        return bool(self.digest) and self.digest != self.image.digest


def images(file: Path) -> tuple[Image, ...]:
    """The images of one values file.

    Raises:
        WrongStateError: One has no explicit tag, or `latest`: nobody could tell what its digest stands for.
    """
    root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    found = tuple(_images(file, root, "")) if isinstance(root, yaml.MappingNode) else ()
    floating = [f"{image.path} ({image.tag or 'no tag'})" for image in found if image.tag in {"", "latest"}]
    if floating:
        raise WrongStateError(
            "an image has no explicit tag",
            where=str(file),
            why=", ".join(floating),
            remedy="write the version's own tag; a digest of `latest` would say nothing of what it is",
        )
    return found


def resolve(files: Sequence[Path], ask: Callable[[str, str], str] | None = None) -> tuple[Pin, ...]:
    """Ask the registry of each image for its digest.

    Args:
        files: The values files.
        ask: Takes repository and tag and returns the digest; the registry itself by default.

    Raises:
        WrongStateError: As `images`.
    """
    every = [image for file in files for image in images(file)]
    known: dict[tuple[str, str], tuple[str, str]] = {}
    pins = []
    for image in every:
        key = (image.repository, image.tag)
        if key not in known:
            known[key] = _asked(*key, ask or digest_of)
        pins.append(Pin(image, *known[key]))
    return tuple(pins)


def write(pins: Sequence[Pin]) -> None:
    """Write the digests that changed into their files; every other byte stays."""
    for file in {pin.image.file for pin in pins if pin.changed}:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        mine = [pin for pin in pins if pin.image.file == file and pin.changed]
        for pin in sorted(mine, key=lambda pin: pin.image.tag_line, reverse=True):
            _write(lines, pin)
        file.write_text("".join(lines), encoding="utf-8")


def digest_of(repository: str, tag: str) -> str:
    """The digest that the registry has for an image, of its index where it has one; raises as the client."""
    reference = Reference.parse(f"{repository}:{tag}")
    with RegistryClient(reference.host) as registry:
        return registry.document(reference.name, reference.tag).digest


def _asked(repository: str, tag: str, ask: Callable[[str, str], str]) -> tuple[str, str]:
    if repository.partition("/")[0] == MADE_HERE:
        return "", "it is built on this machine"
    try:
        return ask(repository, tag), ""
    except FloeError as error:
        return "", f"{error.what}: {error.why}".rstrip(": ")


def _images(file: Path, node: yaml.MappingNode, above: str) -> Iterator[Image]:
    inner = {str(key.value): (key, value) for key, value in node.value}
    if {"repository", "tag"} <= set(inner) and not node.flow_style:
        digest = inner.get("digest")
        yield Image(
            file=file,
            path=above,
            repository=str(inner["repository"][1].value),
            tag=str(inner["tag"][1].value),
            digest=str(digest[1].value) if digest else "",
            digest_line=digest[0].start_mark.line + 1 if digest else 0,
            tag_line=inner["tag"][0].start_mark.line + 1,
        )
    for name, (_, value) in inner.items():
        if isinstance(value, yaml.MappingNode):
            yield from _images(file, value, f"{above}.{name}" if above else name)


def _write(lines: list[str], pin: Pin) -> None:
    if pin.image.digest_line:
        index = pin.image.digest_line - 1
        lines[index] = re.sub(
            r'(digest:\s*)("[^"]*"|\'[^\']*\'|[^\s#]*)', rf'\g<1>"{pin.digest}"', lines[index], count=1
        )
    else:
        line = lines[pin.image.tag_line - 1]
        indent = line[: len(line) - len(line.lstrip())]
        lines.insert(pin.image.tag_line, f'{indent}digest: "{pin.digest}"\n')
