# ruff: noqa: INP001 - a script beside its data, in no package
"""Make the seeds of iot-telemetry and the truths that are planted in them; the same bytes on every run.

Every sensor plays a role of plant.py: some misbehave in a way that the product has to find, some only look like it.
Values are in whole thousandths of the canonical unit; the truths are added up from what was planted, never by the
models' SQL.

    python generate_seeds.py [--out DIR]             # seeds/*.csv and truths.yaml
    python generate_seeds.py --scale N --out DIR     # N times as much, as Parquet, with truths of its own
"""

from __future__ import annotations

import random
import sys
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from plant import (
    AS_OF,
    CAST,
    DAILY_CYCLE,
    DAYS,
    END,
    HOURS,
    JITTER,
    KINDS,
    LINES,
    LOW_HEALTH,
    MACHINES,
    RECENT_DAYS,
    SECOND_WEEK,
    SEED,
    START,
    UNITS,
    UPKEEP,
    Machine,
    Reading,
    Role,
    Sensor,
    Upkeep,
    alien,
)
from seeding import Product, Table, Truth, amount, main, utc


class Story:
    """The planted data: made once from the seed, then written and added up."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable data, nothing secret
        self.log: list[list[str]] = []
        self.readings: list[Reading] = []
        self.events: list[str] = []
        self.converted = self.rejected = self.kept = 0
        self.machines = self._machines()
        for machine in self.machines:
            self._maintain(machine)
        self.log.sort(key=lambda entry: (entry[2], entry[0]))
        self.sensors = self._sensors()
        for sensor in self.sensors:
            self._live(sensor)
        self.readings.sort(key=lambda reading: (reading.arrived, reading.sensor.id, reading.at))

    def _machines(self) -> list[Machine]:
        parts: list[Upkeep | None] = [part for part, count in UPKEEP.items() for _ in range(count)]
        parts += [None] * (MACHINES - len(parts))
        self._random.shuffle(parts)
        machines = []
        for number, part in enumerate(parts, start=1):
            interval = self._random.choice((60, 90))
            silent = self._random.randint(10, interval - 5)
            if part is Upkeep.OVERDUE:
                silent = interval + self._random.randint(1, 40)
            elif part is Upkeep.NEAR_OVERDUE:
                silent = interval
            cents = self._random.randint(150, 900)
            machines.append(Machine(f"M{number:03d}", LINES[number % 4], cents, interval, silent, part))
        return machines

    def _maintain(self, machine: Machine) -> None:
        """Write the log that the machine's part needs; every machine is serviced twice."""
        for days in (machine.silent_days, machine.silent_days + machine.interval_days):
            begun = datetime.combine(AS_OF - timedelta(days=days), time(8))
            self._stop(machine, "service", begun, self._random.randint(90, 240))
        begun = datetime.combine(AS_OF - timedelta(days=self._random.randint(2, RECENT_DAYS - 2)), time(10, 30))
        minutes = self._random.randint(30, 900)
        if machine.part is Upkeep.STILL_DOWN:
            self._stop(machine, "breakdown", datetime.combine(AS_OF, time(15, 30)), None)
        elif machine.part is Upkeep.BROKEN_LONG_AGO:
            self._stop(machine, "breakdown", begun - timedelta(days=60), minutes)
        elif machine.part is Upkeep.BROKEN_IN_SERVICE:
            self._stop(machine, "service", begun - timedelta(minutes=30), minutes + 90)
            self._stop(machine, "breakdown", begun, minutes)
        elif machine.part in {Upkeep.BROKEN, Upkeep.BROKEN_TWICE_TOLD}:
            self._stop(machine, "breakdown", begun, minutes)
            if machine.part is Upkeep.BROKEN_TWICE_TOLD:
                self._stop(machine, "breakdown", begun + timedelta(minutes=20), minutes + 25)

    def _stop(self, machine: Machine, kind: str, begun: datetime, minutes: int | None) -> None:
        ended = END if minutes is None else begun + timedelta(minutes=minutes)
        stood = {begun + timedelta(minutes=number) for number in range((ended - begun) // timedelta(minutes=1))}
        machine.down |= stood
        if kind == "breakdown":
            machine.broken |= stood
        else:
            machine.silent_days = min(machine.silent_days, (AS_OF - ended.date()).days)
        self.log.append([machine.id, kind, utc(begun), utc(None if minutes is None else ended)])

    def _sensors(self) -> list[Sensor]:
        roles = [role for role, count in CAST.items() for _ in range(count)]
        self._random.shuffle(roles)
        kinds = list(KINDS)
        sensors = []
        for number, role in enumerate(roles):
            kind = kinds[(number + number // len(kinds)) % len(kinds)]
            least, most, swing = KINDS[kind]
            machine, base = self.machines[number % MACHINES], self._random.randint(least, most)
            sensors.append(Sensor(f"S{number + 1:03d}", number, machine, kind, role, base, swing))
        return sensors

    def _live(self, sensor: Sensor) -> None:
        """Give a sensor the readings that its role needs, and note what has to be found."""
        values = [self._usual(sensor, slot) for slot in range(DAYS * len(HOURS))]
        some = sorted(self._random.sample(range(1, DAYS - 1), 2))
        slots = [day * len(HOURS) + self._random.randrange(len(HOURS)) for day in some]
        ten = SECOND_WEEK + self._random.randrange(4) * len(HOURS) + 2  # ten o'clock, when it stands at the base
        self._bend(sensor, values, slots, ten)
        gone = self._lose(sensor, slots)
        units = self._name_units(sensor, slots, ten)
        late = set(range(slots[0], slots[0] + len(HOURS))) if sensor.role is Role.LATE else set()
        for slot, (value, unit) in enumerate(zip(values, units, strict=True)):
            if slot not in gone:
                self._send(sensor, slot, value, unit, late=slot in late)
        if sensor.role is Role.RESENT:
            for slot, unit in zip(slots, (units[0], alien(sensor)), strict=True):
                self._garble(sensor, slot, unit)

    def _bend(self, sensor: Sensor, values: list[int], slots: list[int], ten: int) -> None:
        """Change the values of a sensor whose values are its role."""
        if sensor.role in {Role.SPIKE, Role.NEAR_SPIKE}:
            tenths = 60 if sensor.role is Role.SPIKE else 19
            for slot in slots:
                values[slot] = sensor.base + self._random.choice((-tenths, tenths)) * sensor.swing // 10
                if sensor.role is Role.SPIKE:
                    self._plant("spike", sensor, sensor.at(slot))
        elif sensor.role in {Role.DRIFT, Role.NEAR_DRIFT}:
            self._shift(sensor, values, SECOND_WEEK // len(HOURS) + self._random.randint(1, 2))
        elif sensor.role in {Role.STUCK, Role.NEAR_STUCK}:
            count = 4 if sensor.role is Role.NEAR_STUCK else self._random.randint(8, 13)
            values[ten : ten + count] = [values[ten]] * count
            if sensor.role is Role.STUCK:
                self._plant("stuck", sensor, sensor.at(ten))

    def _lose(self, sensor: Sensor, slots: list[int]) -> set[int]:
        """The readings that a sensor leaves out."""
        slot, every = slots[0], DAYS * len(HOURS)
        if sensor.role is Role.NO_DATA:
            self._plant("no_data", sensor, START)
            return set(range(every))
        if sensor.role is Role.GONE:
            self._plant("dropout", sensor, sensor.at(every - 9))
            return set(range(every - 8, every))
        if sensor.role is Role.DROPOUT:
            self._plant("dropout", sensor, sensor.at(slot - 1))
            return set(range(slot, slot + 5))
        return {slot, slot + 1} if sensor.role is Role.NEAR_DROPOUT else set()

    def _name_units(self, sensor: Sensor, slots: list[int], ten: int) -> list[str]:
        """The unit that each reading comes in."""
        own, other = UNITS[sensor.kind]
        units = [own] * (DAYS * len(HOURS))
        if sensor.role is Role.WRONG_UNIT:
            for slot in slots:
                units[slot] = alien(sensor)
                self._plant("wrong_unit", sensor, sensor.at(slot))
        elif sensor.role in {Role.IMPERIAL, Role.SWITCHED}:
            since = 0 if sensor.role is Role.IMPERIAL else ten
            units[since:] = [other] * (len(units) - since)
        return units

    def _shift(self, sensor: Sensor, values: list[int], first: int) -> None:
        """Move whole days: hardly, then further each day to the end; or two days only."""
        drifts = sensor.role is Role.DRIFT
        steps = [1.6 + 2.4 * number for number in range(DAYS - first)] if drifts else [4.0, 4.0]
        sign = self._random.choice((-1, 1))
        for day, step in enumerate(steps, start=first):
            for slot in range(day * len(HOURS), (day + 1) * len(HOURS)):
                values[slot] += sign * round(step * sensor.swing)
        if drifts:  # it leaves the band on its second day
            self._plant("drift", sensor, sensor.at((first + 1) * len(HOURS)))

    def _usual(self, sensor: Sensor, slot: int) -> int:
        share = DAILY_CYCLE[slot % len(HOURS)] + self._random.uniform(-JITTER, JITTER)
        return sensor.base + round(share * sensor.swing)

    def _send(self, sensor: Sensor, slot: int, value: int, unit: str, *, late: bool) -> None:
        known = UNITS[sensor.kind].get(unit)
        subtract, factor = known or ("0", "1")
        told = (Decimal(value) / 1000 / Decimal(factor) + Decimal(subtract)).quantize(Decimal("0.001"), ROUND_HALF_UP)
        at = sensor.at(slot)
        arrived = at + timedelta(days=2 if late else 0, minutes=self._random.randint(1, 5))
        self.readings.append(Reading(sensor, at, arrived, str(told), unit))
        self.kept += 1
        self.rejected += known is None
        self.converted += known is not None and unit != next(iter(UNITS[sensor.kind]))

    def _garble(self, sensor: Sensor, slot: int, unit: str) -> None:
        """Let a reading that was sent well arrive garbled before."""
        at, value = sensor.at(slot), sensor.base + 8 * sensor.swing
        self.readings.append(Reading(sensor, at, at, amount(value // 10) + "0", unit))

    def _plant(self, kind: str, sensor: Sensor, at: datetime) -> None:
        self.events.append(f"{kind} {utc(at)} {sensor.id}")
        sensor.machine.found[kind] += 1

    def tables(self) -> list[Table]:
        """The seeds."""
        units = [
            [kind, unit, next(iter(known)), *rule] for kind, known in UNITS.items() for unit, rule in known.items()
        ]
        return [
            Table(
                "raw_machines",
                "machine_id,line,cost_per_minute,service_interval_days",
                [[m.id, m.line, amount(m.cents_a_minute), str(m.interval_days)] for m in self.machines],
                ("machine_id",),
            ),
            Table(
                "raw_sensors",
                "sensor_id,machine_id,sensor_type",
                [[s.id, s.machine.id, s.kind] for s in self.sensors],
                ("sensor_id", "machine_id"),
            ),
            Table("raw_units", "sensor_type,unit,canonical_unit,subtract,factor", units),
            Table(
                "raw_readings",
                "reading_id,sensor_id,recorded_at,received_at,value,unit",
                [
                    [f"R{number:06d}", r.sensor.id, utc(r.at), utc(r.arrived), r.value, r.unit]
                    for number, r in enumerate(self.readings, start=1)
                ],
                ("reading_id", "sensor_id"),
            ),
            Table(
                "raw_maintenance_log",
                "log_id,machine_id,kind,started_at,ended_at",
                [[f"L{number:04d}", *entry] for number, entry in enumerate(self.log, start=1)],
                ("log_id", "machine_id"),
            ),
        ]

    def truths(self) -> list[Truth]:
        """What the marts must say."""
        return [*self._sensor_truths(), *self._machine_truths()]

    def _sensor_truths(self) -> list[Truth]:
        status, found = "marts.mart_sensor_status", "marts.mart_anomalies"
        silent = sorted(sensor.id for sensor in self.sensors if sensor.role is Role.NO_DATA)
        return [
            Truth("sensors", "sensors, with and without readings", "count(*)", status, len(self.sensors)),
            Truth("silent_sensors", "sensors that sent nothing", "sensor_id", f"{status} where readings = 0", silent),
            Truth("readings", "readings, each moment of a sensor once", "sum(readings)", status, self.kept),
            Truth("converted", "of these in another unit, converted", "sum(converted)", status, self.converted),
            Truth("rejected", "of these in a unit of another kind", "sum(rejected)", status, self.rejected),
            Truth("anomalies", "anomalies", "count(*)", found, len(self.events)),
            Truth(
                "anomalies_found",
                "what, when, and which sensor",
                "concat(kind, ' ', cast(started_at as varchar), ' ', sensor_id)",
                found,
                sorted(self.events),
            ),
        ]

    def _machine_truths(self) -> list[Truth]:
        mart, queue = "marts.mart_equipment_health", "marts.mart_maintenance_queue"
        machines = self.machines
        urgent = sorted(
            (machine for machine in machines if machine.health < LOW_HEALTH or machine.overdue),
            key=lambda machine: (machine.health, -len(machine.broken), machine.id),
        )
        cost = sum(machine.cents_a_minute * len(machine.broken) for machine in machines)
        broken, down = sum(len(machine.broken) for machine in machines), sum(len(machine.down) for machine in machines)
        full = sorted(machine.id for machine in machines if machine.health == 100)  # noqa: PLR2004 - full health
        late = sorted(machine.id for machine in machines if machine.overdue)
        order = " ".join(machine.id for machine in urgent)
        return [
            Truth("downtime_minutes", "minutes of downtime, each counted once", "sum(downtime_minutes)", mart, down),
            Truth("unplanned_minutes", "of these by breakdowns", "sum(unplanned_minutes)", mart, broken),
            Truth("downtime_eur", "cost of breakdowns, EUR", "sum(unplanned_cost)", mart, amount(cost)),
            Truth("health", "health points of all machines", "sum(health)", mart, sum(one.health for one in machines)),
            Truth("full_health", "machines at full health", "machine_id", f"{mart} where health = 100", full),
            Truth("overdue", "machines whose service is overdue", "machine_id", f"{mart} where is_overdue", late),
            Truth("queue", "machines to maintain", "machine_id", queue, sorted(machine.id for machine in urgent)),
            Truth(
                "most_urgent",
                "the machine to maintain first",
                "arg_min(machine_id, queue_order)",
                queue,
                urgent[0].id,
                merged="best",
                rank=(-urgent[0].health, len(urgent[0].broken)),
            ),
            Truth(
                "queue_order",
                "machines to maintain, the most urgent first",
                "string_agg(machine_id, ' ' order by queue_order)",
                queue,
                order,
                merged="never",
            ),
        ]


if __name__ == "__main__":
    main(Product(Path(__file__).resolve().parent, AS_OF, SEED, Story), __doc__)
