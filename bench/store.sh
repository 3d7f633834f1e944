#!/usr/bin/env bash
# The stores alone, without HTTP and without each other: commits per second and orders in them, by the shape
# of what is written, through the services' own code.
#
#   bench/store.sh            builds ordersys-benches (profile quick) and measures
#   bench/store.sh BINARY     measures this ordersys-benches
#
# STORE_ROUNDS (3) rounds of STORE_SECONDS (2) for each shape, STORE_DURABILITY ("full memory"). Needs jq.
# Writes a line of JSON for each turn to bench-store.jsonl (or STORE_OUT), prints medians. About a minute a
# round. What the disk does by itself is printed too: synced writes of one page, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly rounds="${STORE_ROUNDS:-3}" seconds="${STORE_SECONDS:-2}" levels="${STORE_DURABILITY:-full memory}"
readonly out="$(realpath -m "${STORE_OUT:-bench-store.jsonl}")" pages=500

need jq
tool="$(benches "${1:-}")"
prepare
syncs() { # synced pages per second
    LC_ALL=C dd if=/dev/zero of="$work/pages" bs=4096 count="$pages" oflag=dsync 2>&1 |
        awk -v pages="$pages" '/copied/ { for (i = 2; i <= NF; i++) if ($i == "s,") printf "%.0f\n", pages / $(i - 1) }'
}

: >"$out"
for round in $(seq "$rounds"); do
    syncs >>"$work/syncs"
    for level in $levels; do
        echo "store: round $round, durability $level" >&2
        timeout 300 "$tool" store --durability "$level" --seconds "$seconds" --dir "$work" |
            jq -c --arg durability "$level" '{durability: $durability} + .' >>"$out"
    done
done

echo "Conditions: $seconds s for each shape, medians of $rounds; $(stat -f -c %T "$work"), $(median <"$work/syncs" | cut -d. -f1) synced" \
    "pages/s; $(machine); ordersys-benches ($(profile_of "$tool")), $(date -u +%F)."
echo
jq -L bench -rs '
    include "median";
    "| store | durability | callers | orders a call | commits/s | orders/s | orders a commit | p50 us a call |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
    (group_by(.store, .durability, .callers, .ordersPerCall)[] | .[0] as $it |
        (map(.commitsPerSecond) | median) as $commits | (map(.ordersPerSecond) | median) as $orders |
        [$it.store, $it.durability, $it.callers, $it.ordersPerCall, ($commits | round), ($orders | round),
            ($orders / $commits | places(1)), (map(.p50Micros) | median | places(0))] | row)
' "$out"
