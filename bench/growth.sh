#!/usr/bin/env bash
# What stored orders cost: throughput, latency, start, disk and memory with ever more of them, each size in turn
# with an empty store, so that both sides see the same machine.
#
#   bench/growth.sh                    builds a release binary and measures it
#   bench/growth.sh BINARY [BENCHES]   measures this one; ordersys-benches (profile quick) is built if not named
#
# GROWTH_SIZES ("10000 1000000 5000000") are the sizes, rising; GROWTH_ROUNDS (8) rounds of GROWTH_SECONDS (3) on
# each side, GROWTH_CONNECTIONS (64). `ordersys check` runs on the first size (GROWTH_CHECK=all: on each). Needs
# jq, curl, node and about 1 KB of disk for each order. Writes a line of JSON for each size to bench-growth.jsonl
# (or GROWTH_OUT). Ends with 1 if less than 80 % of the empty store's throughput is left at the largest size, or if a
# turn was not sound. Filling takes about half a minute for a million orders.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly sizes="${GROWTH_SIZES:-10000 1000000 5000000}" rounds="${GROWTH_ROUNDS:-8}" seconds="${GROWTH_SECONDS:-3}"
readonly connections="${GROWTH_CONNECTIONS:-64}" least=0.80 out="$(realpath -m "${GROWTH_OUT:-bench-growth.jsonl}")"
readonly flags=(--runtime process --topology services --durability full)

need jq curl node
binary="$(program "${1:-}")"
tool="$(benches "${2:-}")"
prepare

# Starts the stack once, so that its directories are there, and ends it again.
use_stack grown
start_stack "${flags[@]}"
ordersys down --quiet
data="$(dirname "$(find "$work/state/$project" -name order.db -path '*/order/*' | head -1)")"
[ -f "$data/order.db" ] || fail "the order service's data is not found below $work/state"
data="$(dirname "$data")"

turn() { # turn STACK
    use_stack "$1"
    loaded "$seconds" --concurrency "$connections" >>"$work/$1.jsonl"
}

: >"$out"
stored=0
for size in $sizes; do
    echo "growth: filling up to $size orders" >&2
    bytes="$(du -s --block-size=1 "$data" | cut -f1)"
    timeout 3000 "$tool" fill --data "$data" --orders "$((size - stored))" >"$work/filled.json"
    bytes="$(($(du -s --block-size=1 "$data" | cut -f1) - bytes))"
    start_to_ready "$data"
    : >"$work/empty.jsonl" && : >"$work/grown.jsonl"
    use_stack empty && start_stack "${flags[@]}"
    use_stack grown && start_stack "${flags[@]}"
    if [ "$stored" = 0 ] || [ "${GROWTH_CHECK:-}" = all ]; then
        timeout 900 "$binary" check --quiet "${stack[@]}" >"$work/check" || { cat "$work/check" >&2; fail "a check fails on the filled store"; }
    fi
    for round in $(seq "$rounds"); do
        echo "growth: $size orders, round $round" >&2
        turn empty
        turn grown
    done
    use_stack grown
    jq -nc --argjson orders "$size" --argjson bytes "$bytes" --argjson ready "$ready_ms" --argjson rss "$(memory_kib Rss)" \
        --slurpfile filled "$work/filled.json" --slurpfile empty "$work/empty.jsonl" --slurpfile grown "$work/grown.jsonl" \
        '{orders: $orders, bytesPerOrder: ($bytes / $filled[0].orders), readyMillis: $ready, residentKib: $rss, filled: $filled[0], empty: $empty, grown: $grown}' >>"$out"
    ordersys down --quiet
    use_stack empty && ordersys down --volumes --quiet
    stored=$size # and what the turns added: sizes are at least what they say
done

conditions "$connections connections, orders of 1 line, durability full; $seconds s a turn, medians of $rounds; memory of all three services after the turns"
jq -L bench -rs --argjson least "$least" '
    include "median";
    "| orders | orders/s | of an empty store | p50 ms | p99 ms | start to ready ms | disk bytes/order | memory MB | |",
    "|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    (length as $all | to_entries[] | .key as $at | .value |
        (.grown | map(.rate) | median) as $rate | (.empty | map(.rate) | median) as $empty |
        [.orders, ($rate | round), ($rate / $empty | places(2)), (.grown | map(.p50) | median | places(2)),
            (.grown | map(.p99) | median | places(2)), .readyMillis, (.bytesPerOrder | round),
            (.residentKib * 1024 / 1e6 | places(1)),
            (if $at < $all - 1 then "" elif $rate / $empty < $least then "MISSED" else "kept" end)] | row)
' "$out" | tee "$work/table"
jq -c '.empty[], .grown[]' "$out" >"$work/turns"
all_sound "$work/turns"
! grep -q MISSED "$work/table" || fail "less than $least of the empty store's throughput is left"
