"""Secrets in the files of a folder, also of one that the kubelet keeps.

The kubelet writes each generation of a Secret into a folder of its own and points the link `..data` at it by one
rename. So a name is looked up in the generation that `..data` names now, and once more when that one went away in the
meantime: a reader sees the old value or the new one, and nothing between.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from floe_core.plugins import SecretRefusedError, SecretsError

from floe_secrets_env import names

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA: Final = "..data"
MAX_DEPTH: Final = 8
ATTEMPTS: Final = 10
# A link in the last part is followed by `resolve`, which is checked; a pipe must not hold up the reader.
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Rules:
    """Which files are taken.

    Attributes:
        max_bytes: How large a file may be.
        allow_world_readable: Whether every user of the machine may be able to read it.
    """

    max_bytes: int
    allow_world_readable: bool


class Files:
    """One folder.

    Args:
        path: Absolute.
        rules: Which of its files are taken.
    """

    def __init__(self, path: str, rules: Rules) -> None:
        self.path = path
        self._rules = rules

    def is_there(self) -> bool:
        """Whether it is a folder that this process can see."""
        try:
            return Path(self.path).is_dir()
        except OSError:
            return False

    def missing(self, name: str) -> str:
        """Where a name was looked for in vain."""
        return f"{self.path}: no file {name}" if self.is_there() else f"{self.path}: the folder is not there"

    def value(self, name: str) -> str | None:
        """The text of the file `name` without one line break at its end; None where there is none.

        Raises:
            SecretRefusedError: It is too large, empty, no UTF-8 text, no file inside of the folder, or open to others.
            SecretsError: It cannot be read.
        """
        for _ in range(ATTEMPTS):
            base, mounted = self._generation()
            raw = self._read(base, name, mounted=mounted) if base is not None else None
            if raw is not None:
                return self._text(name, raw)
            # Not in a generation that has been replaced since: ask the new one.
            if self._generation()[0] == base:
                return None
        raise self._restless()

    def names(self) -> set[str]:
        """The names of the files, also in folders below, as `value` takes them; no file is opened.

        Raises:
            SecretsError: The folder cannot be read.
        """
        for _ in range(ATTEMPTS):
            base, _mounted = self._generation()
            try:
                return set(_walk(base, base, "", MAX_DEPTH)) if base is not None else set()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self._unreadable(f"the folder {self.path} cannot be listed", error) from None
        raise self._restless()

    def _generation(self) -> tuple[Path | None, bool]:
        """The folder that holds the files now, and whether the kubelet keeps it; None where it is not there."""
        data = Path(self.path, DATA)
        try:
            for _ in range(ATTEMPTS):
                if not data.is_symlink():
                    folder = Path(self.path).resolve()
                    return (folder if folder.is_dir() else None), False
                with suppress(FileNotFoundError):  # replaced between reading the link and following it
                    return data.resolve(strict=True), True
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise self._unreadable(f"the folder {self.path} cannot be read", error) from None
        raise SecretsError(
            f"the folder {self.path} cannot be read",
            where=str(data),
            why="the link leads nowhere",
            remedy="see why the mount is not whole, or mount it again",
        )

    def _read(self, base: Path, name: str, *, mounted: bool) -> bytes | None:
        try:
            path = (base / name).resolve(strict=True)
            if not path.is_relative_to(base):
                raise self._refused(name, "it is a link that leads out of the folder", "put the file itself there")
            if path.is_dir():
                return None
            shared = bool(path.parent.stat().st_mode & stat.S_IXOTH)
            descriptor = os.open(path, _FLAGS)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, RuntimeError) as error:
            raise self._unreadable(f"the secret {name} cannot be read", error) from None
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor: what is judged is what is read
            status = os.fstat(descriptor)
            # A mount of the kubelet is seen by the pod alone, and its files are 0644 unless a manifest says otherwise.
            self._judge(name, status, shared=shared and not mounted)
            return stream.read(self._rules.max_bytes + 1)

    def _judge(self, name: str, status: os.stat_result, *, shared: bool) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._refused(name, "it is no regular file", "put a file there")
        if status.st_mode & stat.S_IWOTH:
            raise self._refused(name, "every user of this machine can write it", "chmod o-w the file")
        if shared and status.st_mode & stat.S_IROTH and not self._rules.allow_world_readable:
            remedy = "chmod o-r the file or o-x its folder, or set allow_world_readable under plugins.secrets.config"
            raise self._refused(name, "every user of this machine can read it", remedy)

    def _text(self, name: str, raw: bytes) -> str:
        if len(raw) > self._rules.max_bytes:
            why = f"it is larger than {self._rules.max_bytes} bytes"
            raise self._refused(name, why, "see that it is a secret, or raise max_bytes under plugins.secrets.config")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:  # its text quotes the bytes
            raise self._refused(
                name, "it is no UTF-8 text", "keep binary secrets encoded, for example as base64"
            ) from None
        text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
        if not text:
            raise self._refused(name, "it is empty", "put the value into that file")
        return text

    def _refused(self, name: str, why: str, remedy: str) -> SecretRefusedError:
        return SecretRefusedError(
            f"the secret {name} cannot be used", where=str(Path(self.path, name)), why=why, remedy=remedy
        )

    def _restless(self) -> SecretsError:
        why = f"it changed {ATTEMPTS} times while it was read"
        return SecretsError(
            f"the folder {self.path} cannot be read", where=self.path, why=why, remedy="see what keeps rewriting it"
        )

    def _unreadable(self, what: str, error: Exception) -> SecretsError:
        why = (error.strerror if isinstance(error, OSError) else None) or "links that lead to themselves"
        return SecretsError(what, where=self.path, why=why, remedy="make it readable for this process")


def _walk(base: Path, folder: Path, above: str, depth: int) -> Iterator[str]:
    """Names of files below `folder`; links to folders are not followed, and those out of `base` lead nowhere."""
    with os.scandir(folder) as found:
        for entry in found:
            name = f"{above}{entry.name}"
            if not names.is_valid(name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    yield from _walk(base, Path(entry.path), f"{name}/", depth - 1)
            elif Path(entry.path).is_file() and Path(entry.path).resolve().is_relative_to(base):
                yield name
