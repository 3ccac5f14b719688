"""The object store: reading and writing metadata files, and credentials for clients.

As Polaris does, the server asks the store's STS for a session that is confined to one table's location and
works with it itself, unless the catalog says `stsUnavailable`; then it uses its own credentials (`AWS_*`)
and has none to vend. boto3 is used directly: its errors keep the store's own codes, and it knows STS.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from polaris_standin.errors import ApiError, forbidden, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import BotoCoreError, ClientError

_Result = TypeVar("_Result")

_SESSION_SECONDS = 3600
_RENEW_SECONDS = 300
_STORE_ATTEMPTS = 6
_STS_ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Session:
    """Temporary credentials for one location; `expires_ms` since 1970."""

    access_key: str
    secret_key: str
    token: str
    expires_ms: int

    def properties(self) -> dict[str, str]:
        """As Iceberg clients expect them."""
        expires = str(self.expires_ms)
        return {
            "s3.access-key-id": self.access_key,
            "s3.secret-access-key": self.secret_key,
            "s3.session-token": self.token,
            "expiration-time": expires,
            "s3.session-token-expires-at-ms": expires,
        }


class Storage:
    """Access to the stores of all catalogs; `config` is always a catalog's storage configuration."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, str], Session] = {}
        self._clients: dict[tuple[str, ...], Any] = {}

    def session(self, config: dict[str, Any], location: str) -> Session | None:
        """Credentials confined to a location; None where the catalog has no STS.

        Raises:
            ApiError: 422, the STS cannot be reached or refuses.
        """
        if config.get("stsUnavailable"):
            return None
        endpoint = _endpoint(config, "stsEndpoint") or ""
        key = (endpoint, location)
        known = self._sessions.get(key)
        if known is not None and known.expires_ms > (time.time() + _RENEW_SECONDS) * 1000:
            return known
        self._sessions[key] = session = self._assume(config, location)
        return session

    def write(self, config: dict[str, Any], base: str, location: str, data: bytes) -> None:
        """Write a new object.

        Raises:
            ApiError: The store is down (500), refuses (403), or the bucket is missing (400).
        """
        client = self._client(config, base)
        bucket, key = _split(location)
        _attempt(lambda: client.put_object(Bucket=bucket, Key=key, Body=data), location, _STORE_ATTEMPTS)

    def check_bucket(self, config: dict[str, Any], location: str) -> None:
        """Refuse a bucket that is not there; some stores would make it at the first write, where S3 refuses.

        Raises:
            ApiError: As `write`.
        """
        client = self._own_client(config, "s3")
        bucket, _ = _split(location)
        _attempt(lambda: client.head_bucket(Bucket=bucket), location, _STORE_ATTEMPTS)

    def read(self, config: dict[str, Any], base: str, location: str) -> bytes:
        """Read an object.

        Raises:
            ApiError: As `write`; 404 when the object is missing.
        """
        client = self._client(config, base)
        bucket, key = _split(location)

        def get() -> bytes:
            data: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            return data

        return _attempt(get, location, _STORE_ATTEMPTS)

    def delete_below(self, config: dict[str, Any], location: str) -> None:
        """Delete every object below a location.

        Raises:
            ApiError: As `write`.
        """
        client = self._own_client(config, "s3")
        bucket, prefix = _split(f"{location.rstrip('/')}/")

        def delete() -> None:
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    client.delete_object(Bucket=bucket, Key=item["Key"])

        _attempt(delete, location, _STORE_ATTEMPTS)

    def _assume(self, config: dict[str, Any], location: str) -> Session:
        client = self._own_client(config, "sts")
        request = {
            "RoleSessionName": "polaris-standin",
            "DurationSeconds": _SESSION_SECONDS,
            "Policy": json.dumps(_policy(location)),
        }
        if config.get("roleArn"):
            request["RoleArn"] = config["roleArn"]
        try:
            answer = _attempt(lambda: client.assume_role(**request), location, _STS_ATTEMPTS)
        except ApiError as error:
            message = f"Failed to get subscoped credentials: {error.message}"
            raise ApiError(422, "UnprocessableEntityException", message) from None
        found = answer["Credentials"]
        expires_ms = int(found["Expiration"].timestamp()) * 1000
        return Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], expires_ms)

    def _client(self, config: dict[str, Any], base: str) -> Any:
        session = self.session(config, base)
        if session is None:
            return self._own_client(config, "s3")
        keys = {
            "aws_access_key_id": session.access_key,
            "aws_secret_access_key": session.secret_key,
            "aws_session_token": session.token,
        }
        return self._cached((base, session.access_key), config, "s3", keys)

    def _own_client(self, config: dict[str, Any], service: str) -> Any:
        endpoint = _endpoint(config, "stsEndpoint" if service == "sts" else "endpoint") or ""
        return self._cached((endpoint, service), config, service, {})

    def _cached(self, key: tuple[str, ...], config: dict[str, Any], service: str, keys: dict[str, str]) -> Any:
        # Making clients is not thread-safe in boto3; using them is.
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _make_client(config, service, keys)
            return self._clients[key]


