#!/usr/bin/env bash
# What the system takes before it does anything: memory of three idle services, size of the image, and the
# time from the start of the order service until it is ready, with an empty store and with many orders.
#
#   bench/footprint.sh                    builds a release binary and measures it
#   bench/footprint.sh BINARY [BENCHES]   measures this one; ordersys-benches (profile quick) is built if not named
#
# FOOTPRINT_ORDERS (1000000) orders are filled in, FOOTPRINT_ROUNDS (5) starts are timed. Needs jq, curl and
# node; without a Docker engine the image is left out. Writes JSON to bench-footprint.json (or FOOTPRINT_OUT).
# Ends with 1 if a limit is missed: 40 MB resident, 20 MB of image, 100 ms, 1 s. Takes about two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly orders="${FOOTPRINT_ORDERS:-1000000}" rounds="${FOOTPRINT_ROUNDS:-5}"
readonly out="$(realpath -m "${FOOTPRINT_OUT:-bench-footprint.json}")"

need jq curl node
binary="$(program "${1:-}")"
tool="$(benches "${2:-}")"
# What was just written lies in the page cache in large pieces, of which more is mapped than is used. Read from
# the disk, as by everybody who did not build it, it does not.
sync "$binary"
dd if="$binary" of=/dev/null iflag=nocache count=0 status=none
fresh_stack --durability full --topology services

measured() { # measured WHAT UNIT LIMIT VALUE
    jq -nc --arg what "$1" --arg unit "$2" --argjson limit "$3" --argjson value "$4" \
        '{what: $what, unit: $unit, limit: $limit, value: $value}' >>"$work/measured"
}
megabytes() { awk -v kib="$1" 'BEGIN { printf "%.1f\n", kib * 1024 / 1e6 }'; }

echo "footprint: memory" >&2
sleep 5 # the start itself is over by then
measured "three idle services, resident" MB 40 "$(megabytes "$(memory_kib Rss)")"
measured "three idle services, proportional" MB null "$(megabytes "$(memory_kib Pss)")"

if timeout 10 docker version >/dev/null 2>&1; then
    echo "footprint: image" >&2
    use_stack image
    start_stack --runtime docker
    image="$(docker inspect --format '{{.Image}}' "$(ordersys status --output json | jq -r '.services[0].containerId')")"
    measured "image" MB 20 "$(docker inspect --format '{{.Size}}' "$image" | awk '{ printf "%.1f\n", $1 / 1e6 }')"
    ordersys down --volumes --quiet
fi

start() { # start WHAT LIMIT DATA_DIR
    : >"$work/starts"
    for _ in $(seq "$rounds"); do
        start_to_ready "$3"
        echo "$ready_ms" >>"$work/starts"
    done
    measured "order service, start to ready, $1" ms "$2" "$(median <"$work/starts")"
}
echo "footprint: start" >&2
start_to_ready "$work/few" # the first one makes the tables
start "no orders" 100 "$work/few"
echo "footprint: filling in $orders orders" >&2
timeout 600 "$tool" fill --data "$work/many" --orders "$orders" >"$work/filled"
start "$orders orders" 1000 "$work/many"

jq -s . "$work/measured" >"$out"
conditions "medians of $rounds starts; page cache warm"
jq -L bench -r 'include "median"; "| what | measured | limit | |", "|---|---:|---:|---|",
    (.[] | [.what, "\(.value) \(.unit)", .limit // "-",
        (if .limit == null then "" elif .value > .limit then "MISSED" else "kept" end)] | row)' "$out" | tee "$work/table"
! grep -q MISSED "$work/table" || fail "a limit is missed"
