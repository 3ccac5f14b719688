#!/bin/sh
# Looks into Polaris's database: is the realm REALM bootstrapped? Where it is not, leaves the root principal's
# credentials for the admin tool in WORK, which is memory and ends with the pod.
set -eu
umask 077
: "${WORK:?}" "${REALM:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}"

ask() { psql --no-psqlrc --no-align --tuples-only --quiet --set=ON_ERROR_STOP=1 --set=realm="$REALM"; }

made=$(echo "SELECT to_regclass('polaris_schema.principal_authentication_data') IS NOT NULL" | ask)
if [ "$made" = t ]; then
    made=$(echo "SELECT EXISTS (SELECT FROM polaris_schema.principal_authentication_data WHERE realm_id = :'realm')" | ask)
fi
if [ "$made" = t ]; then
    rm -f "$WORK/credentials.json" # of an attempt before, when the whole pod starts over
    echo "look: realm $REALM is bootstrapped"
    exit 0
fi
echo "look: realm $REALM is not bootstrapped yet"
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
printf '{%s: {"client-id": %s, "client-secret": %s}}\n' \
    "$(quoted "$REALM")" "$(quoted "$CLIENT_ID")" "$(quoted "$CLIENT_SECRET")" >"$WORK/credentials.json"