def _make_client(config: dict[str, Any], service: str, keys: dict[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    options = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=30,
        # AssumeRole without a role is an AWS error and the way of MinIO and SeaweedFS.
        parameter_validation=False,
        s3={"addressing_style": "path" if config.get("pathStyleAccess") else "auto"},
    )
    which = "stsEndpoint" if service == "sts" else "endpoint"
    make: Any = boto3.client  # its stubs want a literal service name per overload
    return make(
        service,
        endpoint_url=_endpoint(config, which),
        region_name=config.get("region") or "us-east-1",
        config=options,
        **keys,
    )


def _endpoint(config: dict[str, Any], which: str) -> str | None:
    return config.get(which) or config.get("endpointInternal") or config.get("endpoint")


def _split(location: str) -> tuple[str, str]:
    parts = urlsplit(location)
    return parts.netloc, parts.path.lstrip("/")


def _policy(location: str) -> dict[str, Any]:
    """A session policy: objects below the location, and a look at its bucket."""
    bucket, prefix = _split(location)
    objects = f"arn:aws:s3:::{bucket}/{prefix.rstrip('/')}/*"
    actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"]
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": [objects]},
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [f"arn:aws:s3:::{bucket}"]},
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _attempt(action: Callable[[], _Result], location: str, attempts: int) -> _Result:
    """Act, and again with growing pauses while the store cannot be reached."""
    from botocore.exceptions import BotoCoreError, ClientError
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    retrying = Retrying(
        retry=retry_if_exception_type(BotoCoreError),
        stop=stop_after_attempt(attempts),
        wait=wait_exponential(multiplier=_FIRST_PAUSE_SECONDS),
        reraise=True,
    )
    try:
        return retrying(action)
    except ClientError as error:
        raise _refusal(error, location) from None
    except BotoCoreError as error:
        raise _unreachable(error, attempts) from None


def _refusal(error: ClientError, location: str) -> ApiError:
    """What the store said, as Polaris passes it on."""
    answer: dict[str, Any] = dict(error.response)
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    code = answer["Error"].get("Code")
    request_id = answer["ResponseMetadata"].get("RequestId", "")
    detail = f"(Service: S3, Status Code: {status}, Request ID: {request_id}) (SDK Attempt Count: 1)"
    # HEAD has no body to say which of the two is missing.
    if code == "NoSuchBucket" or (code == "404" and error.operation_name == "HeadBucket"):
        message = f"The specified bucket does not exist {detail}"
        return ApiError(400, "NoSuchBucketException", message)
    if code == "NoSuchKey":
        return not_found(f"Location does not exist: {location}")
    message = f"{answer['Error'].get('Message', code)} {detail}"
    return forbidden(message) if status == HTTPStatus.FORBIDDEN else ApiError(500, "S3Exception", message)


def _unreachable(error: BotoCoreError, attempts: int) -> ApiError:
    """The store does not answer; without endpoint the SDK's own words must do."""
    url = urlsplit(str(error.kwargs.get("endpoint_url", "")))
    reason = f"Connect to {url.netloc} [/{url.hostname}] failed: Connection refused" if url.netloc else error
    message = f"Unable to execute HTTP request: {reason} (SDK Attempt Count: {attempts})"
    return ApiError(500, "SdkClientException", message)
