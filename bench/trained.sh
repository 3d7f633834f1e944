#!/usr/bin/env bash
# A release build that knows what placing orders is like: built once to count how often each branch is taken,
# run under load, and built again with these counts (profile-guided optimisation, see
# https://doc.rust-lang.org/rustc/profile-guided-optimization.html). Prints the path of the program, which every
# other script here takes. SQLite and the allocator, which are C, are built in the same way. The counts fit one state
# of the code only, so they are not kept.
#
#   program="$(bench/trained.sh)"
#   bench/versus_article.sh "$program"
#
# TRAINED_SECONDS (4) is the length of each of six loads. Needs jq and the toolchain's own llvm-profdata
# (`rustup component add llvm-tools`), and gcc. Builds in target/trained; takes as long as three release builds.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly seconds="${TRAINED_SECONDS:-4}" target="$PWD/target/trained"

need jq gcc
profdata="$(find "$(rustc --print sysroot)" -name llvm-profdata -type f | head -n 1)"
[ -x "$profdata" ] || fail "llvm-profdata is needed: rustup component add llvm-tools"

build() { # build DIRECTORY COUNTS FLAG...: prints the program's path
    local directory="$target/$1" counts="$2"
    shift 2
    # What .cargo/config.toml asks for comes along: flags from the environment take its place.
    CC="$PWD/bench/trained_cc.sh" TRAINED_COUNTS="$counts" RUSTFLAGS="-C target-feature=+crt-static $*" \
        CARGO_TARGET_DIR="$directory" cargo build --release --quiet --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys").executable // empty'
}

train() {
    local connections lines
    fresh_stack --durability full --topology services
    for connections in 1 64 256; do
        for lines in 1 3; do
            echo "trained: $connections connections, $lines lines" >&2
            loaded "$seconds" --concurrency "$connections" --lines "$lines" >>"$work/loads.jsonl"
        done
    done
    all_sound "$work/loads.jsonl"
    # Counts are written when a process ends.
    timeout 90 "$binary" down --volumes --quiet "${stack[@]}"
}

# Cargo does not see that counts have changed.
rm -rf "$target/counts" "$target/counts.profdata" "$target/release"
mkdir -p "$target/counts"
find "$target" -name '*.gcda' -delete
echo "trained: building the program that counts" >&2
binary="$(build counting "" -C "profile-generate=$target/counts" -C link-arg=-lgcov)"
train
"$profdata" merge -o "$target/counts.profdata" "$target"/counts/*.profraw
# Counts of C are beside what was compiled, under a hash and the name of the source file.
find "$target/counting" -name '*.gcda' | while read -r file; do
    cp "$file" "$target/counts/$(basename "$file" | sed 's/^[0-9a-f]*-//')"
done
[ -s "$target/counts/sqlite3.gcda" ] || fail "SQLite left no counts"
echo "trained: building with the counts" >&2
program="$(build release "$target/counts" -C "profile-use=$target/counts.profdata")"
# Conditions of measurements name the directory a program is in.
cp "$program" "$target/ordersys"
echo "$target/ordersys"
