# ruff: noqa: INP001 - a script beside its data, in no package
"""Make the seeds of customer-360 and the truths that are planted in them; the same bytes on every run.

Every customer plays a role, and the roles are what the product has to find: who never bought, who may leave, and who
only looks like it. The truths are added up here in whole cents from what was planted, never by the models' SQL.

    python generate_seeds.py [--out DIR]             # seeds/*.csv and truths.yaml
    python generate_seeds.py --scale N --out DIR     # N times as much, as Parquet, with truths of its own
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from seeding import Product, Table, Truth, amount, main, utc

SEED = 360
AS_OF = date(2026, 6, 30)
START = date(2025, 1, 1)
TRANSACTIONS = 2000
TICKETS = 300
OPEN_TICKETS = 47
SILENT_DAYS = 90
REFUND_RATE = 0.06
FULL_REFUND_RATE = 0.5

FIRST_NAMES = "Ada Bela Carla Dario Emre Freya Goran Hanna Ivo Jana Kofi Lena Marek Nora Omar Petra Rosa Sven Tara Yuki"
LAST_NAMES = (
    "Abel Brandt Costa Dietz Ek Farkas Gruber Holm Ito Jansen Koch Lopes Moreau Novak Okafor Park Quist Rossi Sato"
)
SEGMENTS = ("enterprise", "mid_market", "smb", "startup")
COUNTRIES = ("at", "ch", "de", "dk", "fr", "it", "nl", "pl")
CATEGORIES = ("billing", "delivery", "login", "product", "returns")
CALM = ("low", "normal")
PRESSING = ("high", "urgent")


class Role(Enum):
    """What a customer is in the data for."""

    REGULAR = "bought within the last 60 days"
    NO_PURCHASE = "never booked anything"
    ONLY_CANCELLED = "ordered, but no order was completed"
    CHURN = "bought three times or more, silent for 90 days or more, waits for an answer"
    NEAR_RECENT = "as CHURN, but silent for 89 days"
    NEAR_FEW = "as CHURN, but bought twice"
    NEAR_CALM = "as CHURN, but the open ticket is not pressing"
    NEAR_CLOSED = "as CHURN, but the pressing ticket was solved"


CAST = {
    Role.NO_PURCHASE: 37,
    Role.ONLY_CANCELLED: 5,
    Role.CHURN: 23,
    Role.NEAR_RECENT: 6,
    Role.NEAR_FEW: 5,
    Role.NEAR_CALM: 6,
    Role.NEAR_CLOSED: 4,
    Role.REGULAR: 414,
}
# Extra CRM records of one person, by role; the last of the regulars gets two.
DUPLICATES = {Role.REGULAR: 6, Role.CHURN: 3, Role.NEAR_RECENT: 2, Role.NO_PURCHASE: 1}


@dataclass
class Customer:
    """A person, with the ids of all of its CRM records; the first is the one that stays."""

    role: Role
    number: int
    name: str
    email: str
    segment: str
    country: str
    signup: date
    crm_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Booking:
    """A purchase or a refund; the amount in cents."""

    customer: Customer
    crm_id: str
    kind: str
    status: str
    cents: int
    at: datetime
    refund_of: Booking | None = None


@dataclass(frozen=True)
class Ticket:
    """A support ticket; open without `closed_at`."""

    crm_id: str
    category: str
    priority: str
    opened_at: datetime
    closed_at: datetime | None


class Story:
    """The planted data: made once from the seed, then written and added up."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable data, nothing secret
        self.customers = self._people()
        self.records = self._crm_records()
        self.bookings: list[Booking] = []
        self.tickets: list[Ticket] = []
        for customer in self.customers:
            self._live(customer)
        self._fill_bookings()
        self._fill_tickets()
        self.bookings.sort(key=lambda booking: (booking.at, booking.crm_id, booking.cents))
        self.tickets.sort(key=lambda ticket: (ticket.opened_at, ticket.crm_id))

    def _people(self) -> list[Customer]:
        roles = [role for role, count in CAST.items() for _ in range(count)]
        self._random.shuffle(roles)
        firsts, lasts = FIRST_NAMES.split(), LAST_NAMES.split()
        people = []
        for number, role in enumerate(roles, start=1):
            first, last = self._random.choice(firsts), self._random.choice(lasts)
            people.append(
                Customer(
                    role=role,
                    number=number,
                    name=f"{first} {last}",
                    email=f"{first}.{last}.{number}@example.com".lower(),
                    segment=self._random.choice(SEGMENTS),
                    country=self._random.choice(COUNTRIES),
                    signup=self._day(date(2021, 1, 1), date(2024, 12, 31)),
                    crm_ids=[f"C{number:05d}"],
                )
            )
        return people

    def _crm_records(self) -> list[list[str]]:
        rows = [self._record(customer, customer.crm_ids[0], self._day(START, AS_OF)) for customer in self.customers]
        extra = len(self.customers)
        for role, count in DUPLICATES.items():
            chosen = [customer for customer in self.customers if customer.role is role][:count]
            for customer in [*chosen, *(chosen[-1:] if role is Role.REGULAR else [])]:
                extra += 1
                customer.crm_ids.append(f"C{extra:05d}")
                rows.append(self._record(customer, customer.crm_ids[-1], AS_OF - timedelta(days=1), untidy=True))
        return rows

    def _record(self, customer: Customer, crm_id: str, updated: date, *, untidy: bool = False) -> list[str]:
        email = f" {customer.email.upper()}" if untidy else customer.email
        signup = customer.signup + timedelta(days=400) if untidy else customer.signup
        moment = self._moment(updated)
        return [crm_id, customer.name, email, customer.segment, customer.country, signup.isoformat(), utc(moment)]

    def _live(self, customer: Customer) -> None:
        """Give a customer the bookings and tickets that its role needs."""
        first, last = customer.crm_ids[0], customer.crm_ids[-1]
        silent_since = AS_OF - timedelta(days=self._random.randint(SILENT_DAYS, 200))
        role = customer.role
        if role is Role.REGULAR:
            self._buy(customer, last, self._day(AS_OF - timedelta(days=60), AS_OF))
        elif role is Role.ONLY_CANCELLED:
            self._buy(customer, first, self._day(START, AS_OF), status="cancelled")
        elif role is not Role.NO_PURCHASE:
            ends = AS_OF - timedelta(days=SILENT_DAYS - 1) if role is Role.NEAR_RECENT else silent_since
            earlier = 1 if role is Role.NEAR_FEW else 2
            for _ in range(earlier):
                self._buy(customer, first, self._day(START, ends - timedelta(days=1)))
            self._buy(customer, last, ends)
            self._buy(customer, first, AS_OF - timedelta(days=3), status="cancelled")
            self._ask(
                last,
                self._random.choice(CALM if role is Role.NEAR_CALM else PRESSING),
                self._day(AS_OF - timedelta(days=40), AS_OF - timedelta(days=10)),
                is_open=role is not Role.NEAR_CLOSED,
            )

    def _fill_bookings(self) -> None:
        """Add bookings of regular customers, refunds among them, up to the planned number."""
        regulars = [customer for customer in self.customers if customer.role is Role.REGULAR]
        while len(self.bookings) < TRANSACTIONS:
            customer = self._random.choice(regulars)
            status = self._random.choices(("completed", "pending", "cancelled"), weights=(88, 5, 7))[0]
            booking = self._buy(
                customer,
                self._random.choice(customer.crm_ids),
                self._day(START, AS_OF - timedelta(days=20)),
                status=status,
            )
            if status == "completed" and self._random.random() < REFUND_RATE and len(self.bookings) < TRANSACTIONS:
                self.bookings.append(self._refund(booking))

    def _refund(self, purchase: Booking) -> Booking:
        part = purchase.cents if self._random.random() < FULL_REFUND_RATE else self._random.randint(1, purchase.cents)
        later = purchase.at + timedelta(days=self._random.randint(1, 14))
        return Booking(purchase.customer, purchase.crm_id, "refund", "completed", part, later, purchase)

    def _fill_tickets(self) -> None:
        """Add tickets up to the planned number; those still to be open are calm ones or of customers who buy."""
        askers = [customer for customer in self.customers if customer.role in {Role.REGULAR, Role.NO_PURCHASE}]
        while len(self.tickets) < TICKETS:
            still_open = sum(ticket.closed_at is None for ticket in self.tickets) < OPEN_TICKETS
            self._ask(
                self._random.choice(self._random.choice(askers).crm_ids),
                self._random.choice((*CALM, *PRESSING)),
                self._day(AS_OF - timedelta(days=300), AS_OF),
                is_open=still_open,
            )

    def _buy(self, customer: Customer, crm_id: str, day: date, *, status: str = "completed") -> Booking:
        cents = int(self._random.lognormvariate(8.6, 0.9)) + 99
        booking = Booking(customer, crm_id, "purchase", status, cents, self._moment(day))
        self.bookings.append(booking)
        return booking

    def _ask(self, crm_id: str, priority: str, day: date, *, is_open: bool) -> None:
        opened = self._moment(day)
        closed = None if is_open else opened + timedelta(minutes=self._random.randint(10, 9000))
        self.tickets.append(Ticket(crm_id, self._random.choice(CATEGORIES), priority, opened, closed))

    def _day(self, first: date, last: date) -> date:
        return first + timedelta(days=self._random.randint(0, (last - first).days))

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, time(self._random.randint(7, 21), self._random.randint(0, 59)))

    def tables(self) -> list[Table]:
        """The seeds."""
        ids = {id(booking): f"T{number:06d}" for number, booking in enumerate(self.bookings, start=1)}
        crm = "crm_id,full_name,email,segment,country,signup_date,updated_at"
        bookings = [
            [ids[id(b)], b.crm_id, b.kind, b.status, amount(b.cents), ids.get(id(b.refund_of), ""), utc(b.at)]
            for b in self.bookings
        ]
        tickets = [
            [f"S{number:05d}", t.crm_id, t.category, t.priority, utc(t.opened_at), utc(t.closed_at)]
            for number, t in enumerate(self.tickets, start=1)
        ]
        return [
            Table("raw_crm_customers", crm, self.records, ("crm_id",), {"email": "replace(email, '@', {copy} || '@')"}),
            Table(
                "raw_transactions",
                "transaction_id,crm_id,kind,status,amount,refund_of,booked_at",
                bookings,
                ("transaction_id", "crm_id", "refund_of"),
            ),
            Table(
                "raw_support_tickets",
                "ticket_id,crm_id,category,priority,opened_at,closed_at",
                tickets,
                ("ticket_id", "crm_id"),
            ),
        ]

    def truths(self) -> list[Truth]:
        """What the marts must say."""
        done = [booking for booking in self.bookings if booking.status == "completed"]
        gross = sum(booking.cents for booking in done if booking.kind == "purchase")
        refunded = sum(booking.cents for booking in done if booking.kind == "refund")
        net = _net(done)
        best = max(net, key=lambda key: net[key])
        return [
            _truth("crm_records", "records in the CRM", "sum(crm_records)", len(self.records)),
            _truth("customers", "customers behind them, each once", "count(*)", len(self.customers)),
            _truth(
                "duplicated_customers",
                "customers with more than one record",
                "count(*) filter (where crm_records > 1)",
                sum(len(customer.crm_ids) > 1 for customer in self.customers),
            ),
            _truth(
                "without_purchase",
                "customers who never bought",
                "count(*) filter (where purchases = 0)",
                len(self.customers) - len({booking.customer.number for booking in done}),
            ),
            _truth("gross_spend_eur", "spent, EUR", "sum(gross_spend)", amount(gross)),
            _truth("refunded_eur", "paid back, EUR", "sum(refunded_amount)", amount(refunded)),
            _truth("net_spend_eur", "kept, EUR", "sum(net_spend)", amount(gross - refunded), mart="segment_summary"),
            _truth("refunds", "refunds", "sum(refunds)", sum(booking.kind == "refund" for booking in done)),
            _truth(
                "best_customer",
                "the customer who spent most",
                "arg_max(customer_id, net_spend)",
                best,
                merged="best",
                rank=net[best],
            ),
            _truth(
                "open_tickets",
                "tickets that wait for an answer",
                "sum(open_tickets)",
                sum(ticket.closed_at is None for ticket in self.tickets),
                mart="segment_summary",
            ),
            _truth(
                "churn_risk",
                "customers who may leave",
                "customer_id",
                sorted(customer.crm_ids[0] for customer in self.customers if customer.role is Role.CHURN),
                mart="churn_risk",
            ),
        ]


def _net(done: list[Booking]) -> dict[str, int]:
    """Purchases less refunds, in cents, by customer."""
    net: dict[str, int] = {}
    for booking in done:
        sign = 1 if booking.kind == "purchase" else -1
        key = booking.customer.crm_ids[0]
        net[key] = net.get(key, 0) + sign * booking.cents
    return net


def _truth(
    name: str, says: str, ask: str, expected: int | str | list[str], *, mart: str = "customer_360", **how: Any
) -> Truth:
    return Truth(name, says, ask, f"marts.mart_{mart}", expected, **how)


if __name__ == "__main__":
    main(Product(Path(__file__).resolve().parent, AS_OF, SEED, Story), __doc__)
