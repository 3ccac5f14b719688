"""The object store, asked with signed requests only.

An anonymous HeadBucket answers 403 for buckets that are there and for buckets that are not, so it proves nothing. A
signed one answers 200, 404 or 403; a HEAD carries no body, so after a 403 a signed listing tells a wrong key from a
key without rights.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from floe_core.errors import CredentialsRefusedError, FloeError, NotReadyError, WrongStateError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

Client: TypeAlias = "S3Client"

_MAKING = threading.Lock()
"""Making a client from a session is not thread-safe; using one is."""

CONNECT_S, READ_S = 2.0, 10.0
HTTP_NOT_FOUND, HTTP_FORBIDDEN, HTTP_SERVER_ERROR = 404, 403, 500
KEY_CODES = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"})
THERE_CODES = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class BucketState(StrEnum):
    """What a signed look at a bucket found."""

    PRESENT = "present"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    WRONG_KEY = "wrong key"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class BucketCheck:
    """One signed look at a bucket: its state, and the store's answer in one line."""

    bucket: str
    endpoint: str
    state: BucketState
    answer: str

    def error(self) -> FloeError:
        """The error that this state stands for where the bucket is needed; not for PRESENT."""
        where = f"HEAD {self.endpoint}/{self.bucket}"
        match self.state:
            case BucketState.WRONG_KEY:
                return CredentialsRefusedError(
                    "the object store refused the access key",
                    where=where,
                    why=self.answer,
                    remedy="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                )
            case BucketState.FORBIDDEN:
                return CredentialsRefusedError(
                    f"the access key has no right to bucket {self.bucket!r}",
                    where=where,
                    why=self.answer,
                    remedy="give the key's user rights to the bucket, or take another key",
                )
            case BucketState.UNREACHABLE:
                return NotReadyError(
                    "the object store gave no answer",
                    where=self.endpoint,
                    why=self.answer,
                    remedy="check AWS_ENDPOINT_URL_S3; `invoke platform.up` starts a store on this machine",
                )
            case _:
                return WrongStateError(
                    f"bucket {self.bucket!r} is {self.state.value}",
                    where=where,
                    why=self.answer,
                    remedy="`invoke polaris.bootstrap` creates it, or create it with your store's own tools",
                )


class ObjectStore:
    """A signed S3 client with path-style addresses and short limits; the secret never appears in its words."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, region: str = "us-east-1") -> None:
        self.endpoint = endpoint.rstrip("/")
        self.access_key = access_key
        self._secret_key = secret_key
        self.region = region
        self._client: Client | None = None

    def __repr__(self) -> str:
        return f"ObjectStore(endpoint={self.endpoint!r}, access_key={self.access_key!r})"

    def check(self, bucket: str) -> BucketCheck:
        """One signed HeadBucket, never repeated; raises nothing."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._s3().head_bucket(Bucket=bucket)
        except ClientError as error:
            return self._refused(bucket, error)
        except BotoCoreError as error:
            return self._found(bucket, BucketState.UNREACHABLE, _short(error))
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return self._found(bucket, BucketState.PRESENT, f"HTTP {status} to a signed HeadBucket")

    def create(self, bucket: str) -> bool:
        """Create the bucket; False when it was there already (also by somebody else at the same moment).

        Raises:
            FloeError: The store refused or gave no answer.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        options: dict[str, Any] = {}
        if self.region != "us-east-1":
            options["CreateBucketConfiguration"] = {"LocationConstraint": self.region}
        try:
            self._s3().create_bucket(Bucket=bucket, **options)
        except ClientError as error:
            code, status = _code(error), _status(error)
            if code in THERE_CODES:
                return False
            state = BucketState.FORBIDDEN if status == HTTP_FORBIDDEN else BucketState.MISSING
            state = BucketState.WRONG_KEY if code in KEY_CODES else state
            state = BucketState.UNREACHABLE if status >= HTTP_SERVER_ERROR else state
            raise self._found(bucket, state, f"create was answered HTTP {status} {code}").error() from error
        except BotoCoreError as error:
            raise self._found(bucket, BucketState.UNREACHABLE, _short(error)).error() from error
        return True

    def delete(self, bucket: str) -> None:
        """Delete an empty bucket.

        Raises:
            botocore.exceptions.ClientError: It is not empty, not there, or not yours.
        """
        self._s3().delete_bucket(Bucket=bucket)

    def wait(self, bucket: str, timeout_s: float) -> BucketCheck:
        """Look at the bucket until the store answers; polls from 50 ms.

        Returns:
            The last look; its state is UNREACHABLE when the store gave no answer in time.
        """
        from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

        deadline = time.monotonic() + timeout_s
        return Retrying(
            retry=retry_if_result(lambda found: found.state is BucketState.UNREACHABLE),
            stop=stop_after_delay(max(deadline - time.monotonic(), 0)),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )(self.check, bucket)

    def _found(self, bucket: str, state: BucketState, answer: str) -> BucketCheck:
        return BucketCheck(bucket, self.endpoint, state, answer)

    def _refused(self, bucket: str, error: ClientError) -> BucketCheck:
        status = _status(error)
        if status == HTTP_NOT_FOUND:
            return self._found(bucket, BucketState.MISSING, "HTTP 404 to a signed HeadBucket")
        if status == HTTP_FORBIDDEN:
            return self._why_forbidden(bucket)
        if status >= HTTP_SERVER_ERROR:
            return self._found(bucket, BucketState.UNREACHABLE, f"HTTP {status} to a signed HeadBucket")
        return self._found(bucket, BucketState.FORBIDDEN, f"HTTP {status} to a signed HeadBucket")

    def _why_forbidden(self, bucket: str) -> BucketCheck:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._s3().list_objects_v2(Bucket=bucket, MaxKeys=1)
        except ClientError as error:
            code = _code(error)
            state = BucketState.WRONG_KEY if code in KEY_CODES else BucketState.FORBIDDEN
            return self._found(bucket, state, f"HTTP 403 to a signed HeadBucket, {code} to a signed listing")
        except BotoCoreError as error:
            return self._found(bucket, BucketState.UNREACHABLE, _short(error))
        return self._found(bucket, BucketState.FORBIDDEN, "HTTP 403 to a signed HeadBucket")

    def _s3(self) -> Client:
        if self._client is None:
            from botocore.config import Config

            options = Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=CONNECT_S,
                read_timeout=READ_S,
                retries={"total_max_attempts": 1},
            )
            with _MAKING:
                self._client = _session().client(
                    "s3",
                    endpoint_url=self.endpoint,
                    aws_access_key_id=self.access_key,
                    aws_secret_access_key=self._secret_key,
                    region_name=self.region,
                    config=options,
                )
        return self._client


@cache
def _session() -> Session:
    """One session for the process: it reads the service's model, which costs 0.2 s, only once."""
    import boto3

    return boto3.session.Session()


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _short(error: Exception) -> str:
    refused = "Connection refused" in repr(error.__context__) or "Connection refused" in repr(error)
    return "connection refused" if refused else f"{type(error).__name__}: {str(error)[:200]}"
