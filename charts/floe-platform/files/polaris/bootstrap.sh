#!/bin/sh
# Runs the admin tool where look.sh found an empty realm; the credentials are a file, never an argument. They stay until
# the realm is bootstrapped, in memory that ends with the pod: this container alone is run again after a failure, and
# would find nothing to do without them.
set -eu
: "${WORK:?}"
if [ ! -e "$WORK/credentials.json" ]; then
    echo "bootstrap: nothing to do"
    exit 0
fi
/opt/jboss/container/java/run/run-java.sh bootstrap --credentials-file "$WORK/credentials.json"
rm -f "$WORK/credentials.json"
