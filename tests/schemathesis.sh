#!/usr/bin/env bash
# Calls every route of the three live OpenAPI documents with what they allow and with what they forbid,
# as anybody, as the admin and as a service, and holds every answer to the document.
# Starts a stack of its own and takes it down.
#
#   tests/schemathesis.sh [EXAMPLES]     most requests of each kind for each call; 50 if not given
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
"$ordersys" "${project[@]}" --quiet up --runtime process --port auto --log error

secret() { cat "$work"/state/*/secrets/"$1".token; }
url() {
    "$ordersys" "${project[@]}" status -o json |
        python3 -c 'import json,sys; print(next(s["url"] for s in json.load(sys.stdin)["services"] if s["name"] == sys.argv[1]))' "$1"
}

failed=()
run() { # run SERVICE CALLER [FILTER...]; the credential goes through the environment, not the command line
    local service="$1" caller="$2"
    shift 2
    echo "== $service service, called by $caller"
    timeout 300 "$work/venv/bin/schemathesis" --config-file "tests/schemathesis.$([ "$caller" = anybody ] && echo anybody || echo known).toml" \
        run "$(url "$service")/openapi.json" --max-examples "$EXAMPLES" --seed 1 --no-color "$@" ||
        failed+=("$service as $caller")
}

for service in user product order; do
    run "$service" anybody
    CREDENTIAL="$(secret admin)" run "$service" admin
    CREDENTIAL="$(secret service)" run "$service" service --include-tag internal
done
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[@]}" >&2; exit 1; }
