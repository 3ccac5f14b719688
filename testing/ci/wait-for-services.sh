#!/usr/bin/env bash
# Waits until the management API serves the right catalog; thin over `invoke polaris-wait`, whose options it takes.
# It looks at the server and not at any Job, so a hook that was deleted after success changes nothing.
#
#   testing/ci/wait-for-services.sh --timeout 300 --streak 3
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=testing/ci/polaris-auth.sh
. "$here/polaris-auth.sh"

floe_invoke polaris-wait "$@"
