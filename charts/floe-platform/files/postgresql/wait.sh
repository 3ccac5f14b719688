#!/bin/sh
# Waits until PostgreSQL at PGHOST:PGPORT takes connections, for at most WAIT_SECONDS.
#
# The container runs as the user of the pod that waits: one whom PostgreSQL's image may not know, so that libpq needs
# some user's name, and who may not enter the image's working directory.
set -eu
cd /
export PGUSER=postgres
left=${WAIT_SECONDS:?}
# Any name will do, nobody logs in; without one libpq looks for this uid's, and there may be none.
export PGUSER=postgres PGDATABASE=postgres
until pg_isready --quiet --timeout=2; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
        echo "wait: PostgreSQL at $PGHOST:$PGPORT takes no connections after $WAIT_SECONDS tries: $(pg_isready --timeout=2)" >&2
        exit 1
    fi
    sleep 1
done
