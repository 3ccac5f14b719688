"""A typed client that READS an image registry: manifests, configurations, layers, each held to its digest.

Contract: the OCI Distribution Specification 1.1 (`/v2/<name>/manifests/<reference>`, `/v2/<name>/blobs/<digest>`).
It exists beside crane so that what crane wrote is verified by something that is not crane.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError, UsageError, WrongStateError

from floe_ops.clients import untrusted
from floe_ops.clients.registry_auth import authorization, stored_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import requests

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})

MAX_DOCUMENT = 8 * 1024 * 1024
"""Bytes of a manifest or a configuration that are read at most."""

DOCKER_HUB = "registry-1.docker.io"
DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io"})
"""What people write for the registry whose API is served at `DOCKER_HUB`."""

_CHUNK = 1 << 20
_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LOCAL = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?")


class RegistryUnreachableError(FloeError):
    """No answer from the registry."""

    exit_code = ExitCode.MISSING


class ImageMissingError(WrongStateError):
    """The registry answers and has no such manifest or blob."""


class DigestMismatchError(WrongStateError):
    """The bytes that came back are not those that the digest names."""


@dataclass(frozen=True)
class Reference:
    """An image reference: `host/name[:tag][@digest]`, with Docker's short forms spelt out."""

    host: str
    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference as people write it.

        Raises:
            UsageError: it is none.
        """
        first, slash, rest = text.partition("/")
        if first in DOCKER_HUB_NAMES:
            first, rest = DOCKER_HUB, rest if "/" in rest else f"library/{rest}"
        named = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if named else (DOCKER_HUB, text if slash else f"library/{text}")
        match = _REFERENCE.fullmatch(path)
        if match is None:
            raise UsageError(
                f"not an image reference: {text!r}", why="expected registry/name:tag or registry/name@sha256:…"
            )
        return cls(host, match["name"], match["tag"] or "", match["digest"] or "")

    @property
    def target(self) -> str:
        """What the manifest is asked for by: the digest, else the tag, else Docker's default tag."""
        return self.digest or self.tag or "latest"

    def at(self, digest: str) -> str:
        """The same repository, pinned to `digest`."""
        return f"{self.host}/{self.name}@{digest}"

    def __str__(self) -> str:
        return f"{self.host}/{self.name}" + (f":{self.tag}" if self.tag else "") + (
            f"@{self.digest}" if self.digest else ""
        )  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A manifest or an index as the registry holds it."""

    digest: str
    media_type: str
    size: int
    body: dict[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether it lists images, instead of being one."""
        return self.media_type in INDEXES


