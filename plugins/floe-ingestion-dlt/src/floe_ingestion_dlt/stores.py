"""Places and secrets of a load. Imports dlt inside of functions only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from floe_core.spec.secrets import resolved

if TYPE_CHECKING:
    from floe_core.spec.secrets import SecretRef

    from floe_ingestion_dlt.config import ObjectStore

MIN_SCRUBBED = 4


class Secrets:
    """The secrets that one load has resolved, to clean what the engine says of them."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def take(self, reference: SecretRef) -> str:
        """The value of `reference`, remembered.

        Raises:
            SecretUnavailableError: It points to nothing.
        """
        value = reference.resolve().get_secret_value()
        parts = {value, quote(value, safe=""), quote_plus(value)}
        if "://" in value:  # engines print a URL without its password, or the password alone
            password = urlsplit(value).password
            parts |= {password, unquote(password)} if password else set()
        self._values |= {part for part in parts if len(part) >= MIN_SCRUBBED}
        return value

    def scrubbed(self, text: str) -> str:
        """`text` with `***` in the place of every secret."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, "***")
        return text


def located(url: str, base_dir: Path) -> str:
    """`url` as dlt takes it: a bucket as it is, a folder as an absolute path.

    No `file://` URL: fsspec does not decode one, so a space in a path would become another folder.
    """
    if "://" in url:
        return url
    return str((base_dir / Path(url).expanduser()).resolve())


def credentials(store: ObjectStore, url: str, secrets: Secrets) -> Any:
    """Credentials of dlt's for the bucket of `url`; None for a folder.

    Raises:
        SecretUnavailableError: A reference points to nothing.
    """
    if not url.startswith("s3://"):
        return None
    from dlt.common.configuration.specs import AwsCredentials

    found = AwsCredentials()
    found.region_name = resolved(store.region)
    if endpoint := resolved(store.endpoint):
        found.endpoint_url = endpoint
    if store.access_key is not None and store.secret_key is not None:
        found.aws_access_key_id = secrets.take(store.access_key)
        found.aws_secret_access_key = secrets.take(store.secret_key)
    return found


def opened(store: ObjectStore, url: str, secrets: Secrets) -> Any:
    """The fsspec file system that `url` lies in.

    Raises:
        SecretUnavailableError: A reference points to nothing.
    """
    import fsspec  # type: ignore[import-untyped] # fsspec carries no types

    found = credentials(store, url, secrets)
    return fsspec.filesystem("s3", **found.to_s3fs_credentials()) if found else fsspec.filesystem("file")
