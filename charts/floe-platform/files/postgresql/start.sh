#!/bin/sh
# Starts PostgreSQL: makes the cluster where there is none, then roles, databases and passwords as the Secret says.
# Every step may be repeated and may be killed: a half-made cluster is not taken for one, and until the roles are
# right nobody can connect from outside.
set -eu
umask 077

: "${PGDATA:?}" "${POSTGRES_PASSWORD:?}" "${POLARIS_PASSWORD:?}" "${DAGSTER_PASSWORD:?}"
settings=/etc/floe/postgresql
private=/tmp/start # the socket of the first, private start
mkdir -p "$private"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "start: no cluster in $PGDATA, making one"
    rm -rf "$PGDATA.new"
    printf '%s' "$POSTGRES_PASSWORD" >"$private/password"
    initdb --pgdata="$PGDATA.new" --username=postgres --pwfile="$private/password" \
        --encoding=UTF8 --locale=C --auth-host=scram-sha-256 --auth-local=trust >"$private/initdb.log" ||
        { cat "$private/initdb.log" >&2; exit 1; }
    rm -f "$private/password"
    rm -rf "$PGDATA"
    mv "$PGDATA.new" "$PGDATA"
fi
chmod 0700 "$PGDATA" # a volume's group may have been opened; PostgreSQL refuses that

postgres -c listen_addresses= -c unix_socket_directories="$private" -c hba_file="$settings/pg_hba.conf" &
server=$!
trap 'kill -INT "$server"; wait "$server"; exit 143' INT TERM
until psql --no-psqlrc --host="$private" --username=postgres --dbname=postgres --quiet --command='SELECT 1' \
    >/dev/null 2>&1; do
    if ! kill -0 "$server" 2>/dev/null; then
        echo "start: PostgreSQL ended before it answered; its words are above" >&2
        exit 1
    fi
    sleep 0.1
done
psql --no-psqlrc --host="$private" --username=postgres --dbname=postgres --quiet --set=ON_ERROR_STOP=1 \
    --file="$settings/roles.sql" >/dev/null
kill -INT "$server"
wait "$server"
trap - INT TERM
echo "start: roles and databases are right"

# Passwords end here: the server does not need them.
unset POSTGRES_PASSWORD POLARIS_PASSWORD DAGSTER_PASSWORD
exec postgres -c hba_file="$settings/pg_hba.conf" -c unix_socket_directories=/var/run/postgresql \
    -c listen_addresses='*' "$@"
