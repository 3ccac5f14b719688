"""Secrets by reference: what is written down is where a secret lies, never the secret.

A reference is `{env: NAME}`, `{file: PATH}` or `{secret: NAME}`. It is resolved as late as possible, in the process
that needs the value; artifacts, spans and errors carry the reference only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from floe_core.errors import ExitCode, FloeError

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_FORMS = ("env", "file", "secret")
MAX_SECRET_BYTES = 64 * 1024


class SecretUnavailableError(FloeError):
    """A reference points to a variable or file that is not there; names the reference, never a value."""

    exit_code = ExitCode.MISSING


SecretStore: TypeAlias = Callable[[str], SecretStr]
"""Looks a secret up by name, as `SecretsPlugin.get` does."""

STORE_KEY = "secrets"
"""Under this key of pydantic's validation context stands the `SecretStore` that `{secret: NAME}` is looked up in."""


def _exactly_one_form(schema: dict[str, Any]) -> None:
    """In JSON Schema's words: one property, and it is not null."""
    for name, place in schema["properties"].items():
        (form,) = (branch for branch in place["anyOf"] if branch != {"type": "null"})
        schema["properties"][name] = {"title": place["title"], **form}
    schema |= {"minProperties": 1, "maxProperties": 1, "examples": [{"env": "WAREHOUSE_PASSWORD"}]}


class SecretRef(BaseModel):
    """Where a secret lies: exactly one of a variable, a file, and a name that the platform's secrets plugin knows.

    A model that is validated with `context={"secrets": store}` holds references that look names up in that store.

    Attributes:
        env: Name of an environment variable.
        file: Path of a file that holds the value; a trailing line break is dropped.
        secret: Name of a secret in the store of the platform's secrets plugin.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra=_exactly_one_form,
    )

    env: (
        Annotated[
            str,
            Field(
                max_length=256,
                pattern=rf"^{ENV_NAME.pattern}$",
                description="the name of an environment variable",
                examples=["WAREHOUSE_PASSWORD"],
            ),
        ]
        | None
    ) = None
    file: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=4096,
                description="the path of a file that holds the value",
                examples=["/run/secrets/warehouse-password"],
            ),
        ]
        | None
    ) = None
    secret: (
        Annotated[
            str,
            Field(
                max_length=253,
                pattern=rf"^{SECRET_NAME.pattern}$",
                description="the name of a secret that the platform's secrets plugin looks up",
                examples=["warehouse-password"],
            ),
        ]
        | None
    ) = None
    _store: SecretStore | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if isinstance(value, cls | dict):
            return value
        # The value itself stays out of the message: it may be the secret.
        raise PydanticCustomError("floe_reference", "a secret is given by reference, never by its value")

    @model_validator(mode="after")
    def _exactly_one(self, info: ValidationInfo) -> Self:
        if sum(one is not None for one in self._forms()) != 1:
            raise PydanticCustomError("floe_one_form", "a secret reference has exactly one of env, file and secret")
        store: SecretStore | None = (info.context or {}).get(STORE_KEY)
        if store is None:
            return self
        # It may be a default that all configurations share, so it is left as it is.
        bound = self.model_copy()
        bound._store = store  # noqa: SLF001 - of its own class
        return bound

    @model_serializer
    def _only_its_form(self) -> dict[str, str]:
        return {name: value for name, value in zip(_FORMS, self._forms(), strict=True) if value is not None}

    def _forms(self) -> tuple[str | None, ...]:
        return self.env, self.file, self.secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretRef) and self._forms() == other._forms()

    def __hash__(self) -> int:
        return hash(self._forms())

    def __str__(self) -> str:
        return next(f"{name}:{value}" for name, value in self._only_its_form().items())

    def bound_to(self, store: SecretStore) -> SecretRef:
        """The same reference, looking names up in `store`."""
        return type(self).model_validate(self.model_dump(), context={STORE_KEY: store})

    def resolve(self) -> SecretStr:
        """The value, read now.

        Raises:
            SecretUnavailableError: The variable is unset or empty, the file cannot be read, or there is no store.
            FloeError: As the secrets plugin raises it; it has no such secret, or does not answer.
        """
        if self.env is not None:
            return SecretStr(self._from_env(self.env))
        if self.file is not None:
            return SecretStr(self._from_file(self.file))
        return self._from_store(str(self.secret))

    def _from_store(self, name: str) -> SecretStr:
        if self._store is None:
            raise SecretUnavailableError(
                f"the secret {self} is not available",
                where="plugins.secrets of the manifest",
                why="no secrets plugin is chosen that could look it up",
                remedy="choose one under plugins.secrets, or write {env: NAME} or {file: PATH}",
            )
        return self._store(name)

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
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - pathlib's raises where there is no such user
        try:
            with path.open("rb") as stream:
                raw = stream.read(MAX_SECRET_BYTES + 1)
            text = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:  # its text quotes the bytes
            raise self._unreadable(path, "it is not UTF-8 text") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "this is no path"
            raise self._unreadable(path, why or "it cannot be read") from None
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
