"""What can go wrong between a client and a Polaris server, as errors a person can act on.

Every class is a `FloeError`, so each carries an exit code: 3 where the server refused, 4 where it answered something
that waiting does not change, 6 where it did not answer well in time.
"""

from __future__ import annotations

from floe_core.errors import CredentialsRefusedError, NotReadyError, WrongStateError


class PolarisUnreachableError(NotReadyError):
    """No whole HTTP answer came: refused, timed out, cut, or the host's name is not known.

    Attributes:
        reason: The cause in a few words, for example `connection refused`.
        sent: Whether the server may have received the request.
    """

    def __init__(self, where: str, reason: str, *, sent: bool) -> None:
        super().__init__(
            "Polaris gave no answer",
            where=where,
            why=reason,
            remedy="check that the server runs and that FLOE_POLARIS_URL names it; "
            "`invoke platform.up` starts one on this machine",
        )
        self.reason = reason
        self.sent = sent


class PolarisUnavailableError(NotReadyError):
    """The server, or a gateway before it, answered 429, 502, 503 or 504: it may do better in a moment."""


class PolarisAnswerError(WrongStateError):
    """The server answered, but not as Polaris's protocol has it; `status` is the HTTP status."""

    def __init__(self, what: str, *, where: str, why: str, remedy: str, status: int) -> None:
        super().__init__(what, where=where, why=why, remedy=remedy)
        self.status = status


class PolarisConflictError(PolarisAnswerError):
    """409: the thing is already there, or somebody else changed it at the same moment."""


class PolarisForbiddenError(CredentialsRefusedError):
    """403: the token is good, but the principal may not do this."""
