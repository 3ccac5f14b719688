"""The CycloneDX document: the same bytes for the same content, valid, and free of credentials.

Contract: CycloneDX 1.5 (ECMA-424), JSON. The serial number is made of the content, so that two runs give one document;
the time is that of `SOURCE_DATE_EPOCH`, and left out without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SPEC: Final = "1.5"
Component = dict[str, Any]


def component(kind: str, name: str, version: str, **qualifiers: str) -> Component:
    """A library by its package URL; `kind` is its type there: `pypi`, `deb` or `golang`."""
    from packageurl import PackageURL

    namespace, _, base = name.rpartition("/")
    if kind == "deb":
        namespace = "debian"
    purl = PackageURL(kind, namespace or None, base, version, qualifiers or None).to_string()
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def finished(subject: Component, components: Iterable[Component], dependencies: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole document about `subject`, sorted, with its serial number."""
    parts = {str(part["bom-ref"]): without_logins(part) for part in components}
    metadata: dict[str, Any] = {"component": subject}
    if os.environ.get("SOURCE_DATE_EPOCH"):
        moment = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
        metadata["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": metadata,
        "components": [parts[ref] for ref in sorted(parts)],
        "dependencies": sorted(dependencies, key=lambda one: str(one["ref"])),
    }
    digest = hashlib.sha256(_bytes(content)).hexdigest()
    return {**content, "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}"}


def without_logins(part: Component) -> Component:
    """The component, with no name and password in the addresses that it was fetched from."""
    places = [{**place, "url": _public(str(place["url"]))} for place in part.get("externalReferences", ())]
    return {**part, "externalReferences": places} if places else part


def write(path: Path, document: dict[str, Any]) -> None:
    """Hold the document to the schema of CycloneDX, then write it, whole or not at all.

    Raises:
        WrongStateError: It is not valid; names the first place.
    """
    content = _bytes(document)
    wrong = objection(content.decode())
    if wrong:
        raise WrongStateError("the bill of materials is not valid", where=path.name, why=wrong, remedy="report it")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_bytes(content)
    half.replace(path)


def objection(text: str) -> str:
    """What the schema of CycloneDX has against a document; empty when nothing."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    return "" if wrong is None else str(wrong.data)[:500]


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _public(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
