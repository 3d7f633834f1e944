#!/usr/bin/env bash
# Times `up` and `down` in Docker with the release build: medians of 10, against the limits they have to keep.
#
#     bench/orchestrator.sh [PATH_OF_ORDERSYS]
set -euo pipefail
cd "$(dirname "$0")/.."
ordersys=${1:-$(find target -path '*release/ordersys' -type f | head -1)}
rounds=10
state=$(mktemp -d)
project=orchestrator-$$
run() { "$ordersys" "$@" --project "$project" --state-dir "$state" --quiet; }
up() { run up --runtime docker --port auto -o json --binary "$1"; }
trap 'run down --volumes >/dev/null 2>&1; rm -rf "$state"' EXIT

# Seconds a command takes.
timed() {
  local from=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", to - from }'
}

# One line of the report: what, the limit, and the median of the seconds on stdin.
report() {
  sort -n | awk -v what="$1" -v limit="$2" '{ t[NR] = $1 } END {
    median = NR % 2 ? t[(NR + 1) / 2] : (t[NR / 2] + t[NR / 2 + 1]) / 2
    printf "| %s | %.3f | %.3f | %.3f | %s | %s |\n", what, t[1], median, t[NR], limit, median <= limit ? "kept" : "MISSED"
  }'
}

up "$ordersys" >/dev/null
run down
for _ in $(seq $rounds); do
  timed up "$ordersys" >> "$state/present"
  timed up "$ordersys" >> "$state/unchanged"
  timed run down >> "$state/down"
done
# Cold: a program whose image was never loaded; bytes behind the end of an ELF file change nothing else.
for round in $(seq $rounds); do
  cp "$ordersys" "$state/program"
  printf '%s' "$project-$round" >> "$state/program"
  timed up "$state/program" >> "$state/cold"
  image=$(docker inspect --format '{{.Config.Image}}' "$project-user-1")
  run down
  docker rmi "$image" >/dev/null
done
echo "| what | fastest s | median s | slowest s | limit s | |"
echo "|---|---:|---:|---:|---:|---|"
report "up, image present" 1.5 < "$state/present"
report "up, nothing changed" 0.15 < "$state/unchanged"
report "down" 1.0 < "$state/down"
report "up, image made and loaded" 2.5 < "$state/cold"
