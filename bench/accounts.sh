#!/usr/bin/env bash
# Measures what accounts cost the order path of a fresh stack of this build:
#
#   1. orders of registered users, each with an access token, against orders of guests;
#   2. orders of guests while 200 connections try passwords, against the same without them,
#      and the memory of the user service meanwhile.
#
#   bench/accounts.sh            builds a release binary and measures it
#   bench/accounts.sh BINARY     measures this one
#
# ACCOUNTS_ROUNDS (5) rounds of ACCOUNTS_SECONDS (4) for each side, in turn, so that both sides see the same
# machine; the medians are compared. Needs curl, jq and wrk. Ends with 1 if one of the limits is missed.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly rounds="${ACCOUNTS_ROUNDS:-5}" seconds="${ACCOUNTS_SECONDS:-4}"
readonly users=16 connections=64 flood_connections=200 password='correct horse battery'
readonly most_loss_percent=10 pool_mib=19 slack_mib=16

fail() {
    echo "accounts: $*" >&2
    exit 1
}

for tool in curl jq wrk; do command -v "$tool" >/dev/null || fail "$tool is needed"; done

built_binary() {
    cargo build --release --quiet --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys").executable // empty'
}

binary="${1:-$(built_binary)}"
[ -x "$binary" ] || fail "$binary is no program"
binary="$(realpath "$binary")"
for name in "${!ORDERSYS_@}"; do unset "$name"; done

# Below target: /tmp may be memory, on which a sync costs nothing.
mkdir -p target
work="$(mktemp -d "$PWD/target/accounts-XXXXXX")"
project="accounts-$$"
stack=(--project "$project" --state-dir "$work/state")
flood=""

clean_up() {
    [ -z "$flood" ] || kill "$flood" 2>/dev/null || true
    timeout 90 "$binary" down --volumes --quiet "${stack[@]}" || echo "accounts: $work may still be in use" >&2
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

timeout 60 "$binary" up --runtime process --topology services --durability full --port auto \
    --quiet "${stack[@]}" >"$work/up.txt" || fail "the stack does not start"
endpoint() { jq -r --arg role "$1" '.. | objects | .[$role]? | strings | select(startswith("http"))' "$work/state/$project/stack.json" | head -1; }
user_url="$(endpoint user)" product_url="$(endpoint product)" order_url="$(endpoint order)"
[ -n "$user_url" ] && [ -n "$order_url" ] || fail "stack.json names no services"

# The credential goes to curl through a file, not through its arguments.
printf 'header = "Authorization: Bearer %s"\n' "$(cat "$work/state/$project/secrets/admin.token")" >"$work/admin"
post() { curl --silent --show-error --fail-with-body --max-time 30 --config "$work/admin" \
    --header 'content-type: application/json' --data "$2" "$1"; }

product="$(post "$product_url/products" '{"name":"Measured","price":1,"stock":100000000}' | jq -r .id)"
for number in $(seq "$users"); do
    guest="$(post "$user_url/users" "{\"name\":\"G\",\"email\":\"g$number@example.com\"}" | jq -r .id)"
    echo "$guest" >>"$work/guests"
    member="$(post "$user_url/users" "{\"name\":\"M\",\"email\":\"m$number@example.com\",\"password\":\"$password\"}" | jq -r .id)"
    token="$(post "$user_url/sessions" "{\"email\":\"m$number@example.com\",\"password\":\"$password\"}" | jq -r .accessToken)"
    echo "$member $token" >>"$work/members"
done

cat >"$work/orders.lua" <<'LUA'
-- Posts orders of the users in a file: one line each, an id and perhaps a token.
local requests, next = {}, 0
function init(args)
    for line in io.lines(args[1]) do
        local user, token = line:match("^(%S+)%s*(%S*)$")
        local body = string.format('{"userId":"%s","items":[{"productId":"%s","quantity":1}]}', user, args[2])
        local headers = { ["content-type"] = "application/json" }
        if token ~= "" then headers["authorization"] = "Bearer " .. token end
        requests[#requests + 1] = wrk.format("POST", "/orders", headers, body)
    end
end
function request()
    next = next % #requests + 1
    return requests[next]
end
LUA
cat >"$work/flood.lua" <<'LUA'
-- Tries one password for ever new accounts.
local count = 0
function request()
    count = count + 1
    local body = string.format('{"email":"nobody-%d@example.com","password":"guess guess"}', count)
    return wrk.format("POST", "/sessions", { ["content-type"] = "application/json" }, body)
end
LUA

orders() { # orders FILE: orders per second; every answer must be a success
    timeout $((seconds + 30)) wrk -t1 -c"$connections" -d"${seconds}s" -s "$work/orders.lua" "$order_url" -- "$work/$1" "$product" >"$work/wrk.txt"
    if grep -q 'Non-2xx' "$work/wrk.txt"; then cat "$work/wrk.txt" >&2; fail "orders were refused"; fi
    awk '/Requests\/sec/ { print $2 }' "$work/wrk.txt"
}

median() { sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

report() { # report NAME WITHOUT WITH: fails if the loss is too large
    awk -v name="$1" -v without="$(median "$2")" -v with="$(median "$3")" -v most="$most_loss_percent" 'BEGIN {
        loss = 100 * (1 - with / without)
        printf "%s: %.0f orders/s without, %.0f with, loss %.1f %% (at most %d %%)\n", name, without, with, loss, most
        exit loss > most
    }'
}

user_process() {
    for status in /proc/[0-9]*/cmdline; do
        if { tr '\0' ' ' <"$status"; } 2>/dev/null | grep -q -- "serve user .*$work"; then
            status="${status%/cmdline}"
            echo "${status#/proc/}"
        fi
    done
}
pid="$(user_process | head -1)"
[ -n "$pid" ] || fail "the user service is not found among the processes"
resident_mib() { awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$pid/status"; }
highest_mib() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status"; }

orders guests >/dev/null # warm-up
orders members >/dev/null
echo "accounts: tokens, $rounds rounds" >&2
for _ in $(seq "$rounds"); do
    orders guests >>"$work/without-token"
    orders members >>"$work/with-token"
done
echo "accounts: flood, $rounds rounds" >&2
before="$(resident_mib)"
echo 5 2>/dev/null >"/proc/$pid/clear_refs" || true # the highest memory from here on
for _ in $(seq "$rounds"); do
    orders guests >>"$work/without-flood"
    timeout $((seconds + 30)) wrk -t1 -c"$flood_connections" -d"$((seconds + 3))s" --timeout 10s -s "$work/flood.lua" "$user_url" >"$work/flood.txt" &
    flood=$!
    sleep 2 # the burst that is let through is part of it, the opening of connections is not
    orders guests >>"$work/with-flood"
    wait "$flood" || true
    flood=""
done
after="$(highest_mib)"

code=0
report "access tokens" "$work/without-token" "$work/with-token" || code=1
report "login flood of $flood_connections connections" "$work/without-flood" "$work/with-flood" || code=1
grep -E 'requests in|Non-2xx' "$work/flood.txt" | sed 's/^ */the last flood: /'
echo "memory of the user service: $before MiB before the flood, at most $after MiB during it (pool $pool_mib MiB)"
[ "$after" -le "$((before + pool_mib + slack_mib))" ] || { echo "accounts: the flood took more memory than the pool" >&2; code=1; }
exit "$code"
