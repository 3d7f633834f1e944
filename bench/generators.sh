#!/usr/bin/env bash
# Compares the load generator with wrk and oha: the same order posted over the same number of connections to
# the same bare server, the generator alone on one core, the server alone on another, in turns.
# Prints rates, processor time and ratios; fails if ours is slower than promised: at least oha's rate, 0.8 of
# wrk's, and an open loop that keeps up 0.9 of the closed one's.
#
#   bench/generators.sh [ROUNDS] [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds="${1:-5}" seconds="${2:-5}" connections=64
server_core=0 generator_core=1

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}
need wrk wrk
need taskset util-linux
command -v oha >/dev/null || cargo install oha --locked --quiet
if [ -z "${ORDERSYS:-}" ]; then
    cargo build --release --quiet
    ORDERSYS="$(find target -path '*/release/ordersys' -type f | head -n 1)"
fi

scratch="$(mktemp -d)"
taskset -c "$server_core" "$ORDERSYS" respond >"$scratch/url" &
server=$!
trap 'kill "$server"; rm -r "$scratch"' EXIT
for _ in $(seq 100); do
    [ -s "$scratch/url" ] && break
    sleep 0.05
done
url="$(cat "$scratch/url")"

body='{"userId":"00000000-0000-4000-8000-000000000001","items":[{"productId":"00000000-0000-4000-8000-000000000000","quantity":1}]}'
key='0123456789abcdef0123456789abcdef'
cat >"$scratch/order.lua" <<LUA
wrk.method = "POST"
wrk.body = '$body'
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json"
wrk.headers["idempotency-key"] = "$key"
LUA

run_wrk() { wrk -t1 -c"$connections" -d"${seconds}s" -s "$scratch/order.lua" "$url/orders"; }
run_oha() {
    oha --no-tui -c "$connections" -z "${seconds}s" -m POST -d "$body" -H 'content-type: application/json' \
        -H 'accept: application/json' -H "idempotency-key: $key" "$url/orders"
}
run_ours() {
    "$ORDERSYS" bench --concurrency "$connections" --threads 1 --duration "${seconds}s" --warmup 0s --no-verify \
        --state-dir "$scratch/state" --user-url "$url" --product-url "$url" --order-url "$url" "$@"
}
run_closed() { run_ours; }
run_open() { run_ours --rate "$open_rate"; }

# Appends "REQUESTS_PER_SECOND PROCESSOR_MICROSECONDS_PER_REQUEST" of one run to a file.
measure() { # measure NAME
    local TIMEFORMAT='%U %S'
    { time taskset -c "$generator_core" bash -c "$(declare -f); $(declare -p scratch url body key seconds \
        connections ORDERSYS open_rate); run_$1" >"$scratch/out" 2>/dev/null; } 2>"$scratch/time" || true
    local rate
    rate="$(sed -nE 's/^ *Requests\/sec:[[:space:]]*([0-9.]+).*/\1/p; s/^([0-9.]+) orders\/s.*/\1/p' "$scratch/out")"
    [ -n "$rate" ] || { echo "$1 gave no rate:" >&2; cat "$scratch/out" >&2; exit 1; }
    awk -v rate="$rate" -v seconds="$seconds" '{ printf "%s %.2f\n", rate, ($1 + $2) * 1e6 / (rate * seconds) }' \
        "$scratch/time" >>"$scratch/$1"
}

median() { # median NAME COLUMN
    awk -v column="$2" '{ print $column }' "$scratch/$1" | sort -n |
        awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

open_rate=0
for _ in $(seq "$rounds"); do
    for name in wrk oha closed; do measure "$name"; done
done
open_rate="$(median closed 1 | awk '{ printf "%d", $1 * 0.93 }')"
for _ in $(seq "$rounds"); do
    for name in closed open; do measure "$name"; done
done

printf '%-22s %12s %18s\n' generator requests/s 'CPU us/request'
for name in wrk oha closed open; do
    printf '%-22s %12.0f %18.2f\n' "$name" "$(median "$name" 1)" "$(median "$name" 2)"
done
failed=0
ratio() { # ratio WHAT NAME OTHER LEAST
    local found
    found="$(awk -v a="$(median "$2" 1)" -v b="$(median "$3" 1)" 'BEGIN { printf "%.3f", a / b }')"
    printf '%-22s %12s   (at least %s)\n' "$1" "$found" "$4"
    awk -v found="$found" -v least="$4" 'BEGIN { exit !(found >= least) }' || failed=1
}
ratio 'closed / oha' closed oha 1
ratio 'closed / wrk' closed wrk 0.8
ratio 'open / closed' open closed 0.9
exit "$failed"
