"""Settings and secrets as a dbt profile writes them: dbt knows variables only, so every reference becomes one.

`{env: NAME}` is the variable NAME. The place of a file or a name in the secrets store is spelled in the variable's
own name, so that whoever holds nothing but the profile can find the value: `{file: /run/key}` is
`FLOE_FILE__2Frun_2Fkey`. Letters and digits stay, every other byte is `_` and its two hexadecimal digits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from floe_core.spec.secrets import SecretRef

if TYPE_CHECKING:
    from floe_core.spec.secrets import Setting

_PREFIXES: Final = {"file": "FLOE_FILE_", "secret": "FLOE_SECRET_"}  # nosec B105 - a name, no secret
_ESCAPE: Final = re.compile(r"_([0-9A-F]{2})")
_SPELLED: Final = re.compile(r"([A-Za-z0-9]|_[0-9A-F]{2})+")


def written(setting: Setting) -> str:
    """`setting` as text of a dbt profile: itself, or dbt's reference to a variable."""
    if not isinstance(setting, SecretRef):
        return setting
    return f"{{{{ env_var('{variable(setting)}') }}}}"


def variable(reference: SecretRef) -> str:
    """The variable that dbt reads for `reference`."""
    (form, value), *_ = reference.model_dump().items()
    return value if form == "env" else _PREFIXES[form] + _spelled(value)


def reference(name: str) -> SecretRef | None:
    """The file or secret that the variable `name` stands for; None for a variable like any other."""
    for form, prefix in _PREFIXES.items():
        spelled = name.removeprefix(prefix)
        if spelled != name and _SPELLED.fullmatch(spelled):
            return _read(form, spelled)
    return None


def _spelled(value: str) -> str:
    plain = (chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"_{byte:02X}" for byte in value.encode())  # noqa: PLR2004 - ASCII
    return "".join(plain)


def _read(form: str, spelled: str) -> SecretRef | None:
    raw = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), spelled)
    try:
        return SecretRef.model_validate({form: raw.encode("latin-1").decode()})
    except ValueError:  # some other program's variable
        return None
