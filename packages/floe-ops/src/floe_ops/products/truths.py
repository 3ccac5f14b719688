"""Planted truths: what is known about a product's data before it is built, asked of the tables that were built."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import MissingToolError, WrongStateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from floe_ops.clients import untrusted
from floe_ops.products.result import Truth

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

FILE = "truths.yaml"


class Question(BaseModel):
    """One truth as it is written down.

    Attributes:
        id: Its name.
        says: What the answer is, in words.
        query: SQL over the marts that answers with one value, or with one column where a list is expected.
        expected: A whole number; text, which is an amount where it reads as one; or a sorted list of ids.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    says: str
    query: str
    expected: int | str | list[str]


class Truths(BaseModel):
    """The file of one product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: str
    as_of_date: str
    truths: list[Question] = Field(min_length=1)


def load(product_dir: Path) -> Truths:
    """The truths of the product in `product_dir`.

    Raises:
        MissingToolError: There is no such file.
        WrongStateError: It does not have the right shape.
    """
    path = product_dir / FILE
    try:
        return Truths.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise MissingToolError(
            "the product has no planted truths",
            where=str(path),
            why="a product without known answers can be wrong without anybody seeing it",
            remedy="write them down beside the product, as the demo customer-360 does",
        ) from error
    except (ValidationError, yaml.YAMLError, *untrusted.STUMBLES) as error:
        raise WrongStateError(
            "the planted truths cannot be read", where=str(path), why=untrusted.why(error), remedy="correct the file"
        ) from error


def check(connection: duckdb.DuckDBPyConnection, truths: Truths, *, where: str) -> tuple[Truth, ...]:
    """Ask every question and compare the answers.

    Args:
        connection: A database with the marts in their schemas.
        truths: What to ask.
        where: What the tables are, for the error.

    Raises:
        WrongStateError: An answer is not the planted one; names every such truth with both values.
    """
    answered = [(question, _ask(connection, question)) for question in truths.truths]
    wrong = [
        f"{question.id} ({question.says}): {_difference(question.expected, found)}"
        for question, found in answered
        if not agrees(question.expected, found)
    ]
    if wrong:
        raise WrongStateError(
            f"{truths.product} does not tell the truth",
            where=where,
            why="\n         ".join(wrong),
            remedy="correct the model, or the planted truth where the data were changed on purpose",
        )
    return tuple(
        Truth(id=question.id, says=question.says, found=tuple(found) if isinstance(found, list) else str(found))
        for question, found in answered
    )


def agrees(expected: int | str | list[str], found: Any) -> bool:
    """Whether an answer is the planted one; a floating-point number never is."""
    if isinstance(expected, list):
        return bool(found == expected)
    if isinstance(found, bool | float):
        return False
    if isinstance(found, str):
        return found == expected
    if isinstance(found, int | Decimal):
        amount = _decimal(expected)
        return amount is not None and amount == found
    return False


def _decimal(text: int | str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _ask(connection: duckdb.DuckDBPyConnection, question: Question) -> Any:
    import duckdb

    try:
        rows = connection.execute(question.query).fetchall()
    except duckdb.Error as error:
        raise WrongStateError(
            f"the planted truth {question.id} cannot be asked",
            where=question.query,
            why=str(error),
            remedy=f"correct its query in {FILE}, or the model it asks",
        ) from error
    if isinstance(question.expected, list):
        return [str(row[0]) for row in rows]
    return rows[0][0] if len(rows) == 1 else f"{len(rows)} rows"


def _difference(expected: int | str | list[str], found: Any) -> str:
    if not isinstance(expected, list):
        return f"planted {expected}, found {found}"
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    parts = [f"not found {', '.join(missing)}"] if missing else []
    parts += [f"found and not planted {', '.join(extra)}"] if extra else []
    return f"planted {len(expected)}, found {len(found)}: {'; '.join(parts) or 'the same in another order'}"
