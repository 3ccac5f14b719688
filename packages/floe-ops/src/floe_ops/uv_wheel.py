"""Fetch uv itself where a machine has none: the wheel that uv.lock pins, from the configured index, by its hash.

The index is the first of UV_DEFAULT_INDEX, UV_INDEX_URL, PIP_INDEX_URL, pip's own configuration files and, as for
pip and uv, the public index. The lock names file and sha256, so an index can serve nothing else. Standard library
only.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import hashlib
import html.parser
import json
import os
import platform
import ssl
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"  # the default of pip and uv alike
TIMEOUT = 60.0


class FetchError(Exception):
    """uv cannot be had; the text says why and what to do."""


def ensure(root: Path) -> Path:
    """The uv binary under `.floe/tools`, fetched and unpacked first if it is not there.

    Raises:
        FetchError: No wheel for this machine, the index does not answer, or the hash differs.
    """
    version, wheels = _pinned(root / "uv.lock")
    target = root / ".floe" / "tools" / f"uv-{version}" / "uv"
    if target.exists():
        return target
    name, expected = _choose(wheels)
    print(f"environment: fetching {name}", file=sys.stderr)
    content = _download(_locate(name))
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise FetchError(
            f"the index served another file than the lock pins\n  where: {name}\n"
            f"  why:   sha256 {actual} instead of {expected}\n  next:  check the index, or install uv yourself"
        )
    _unpack(content, target)
    return target


def _pinned(lock: Path) -> tuple[str, dict[str, str]]:
    """Version of uv in the lock, and sha256 by file name of its wheels."""
    try:
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
        entry = next(package for package in packages if package["name"] == "uv")
    except (OSError, tomllib.TOMLDecodeError, KeyError, StopIteration) as error:
        raise FetchError(
            f"the lock cannot be read\n  where: {lock}\n  why:   {error!r}\n  next:  restore it: `git checkout uv.lock`"
        ) from error
    wheels = {wheel["url"].rsplit("/", 1)[1]: wheel["hash"].removeprefix("sha256:") for wheel in entry["wheels"]}
    return entry["version"], wheels


def _choose(wheels: dict[str, str]) -> tuple[str, str]:
    """The wheel for this machine: by system, processor and C library."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        system, machine = "macosx", "arm64" if machine == "aarch64" else machine
    else:
        system = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for name, sha256 in wheels.items():
        if system in name and name.removesuffix(".whl").endswith(machine):
            return name, sha256
    raise FetchError(
        f"uv has no wheel for this machine\n  why:   {system} on {machine}\n  next:  install uv and put it on PATH"
    )


def index() -> str:
    """The simple index that pip or uv are configured with."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(variable):
            return os.environ[variable].rstrip("/")
    named = os.environ.get("PIP_CONFIG_FILE")
    usual = ("~/.config/pip/pip.conf", "~/Library/Application Support/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf")
    for path in [Path(named)] if named else map(Path, usual):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(path.expanduser(), encoding="utf-8")
        if parser.has_option("global", "index-url"):
            return parser.get("global", "index-url").rstrip("/")
    return DEFAULT_INDEX


class _Links(html.parser.HTMLParser):
    """The links of an HTML index page, for indexes that do not speak JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for key, value in attrs if key == "href" and value]


def _locate(name: str) -> str:
    """The address of file `name` in the configured index (PEP 503 and PEP 691)."""
    page = f"{index()}/uv/"
    content = _download(page, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.2")
    try:
        links = [str(entry["url"]) for entry in json.loads(content)["files"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        parser = _Links()
        parser.feed(content.decode(errors="replace"))
        links = parser.found
    for link in filter(_is_address, links):
        if urllib.parse.urlsplit(link).path.rsplit("/", 1)[-1] == name:
            return _signed_in(str(urllib.parse.urljoin(page, link)), page)
    raise FetchError(
        f"the index does not hold {name}\n  where: {_public(page)}\n  next:  install uv yourself and put it on PATH"
    )


def _is_address(link: str) -> bool:
    try:
        return bool(urllib.parse.urlsplit(link).path)
    except ValueError:
        return False


def _signed_in(url: str, page: str) -> str:
    """`url` with the login of the index page, where it is a file of the same server."""
    target, source = urllib.parse.urlsplit(url), urllib.parse.urlsplit(page)
    same = (target.scheme, target.hostname, target.port) == (source.scheme, source.hostname, source.port)
    return urllib.parse.urlunsplit(target._replace(netloc=source.netloc)) if same else url


def _download(url: str, accept: str = "*/*") -> bytes:
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(_public(url), headers={"Accept": accept})  # noqa: S310 - the scheme is checked
    if parts.scheme not in {"http", "https"}:
        raise FetchError(f"the index is no web address\n  where: {_public(url)}\n  next:  mend PIP_INDEX_URL")
    if parts.username:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as answer:  # noqa: S310 # nosec B310 - as above
            content: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise FetchError(
            f"uv is not on PATH and the index does not answer\n  where: {_public(url)}\n"
            f"  why:   {getattr(error, 'reason', error)}\n"
            "  next:  connect this machine, set PIP_INDEX_URL, or install uv"
        ) from error
    return content


def _public(url: str) -> str:
    """`url` without the name and password that it may carry."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _unpack(wheel: bytes, target: Path) -> None:
    """Write the wheel's `uv` binary to `target`, whole or not at all."""
    import io

    half = target.with_name(f".uv.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            member = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
            half.write_bytes(archive.read(member))
        half.chmod(0o755)
        half.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink()
        raise FetchError(
            f"uv cannot be unpacked\n  where: {target.parent}\n  why:   {error.strerror}\n"
            "  next:  free some disk space, or clone into a folder of your own"
        ) from error
