#!/usr/bin/env bash
# The same stack on SQLite and on PostgreSQL, both on this machine, in one run, turn by turn; one product that all buy
# against a thousand; and what PostgreSQL makes of bare transactions of one order each, without any service.
#
#   bench/postgres.sh            builds a release binary and measures it
#   bench/postgres.sh BINARY     measures this one
#
# POSTGRES_SECONDS (4) is the length of each turn, POSTGRES_ROUNDS (3) how often all take their turn. Needs jq and
# PostgreSQL (Debian: jq, postgresql); as root also unshare, since the server refuses root. Writes a line of JSON for each
# turn to bench-postgres.jsonl (or POSTGRES_OUT), prints medians and ratios. Ends with 1 if a goal is missed or a
# turn was not sound.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly seconds="${POSTGRES_SECONDS:-4}" rounds="${POSTGRES_ROUNDS:-3}"
readonly out="$(realpath -m "${POSTGRES_OUT:-bench-postgres.jsonl}")"

need jq
bin="$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)"
[ -n "$bin" ] || bin="$(dirname "$(command -v postgres || echo /nowhere/postgres)")"
[ -x "$bin/pgbench" ] || fail "PostgreSQL with pgbench is needed (Debian: postgresql)"
as_other=()
[ "$(id -u)" != 0 ] || as_other=(unshare --user --map-user=1000 --map-group=1000)
binary="$(program "${1:-}")"
prepare

# A port that is free now, as `up` would choose one.
port="$(shuf -i 20000-30000 -n 1)"
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$work/password"
"${as_other[@]}" "$bin/initdb" -D "$work/postgres" -U ordersys -E UTF8 --locale=C.UTF-8 --auth=scram-sha-256 \
    --pwfile="$work/password" >/dev/null
background "${as_other[@]}" "$bin/postgres" -D "$work/postgres" -p "$port" -k '' -c listen_addresses=127.0.0.1 \
    -c max_connections=300
export PGHOST=127.0.0.1 PGPORT="$port" PGUSER=ordersys PGPASSWORD
PGPASSWORD="$(cat "$work/password")"
timeout 30 sh -c "until '$bin/pg_isready' -q; do sleep 0.1; done" || fail "PostgreSQL does not start"
"$bin/createdb" shop
"$bin/createdb" bare

use_stack sqlite
start_stack --runtime process --durability full --store sqlite
use_stack postgres
start_stack --runtime process --store "postgres://ordersys@127.0.0.1:$port/shop" --store-password-file "$work/password"

"$bin/psql" -q -d bare <<'SQL'
CREATE TABLE product(id int PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0), sold bigint NOT NULL);
INSERT INTO product SELECT n, 1000000000, 0 FROM generate_series(1, 1000) n;
CREATE TABLE reservation(order_id uuid PRIMARY KEY, state int NOT NULL, lines text NOT NULL);
CREATE TABLE placed(id uuid PRIMARY KEY, user_id int NOT NULL, state int NOT NULL, items text NOT NULL, history text NOT NULL);
SQL
cat >"$work/order.sql" <<'SQL'
\set product random(1, 1000)
\set user random(1, 16)
BEGIN;
UPDATE product SET available = available - 1, sold = sold + 1 WHERE id = :product;
INSERT INTO reservation VALUES (gen_random_uuid(), 1, repeat('x', 150));
INSERT INTO placed VALUES (gen_random_uuid(), :user, 1, repeat('x', 200), repeat('x', 100));
COMMIT;
SQL

turn() { # turn NAME
    echo "postgres: $1" >&2
    case "$1" in
        sqlite-*) use_stack sqlite ;;
        postgres-*) use_stack postgres ;;
    esac
    case "$1" in
        *-64) loaded "$seconds" --concurrency 64 ;;
        *-256) loaded "$seconds" --concurrency 256 ;;
        *-hot) loaded "$seconds" --concurrency 256 --products 1 ;;
        *-many) loaded "$seconds" --concurrency 256 --products 1000 ;;
        bare) "$bin/pgbench" -n -d bare -c 64 -j 1 -T "$seconds" -f "$work/order.sql" -M prepared 2>"$work/pgbench.err" |
            jq -Rc 'capture("tps = (?<rate>[0-9.]+)") | {rate: (.rate | tonumber)}' ;;
    esac | jq -c --arg what "$1" '{what: $what} + .' >>"$out"
}

: >"$out"
for _ in $(seq "$rounds"); do
    for what in sqlite-64 postgres-64 bare sqlite-256 postgres-256 postgres-many postgres-hot; do turn "$what"; done
done

conditions "orders of 1 line, three services, PostgreSQL $("$bin/psql" -At -d bare -c 'SHOW server_version') with its defaults on the same disk; $seconds s a turn, medians of $rounds"
jq -L bench -rs '
    include "median";
    (group_by(.what) | map({key: .[0].what, value: (map(.rate) | median)}) | from_entries) as $rates |
    "| what | orders/s | against | ratio | goal | |", "|---|---:|---|---:|---:|---|",
    (["postgres-64", "sqlite-64", 0.35], ["postgres-256", "sqlite-256", 0.40], ["postgres-64", "bare", 1.0],
     ["postgres-hot", "postgres-many", 0.9] |
        ($rates[.[0]] / $rates[.[1]]) as $ratio |
        [.[0], ($rates[.[0]] | round), "\(.[1]): \($rates[.[1]] | round)", ($ratio | places(2)), .[2],
            (if $ratio < .[2] then "MISSED" else "kept" end)] | row)
' "$out" | tee "$work/table"
all_sound "$out"
! grep -q MISSED "$work/table" || fail "a goal is missed"
