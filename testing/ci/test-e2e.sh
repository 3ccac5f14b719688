#!/usr/bin/env bash
# The acceptance suite from one command: platform up, catalog bootstrapped and ready three times in a row, suite.
# Arguments go to `final.prove`. Everything runs by shared tasks; nothing is decided here.
#
#   testing/ci/test-e2e.sh
#   testing/ci/test-e2e.sh --unit WU1
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=testing/ci/polaris-auth.sh
. "$here/polaris-auth.sh"

floe_invoke platform.up polaris.bootstrap polaris-wait --streak 3 --timeout "${E2E_WAIT_S:-120}"
floe_invoke final.prove "$@"
