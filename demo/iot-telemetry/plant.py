# ruff: noqa: INP001 - beside the generator that imports it, in no package
"""The plant of iot-telemetry: its machines and sensors, the role that each plays, and the rules of the product."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum

SEED = 4711
AS_OF = date(2026, 6, 30)
DAYS = 14
START = datetime.combine(AS_OF - timedelta(days=DAYS - 1), time())
END = datetime.combine(AS_OF + timedelta(days=1), time())
HOURS = (2, 6, 10, 14, 18, 22)
# Where a value stands at these hours, as a share of its swing; the middle one of a day stands at the base.
DAILY_CYCLE = (-1.0, -0.4, 0.0, 1.0, 0.5, 0.1)
JITTER = 0.08
SECOND_WEEK = len(HOURS) * 7
MACHINES = 24
LINES = ("casting", "milling", "painting", "packing")

# type, least and greatest base, swing (thousandths of the canonical unit)
KINDS = {
    "temperature": (40_000, 80_000, 2_000),
    "pressure": (4_000, 8_000, 300),
    "vibration": (2_000, 6_000, 400),
    "flow": (80_000, 200_000, 6_000),
}
# canonical = (value - subtract) * factor; NIST Special Publication 811 (2008), appendix B.8, to eight decimals
UNITS = {
    "temperature": {"degC": ("0", "1"), "degF": ("32", "0.55555556")},
    "pressure": {"bar": ("0", "1"), "psi": ("0", "0.06894757")},
    "vibration": {"mm/s": ("0", "1"), "in/s": ("0", "25.4")},
    "flow": {"l/min": ("0", "1"), "gal/min": ("0", "3.78541178")},
}
PENALTIES = {"spike": 5, "drift": 25, "stuck": 10, "dropout": 10, "wrong_unit": 2, "no_data": 15}
OVERDUE_PENALTY = 10
MOST_FOR_BREAKDOWNS = 20
RECENT_DAYS = 30
LOW_HEALTH = 75


class Role(Enum):
    """What a sensor is in the data for."""

    STEADY = "a daily cycle and a little noise"
    SPIKE = "single readings far away, above or below"
    DRIFT = "each day further away, to the end"
    STUCK = "eight readings or more of one value"
    DROPOUT = "nothing for 24 hours"
    GONE = "nothing for the last 32 hours"
    NO_DATA = "never sent anything"
    WRONG_UNIT = "readings in a unit of another kind"
    NEAR_SPIKE = "single readings at twice the swing"
    NEAR_DRIFT = "two days away, and back"
    NEAR_STUCK = "four readings of one value"
    NEAR_DROPOUT = "nothing for 12 hours"
    IMPERIAL = "sends another unit of its kind"
    SWITCHED = "sends another unit of its kind from one day on"
    RESENT = "garbled readings, sent again and right"
    LATE = "one day's readings arrive two days later"


CAST = {
    Role.SPIKE: 5,
    Role.DRIFT: 3,
    Role.STUCK: 3,
    Role.DROPOUT: 2,
    Role.GONE: 1,
    Role.NO_DATA: 2,
    Role.WRONG_UNIT: 2,
    Role.NEAR_SPIKE: 3,
    Role.NEAR_DRIFT: 2,
    Role.NEAR_STUCK: 2,
    Role.NEAR_DROPOUT: 2,
    Role.IMPERIAL: 4,
    Role.SWITCHED: 2,
    Role.RESENT: 3,
    Role.LATE: 2,
    Role.STEADY: 10,
}


class Upkeep(Enum):
    """What a machine's log is in the data for; machines without a part are serviced in time."""

    OVERDUE = "last serviced longer ago than its interval"
    NEAR_OVERDUE = "last serviced exactly its interval ago"
    BROKEN = "a breakdown within the last 30 days"
    BROKEN_TWICE_TOLD = "as BROKEN, and a second shift reported it too, later and longer"
    BROKEN_IN_SERVICE = "as BROKEN, found during a service that goes on after it"
    STILL_DOWN = "broken down today, not yet repaired"
    BROKEN_LONG_AGO = "a breakdown more than 30 days ago"


UPKEEP = {
    Upkeep.OVERDUE: 3,
    Upkeep.NEAR_OVERDUE: 2,
    Upkeep.BROKEN: 3,
    Upkeep.BROKEN_TWICE_TOLD: 2,
    Upkeep.BROKEN_IN_SERVICE: 1,
    Upkeep.STILL_DOWN: 1,
    Upkeep.BROKEN_LONG_AGO: 2,
}


@dataclass
class Machine:
    """A machine; `down` and `broken` are the minutes in which it stood still, at all and for a breakdown."""

    id: str
    line: str
    cents_a_minute: int
    interval_days: int
    silent_days: int
    part: Upkeep | None
    down: set[datetime] = field(default_factory=set)
    broken: set[datetime] = field(default_factory=set)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def overdue(self) -> bool:
        """Whether its service is late."""
        return self.silent_days > self.interval_days

    @property
    def health(self) -> int:
        """100 less what was planted, at least 0."""
        recent = sum(minute.date() > AS_OF - timedelta(days=RECENT_DAYS) for minute in self.broken)
        lost = sum(PENALTIES[kind] * count for kind, count in self.found.items())
        return max(0, 100 - lost - OVERDUE_PENALTY * self.overdue - min(MOST_FOR_BREAKDOWNS, recent // 60))


@dataclass(frozen=True)
class Sensor:
    """A sensor on a machine."""

    id: str
    number: int
    machine: Machine
    kind: str
    role: Role
    base: int
    swing: int

    def at(self, slot: int) -> datetime:
        """When its reading number `slot` is taken: every four hours."""
        day, hour = divmod(slot, len(HOURS))
        return START + timedelta(days=day, hours=HOURS[hour], minutes=self.number % 60)


@dataclass(frozen=True)
class Reading:
    """What a sensor sent, and when it arrived."""

    sensor: Sensor
    at: datetime
    arrived: datetime
    value: str
    unit: str


def alien(sensor: Sensor) -> str:
    """A unit that measures something else."""
    return "degC" if sensor.kind == "pressure" else "bar"
