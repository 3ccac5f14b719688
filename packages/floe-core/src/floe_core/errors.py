"""The one shape of an error that a person is meant to read.

Every failure names what happened, where, why, and the next step; the front ends (`floe`, Invoke, the
sessions) print exactly that and never a stack trace.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the waits, of bootstrap and of the command line (1 is left to unexpected errors)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    WRONG = 4
    MISSING = 5
    TIMEOUT = 6


class FloeError(Exception):
    """A failure with its place, its reason and its remedy.

    Args:
        what: What could not be done, as a short clause.
        where: File with line, URL, release or table concerned; empty when the failure has no place.
        why: The reason, as far as it is known.
        remedy: The next step for the person who reads it.
        exit_code: What a command line ends with; subclasses set their own default.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        remedy: str = "",
        exit_code: ExitCode | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.remedy = remedy
        if exit_code is not None:
            self.exit_code = exit_code

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.why:
            parts.append(f"  why:   {self.why}")
        if self.remedy:
            parts.append(f"  next:  {self.remedy}")
        return "\n".join(parts)


class UsageError(FloeError):
    """The words of a call are off: an unknown option, a number that is none, a URL without a host."""

    exit_code = ExitCode.USAGE


class CredentialsRefusedError(FloeError):
    """A server answered and refused the credentials; names the client id, never the secret."""

    exit_code = ExitCode.REFUSED


class WrongStateError(FloeError):
    """The thing is there but not as asked; the differences are in `why`."""

    exit_code = ExitCode.WRONG


class MissingToolError(FloeError):
    """A tool or a service that the work needs cannot be had; the remedy says how to get it."""

    exit_code = ExitCode.MISSING


class NotReadyError(FloeError):
    """A deadline passed; `why` holds the last answer seen."""

    exit_code = ExitCode.TIMEOUT
