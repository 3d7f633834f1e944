#!/usr/bin/env bash
# Measures whether the memory of the load generator grows with the length of a run: an open loop against the bare
# server, without the ledger that verification needs (at most 64 bytes an order, and those are promised to grow).
#
#   bench/memory.sh            builds a release binary and measures it
#   bench/memory.sh BINARY     measures this one
#
# MEMORY_SECONDS (600) of MEMORY_RATE (10000) requests a second; the memory at the end is compared with that after
# MEMORY_FROM (120) seconds, by when everything of a fixed size is there. MEMORY_CONNECTIONS (64) and
# MEMORY_THREADS (1) of the generator. Ends with 1 if it grew by more than MEMORY_LIMIT_MB (4).
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly seconds="${MEMORY_SECONDS:-600}" from="${MEMORY_FROM:-120}" rate="${MEMORY_RATE:-10000}"
readonly connections="${MEMORY_CONNECTIONS:-64}" threads="${MEMORY_THREADS:-1}" limit_mb="${MEMORY_LIMIT_MB:-4}"
readonly samples=5 # a second apart; the largest counts

[ "$from" -ge "$samples" ] && [ "$seconds" -ge $((from + samples)) ] ||
    fail "MEMORY_FROM has to be $samples at least, and MEMORY_SECONDS $samples more than that"
need awk jq
binary="$(program "${1:-}")"
# Settings of the person who measures must not change what is measured.
for name in "${!ORDERSYS_@}"; do unset "$name"; done

work="$(mktemp -d)"
processes=()
trap 'kill "${processes[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
"$binary" respond >"$work/url" &
processes+=("$!")
timeout 10 sh -c "until [ -s '$work/url' ]; do sleep 0.05; done" || fail "the server does not start"
url="$(cat "$work/url")"

"$binary" bench --rate "$rate" --duration "$((seconds + samples + 10))s" --warmup 0s --concurrency "$connections" \
    --threads "$threads" --no-verify --output json --state-dir "$work/state" \
    --user-url "$url" --product-url "$url" --order-url "$url" >"$work/report.json" 2>"$work/said" &
generator=$!
processes+=("$generator")
started="$SECONDS"

resident_kib() {
    awk '/^RssAnon/ { print $2; found = 1 } END { exit !found }' "/proc/$generator/status" 2>/dev/null ||
        { cat "$work/said" >&2; fail "the run ended early"; }
}

largest_at() { # largest_at SECOND: the most of some samples that end then, in KiB
    local most=0 now
    while [ $((SECONDS - started)) -lt $(($1 - samples)) ]; do sleep 0.2; done
    for _ in $(seq "$samples"); do
        now="$(resident_kib)"
        [ "$now" -le "$most" ] || most="$now"
        sleep 1
    done
    echo "$most"
}

before="$(largest_at "$from")"
after="$(largest_at "$seconds")"
kill -INT "$generator" # what was sent until now is reported
code=0
wait "$generator" || code=$?
[ "$code" = 130 ] || { cat "$work/said" >&2; fail "the run ended with $code"; }

sent="$(jq .totals.sent "$work/report.json")"
awk -v before="$before" -v after="$after" -v limit="$limit_mb" -v from="$from" -v seconds="$seconds" \
    -v rate="$rate" -v sent="$sent" 'BEGIN {
    grown = (after - before) * 1024 / 1e6
    printf "open loop of %d requests/s: %d sent\n", rate, sent
    printf "memory of the generator: %.1f MB after %d s, %.1f MB after %d s\n",
        before * 1024 / 1e6, from, after * 1024 / 1e6, seconds
    printf "grown by %.2f MB, at most %s MB\n", grown, limit
    if (sent < 0.9 * rate * seconds) {
        print "memory: the generator did not keep its plan, so this says little" > "/dev/stderr"
        exit 1
    }
    exit grown > limit
}'
