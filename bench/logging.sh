#!/usr/bin/env bash
# Measures what logging at info and counting requests cost the order path: orders on three services that do
# both, against orders on three that do neither (--log off, --no-metrics). The counts of commits, of coalesced
# calls and of steps of orders stay on in both.
#
#   bench/logging.sh            builds a release binary and measures it
#   bench/logging.sh BINARY     measures this one
#
# LOGGING_ROUNDS (7) rounds of LOGGING_SECONDS (5) for each side, in turn and each time first the one, then the
# other, so that both sides see the same machine; LOGGING_CONNECTIONS (64). Log lines go to a file, as under `up`.
# Needs curl, jq and node. Writes a line of JSON for each turn to bench-logging.jsonl (or LOGGING_OUT) and prints
# medians. Ends with 1 if the cost is over LOGGING_LIMIT (10) percent of the orders a second, or a turn was not sound.
# Takes about two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly rounds="${LOGGING_ROUNDS:-7}" seconds="${LOGGING_SECONDS:-5}"
readonly connections="${LOGGING_CONNECTIONS:-64}" limit="${LOGGING_LIMIT:-10}"
readonly out="$(realpath -m "${LOGGING_OUT:-bench-logging.jsonl}")"
need curl jq node
binary="$(program "${1:-}")"
prepare
ticks="$(getconf CLK_TCK)"
declare -A urls=() services=()

start() { # start SIDE SERVE_FLAG...: three services on free ports
    local side="$1" role
    shift
    local -A port
    read -r port[user] port[product] port[order] < <(free_ports 3 | xargs)
    for role in user product order; do
        "$binary" serve "$role" --port "${port[$role]}" --data-dir "$work/$side" --log-format json \
            --user-url "http://127.0.0.1:${port[user]}" --product-url "http://127.0.0.1:${port[product]}" "$@" \
            >"$work/$side-$role.log" 2>&1 &
        background_pids+=("$!")
        services[$side]+="$! "
        urls[$side]+="--$role-url http://127.0.0.1:${port[$role]} "
        await "http://127.0.0.1:${port[$role]}/readyz"
    done
}

# Microseconds of processor that the services of a side have used so far.
used() { # used SIDE
    local pid
    for pid in ${services[$1]}; do cat "/proc/$pid/stat"; done |
        sed 's/^.*) //' | awk -v ticks="$ticks" '{ sum += $12 + $13 } END { printf "%.0f\n", sum * 1000000 / ticks }'
}

# One run against a side, with the processor time its services took for it.
turn() { # turn SIDE: a line of JSON
    local before after
    # shellcheck disable=SC2206
    stack=(--state-dir "$work/state" ${urls[$1]})
    before="$(used "$1")"
    loaded "$seconds" --concurrency "$connections" >"$work/turn"
    after="$(used "$1")"
    jq -c --arg side "$1" --argjson us "$((after - before))" '{side: $side, serviceMicros: $us} + .' "$work/turn"
}

# How many counters of confirmed orders a side has.
counts() { # counts SIDE
    local url
    url="$(sed 's/.*--order-url \([^ ]*\).*/\1/' <<<"${urls[$1]}")"
    curl -sf "$url/metrics" | grep -c '^ordersys_http_requests_total{.*route="/orders",status="201"' || true
}

start with --log info
start without --log off --no-metrics
for side in with without; do turn "$side" >/dev/null; done # warm-up
: >"$out"
for round in $(seq "$rounds"); do
    echo "logging: round $round of $rounds" >&2
    sides="with without"
    [ $((round % 2)) = 1 ] || sides="without with"
    for side in $sides; do turn "$side" >>"$out"; done
done

# A comparison of nothing with nothing would be passed too.
grep -q '"message":"request"' "$work/with-order.log" || fail "the side that logs logged no request"
[ ! -s "$work/without-order.log" ] || fail "the side without logs logged"
[ "$(counts with)" -gt 0 ] || fail "the side that counts counted no order"
[ "$(counts without)" = 0 ] || fail "the side without counts counted"

conditions "orders of 1 line, $connections connections, durability full, $seconds s a turn, medians of $rounds turns each"
jq -L bench -rs --argjson limit "$limit" --argjson seconds "$seconds" '
    include "median";
    def of($side): map(select(.side == $side));
    def us: map(.serviceMicros / ([.rate * $seconds, 1] | max)) | median;
    (of("without") | map(.rate) | median) as $base |
    (of("with") | map(.rate) | median) as $rate |
    (100 * (1 - $rate / $base)) as $cost |
    "| logs and counts | orders/s | p50 ms | p99 ms | services us/order |",
    "|---|---:|---:|---:|---:|",
    (("without", "with") as $side | of($side) |
        [$side, (map(.rate) | median | round), (map(.p50) | median | places(2)), (map(.p99) | median | places(2)),
            (us | places(1))] | row),
    "",
    "cost: \($cost | places(1)) % of the orders a second (at most \($limit) %): \(if $cost > $limit then "MISSED" else "kept" end)"
' "$out" | tee "$work/table"
all_sound "$out"
! grep -q MISSED "$work/table" || exit 1
