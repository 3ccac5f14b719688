"""The modules that the Go tools are built from, against the advisories of the ecosystem Go.

A tool's go.mod names every module that its packages come from, with `replace` applied; modules are what advisories are
about. Whether the code concerned is ever called is not looked at (govulncheck does that, over sources): a finding that
does not hurt is borne in `advisories.toml`, with `ecosystem = "Go"`. The standard library counts as the module
`stdlib`, at the version of the Go that built the tool here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from floe_core.errors import NotReadyError, WrongStateError

from floe_ops import toolchain
from floe_ops.audits import osv_snapshot
from floe_ops.audits.accepted import Locked
from floe_ops.audits.ecosystems import GO
from floe_ops.audits.findings import Finding
from floe_ops.toolchain import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from floe_ops.audits.sources import Source

FOLDER = "toolchain/go"
BATCH = 500
ASK_S = 20.0
BLOCK = re.compile(r"^(require|replace)\s*\((.*?)^\)", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(require|replace)\s+([^(\s].*)$", re.MULTILINE)
REQUIRED = re.compile(r"(\S+)\s+(v\S+)")
REPLACED = re.compile(r"(\S+)(?:\s+(v\S+))?\s+=>\s+(\S+)(?:\s+(v\S+))?")
NOT_LOOKED = "Go modules were not looked at: no Go advisories in the snapshot (Go/all.zip beside PyPI/all.zip)"


@dataclass(frozen=True)
class Modules:
    """What was held against Go's advisories: the modules, what was found, and both in words."""

    locked: tuple[Locked, ...]
    findings: tuple[Finding, ...]
    sentence: str


def audit(project: Path, source: Source) -> Modules:
    """Ask the source about every module of every Go tool.

    Raises:
        NotReadyError: The source does not answer any more.
        WrongStateError: A go.mod cannot be read, or the source answers in another shape.
    """
    tools = sorted(path.parent for path in (project / FOLDER).glob("*/go.mod"))
    if not tools:
        return Modules((), (), "")
    if source.go_as_of is None:
        return Modules((), (), NOT_LOOKED)
    used: dict[tuple[str, str], list[str]] = {}
    for tool in tools:
        for module in (*build_list((tool / "go.mod").read_text(encoding="utf-8"), tool), *_stdlib(tool.name)):
            used.setdefault(module, []).append(tool.name)
    ids = _ask(source, sorted(used))
    records = {one: _record(source, one) for one in sorted({one for named in ids.values() for one in named})}
    findings = tuple(
        _finding(module, records[one], used[module])
        for module, named in ids.items()
        for one in _distinct(named, records)
    )
    locked = tuple(Locked(GO.name, path, version) for path, version in sorted(used))
    found = f"{len(findings)} findings" if findings else "nothing found"
    return Modules(locked, findings, f"{len(used)} modules of {len(tools)} Go tools of {source.go_as_of}: {found}")


def build_list(text: str, where: Path) -> list[tuple[str, str]]:
    """The modules of a go.mod, path and version without its `v`, with `replace` applied; local ones are left out.

    Raises:
        WrongStateError: A line was not understood.
    """
    lines: dict[str, list[str]] = {"require": [], "replace": []}
    plain = re.sub(r"//.*", "", text)
    for kind, block in BLOCK.findall(plain):
        lines[kind] += [line.strip() for line in block.splitlines() if line.strip()]
    for kind, line in LINE.findall(plain):
        lines[kind].append(line.strip())
    required = [match for line in lines["require"] if (match := REQUIRED.fullmatch(line))]
    replaced = [match for line in lines["replace"] if (match := REPLACED.fullmatch(line))]
    if len(required) + len(replaced) != len(lines["require"]) + len(lines["replace"]):
        raise WrongStateError("a go.mod cannot be read", where=str(where / "go.mod"), remedy="run: go mod tidy")
    instead = {(match[1], match[2]): (match[3], match[4]) for match in replaced}
    modules = []
    for match in required:
        path, version = instead.get((match[1], match[2]), instead.get((match[1], None), (match[1], match[2])))
        if version:
            modules.append((path, version.removeprefix("v").removesuffix("+incompatible")))
    return sorted(modules)


def _stdlib(tool: str) -> Iterator[tuple[str, str]]:
    if tool not in toolchain.TOOLS:
        return
    try:
        stamp = json.loads((toolchain.expected(tool).parent / store.STAMP).read_text(encoding="utf-8"))
        yield "stdlib", str(stamp["go"])
    except (OSError, ValueError, KeyError):  # not built here, so nothing of it runs here
        return


def _ask(source: Source, modules: list[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    waiting = [(module, "") for module in modules]
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        queries = [
            {"package": {"name": path, "ecosystem": GO.name}, "version": version}
            | ({"page_token": page} if page else {})
            for (path, version), page in batch
        ]
        answer = _json("post", f"{source.base}/v1/querybatch", {"queries": queries})
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(batch):
            raise _shape(source, "the batch has another number of answers than of queries")
        for (module, _), result in zip(batch, results, strict=True):
            found.setdefault(module, []).extend(vuln["id"] for vuln in result.get("vulns") or ())
            if result.get("next_page_token"):
                waiting.append((module, result["next_page_token"]))
    return {module: named for module, named in found.items() if named}


def _record(source: Source, name: str) -> dict[str, Any]:
    record = _json("get", f"{source.base}/v1/vulns/{name}")
    if record.get("id") != name or not isinstance(record.get("affected", []), list):
        raise _shape(source, f"{name} is no record")
    return record


def _distinct(names: list[str], records: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Of records that are aliases of each other the one that Go's own database keeps, else the first."""
    told: set[str] = set()
    for name in sorted(names, key=lambda one: (not one.startswith("GO-"), one)):
        aliases = {name, *records[name].get("aliases", ())}
        if not records[name].get("withdrawn") and not aliases & told:
            yield name
        told |= aliases


def _finding(module: tuple[str, str], record: dict[str, Any], used: list[str]) -> Finding:
    path, version = module
    here, fixes = GO.parse(version), set()
    for entry in osv_snapshot.about(record, path, GO):
        for event in (event for item in entry.get("ranges") or () for event in item["events"]):
            fixed = GO.parse(event.get("fixed", ""))
            if fixed is not None and (here is None or fixed > here):
                fixes.add(event["fixed"])
    ordered = tuple(sorted(fixes, key=GO.parse))[:1]
    return Finding(path, version, record["id"], tuple(sorted(record.get("aliases", ()))), ordered, GO.name, tuple(used))


def _json(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        response = requests.request(method, url, json=body, timeout=ASK_S)
        response.raise_for_status()
        answer = response.json()
    except (requests.RequestException, ValueError) as error:
        raise NotReadyError("the advisory service does not answer any more", where=url, why=str(error)) from error
    if not isinstance(answer, dict):
        raise WrongStateError("the advisory service answers in another shape", where=url, why="no object")
    return answer


def _shape(source: Source, why: str) -> WrongStateError:
    return WrongStateError("the advisory service answers in another shape", where=source.base, why=why)
