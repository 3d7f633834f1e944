#!/usr/bin/env bash
# Compares the load generator with wrk and oha: the same order posted over the same connections to the same
# bare server; the generator alone on one core, the server alone on another; in turns.
#
#   bench/generators.sh            builds a release binary and measures it
#   bench/generators.sh BINARY     measures this one
#
# GENERATORS_ROUNDS (5) runs of GENERATORS_SECONDS (5) each. Prints medians and their ratios, and fails where
# ours is slower than promised: at least oha's rate, 0.8 of wrk's, an open loop at 0.9 of the closed one.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly rounds="${GENERATORS_ROUNDS:-5}" seconds="${GENERATORS_SECONDS:-5}" connections=64
readonly server_core=0 generator_core=1

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

need wrk wrk
need taskset util-linux
command -v oha >/dev/null || cargo install oha --locked --quiet
if [ $# -eq 0 ]; then
    cargo build --release --quiet
    set -- "$(find target -path '*/release/ordersys' -type f | head -n 1)"
fi
ordersys="$(realpath "$1")"

# Settings of the person who measures must not change what is measured.
for name in "${!ORDERSYS_@}"; do unset "$name"; done

work="$(mktemp -d)"
taskset -c "$server_core" "$ordersys" respond >"$work/url" &
server=$!
trap 'kill "$server"; rm -r "$work"' EXIT
for _ in $(seq 200); do
    [ -s "$work/url" ] && break
    sleep 0.05
done
url="$(cat "$work/url")"
[ -n "$url" ] || { echo "generators: the server does not start" >&2; exit 1; }

# The request as ours sends it.
readonly body='{"userId":"00000000-0000-4000-8000-000000000001","items":[{"productId":"00000000-0000-4000-8000-000000000000","quantity":1}]}'
readonly key='0123456789abcdef0123456789abcdef'
cat >"$work/order.lua" <<LUA
wrk.method = "POST"
wrk.body = '$body'
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "application/json"
wrk.headers["idempotency-key"] = "$key"
LUA

with_wrk=(wrk -t1 "-c$connections" "-d${seconds}s" -s "$work/order.lua" "$url/orders")
with_oha=(oha --no-tui -c "$connections" -z "${seconds}s" -m POST -d "$body" -H 'content-type: application/json'
    -H 'accept: application/json' -H "idempotency-key: $key" "$url/orders")
closed=("$ordersys" bench --concurrency "$connections" --threads 1 --duration "${seconds}s" --warmup 0s --no-verify --sell-existing
    --state-dir "$work/state" --user-url "$url" --product-url "$url" --order-url "$url")

# Appends "REQUESTS_PER_SECOND PROCESSOR_MICROSECONDS_PER_REQUEST" of one run to $work/NAME.
measure() { # measure NAME COMMAND...
    local name="$1" rate TIMEFORMAT='%U %S'
    shift
    # Ours tells by its exit code what it thinks of the run; here only the rate is asked for.
    { time taskset -c "$generator_core" "$@" >"$work/said" 2>&1 || true; } 2>"$work/time"
    rate="$(sed -nE 's/^ *Requests\/sec:[[:space:]]*([0-9.]+).*/\1/p; s/^([0-9.]+) orders\/s.*/\1/p' "$work/said")"
    [ -n "$rate" ] || { echo "generators: $name gave no rate:" >&2; cat "$work/said" >&2; exit 1; }
    awk -v rate="$rate" -v seconds="$seconds" '{ print rate, ($1 + $2) * 1e6 / (rate * seconds) }' \
        "$work/time" >>"$work/$name"
}

median() { # median NAME COLUMN
    awk -v column="$2" '{ print $column }' "$work/$1" | sort -n |
        awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

for _ in $(seq "$rounds"); do
    measure wrk "${with_wrk[@]}"
    measure oha "${with_oha[@]}"
    measure closed "${closed[@]}"
    # A little more than has to be reached of the rate just seen.
    measure open "${closed[@]}" --rate "$(tail -n 1 "$work/closed" | awk '{ printf "%d", $1 * 0.93 }')"
done

printf '%-14s %12s %16s\n' generator requests/s 'CPU us/request'
for name in wrk oha closed open; do
    printf '%-14s %12.0f %16.2f\n' "$name" "$(median "$name" 1)" "$(median "$name" 2)"
done
failed=0
ratio() { # ratio NAME OTHER LEAST
    local found
    found="$(awk -v a="$(median "$1" 1)" -v b="$(median "$2" 1)" 'BEGIN { printf "%.3f", a / b }')"
    printf '%-14s %12s   at least %s\n' "$1 / $2" "$found" "$3"
    awk -v found="$found" -v least="$3" 'BEGIN { exit !(found >= least) }' || failed=1
}
ratio closed oha 1
ratio closed wrk 0.8
ratio open closed 0.9
exit "$failed"
