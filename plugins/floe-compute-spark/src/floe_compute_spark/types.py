"""Types as projects write them, in Spark's words: contracts and seeds name types of SQL that DuckDB takes too."""

from __future__ import annotations

import re
from typing import Final

_SPARK: Final = {
    **dict.fromkeys(("varchar", "text", "char", "bpchar", "string", "character varying", "uuid", "json"), "string"),
    **dict.fromkeys(("int1", "utinyint"), "smallint"),
    **dict.fromkeys(("int2", "short"), "smallint"),
    **dict.fromkeys(("int4", "int", "integer", "signed", "usmallint"), "int"),
    **dict.fromkeys(("int8", "long", "bigint", "uinteger"), "bigint"),
    **dict.fromkeys(("hugeint", "uhugeint"), "decimal(38,0)"),
    "ubigint": "decimal(20,0)",
    **dict.fromkeys(("float4", "real", "float"), "float"),
    **dict.fromkeys(("float8", "double", "double precision"), "double"),
    **dict.fromkeys(("bool", "logical", "boolean"), "boolean"),
    **dict.fromkeys(("blob", "bytea", "varbinary", "binary"), "binary"),
    **dict.fromkeys(("datetime", "timestamp", "timestamp without time zone"), "timestamp_ntz"),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), "timestamp_ltz"),
}
_PRECISE: Final = re.compile(r"(?:decimal|numeric|dec)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_SIZED: Final = re.compile(r"(varchar|char|character varying|text|string)\s*\(\s*\d+\s*\)")
_LIST: Final = re.compile(r"(.+)\[\d*\]")


def spark_type(written: str) -> str:
    """Spark's name of the type `written`; a type that is not known stays as it is.

    A length is dropped, as DuckDB does: it never cuts a text.
    """
    name = " ".join(written.lower().split())
    if precise := _PRECISE.fullmatch(name):
        # DuckDB's default where nothing is said, which is not Spark's.
        width, scale = precise[1] or "18", precise[2] or ("0" if precise[1] else "3")
        return f"decimal({width},{scale})"
    if _SIZED.fullmatch(name):
        return "string"
    if listed := _LIST.fullmatch(name):
        return f"array<{spark_type(listed[1])}>"
    return _SPARK.get(name, name)
