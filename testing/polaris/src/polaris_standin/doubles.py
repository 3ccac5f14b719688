"""What a test puts beside or before a stand-in: an object store's buckets, and a gate that loses writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polaris_standin.scripted import Reply, forward

if TYPE_CHECKING:
    from polaris_standin.scripted import Seen


class Buckets:
    """The buckets of a scripted object store."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.created: list[str] = []

    def __call__(self, seen: Seen) -> Reply:
        """The reply to PUT and HEAD of a bucket."""
        bucket = seen.path.strip("/").partition("?")[0]
        if seen.method == "PUT":
            if bucket in self.names:
                return Reply(409, "<Error><Code>BucketAlreadyOwnedByYou</Code></Error>")
            self.names.add(bucket)
            self.created.append(bucket)
            return Reply(200)
        return Reply(200 if bucket in self.names else 404)


class Gate:
    """Stands before Polaris and loses writes: the n-th one before or after the server took it.

    `lose` is 0 for none; `taken` says whether the server still gets the lost write.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.lose = 0
        self.taken = False
        self.writes: list[Seen] = []

    def __call__(self, seen: Seen) -> Reply:
        """The reply of the server behind, unless this write is the one to lose."""
        if seen.method == "GET" or seen.path.endswith("/oauth/tokens"):
            return forward(self.url, seen)
        self.writes.append(seen)
        if len(self.writes) == self.lose:
            if self.taken:
                forward(self.url, seen)
            return Reply(0)
        return forward(self.url, seen)
