"""A measure of rows that does not depend on their order: equal for the same rows, however they lie in files."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # the same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from floe_iceberg.internals import Batch

BITS: Final = 2**64
WIDTH: Final = 76
"""Digits of a sum of decimals."""


class Checksum:
    """Counts rows; for each column its values, the sum of their bits or lengths, and the least and the greatest."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts: dict[str, int] = defaultdict(int)
        self._sums: dict[str, int] = defaultdict(int)
        self._least: dict[str, Any] = {}
        self._most: dict[str, Any] = {}

    def passing(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, looked at as they pass."""
        for batch in batches:
            self.rows += batch.num_rows
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self._take(name, column)
            yield batch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checksum) and bool(self._all() == other._all())

    __hash__ = None  # type: ignore[assignment] # it changes while rows pass

    def _all(self) -> tuple[Any, ...]:
        return self.rows, self._counts, self._sums, self._least, self._most

    def _take(self, name: str, column: Any) -> None:
        self._counts[name] += len(column) - column.null_count
        kind = column.type
        if pa.types.is_struct(kind):
            for field, part in zip(kind, column.flatten(), strict=True):
                self._take(f"{name}.{field.name}", part)
        elif pa.types.is_map(kind):
            self._take(
                f"{name}.entries", pc.list_flatten(column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))))
            )
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            self._sums[name] += pc.sum(pc.list_value_length(column)).as_py() or 0
            self._take(f"{name}.element", pc.list_flatten(column))
        elif len(column) > column.null_count:
            self._sums[name] = (self._sums[name] + _sum(column)) % BITS
            self._bounds(name, column)

    def _bounds(self, name: str, column: Any) -> None:
        if pa.types.is_floating(column.type):
            return  # the bits are summed; not-a-number has no order
        ends = pc.min_max(column)
        least, most = ends["min"].as_py(), ends["max"].as_py()
        self._least[name] = min(self._least.get(name, least), least)
        self._most[name] = max(self._most.get(name, most), most)


def _sum(column: Any) -> int:
    kind = column.type
    if pa.types.is_decimal(kind):
        total = pc.sum(column.cast(pa.decimal256(WIDTH, kind.scale))).as_py()
        return int(f"{total:f}".replace(".", ""))
    if pa.types.is_binary(kind) or pa.types.is_string(kind) or _is_large(kind):
        return int(pc.sum(pc.binary_length(column)).as_py())
    if pa.types.is_fixed_size_binary(kind):
        return int(kind.byte_width * (len(column) - column.null_count))
    if pa.types.is_boolean(kind):
        return int(pc.sum(column).as_py())
    widths = {32: pa.int32(), 64: pa.int64()}
    return int(pc.sum(column.view(widths[kind.bit_width])).as_py())


def _is_large(kind: Any) -> bool:
    return bool(pa.types.is_large_binary(kind) or pa.types.is_large_string(kind))
