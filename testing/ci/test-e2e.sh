#!/usr/bin/env bash
# The acceptance suite from one command: platform up, catalog bootstrapped and ready three times in a row, suite.
# Arguments go to `final.prove`. Everything runs by shared tasks; nothing is decided here.
#
#   testing/ci/test-e2e.sh
#   testing/ci/test-e2e.sh --unit WU1
#   FLOE_TARGET=cluster testing/ci/test-e2e.sh
#
# In a cluster the forwards (8181, 8182 and the rest, on ports that are free) belong to this script: they end with it,
# also when it is killed, and so does a cluster that was started for it. After a failure status, logs, events and
# objects are in .floe/report/<target>.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=testing/ci/polaris-auth.sh
. "$here/polaris-auth.sh"

owner=""
if [ "${FLOE_TARGET:-local}" = cluster ] && [ -z "${FLOE_RUN_PID:-}" ]; then
  owner=$$
  export FLOE_RUN_PID="$owner"
fi

ended() {
  code=$?
  trap - EXIT
  if [ "$code" -ne 0 ]; then
    floe_invoke platform.report || echo "the report is not whole" >&2
  fi
  if [ -n "$owner" ]; then
    floe_invoke platform.release --pid "$owner" || code=1
  fi
  exit "$code"
}
trap ended EXIT
trap 'exit 143' TERM HUP
trap 'exit 130' INT

floe_invoke platform.up polaris.bootstrap polaris-wait --streak 3 --timeout "${E2E_WAIT_S:-120}"
floe_invoke final.prove "$@"
