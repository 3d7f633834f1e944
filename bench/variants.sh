#!/usr/bin/env bash
# The same load on variants of the same system, turn by turn, each time on an empty store.
#
#   bench/variants.sh topology [BINARY]     three services against one process
#   bench/variants.sh durability [BINARY]   synced at each commit, at checkpoints, never
#   bench/variants.sh runtime [BINARY]      local processes against Docker
#   bench/variants.sh keys [BINARY]         idempotency keys that rise with time against random ones
#
# Without BINARY a release binary is built. VARIANTS_ROUNDS (3) rounds of VARIANTS_SECONDS (5) for each,
# VARIANTS_CONNECTIONS ("1 64 256"). Needs jq, and a Docker engine for `runtime`. Writes a line of JSON for each
# turn to bench-variants-WHICH.jsonl (or VARIANTS_OUT), prints medians and their ratio to the first variant.
# Ends with 1 if a turn was not sound. Takes two to four minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly which="${1:-}" rounds="${VARIANTS_ROUNDS:-3}" seconds="${VARIANTS_SECONDS:-5}"
readonly all_connections="${VARIANTS_CONNECTIONS:-1 64 256}"
readonly out="$(realpath -m "${VARIANTS_OUT:-bench-variants-$which.jsonl}")"

case "$which" in
    topology) variants="services monolith" ;;
    durability) variants="full normal memory" ;;
    runtime) variants="process docker" ;;
    keys) variants="rising random" ;;
    *) fail "topology, durability, runtime or keys?" ;;
esac
need jq
[ "$which" != runtime ] || timeout 10 docker version >"/dev/null" 2>&1 || fail "a Docker engine is needed"
binary="$(program "${2:-}")"
prepare
use_stack

turn() { # turn VARIANT CONNECTIONS
    local runtime=process topology=services durability=full keys=rising
    echo "variants: $1, $2 connections" >&2
    printf -v "$which" %s "$1"
    start_stack --runtime "$runtime" --topology "$topology" --durability "$durability"
    loaded "$seconds" --concurrency "$2" --keys "$keys" | jq -c --arg variant "$1" --argjson connections "$2" \
        '{variant: $variant, connections: $connections} + .' >>"$out"
    ordersys down --volumes --quiet
}

: >"$out"
for _ in $(seq "$rounds"); do
    for connections in $all_connections; do
        for variant in $variants; do turn "$variant" "$connections"; done
    done
done

conditions "$which; orders of 1 line, an empty store each turn, otherwise three services, processes, durability full, rising keys; $seconds s a turn, medians of $rounds"
jq -L bench -rs --arg variants "$variants" '
    include "median";
    ($variants | split(" ")) as $variants | $variants[0] as $first |
    "| connections | variant | orders/s | to \($first) | p50 ms | p99 ms | services us/order |",
    "|---:|---|---:|---:|---:|---:|---:|",
    (group_by(.connections)[] | (map(select(.variant == $first).rate) | median) as $base |
        (group_by(.variant) | sort_by(.[0].variant as $it | $variants | index($it)))[] | (map(.rate) | median) as $rate |
        [.[0].connections, .[0].variant, ($rate | round), ($rate / $base | places(2)),
            (map(.p50) | median | places(2)), (map(.p99) | median | places(2)),
            (map(.cpu.server // empty) | median | places(1))] | row)
' "$out"
all_sound "$out"
