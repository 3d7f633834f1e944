#!/usr/bin/env bash
# Shows what overload does: finds the highest rate the system sustains, then asks for three times as much.
#
#   bench/overload.sh            builds a release binary and measures it
#   bench/overload.sh BINARY     measures this one
#
# OVERLOAD_SECONDS (8) is the length of the two runs that count, OVERLOAD_CONNECTIONS (1024) how many
# connections the open loop may use: more than there are places for orders. A rate is sustained if every
# order of a short run is taken, within 50 ms for 99 of 100. Needs jq. Ends with 1 if less than 90 % of
# the peak is left, if accepted orders take more than twice as long (p99), or if a check fails.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly seconds="${OVERLOAD_SECONDS:-8}" connections="${OVERLOAD_CONNECTIONS:-1024}"

fail() {
    echo "overload: $*" >&2
    exit 1
}

command -v jq >/dev/null || fail "jq is needed to read the results"

built_binary() {
    cargo build --release --quiet --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys").executable // empty'
}

binary="${1:-$(built_binary)}"
[ -x "$binary" ] || fail "$binary is no program"
binary="$(realpath "$binary")"

for name in "${!ORDERSYS_@}"; do unset "$name"; done

mkdir -p target
work="$(mktemp -d "$PWD/target/overload-XXXXXX")"
stack=(--project "overload-$$" --state-dir "$work/state")

clean_up() {
    timeout 90 "$binary" down --volumes --quiet "${stack[@]}" || echo "overload: $work may still be in use" >&2
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

timeout 60 "$binary" up --runtime process --topology services --durability full --port auto \
    --quiet "${stack[@]}" >"$work/up.txt" || fail "the stack does not start"

run() { # run NAME SECONDS ARGUMENTS...: the exit code 8 of a generator that shares the machine is no failure
    local name="$1" length="$2" code=0
    shift 2
    timeout 100 "$binary" bench --duration "${length}s" --warmup 1s --output json --quiet "${stack[@]}" "$@" \
        >"$work/$name.json" 2>"$work/$name.txt" || code=$?
    [ "$code" = 0 ] || [ "$code" = 8 ] || fail "the run $name ended with $code: $(cat "$work/$name.txt")"
}

value() { # value NAME EXPRESSION
    jq -r "$2" "$work/$1.json"
}

is_sustained() { # is_sustained RATE
    run search 3 --rate "$1" --concurrency "$connections" --no-verify
    echo "overload: $1/s: $(value search '"\(.totals.throughput | round)/s, p99 \(.latency.response.p99) ms, \(.totals.refused) refused"')" >&2
    [ "$(value search '(.totals | .refused + .failed + .timedOut + .skipped + .unsent) == 0 and .latency.response.p99 < 50')" = true ]
}

run closed 4 --concurrency 256 --no-verify
ceiling="$(value closed '.totals.throughput | round')"
echo "overload: closed loop with 256 connections: $ceiling/s" >&2
sustained=0
for percent in 95 90 85 80 75 70 60 50; do
    rate=$((ceiling * percent / 100))
    if is_sustained "$rate"; then
        sustained="$rate"
        break
    fi
done
[ "$sustained" -gt 0 ] || fail "not even half of what a closed loop reaches is sustained"

run peak "$seconds" --rate "$sustained" --concurrency "$connections"
run overload "$seconds" --rate "$((3 * sustained))" --concurrency "$connections"

line() { # line NAME
    value "$1" '"\(.settings.rate // "?") asked/s: \(.totals.sent) sent, \(.totals.throughput | round) orders/s, " +
        "p50 \(.latency.service.p50) ms, p99 \(.latency.service.p99) ms, \(.totals.refused) refused, " +
        "\(.totals.failed + .totals.timedOut + .totals.aborted) failed, \(.totals.skipped + .totals.unsent) not sent; " +
        "checks: \([.verification[] | select(.result == "PASS")] | length) of \(.verification | length) hold; \(.verdict)"'
}

echo "peak      $(line peak)"
echo "overload  $(line overload)"
jq -rn --slurpfile peak "$work/peak.json" --slurpfile over "$work/overload.json" '
    def hundredths: . * 100 | round / 100;
    ($over[0].totals.throughput / $peak[0].totals.throughput) as $goodput |
    ($over[0].latency.service.p99 / $peak[0].latency.service.p99) as $p99 |
    "goodput \($goodput | hundredths) of the peak, p99 of accepted orders \($p99 | hundredths) times that at the peak",
    if $goodput < 0.9 or $p99 > 2 or any($over[0].verification[]; .result == "FAIL") then halt_error(1) else empty end
'
