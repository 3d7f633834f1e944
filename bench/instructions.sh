#!/usr/bin/env bash
# Counts the instructions that an order takes on the hot paths, with callgrind: a figure that does not depend
# on what else the machine does. Compares them with those recorded in bench/instructions.json.
#
#   bench/instructions.sh                     builds ordersys-benches (profile quick) and counts
#   bench/instructions.sh [--record] BINARY   counts with this ordersys-benches
#   bench/instructions.sh --record            records the counts as the new baseline instead of comparing
#
# INSTRUCTIONS_PATHS ("order product user system lines") are the paths, INSTRUCTIONS_LIMIT (10) is by how many percent
# a count may rise. Each path runs twice, with few orders and with many: the difference is free of start and
# end. The profile of the longer run stays in target/instructions/PATH.out, for callgrind_annotate.
# A script and not gungraun: that counts one call of a function in its own process, and what is wanted here is
# the difference of two whole runs with their threads; it also needs a second program of exactly its version.
# Needs valgrind and jq. Takes about a minute. Ends with 1 if a count rose by more than the limit.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

record=
[ "${1:-}" != --record ] || { record=yes; shift; }
readonly paths="${INSTRUCTIONS_PATHS:-order product user system lines}" limit="${INSTRUCTIONS_LIMIT:-10}"
readonly few=160 many=960 baseline=bench/instructions.json out=target/instructions

need valgrind jq
tool="$(benches "${1:-}")"
mkdir -p "$out"
work="$(mktemp -d "$PWD/target/instructions-XXXXXX")"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

count() { # count PATH ORDERS: the instructions of a whole run; leaves the profile in $out
    # A fixed environment: its size moves the stack, and a log level would change what is done.
    timeout 300 env -i PATH="$PATH" valgrind --tool=callgrind --fair-sched=yes \
        --callgrind-out-file="$out/$1.out" "$tool" work "$1" --orders "$2" --dir "$work" \
        >"$work/log" 2>"$work/said" || { cat "$work/said" >&2; fail "$1 with $2 orders failed or took over 300 s"; }
    sed -n 's/^summary: //p; s/^totals: //p' "$out/$1.out" | head -1
}

for path in $paths; do
    echo "instructions: $path" >&2
    base="$(count "$path" "$few")"
    full="$(count "$path" "$many")"
    jq -n --arg path "$path" --argjson count "$(((full - base) / (many - few)))" '{($path): $count}'
done | jq -s --arg rustc "$(rustc --version)" --arg valgrind "$(valgrind --version)" --arg machine "$(uname -m)" \
    '{rustc: $rustc, valgrind: $valgrind, machine: $machine, instructionsPerOrder: add}' >"$work/now.json"

echo "Conditions: ordersys-benches $(date -u +%F), $(uname -sm), $(rustc --version), $(valgrind --version);" \
    "user space only, durability memory, one thread and the stores' own, 8 clients or 16 orders a call."
echo
if [ -n "$record" ]; then
    cp "$work/now.json" "$baseline"
    jq -r '"| path | instructions per order |", "|---|---:|",
        (.instructionsPerOrder | to_entries[] | "| \(.key) | \(.value) |")' "$baseline"
    exit
fi
jq -rn --slurpfile before "$baseline" --slurpfile now "$work/now.json" --argjson limit "$limit" '
    $before[0] as $b | $now[0] as $n |
    "| path | recorded | now | change % | |", "|---|---:|---:|---:|---|",
    ($n.instructionsPerOrder | to_entries[] | $b.instructionsPerOrder[.key] as $old |
        if $old == null then "| \(.key) | - | \(.value) | - | not recorded |" else
            ((.value / $old - 1) * 1000 | round / 10) as $change |
            "| \(.key) | \($old) | \(.value) | \($change) | \(if $change > $limit then "MISSED" else "kept" end) |"
        end),
    (if $b.rustc != $n.rustc or $b.machine != $n.machine
        then "", "The baseline was recorded with \($b.rustc) on \($b.machine)." else empty end)
' | tee "$work/table"
! grep -q MISSED "$work/table" || fail "an order takes over $limit % more instructions; if it has to, record them with --record"
