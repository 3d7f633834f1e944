#!/usr/bin/env bash
# How much of what one service can answer at all is left for durable orders: orders per second over bare
# `GET /livez` of the order service per second, of the same build, in the same run, by the same generator.
#
#   bench/ceiling.sh            builds a release binary and measures it
#   bench/ceiling.sh BINARY     measures this one
#
# CEILING_ROUNDS (9) rounds of CEILING_SECONDS (2) for each turn, CEILING_CONNECTIONS (256). Needs jq, curl and
# wrk. Writes a line of JSON for each turn to bench-ceiling.jsonl (or CEILING_OUT), prints medians. The ratio is the
# median of those of each round, whose turns follow each other: a shared machine gets slower and faster within
# seconds. Ends with 1 if it is below 0.30 with ours or with wrk, or if a turn was not sound. Takes about two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly rounds="${CEILING_ROUNDS:-9}" seconds="${CEILING_SECONDS:-2}" connections="${CEILING_CONNECTIONS:-256}"
readonly least=0.30 out="$(realpath -m "${CEILING_OUT:-bench-ceiling.jsonl}")"

need jq curl wrk
binary="$(program "${1:-}")"
fresh_stack --durability full --topology services

buyer="$(curl -sf -X POST "$our_user/users" -H 'Content-Type: application/json' \
    -d '{"name":"Load","email":"load@example.com"}' | jq -r .id)"
ordersys product create --name Load --price 9.99 --stock 1000000000 --quiet >/dev/null
product="$(curl -sf "$our_product/products" | jq -r '[.[] | select(.name == "Load")][0].id')"
cat >"$work/livez.lua" <<'LUA'
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"rate":%.3f,"p50":%.3f,"p99":%.3f,"bad":%d}\n',
    summary.requests * 1e6 / summary.duration, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
LUA

by_wrk() { # by_wrk SCRIPT URL
    USER_ID="$buyer" PRODUCT_IDS="$product" timeout $((seconds + 30)) \
        wrk -t1 -c"$connections" -d"${seconds}s" -s "$1" "$2" | sed -n 's/^RESULT //p' |
        jq -c 'if .requests then {rate: (.requests / .seconds), p50, p99, bad: (.refused + .broken)} else . end'
}

turn() { # turn GENERATOR WHAT
    echo "ceiling: $1, $2" >&2
    case "$1 $2" in
        "bench orders") loaded "$seconds" --concurrency "$connections" ;;
        "bench livez") loaded "$seconds" --concurrency "$connections" --mix live:1 ;;
        "wrk orders") by_wrk bench/article/orders.lua "$our_order/orders" ;;
        "wrk livez") by_wrk "$work/livez.lua" "$our_order/livez" ;;
    esac | jq -c --arg generator "$1" --arg what "$2" '{generator: $generator, what: $what} + .' >>"$out"
}

: >"$out"
for _ in $(seq "$rounds"); do
    for generator in bench wrk; do
        turn "$generator" livez
        turn "$generator" orders
    done
done

conditions "$connections connections, orders of 1 line, durability full, three services; $seconds s a turn, medians of $rounds"
jq -L bench -rs --argjson least "$least" '
    include "median";
    "| generator | orders/s | GET /livez/s | ratio | of the rounds | at least | |", "|---|---:|---:|---:|---|---:|---|",
    (group_by(.generator)[] | .[0].generator as $name |
        map(select(.what == "orders").rate) as $orders | map(select(.what == "livez").rate) as $live |
        ([$orders, $live] | transpose | map(.[0] / .[1])) as $ratios | ($ratios | median) as $ratio |
        [$name, ($orders | median | round), ($live | median | round), ($ratio | places(3)),
            "\($ratios | min | places(3)) to \($ratios | max | places(3))", $least,
            (if $ratio < $least then "MISSED" else "kept" end)] | row)
' "$out" | tee "$work/table"
all_sound "$out"
! grep -q MISSED "$work/table" || fail "the target is missed"