class RegistryClient:
    """Reads one registry; a context manager, one HTTP session.

    Args:
        host: Host with its port; plain HTTP is spoken to loopback only.
        timeout: Seconds for each answer.
    """

    def __init__(self, host: str, *, timeout: float = 10.0) -> None:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        self.host = host
        self._base = f"{'http' if _LOCAL.fullmatch(host) else 'https'}://{host}/v2"
        self._timeout = timeout
        self._session = requests.Session()
        # A busy registry is asked again; one that refuses the connection is named at once.
        retries = Retry(total=3, connect=0, backoff_factor=0.2, status_forcelist=(429, 502, 503, 504))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def document(self, name: str, target: str) -> Document:
        """The manifest or index of repository `name` under a tag or a digest.

        Raises:
            RegistryUnreachableError: no answer.
            ImageMissingError: there is none.
            CredentialsRefusedError: the registry wants another login.
            DigestMismatchError: its bytes do not have the digest that was asked for or is claimed.
        """
        path = f"{name}/manifests/{target}"
        answer = self._get(path, accept=", ".join([*sorted(INDEXES), *sorted(MANIFESTS)]))
        raw = self._bounded(answer, path)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        for claimed in (target if target.startswith("sha256:") else "", answer.headers.get("Docker-Content-Digest")):
            self._hold(path, claimed, digest)
        body = self._json(raw, path)
        media_type = str(body.get("mediaType") or "") or answer.headers.get("Content-Type", "").partition(";")[0]
        return Document(digest, media_type, len(raw), body)

    def json_blob(self, name: str, digest: str) -> dict[str, Any]:
        """A small blob as JSON, such as an image's configuration; raises as `document`."""
        path = f"{name}/blobs/{digest}"
        raw = self._bounded(self._get(path), path)
        self._hold(path, digest, f"sha256:{hashlib.sha256(raw).hexdigest()}")
        return self._json(raw, path)

    def blob_size(self, name: str, digest: str) -> int:
        """The size in bytes that the registry states for a blob, without reading it; raises as `document`."""
        with self._get(f"{name}/blobs/{digest}", method="HEAD") as answer:
            told = answer.headers.get("Content-Length", "")
            return int(told) if told.isascii() and told.isdigit() else -1

    def read_blob(self, name: str, digest: str) -> int:
        """Read a blob whole, in pieces, and hold it to its digest; gives its size in bytes; raises as `document`."""
        path = f"{name}/blobs/{digest}"
        hashed, size = hashlib.sha256(), 0
        for piece in self._pieces(self._get(path)):
            hashed.update(piece)
            size += len(piece)
        self._hold(path, digest, f"sha256:{hashed.hexdigest()}")
        return size

    def _get(self, path: str, *, accept: str = "*/*", method: str = "GET") -> requests.Response:
        import requests

        url = f"{self._base}/{path}"
        try:
            answer = self._send(method, url, accept)
            if answer.status_code == requests.codes.unauthorized:
                answer.close()
                self._session.headers["Authorization"] = authorization(
                    self._session,
                    answer.headers.get("WWW-Authenticate", ""),
                    stored_credentials(self.host),
                    host=self.host,
                    timeout=self._timeout,
                )
                answer = self._send(method, url, accept)
        except requests.RequestException as error:
            raise self._unreachable(url, error) from error
        return self._checked(answer, url)

    def _send(self, method: str, url: str, accept: str) -> requests.Response:
        headers = {"Accept": accept}
        return self._session.request(
            method, url, headers=headers, timeout=self._timeout, stream=True, allow_redirects=True
        )

    def _checked(self, answer: requests.Response, url: str) -> requests.Response:
        from requests import codes

        if answer.ok:
            return answer
        with answer:
            said = next(answer.iter_content(200), b"").decode(errors="replace")
        if answer.status_code == codes.not_found:
            raise ImageMissingError("the registry has no such image", where=url, remedy="check name, tag and digest")
        if answer.status_code in {codes.unauthorized, codes.forbidden}:
            raise CredentialsRefusedError(
                f"registry {self.host} refused", where=url, why=f"it answered {answer.status_code}",
                remedy=f"log in to {self.host} with `crane auth login`",
            )  # fmt: skip
        raise WrongStateError(f"registry {self.host} answered {answer.status_code}", where=url, why=said)

    def _pieces(self, answer: requests.Response) -> Iterator[bytes]:
        import requests

        try:
            with answer:
                yield from answer.iter_content(_CHUNK)
        except requests.RequestException as error:
            raise self._unreachable(answer.url, error) from error

    def _unreachable(self, url: str, error: Exception) -> RegistryUnreachableError:
        return RegistryUnreachableError(
            f"registry {self.host} does not answer",
            where=url,
            why=_reason(error),
            remedy="check the host and port, and that the registry runs",
        )

    def _bounded(self, answer: requests.Response, path: str) -> bytes:
        raw = b""
        for piece in self._pieces(answer):
            raw += piece
            if len(raw) > MAX_DOCUMENT:
                raise WrongStateError("the document is too large", where=f"{self._base}/{path}", why="over 8 MiB")
        return raw

    def _hold(self, path: str, claimed: str | None, seen: str) -> None:
        if claimed and claimed != seen:
            raise DigestMismatchError(
                "the registry gave other bytes than it claims",
                where=f"{self._base}/{path}",
                why=f"claimed {claimed}, got {seen}",
                remedy="do not use this image; push it again",
            )

    def _json(self, raw: bytes, path: str) -> dict[str, Any]:
        try:
            found = untrusted.document(raw)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise WrongStateError("not a JSON document", where=f"{self._base}/{path}", why=repr(raw[:80]))
        return found


def _reason(error: Exception) -> str:
    """The innermost cause in a few words: requests wraps urllib3 wraps the socket's own error."""
    text = str(error)
    for known in (
        "Connection refused",
        "timed out",
        "Name or service not known",
        "Temporary failure in name resolution",
    ):
        if known.lower() in text.lower():
            return known.lower()
    return type(error).__name__
