"""Waiting until the catalog is served: ready is one authenticated answer that is right by value.

Each look asks, in this order: is there a platform, is the server healthy (HTTP 200 exactly), does it give us a token,
and is the catalog the right one. The first that fails ends the look. Exit codes:

- 0 ready, `streak` times in a row.
- 2 the words of the call are off, or a healthy server is there but no credentials are.
- 3 a healthy server refused the credentials (at once), or still forbids to read the catalog at the deadline.
- 4 the catalog is there with other values (at once, with the differences).
- 5 no platform runs here and `FLOE_POLARIS_URL` names none, until the deadline.
- 6 anything else that did not become right in time; a catalog that is missing belongs here, because a bootstrap that
  runs at the same moment would have mended it.
"""

from __future__ import annotations

from floe_ops.readiness.wait import Ready, Terms, wait

__all__ = ["Ready", "Terms", "wait"]
