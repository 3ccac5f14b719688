# ruff: noqa: INP001 - not imported: a pod mounts it and runs it
"""Fails unless the daemon of this pod wrote a heartbeat into the database within the last MAX_AGE seconds.

`dagster-daemon liveness-check` tells the same, but imports all of Dagster for it: seconds of CPU at every probe.
"""

import os
import sys

import psycopg2

MAX_AGE = int(os.environ.get("FLOE_HEARTBEAT_MAX_AGE", "150"))
NEWEST = "SELECT EXTRACT(EPOCH FROM (now() AT TIME ZONE 'UTC') - max(timestamp)) FROM daemon_heartbeats"

connection = psycopg2.connect(
    host=os.environ["DAGSTER_PG_HOST"],
    port=os.environ["DAGSTER_PG_PORT"],
    dbname=os.environ["DAGSTER_PG_DB"],
    user=os.environ["DAGSTER_PG_USER"],
    password=os.environ["DAGSTER_PG_PASSWORD"],
    connect_timeout=5,
)
try:
    with connection.cursor() as cursor:
        cursor.execute(NEWEST)
        (age,) = cursor.fetchone()
finally:
    connection.close()
if age is None or age > MAX_AGE:
    sys.exit(f"no heartbeat within {MAX_AGE} s; the newest is {age} s old")
