"""What is wrong with a file, at which place, and what to write instead; all of it, not the first find."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import ExitCode, FloeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_VALUE = 60
SHOWN = 20

UNREADABLE = "FLOE-E001"
NOT_YAML = "FLOE-E002"
SCHEMA = "FLOE-E101"
LITERAL_SECRET = "FLOE-E102"  # noqa: S105 - the code of an error, no secret
BAD_CRON = "FLOE-E103"
BAD_TIMEZONE = "FLOE-E104"
DUPLICATE_NAME = "FLOE-E105"
ENVIRONMENT_FIELD = "FLOE-E106"
FOREIGN_FIELD = "FLOE-E107"
PARENT_MANIFEST = "FLOE-E108"
LOOSENED_RULE = "FLOE-E109"
PLUGIN_UNKNOWN = "FLOE-E201"
PLUGIN_CONFIG = "FLOE-E202"
PLUGIN_UNUSABLE = "FLOE-E203"
DEPENDS_ON_UNKNOWN = "FLOE-E204"
DEPENDS_ON_CYCLE = "FLOE-E205"
COMPUTE_UNAVAILABLE = "FLOE-E206"
PLUGIN_VERSION = "FLOE-E207"
PORT_UNKNOWN = "FLOE-E208"
REF_CONTRADICTS = "FLOE-E209"
MODEL_NOT_LISTED = "FLOE-E210"
MODEL_FILE_MISSING = "FLOE-E211"
DESTINATION_SOURCE = "FLOE-E212"
INGESTION_MISSING = "FLOE-E213"
SOURCE_CONFIG = "FLOE-E214"
PLUGIN_DEPENDENCY = "FLOE-E215"
PRODUCT_NOT_APPROVED = "FLOE-E216"
SECRET_STORE_MISSING = "FLOE-E217"  # noqa: S105 - the code of an error, no secret
LANE_UNSUPPORTED = "FLOE-E401"
PROFILE_SECRET = "FLOE-E402"  # noqa: S105 - the code of an error, no secret
RIGHTS_REFUSED = "FLOE-E501"
"""One code for each kind of problem: E0 reading, E1 the schema, E2 plugins and graph, E4 compiling, E5 the outputs.

E3 is for policies: each check in `floe_core.enforcement.CHECKS` has its own `code`, from FLOE-E301 on.
"""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: One of this module's codes.
        file: The file as the caller named it.
        line: From 1; 0 when the problem has no place in the file.
        column: From 1; 0 when the problem has no place in the file.
        field: Where in the document, for example `transforms[2].tier`; empty for the whole of it.
        value: What stands there, shortened; empty where it must not be shown.
        reason: Why it is wrong.
        nearest: The nearest valid name; empty when nothing is near.
        remedy: What to do.
    """

    code: str
    file: str
    line: int
    column: int
    field: str
    value: str
    reason: str
    nearest: str = ""
    remedy: str = ""

    @property
    def where(self) -> str:
        """`file:line:column`, as editors understand it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        subject = f"{self.field}: " if self.field else ""
        value = f" (it is {self.value})" if self.value else ""
        lines = [f"{self.where}  {self.code}  {subject}{self.reason}{value}"]
        if self.nearest:
            lines.append(f"    did you mean {self.nearest}?")
        if self.remedy:
            lines.append(f"    next: {self.remedy}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The problem as plain JSON values."""
        return asdict(self)


class SpecError(FloeError):
    """A product or a manifest is wrong; `problems` holds everything that was found, in the order of the files."""

    exit_code = ExitCode.WRONG

    def __init__(self, problems: Iterable[Problem], *, exit_code: ExitCode | None = None) -> None:
        found = tuple(sorted(set(problems), key=lambda one: (one.file, one.line, one.column, one.field, one.reason)))
        self.problems = found
        files = ", ".join(dict.fromkeys(one.file for one in found))
        noun = "problem" if len(found) == 1 else "problems"
        super().__init__(f"{len(found)} {noun} in {files}", exit_code=exit_code)
        self.where = found[0].where
        self.why = found[0].reason
        self.remedy = found[0].remedy

    def __str__(self) -> str:
        shown = [str(one) for one in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            shown.append(f"… and {len(self.problems) - SHOWN} more")
        return "\n".join([self.what, *shown])


def nearest(word: str, valid: Sequence[str], *, cutoff: float = 0.6) -> str:
    """The name in `valid` that `word` was probably meant to be; empty when none is nearer than `cutoff`."""
    folded = {name.lower().replace("_", "").replace("-", ""): name for name in valid}
    match = difflib.get_close_matches(word.lower().replace("_", "").replace("-", "")[:200], folded, 1, cutoff)
    return folded[match[0]] if match else ""


def shorten(value: Any) -> str:
    """`value` as one short line for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
