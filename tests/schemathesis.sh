#!/usr/bin/env bash
# Calls every route of the three live OpenAPI documents with what they allow and with what they forbid,
# as an anonymous caller, as the admin and as a service, and holds every answer to the document.
# Starts a stack of its own and takes it down.
#
#   tests/schemathesis.sh [EXAMPLES]     most random requests for each call; 50 if not given
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=4.32.5
EXAMPLES="${1:-50}"
ordersys="${ORDERSYS_BINARY:-$(find target -path '*/release/ordersys' -type f | head -n 1)}"
[ -n "$ordersys" ] || { echo "no binary: cargo build --release first, or name one in ORDERSYS_BINARY" >&2; exit 3; }

work="$(mktemp -d)"
project=(--project "schemathesis-$$" --state-dir "$work/state")
take_down() {
    "$ordersys" "${project[@]}" --quiet down --volumes || true
    rm -rf "$work"
}
trap take_down EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
"$ordersys" "${project[@]}" --quiet up --runtime process --port auto --durability memory --log error >/dev/null

# config CALLER: what the tool has to know. The credential comes through the environment, not the command line.
config() {
    cat <<'TOML'
seed = 1
color = false
request-timeout = 10
warnings = false
# The same requests for every caller: none are remembered from earlier runs.
generation.database = "none"
cache.enabled = false
hooks = "tests/schemathesis_hooks.py"
# What a request may be refused for although its form is right: the version or the keys it names.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 429, "5xx"]
# To strangers an internal route does not exist. Who is let in where is tested by tests/it/api/matrix.rs.
[[operations]]
include-path-regex = "^/internal/|/(reserve|release)$"
checks.ignored_auth.enabled = false
checks.missing_required_header.enabled = false
# The tool takes an empty x-timeout-ms for a right one.
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 422, 429, "5xx"]
# No schema can say which passwords are too easily guessed.
[[operations]]
include-path-regex = "^/users(/\\{id\\})?$"
checks.positive_data_acceptance.enabled = false
# The tool takes an empty If-Match for a right one, which the pattern in the document forbids. Which codes are
# money, and how many decimals an amount in it has, no pattern says.
[[operations]]
include-path-regex = "^/(docs|openapi\\.json|products|products/\\{id\\})$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 422, 429, "5xx"]
TOML
    [ "$1" = anonymous ] || printf '[auth.openapi.%s]\nbearer = "${CREDENTIAL}"\n' "$1"
}

secret() { cat "$work"/state/*/secrets/"$1".token; }
url() {
    "$ordersys" "${project[@]}" status -o json | python3 -c '
import json, sys
print(next(s["url"] for s in json.load(sys.stdin)["services"] if s["name"] == sys.argv[1]))' "$1"
}

failed=()
run() { # run SERVICE CALLER [FILTER...]
    local service="$1" caller="$2"
    shift 2
    printf '\n== the %s service, called by %s\n' "$service" "$caller"
    config "$caller" >"$work/$caller.toml"
    timeout 600 "$work/venv/bin/schemathesis" --config-file "$work/$caller.toml" \
        run "$(url "$service")/openapi.json" --max-examples "$EXAMPLES" "$@" ||
        failed+=("$service as $caller")
}

for service in user product order; do
    run "$service" anonymous
    CREDENTIAL="$(secret admin)" run "$service" admin
    CREDENTIAL="$(secret service)" run "$service" service --include-tag internal
done
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[@]}" >&2; exit 1; }
