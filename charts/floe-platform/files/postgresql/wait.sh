#!/bin/sh
# Waits until PostgreSQL at PGHOST:PGPORT takes connections, for at most WAIT_SECONDS.
#
# The container runs as the user of the pod that waits: one whom PostgreSQL's image may not know, so that libpq needs
# some user's name: any will do, nobody logs in.
set -eu
export PGUSER=postgres PGDATABASE=postgres
left=${WAIT_SECONDS:?}
until pg_isready --quiet --timeout=2; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo "wait: PostgreSQL at $PGHOST:$PGPORT takes no connections after $WAIT_SECONDS tries: $(pg_isready --timeout=2)" >&2
        exit 1
    fi
    sleep 1
done
