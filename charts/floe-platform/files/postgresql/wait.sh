#!/bin/sh
# Waits until PostgreSQL at PGHOST:PGPORT takes connections, for at most WAIT_SECONDS.
set -eu
left=${WAIT_SECONDS:?}
until pg_isready --quiet --timeout=2; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo "wait: PostgreSQL at $PGHOST:$PGPORT takes no connections after $WAIT_SECONDS tries: $(pg_isready --timeout=2)" >&2
        exit 1
    fi
    sleep 1
done
