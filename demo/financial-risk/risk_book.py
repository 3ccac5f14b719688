# ruff: noqa: INP001 - beside the generator that imports it, in no package
"""The book of financial-risk as it is planted: prices, rates, trades and limits, and what they add up to.

The book trades swaps on twelve instruments in four currencies with thirty counterparties. Errors of the price
feed, breached limits, and cases that only look like one are planted. Everything is counted in whole numbers, never by
the models' SQL.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum

SEED = 1974
AS_OF = date(2026, 6, 30)
DAYS = 251
TRADES = 600
LOT = 100
CANCELLED_EVERY = 25
CONFIDENCE_BP = 9900
CONCENTRATION_PCT = 40

CURRENCIES = {"USD": 915_000, "GBP": 1_163_000, "CHF": 1_048_000}  # millionths of a euro
# name, currency, sector, first price in cents, drift a day in hundredths of a percent
INSTRUMENTS = (
    ("Alpen Energie", "EUR", "energy", 8_140, 11),
    ("Baltic Shipping", "EUR", "transport", 4_395, 3),
    ("Costa Foods", "EUR", "consumer", 12_720, -2),
    ("Delta Machines", "USD", "industry", 16_855, 4),
    ("Elm Software", "USD", "technology", 24_310, 6),
    ("Fjord Telecom", "EUR", "telecom", 2_965, -4),
    ("Granite Mining", "USD", "materials", 5_580, 1),
    ("Harbour Insurance", "GBP", "finance", 7_745, 2),
    ("Isle Pharma", "GBP", "health", 9_430, 5),
    ("Jura Watches", "CHF", "consumer", 31_260, 1),
    ("Kestrel Retail", "USD", "consumer", 13_675, -1),
    ("Lumen Power", "EUR", "energy", 6_015, 2),
)
PORTFOLIOS = (
    ("Nordic equity", "Rome"),
    ("Value", "Rome"),
    ("Growth", "Vienna"),
    ("Energy", "Vienna"),
    ("Income", "Lisbon"),
    ("Hedge", "Lisbon"),
)
HOUSES = (
    *("Abacus", "Birch", "Cedar", "Drummond", "Easton", "Falk", "Garnet", "Hollis"),
    *("Irving", "Juno", "Keel", "Lorne", "Mercer", "Nash", "Orme"),
)
RATINGS = ("AAA", "AA", "A", "BBB", "BB")
COUNTRIES = ("at", "ch", "de", "fr", "gb", "it", "nl", "us")


class Plant(Enum):
    """What a counterparty with a planted limit is in the data for."""

    BREACH = "over its limit by a known amount"
    NEAR = "under its limit by a known amount, or just at it"
    NETTED = "its gains alone would be over the limit; less its losses they are not"
    UNNETTED = "a breach only because losses do not count without a netting agreement"
    CANCELLED = "would be over its limit if a cancelled trade counted"


# The excess over the limit, in cents; below zero what is left of it.
PLANTED = {
    3: (Plant.BREACH, 1),
    5: (Plant.NEAR, 0),
    8: (Plant.BREACH, 125_000),
    11: (Plant.NEAR, -1),
    14: (Plant.BREACH, 4_873_055),
    17: (Plant.NETTED, -30_000),
    21: (Plant.UNNETTED, 840_020),
    24: (Plant.CANCELLED, -50_099),
    28: (Plant.NEAR, -2_500),
}
STALE, STALE_DAYS = 7, 4
UNCHANGED, UNCHANGED_DAYS = 8, 5
GAP, GAP_DAY = 3, 100
JUMP, JUMP_DAY = 5, 120
NEAR_JUMP, NEAR_JUMP_DAY = 9, 150
HALVED, HALVED_DAY = 11, 200
CONCENTRATED = 4


@dataclass(frozen=True)
class Trade:
    """A trade; numbers of instrument and so on count from one, the price in ten-thousandths of the currency."""

    portfolio: int
    instrument: int
    counterparty: int
    quantity: int
    price: int
    day: int
    at: datetime
    cancelled_at: datetime | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        """The position that the trade belongs to."""
        return self.portfolio, self.instrument, self.counterparty


@dataclass
class Position:
    """What the trades of one key add up to; the cost in cents."""

    quantity: int = 0
    cost: int = 0


@dataclass
class Book:
    """The planted data: made once from the seed, then added up.

    Attributes:
        seed: What the data are made from.
        trades: The trades, each once.
        limits: The limit of each counterparty, in cents.
    """

    seed: int = SEED
    trades: list[Trade] = field(default_factory=list)
    limits: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable data, nothing secret
        self.days = _business_days(AS_OF, DAYS)
        self.rates = {currency: self._walk(start, 0, 25) for currency, start in CURRENCIES.items()}
        self.prices = self._prices()
        self.quotes = self._quotes()
        self.people = [self._counterparty(number) for number in range(1, 2 * len(HOUSES) + 1)]
        for _ in range(TRADES):
            self._trade_at_random()
        self._buy(CONCENTRATED, 1, 1, 60_000, 30)
        for number in PLANTED:
            self._plant(number)
        self.trades.sort(key=lambda trade: (trade.at, trade.key, trade.quantity, trade.price))
        for number in range(1, len(self.people) + 1):
            self.limits.setdefault(number, max(50_000_00, -(-self.exposure(number) * 3 // 2 // 1000_00) * 1000_00))

    def _walk(self, start: int, drift: int, swing: int) -> list[int]:
        """A price by day; whole numbers only, so that no machine rounds differently."""
        values = [start]
        while len(values) < DAYS:
            move = drift + sum(self._random.randint(-swing, swing) for _ in range(5))
            values.append(values[-1] * (10_000 + move) // 10_000)
        return values

    def _prices(self) -> dict[int, list[int]]:
        """True prices in cents, by instrument and day."""
        prices = {}
        for number, (_, _, _, start, drift) in enumerate(INSTRUMENTS, start=1):
            walk = self._walk(start, drift, 65)
            if number == HALVED:
                walk[HALVED_DAY:] = [price // 2 for price in walk[HALVED_DAY:]]
            if number == NEAR_JUMP:
                walk[NEAR_JUMP_DAY] = walk[NEAR_JUMP_DAY - 1] * 751 // 1000
            if number == UNCHANGED:
                walk[-UNCHANGED_DAYS:] = [walk[-UNCHANGED_DAYS]] * UNCHANGED_DAYS
            prices[number] = walk
        for number, missing in ((STALE, range(DAYS - STALE_DAYS, DAYS)), (GAP, (GAP_DAY,)), (JUMP, (JUMP_DAY,))):
            for day in missing:  # the last good quote is what is known of these days
                prices[number][day] = prices[number][day - 1]
        return prices

    def _quotes(self) -> dict[tuple[int, int], int]:
        """What the feed delivers: the true prices, with its errors."""
        quotes = {(number, day): price for number, walk in self.prices.items() for day, price in enumerate(walk)}
        for day in range(DAYS - STALE_DAYS, DAYS):
            del quotes[STALE, day]
        del quotes[GAP, GAP_DAY]
        quotes[JUMP, JUMP_DAY] *= 10
        return quotes

    def _counterparty(self, number: int) -> tuple[str, str, str, bool]:
        name = f"{HOUSES[(number - 1) % len(HOUSES)]} {'Bank' if number <= len(HOUSES) else 'Capital'}"
        plant = PLANTED.get(number, (None, 0))[0]
        netting = plant is not Plant.UNNETTED and (plant is not None or self._random.random() < 0.7)  # noqa: PLR2004
        return name, self._random.choice(RATINGS), self._random.choice(COUNTRIES), netting

    def _trade_at_random(self) -> None:
        day = self._random.randrange(DAYS)
        instrument = self._random.randint(1, len(INSTRUMENTS))
        sign = self._random.choice((1, 1, -1))
        self._buy(
            self._random.randint(1, len(PORTFOLIOS)),
            instrument,
            self._random.randint(1, len(self.people)),
            sign * LOT * self._random.randint(1, 20),
            day,
            price=self.prices[instrument][day] * (10_000 + self._random.randint(-20, 20)) // 100,
            cancelled=self._random.randrange(CANCELLED_EVERY) == 0,
        )

    def _buy(  # noqa: PLR0913 - a trade has that many facts
        self,
        portfolio: int,
        instrument: int,
        counterparty: int,
        quantity: int,
        day: int,
        *,
        price: int | None = None,
        cancelled: bool = False,
    ) -> None:
        """Book a trade, at the close unless a price is given; below zero the quantity is sold."""
        at = datetime.combine(self.days[day], time(self._random.randint(8, 16), self._random.randint(0, 59)))
        until = min(at + timedelta(days=self._random.randint(0, 3)), datetime.combine(AS_OF, time(17)))
        price = self.prices[instrument][day] * 100 if price is None else price
        gone = until if cancelled else None
        self.trades.append(Trade(portfolio, instrument, counterparty, quantity, price, day, at, gone))

    def _plant(self, number: int) -> None:
        """Give a counterparty gains, and a limit that its exposure exceeds by exactly the planted amount."""
        plant, excess = PLANTED[number]
        self._buy(1, 1, number, 5_000 + LOT * number, 20 + number)
        if plant in {Plant.NETTED, Plant.UNNETTED}:
            self._buy(2, 1, number, -3_000, 20 + number)
        if plant is Plant.CANCELLED:
            self._buy(3, 1, number, 4_000, 20 + number, cancelled=True)
        # A round limit, and one lot bought today off the market by what is missing to the cent.
        self.limits[number] = (self.exposure(number) - excess) // 100_00 * 100_00
        missing = self.limits[number] + excess - self.exposure(number)
        self._buy(1, 1, number, LOT, DAYS - 1, price=self.eur_price(1, DAYS - 1) - missing)

    def eur(self, instrument: int, amount: int, unit: int, day: int) -> int:
        """An amount of the instrument's currency, `unit` to one, in ten-thousandths of a euro, rounded half up."""
        currency = INSTRUMENTS[instrument - 1][1]
        rate = 1_000_000 if currency == "EUR" else self.rates[currency][day]
        return (2 * amount * rate * 10_000 // (unit * 1_000_000) + 1) // 2

    def eur_price(self, instrument: int, day: int) -> int:
        """The price that is believed on a day, in ten-thousandths of a euro."""
        return self.eur(instrument, self.prices[instrument][day], 100, day)

    def booked(self) -> list[Trade]:
        """The trades that count."""
        return [trade for trade in self.trades if trade.cancelled_at is None]

    def cost(self, trade: Trade) -> int:
        """What a trade cost, in cents; below zero what a sale brought in."""
        return trade.quantity * self.eur(trade.instrument, trade.price, 10_000, trade.day) // 100

    def positions(self) -> dict[tuple[int, int, int], Position]:
        """The booked trades, added up."""
        found: dict[tuple[int, int, int], Position] = defaultdict(Position)
        for trade in self.booked():
            found[trade.key].quantity += trade.quantity
            found[trade.key].cost += self.cost(trade)
        return found

    def gains(self, counterparty: int) -> list[int]:
        """What each position with a counterparty has earned, in cents."""
        return [
            position.quantity * self.eur_price(key[1], DAYS - 1) // 100 - position.cost
            for key, position in self.positions().items()
            if key[2] == counterparty
        ]

    def exposure(self, counterparty: int) -> int:
        """What a counterparty would owe, in cents."""
        gains = self.gains(counterparty)
        netted = self.people[counterparty - 1][3]
        return max(sum(gains), 0) if netted else sum(gain for gain in gains if gain > 0)

    def pnl(self, day: int) -> tuple[int, int]:
        """What the book earned on a day, in cents: by what it held before, and by what it traded."""
        held = traded = 0
        for trade in self.booked():
            price = self.eur_price(trade.instrument, day)
            if trade.day < day:
                held += trade.quantity * (price - self.eur_price(trade.instrument, day - 1)) // 100
            elif trade.day == day:
                traded += trade.quantity * price // 100 - self.cost(trade)
        return held, traded

    def risk(self, portfolios: set[int]) -> int:
        """The value at risk of some portfolios together, in cents: a loss that one scenario gives."""
        held: dict[int, int] = defaultdict(int)
        for trade in self.booked():
            if trade.portfolio in portfolios:
                held[trade.instrument] += trade.quantity
        losses = []
        for day in range(1, DAYS):
            loss = 0
            for instrument, quantity in held.items():
                now, price, before = (self.eur_price(instrument, one) for one in (DAYS - 1, day, day - 1))
                loss -= quantity * ((2 * now * price + before) // (2 * before) - now) // 100
            losses.append(loss)
        losses.sort(reverse=True)
        return max(losses[len(losses) * (10_000 - CONFIDENCE_BP) // 10_000], 0)

    def concentrated(self) -> dict[int, tuple[int, int]]:
        """Portfolios with too much in one instrument: which, and its share in hundredths of a percent."""
        held: dict[int, dict[int, int]] = {number: defaultdict(int) for number in range(1, len(PORTFOLIOS) + 1)}
        for trade in self.booked():
            held[trade.portfolio][trade.instrument] += (
                trade.quantity * self.eur_price(trade.instrument, DAYS - 1) // 100
            )
        found = {}
        for portfolio, values in held.items():
            sizes = {instrument: abs(value) for instrument, value in values.items()}
            gross, largest = sum(sizes.values()), max(sizes, key=lambda number: sizes[number])
            if sizes[largest] * 100 > gross * CONCENTRATION_PCT:
                share = (2 * sizes[largest] * 10_000 + gross) // (2 * gross)
                found[portfolio] = (largest, share)
        return found


def _business_days(last: date, count: int) -> list[date]:
    days: list[date] = []
    while len(days) < count:
        if last.weekday() < 5:  # noqa: PLR2004 - Saturday
            days.append(last)
        last -= timedelta(days=1)
    return days[::-1]
