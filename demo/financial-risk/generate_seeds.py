# ruff: noqa: INP001 - a script beside its data, in no package
"""Make the seeds of financial-risk and the truths that are planted in them; the same bytes on every run.

The data and what they add up to are those of risk_book.py. At scale the book is one book: every trade is booked N times
and every limit is N times as high, while instruments, prices and rates stay.

    python generate_seeds.py [--out DIR]             # seeds/*.csv and truths.yaml
    python generate_seeds.py --scale N --out DIR     # N times the trades, as Parquet, with truths of their own
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from risk_book import (
    AS_OF,
    DAYS,
    INSTRUMENTS,
    JUMP,
    JUMP_DAY,
    PLANTED,
    PORTFOLIOS,
    SEED,
    STALE,
    STALE_DAYS,
    Book,
    Trade,
)
from seeding import Product, Table, Truth, amount, main, utc


class Story:
    """The book, as many times as it is written."""

    def __init__(self, seed: int, copies: int = 1) -> None:
        self.book = Book(seed)
        self.copies = copies

    def tables(self) -> list[Table]:
        """The seeds; at scale only trades are copied, all else is shared."""
        return [*_shared_tables(self), _trades(self.book)]

    def truths(self) -> list[Truth]:
        """What the marts must say: the question in SQL, and the answer as it was planted."""
        return [*_book_truths(self), *_limit_truths(self), *_risk_truths(self), *_feed_truths(self)]


def _shared_tables(story: Story) -> list[Table]:
    days = [day.isoformat() for day in story.book.days]
    return [
        Table(
            "raw_portfolios",
            "portfolio_id,portfolio_name,desk",
            [[_portfolio(number), *words] for number, words in enumerate(PORTFOLIOS, start=1)],
        ),
        Table(
            "raw_instruments",
            "instrument_id,instrument_name,currency,sector",
            [[_instrument(number), *words[:3]] for number, words in enumerate(INSTRUMENTS, start=1)],
        ),
        Table(
            "raw_counterparties",
            "counterparty_id,counterparty_name,rating,country,has_netting,exposure_limit",
            [
                [_counterparty(number), *words, str(netting).lower(), amount(story.book.limits[number] * story.copies)]
                for number, (*words, netting) in enumerate(story.book.people, start=1)
            ],
        ),
        Table(
            "raw_prices",
            "instrument_id,price_on,close_price",
            [
                [_instrument(number), days[day], amount(price)]
                for (number, day), price in sorted(story.book.quotes.items())
            ],
        ),
        Table(
            "raw_fx_rates",
            "currency,rate_on,eur_per_unit",
            [
                [currency, days[day], f"{rate // 1_000_000}.{rate % 1_000_000:06d}"]
                for currency, walk in story.book.rates.items()
                for day, rate in enumerate(walk)
            ],
        ),
    ]


def _trades(book: Book) -> Table:
    return Table(
        "raw_trades",
        "trade_id,portfolio_id,instrument_id,counterparty_id,side,status,quantity,price,traded_at,updated_at",
        [[f"T{number:06d}", *_trade(trade)] for number, trade in enumerate(book.trades, start=1)],
        keys=("trade_id",),
    )


def _trade(trade: Trade) -> list[str]:
    return [
        _portfolio(trade.portfolio),
        _instrument(trade.instrument),
        _counterparty(trade.counterparty),
        "buy" if trade.quantity > 0 else "sell",
        "cancelled" if trade.cancelled_at else "booked",
        str(abs(trade.quantity)),
        f"{trade.price // 10_000}.{trade.price % 10_000:04d}",
        utc(trade.at),
        utc(trade.cancelled_at or trade.at),
    ]


def _portfolio(number: int) -> str:
    return f"P{number:02d}"


def _instrument(number: int) -> str:
    return f"I{number:02d}"


def _counterparty(number: int) -> str:
    return f"C{number:03d}"


def _book_truths(story: Story) -> list[Truth]:
    book = story.book
    positions, today = book.positions(), book.pnl(DAYS - 1)
    value = sum(one.quantity * book.eur_price(key[1], DAYS - 1) // 100 for key, one in positions.items())
    traded = sum(trade.quantity * book.eur_price(trade.instrument, trade.day) // 100 for trade in book.booked())
    cost = sum(one.cost for one in positions.values())

    def euro(name: str, says: str, ask: str, source: str, cents: int) -> Truth:
        return Truth(name, f"{says}, EUR", ask, f"marts.mart_{source}", amount(cents * story.copies))

    last = f"daily_valuations where valued_on = date '{AS_OF}'"
    jump = f"daily_valuations where valued_on = date '{story.book.days[JUMP_DAY]}'"
    return [
        Truth("positions", "positions with counterparties", "count(*)", "marts.mart_positions", len(positions)),
        Truth(
            "valuations",
            "portfolios valued on every business day",
            "count(*)",
            "marts.mart_daily_valuations",
            len(PORTFOLIOS) * DAYS,
        ),
        euro("market_value_eur", "worth of the book", "market_value", "book_summary", value),
        euro("cost_eur", "paid for it", "sum(cost)", "positions", cost),
        euro("total_pnl_eur", "earned since the first trade", "total_pnl", "book_summary", value - cost),
        euro("held_pnl_eur", "earned by holding", "sum(held_pnl)", "daily_valuations", value - traded),
        euro("traded_pnl_eur", "earned by trading", "sum(traded_pnl)", "daily_valuations", traded - cost),
        euro("day_pnl_eur", "earned on the as-of date", "day_pnl", "book_summary", sum(today)),
        euro("day_pnl_of_positions_eur", "the same, by position", "sum(day_pnl)", "positions", sum(today)),
        euro("day_held_pnl_eur", "of it by holding", "sum(held_pnl)", last, today[0]),
        euro("jump_day_pnl_eur", "earned on the day of the jump", "sum(day_pnl)", jump, sum(book.pnl(JUMP_DAY))),
    ]


def _limit_truths(story: Story) -> list[Truth]:
    exposures = {number: story.book.exposure(number) for number in range(1, len(story.book.people) + 1)}
    breaches = {number: excess for number, (_, excess) in PLANTED.items() if excess > 0}
    near = {number: -excess for number, (_, excess) in PLANTED.items() if excess <= 0}

    def cases(cents: dict[int, int]) -> list[str]:
        return [f"{_counterparty(number)} {amount(one * story.copies)}" for number, one in sorted(cents.items())]

    named = ", ".join(f"'{_counterparty(number)}'" for number in near)
    return [
        Truth(
            "limit_breaches",
            "counterparties over their limit, and by how much",
            "concat(counterparty_id, ' ', excess)",
            "marts.mart_limit_breaches",
            cases(breaches),
        ),
        Truth(
            "worst_breach",
            "the counterparty to call first",
            "counterparty_id",
            "marts.mart_limit_breaches where call_order = 1",
            _counterparty(max(breaches, key=lambda number: breaches[number])),
        ),
        Truth(
            "near_misses",
            "counterparties that only look like it, and what is left of their limit",
            "concat(counterparty_id, ' ', exposure_limit - exposure)",
            f"marts.mart_counterparty_exposure where not is_breach and counterparty_id in ({named})",
            cases(near),
        ),
        Truth(
            "exposure_eur",
            "owed by all counterparties, EUR",
            "exposure",
            "marts.mart_book_summary",
            amount(sum(exposures.values()) * story.copies),
        ),
    ]


def _risk_truths(story: Story) -> list[Truth]:
    risks = {number: story.book.risk({number}) for number in range(1, len(PORTFOLIOS) + 1)}
    book = story.book.risk(set(risks))
    return [
        Truth(
            "value_at_risk",
            "what each portfolio may lose in a day, 99 %, EUR",
            "concat(portfolio_id, ' ', value_at_risk)",
            "marts.mart_portfolio_risk",
            [f"{_portfolio(number)} {amount(risk * story.copies)}" for number, risk in risks.items()],
        ),
        Truth(
            "book_value_at_risk_eur",
            "what the book may lose in a day, 99 %, EUR",
            "value_at_risk",
            "marts.mart_book_summary",
            amount(book * story.copies),
        ),
        Truth(
            "concentrated",
            "portfolios with too much in one instrument",
            "concat(portfolio_id, ' ', largest_instrument, ' ', largest_share_pct)",
            "marts.mart_portfolio_risk where is_concentrated",
            [
                f"{_portfolio(portfolio)} {_instrument(largest)} {amount(share)}"
                for portfolio, (largest, share) in story.book.concentrated().items()
            ],
        ),
    ]


def _feed_truths(story: Story) -> list[Truth]:
    stale_since = story.book.days[DAYS - STALE_DAYS - 1]
    return [
        Truth(
            "price_exceptions",
            "prices to ask the feed about",
            "concat(instrument_id, ' ', kind, ' ', happened_on)",
            "marts.mart_price_exceptions",
            [
                f"{_instrument(JUMP)} jump {story.book.days[JUMP_DAY]}",
                f"{_instrument(STALE)} stale {stale_since}",
            ],
        ),
        Truth(
            "stale_positions",
            "positions valued at a price of an earlier day",
            "count(*)",
            "marts.mart_positions where is_stale",
            sum(key[1] == STALE for key in story.book.positions()),
        ),
    ]


if __name__ == "__main__":
    main(Product(Path(__file__).resolve().parent, AS_OF, SEED, Story, whole=lambda scale: Story(SEED, scale)), __doc__)
