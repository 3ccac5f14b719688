"""`.gitleaks.toml`: what looks like a credential and is none, each entry with its reason.

The file is gitleaks' own, so that `gitleaks git` by hand says what the gate says. The gate itself gives gitleaks none
of the entries and applies them here, because only so it is known which of them still covers anything: one that
covers nothing would hide the next finding.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Literal

from floe_core.errors import WrongStateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from floe_ops.audits.leaks.detector import Leak

FILE = ".gitleaks.toml"
SHORTEST_REASON = 15


class Allowed(BaseModel):
    """One entry: a reason, and both the files and the values that it is for.

    Attributes:
        description: The reason.
        condition: AND: a value is allowed in these files, a file is never left out.
        paths: Expressions for the file, seen from the project's root.
        regexes: Expressions for the value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(min_length=SHORTEST_REASON)
    condition: Literal["AND"]
    paths: tuple[str, ...] = Field(min_length=1)
    regexes: tuple[str, ...] = Field(min_length=1)

    def covers(self, leak: Leak) -> bool:
        """Whether a finding is one of those that this entry is for."""
        return any(re.search(one, leak.path) for one in self.paths) and any(
            re.search(one, leak.secret) for one in self.regexes
        )

    def __str__(self) -> str:
        return f"{self.description!r} ({', '.join(self.paths)})"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    extend: dict[Literal["useDefault"], Literal[True]]
    allowlists: tuple[Allowed, ...] = ()


def load(project: Path) -> tuple[Allowed, ...]:
    """The entries; a project without the file allows nothing.

    Raises:
        WrongStateError: The file is no TOML, an entry has no reason, or it is broader than a value in a file.
    """
    path = project / FILE
    try:
        entries = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).allowlists
        for entry in entries:
            for one in (*entry.paths, *entry.regexes):
                re.compile(one)
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise _wrong(path, "; ".join(faults)) from error
    except (OSError, tomllib.TOMLDecodeError, re.error) as error:
        raise _wrong(path, str(error)) from error
    return entries


def apply(entries: Sequence[Allowed], leaks: Iterable[Leak]) -> tuple[tuple[Leak, ...], tuple[Allowed, ...]]:
    """The findings that no entry covers, and the entries that cover no finding."""
    open_, used = [], set()
    for leak in leaks:
        covering = [number for number, entry in enumerate(entries) if entry.covers(leak)]
        used.update(covering)
        if not covering:
            open_.append(leak)
    return tuple(open_), tuple(entry for number, entry in enumerate(entries) if number not in used)


def _wrong(path: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "the list of values that look like credentials is not valid",
        where=str(path),
        why=why,
        remedy=(
            "an entry of [[allowlists]] has description (the reason), condition = 'AND', paths and regexes (for the "
            "value), and nothing else; `extend.useDefault` is true and no rule is switched off"
        ),
    )
