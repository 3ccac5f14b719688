"""Secrets by reference: what is written down is where a secret lies, never the secret.

A reference is `{env: NAME}` or `{file: PATH}`. It is resolved as late as possible, in the process that needs
the value; artifacts, spans and errors carry the reference only.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from floe_core.errors import ExitCode, FloeError

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_SECRET_BYTES = 64 * 1024


class SecretUnavailableError(FloeError):
    """A reference points to a variable or file that is not there; names the reference, never a value."""

    exit_code = ExitCode.MISSING


class SecretRef(BaseModel):
    """Where a secret lies: exactly one of an environment variable and a file.

    Attributes:
        env: Name of an environment variable.
        file: Path of a file that holds the value; a trailing line break is dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    env: Annotated[str, Field(max_length=256, pattern=rf"^{ENV_NAME.pattern}$")] | None = None
    file: Annotated[str, Field(min_length=1, max_length=4096)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if isinstance(value, cls | dict):
            return value
        # The value itself stays out of the message: it may be the secret.
        raise ValueError("a secret is given by reference, as {env: NAME} or {file: PATH}, never by its value")

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret reference has exactly one of env and file")
        return self

    def __str__(self) -> str:
        return f"env:{self.env}" if self.env is not None else f"file:{self.file}"

    def resolve(self) -> SecretStr:
        """The value, read now.

        Raises:
            SecretUnavailableError: The variable is unset or empty, or the file cannot be read.
        """
        return SecretStr(self._from_env(self.env) if self.env is not None else self._from_file(str(self.file)))

    def _from_env(self, name: str) -> str:
        value = os.environ.get(name, "")
        if not value:
            raise SecretUnavailableError(
                f"the secret {self} is not available",
                where=f"environment variable {name}",
                why="it is unset or empty",
                remedy=f"set {name}, or change the reference",
            )
        return value

    def _from_file(self, name: str) -> str:
        path = Path(name).expanduser()
        try:
            with path.open("rb") as stream:
                raw = stream.read(MAX_SECRET_BYTES + 1)
            text = raw.decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            # The text of a decoding error quotes the bytes, so only the kind is told.
            why = error.strerror or "it cannot be read" if isinstance(error, OSError) else "it is not UTF-8 text"
            raise self._unreadable(path, why) from None
        if not text or len(raw) > MAX_SECRET_BYTES:
            raise self._unreadable(path, "it is empty" if not text else f"it is larger than {MAX_SECRET_BYTES} bytes")
        return text

    def _unreadable(self, path: Path, why: str) -> SecretUnavailableError:
        return SecretUnavailableError(
            f"the secret {self} is not available",
            where=str(path),
            why=why,
            remedy="put the value into that file, or change the reference",
        )


Setting: TypeAlias = str | SecretRef
"""A value that may differ between machines: written down, or by reference (`{env: FLOE_POLARIS_URL}`)."""


def resolved(setting: Setting) -> str:
    """The plain value of `setting`, read now where it is a reference.

    Raises:
        SecretUnavailableError: The reference points to nothing.
    """
    return setting.resolve().get_secret_value() if isinstance(setting, SecretRef) else setting
