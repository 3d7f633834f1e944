#!/usr/bin/env bash
# Measures a fresh stack of this build and writes the table between the bench marks of
# docs/performance/results.md.
#
#   bench/record.sh            builds a release binary and measures it
#   bench/record.sh BINARY     measures this one
#
# RECORD_DURATION (10s) is the length of each run, RECORD_PAGE (docs/performance/results.md) the file that is written.
# Needs jq. A run that measured the generator (exit code 8) is repeated, twice at most; any other failure,
# or a third invalid run, leaves the file as it was. Every step has a time limit; the stack ends in any case.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly duration="${RECORD_DURATION:-10s}" page="${RECORD_PAGE:-docs/performance/results.md}"
readonly begin='<!-- bench:begin -->' end='<!-- bench:end -->'
readonly runs=(1 64 256) attempts=3 invalid=8

fail() {
    echo "record: $*" >&2
    exit 1
}

command -v jq >/dev/null || fail "jq is needed to read the results"
[ "$(grep -cFx -e "$begin" -e "$end" "$page")" = 2 ] || fail "$page needs one $begin and one $end"

built_binary() {
    cargo build --release --quiet --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys").executable // empty'
}

binary="${1:-$(built_binary)}"
[ -x "$binary" ] || fail "$binary is no program"
binary="$(realpath "$binary")"

# Settings of the person who measures must not change what is measured.
for name in "${!ORDERSYS_@}"; do unset "$name"; done

# Below target: /tmp may be memory, on which a sync costs nothing.
mkdir -p target
work="$(mktemp -d "$PWD/target/record-XXXXXX")"
stack=(--project "record-$$" --state-dir "$work/state")

clean_up() {
    timeout 90 "$binary" down --volumes --quiet "${stack[@]}" || echo "record: $work may still be in use" >&2
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

timeout 60 "$binary" up --runtime process --topology services --durability full --port auto \
    --quiet "${stack[@]}" >"$work/up.txt" || fail "the stack does not start"

run() { # run CONNECTIONS
    timeout 120 "$binary" bench --concurrency "$1" --lines 1 --duration "$duration" \
        --output json --quiet "${stack[@]}" >"$work/$1.json"
}

for connections in "${runs[@]}"; do
    for attempt in $(seq "$attempts"); do
        echo "record: $connections connections, $duration, attempt $attempt" >&2
        code=0
        run "$connections" || code=$?
        [ "$code" = "$invalid" ] || break
    done
    [ "$code" = 0 ] || fail "the run with $connections connections ended with exit code $code"
done

conditions() {
    local storage
    storage="$(stat -f -c %T "$work" 2>/dev/null || echo unknown)"
    jq -r --arg storage "$storage" --arg machine "$(uname -sm)" --arg day "$(date -u +%F)" '
        .settings as $s |
        "Conditions: closed loop, orders of \($s.lines) line, \($s.durationSeconds) s each after " +
        "\($s.warmupSeconds) s of warm-up; durability \($s.durability // "unknown") on \($storage), topology " +
        "\($s.topology), runtime \($s.runtime); \($s.cores) cores shared with the generator " +
        "(\($s.threads) thread), \($machine); version \($s.version), \($s.build) build, \($day)."
    ' "$work/${runs[0]}.json"
}

table() {
    conditions
    echo
    echo "| connections | orders/s | p50 ms | p90 ms | p99 ms | p99.9 ms | max ms | CPU us/order, client + server | verdict | checks |"
    echo "|---:|---:|---:|---:|---:|---:|---:|---:|---|---|"
    for connections in "${runs[@]}"; do
        jq -r '
            def cpu: if . == null then "?" else . * 10 | round / 10 end;
            .latency.response as $r | .verification as $v |
            [ .settings.concurrency, (.totals.throughput | round), $r.p50, $r.p90, $r.p99, $r.p999, $r.max,
              "\(.cpuMicrosPerRequest.client | cpu) + \(.cpuMicrosPerRequest.server | cpu)", .verdict,
              (def count($result): [$v[] | select(.result == $result)] | length;
               "\(count("PASS")) passed, \(count("SKIP")) skipped")
            ] | "| " + (map(tostring) | join(" | ")) + " |"
        ' "$work/$connections.json"
    done
    for connections in "${runs[@]}"; do
        jq -r 'select(.cause) | "\n\(.settings.concurrency) connections, \(.verdict): \(.cause)."' \
            "$work/$connections.json"
    done
}

table >"$work/table.md"
awk -v begin="$begin" -v end="$end" -v table="$work/table.md" '
    $0 == end { skip = 0 }
    !skip { print }
    $0 == begin { skip = 1; while ((getline line < table) > 0) print line }
' "$page" >"$work/page.md"
cat "$work/page.md" >"$page"
cat "$work/table.md"
