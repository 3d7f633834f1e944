#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds (default 60): fuzz/run.sh [SECONDS]
# Needs a nightly toolchain and a C++ compiler. What is found stays in fuzz/artifacts; once the cause
# is gone, the input belongs into fuzz/seeds, where the ordinary tests read it too.
set -euo pipefail
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet
cargo +nightly fuzz build
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
for file in fuzz_targets/*.rs; do
    target="$(basename "$file" .rs)"
    mkdir -p "corpus/$target"
    if ! cargo +nightly fuzz run "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="${1:-60}" -max_len=4096 >"$log" 2>&1; then
        tail -n 40 "$log"
        exit 1
    fi
    echo "$target: $(grep '^Done' "$log")"
done
