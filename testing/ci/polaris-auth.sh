#!/usr/bin/env bash
# Token helper for scripts; source it: `. testing/ci/polaris-auth.sh; token="$(get_polaris_token)"`.
#
# Thin over `invoke polaris.token`: the same client as the wait, the bootstrap and the tests. The credentials come
# from POLARIS_CLIENT_ID and POLARIS_CLIENT_SECRET or from the running platform; they stand on no command line.

floe_root() {
  (cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
}

# Runs an Invoke task of this checkout from any working directory, by the checkout's own environment where it is there.
floe_invoke() {
  local root invoke
  root="$(floe_root)" || return
  invoke="$root/.venv/bin/invoke"
  if [ ! -x "$invoke" ]; then
    invoke="$(command -v invoke)" || {
      echo "invoke is missing; run $root/noxw -s tests once, which makes the environment" >&2
      return 5
    }
  fi
  # Invoke ends with the shell that called it; in $(…) that is another process than $$.
  FLOE_PARENT_PID="$(exec sh -c 'echo "$PPID"')" FLOE_ROOT="$root" "$invoke" --search-root "$root" "$@"
}

# Prints a bearer token. Usage: get_polaris_token [URL]; without URL, FLOE_POLARIS_URL or the running platform.
# Ends with 2 bad address, 3 refused, 5 no platform, 6 no answer in time.
get_polaris_token() {
  if [ "$#" -gt 0 ]; then
    FLOE_POLARIS_URL="$1" floe_invoke polaris.token
  else
    floe_invoke polaris.token
  fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  get_polaris_token "$@"
fi
