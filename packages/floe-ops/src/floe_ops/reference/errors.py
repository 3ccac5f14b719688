"""Reference of the error codes, from the catalogue that `floe explain` reads."""

from __future__ import annotations

from floe_ops.reference.markdown import code, table


def page() -> str:
    """The page of the error codes."""
    from floe_core.spec.catalogue import catalogue

    rows = ((code(entry.code), entry.title, entry.cause, entry.cure) for entry in catalogue())
    lines = [
        "# Error codes",
        "",
        "Generated from the catalogue (`invoke final.docs --write`); `floe explain FLOE-E201` prints one with an",
        "example. Every problem that floe reports has one of these codes, a place in a file, and the next step.",
        "",
        *table(["code", "what", "cause", "cure"], rows),
    ]
    return "\n".join(lines) + "\n"
