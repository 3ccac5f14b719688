#!/bin/sh
# Runs the admin tool where look.sh found an empty realm; the credentials are a file, never an argument.
set -eu
: "${WORK:?}"
if [ ! -e "$WORK/credentials.json" ]; then
    echo "bootstrap: nothing to do"
    exit 0
fi
trap 'rm -f "$WORK/credentials.json"' EXIT
/opt/jboss/container/java/run/run-java.sh bootstrap --credentials-file "$WORK/credentials.json"
