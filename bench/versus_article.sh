#!/usr/bin/env bash
# The article's services (bench/article, Node and Express, in memory) against this build (three local
# processes, every order synced to disk), in one run, turn by turn, loaded by wrk and by `ordersys bench`.
#
#   bench/versus_article.sh            builds a release binary and measures it
#   bench/versus_article.sh BINARY     measures this one
#
# VERSUS_SECONDS (5) is the length of each turn, VERSUS_ROUNDS (2) how often both take their turn,
# VERSUS_CONNECTIONS ("1 64 256") and VERSUS_LINES ("1 3") what is tried. Needs jq, wrk, node and express
# (Debian: jq, wrk, nodejs, node-express). Writes a line of JSON for each turn to bench-versus.jsonl
# (or VERSUS_OUT), and prints a table of medians and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh

readonly seconds="${VERSUS_SECONDS:-5}" rounds="${VERSUS_ROUNDS:-2}"
readonly all_connections="${VERSUS_CONNECTIONS:-1 64 256}" all_lines="${VERSUS_LINES:-1 3}"
readonly out="$(realpath -m "${VERSUS_OUT:-bench-versus.jsonl}")"

need jq wrk node
export NODE_PATH="${NODE_PATH:-/usr/share/nodejs}" NODE_ENV=production
node -e 'require("express")' 2>/dev/null || fail "node finds no express (Debian: node-express)"
binary="$(program "${1:-}")"
fresh_stack --durability full --topology services

start_article() {
    local ports=($(free_ports 3))
    article_user="http://127.0.0.1:${ports[0]}" article_product="http://127.0.0.1:${ports[1]}"
    article_order="http://127.0.0.1:${ports[2]}"
    background node bench/article/service.js user "${ports[0]}"
    background node bench/article/service.js product "${ports[1]}"
    background node bench/article/service.js order "${ports[2]}" "$article_user" "$article_product"
    for url in "$article_user" "$article_product" "$article_order"; do await "$url/health"; done
}
start_article

new_user() { # new_user URL
    curl -sf -X POST "$1/users" -H 'Content-Type: application/json' \
        -d '{"name":"Load","email":"load@example.com"}' | jq -r .id
}

for number in 1 2 3; do
    ordersys product create --name "Load $number" --price 9.99 --stock 1000000000 --quiet >/dev/null
done
our_products="$(curl -sf "$our_product/products" | jq -r '[.[] | select(.name | startswith("Load ")) | .id] | join(" ")')"
their_products="$(curl -sf "$article_product/products" | jq -r '[.[].id] | join(" ")')"
our_buyer="$(new_user "$our_user")" their_buyer="$(new_user "$article_user")"

by_wrk() { # by_wrk ORDER_URL USER PRODUCTS CONNECTIONS LINES
    USER_ID="$2" PRODUCT_IDS="$3" LINES="$5" timeout $((seconds + 30)) \
        wrk -t1 -c"$4" -d"${seconds}s" --timeout 10s -s bench/article/orders.lua "$1/orders" |
        sed -n 's/^RESULT //p' | jq -c '{rate: (.requests / .seconds), p50, p99, bad: (.refused + .broken), checks: null}'
}

by_bench() { # by_bench CONNECTIONS LINES [URL FLAGS]
    local connections="$1" lines="$2"
    shift 2
    timeout $((seconds + 120)) "$binary" bench --concurrency "$connections" --lines "$lines" \
        --products 3 --duration "${seconds}s" --output json --quiet "$@" |
        jq -c '{rate: .totals.throughput, p50: .latency.response.p50, p99: .latency.response.p99,
                bad: (.totals.refused + .totals.failed + .totals.timedOut),
                checks: ([.verification[] | .result] | group_by(.) | map("\(length) \(.[0])") | join(", ")), verdict}'
}

turn() { # turn SYSTEM GENERATOR CONNECTIONS LINES
    echo "versus: $1, $2, $3 connections, $4 lines" >&2
    case "$1 $2" in
        "ordersys wrk") by_wrk "$our_order" "$our_buyer" "$our_products" "$3" "$4" ;;
        "article wrk") by_wrk "$article_order" "$their_buyer" "$their_products" "$3" "$4" ;;
        "ordersys bench") by_bench "$3" "$4" "${stack[@]}" ;;
        "article bench") by_bench "$3" "$4" --sell-existing --project versus-article --state-dir "$work/none" \
            --user-url "$article_user" --product-url "$article_product" --order-url "$article_order" ;;
    esac | jq -c --arg system "$1" --arg generator "$2" --argjson connections "$3" --argjson lines "$4" \
        '{system: $system, generator: $generator, connections: $connections, lines: $lines} + .' >>"$out"
}

: >"$out"
for count in $all_lines; do
    for number in $all_connections; do
        for _ in $(seq "$rounds"); do
            for generator in wrk bench; do
                turn article "$generator" "$number" "$count"
                turn ordersys "$generator" "$number" "$count"
            done
        done
    done
done

conditions "$seconds s a turn, medians of $rounds; article: node $(node --version), express $(node -p 'require("express/package.json").version'), in memory; ordersys: durability full"
jq -rs '
    def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2] + .[length / 2 - 1]) / 2 end;
    def round2: . * 100 | round / 100;
    "| lines | connections | generator | article orders/s | ordersys orders/s | ratio | article p50 ms | ordersys p50 ms |",
    "|---:|---:|---|---:|---:|---:|---:|---:|",
    (group_by([.lines, .connections, .generator])[] |
        (map(select(.system == "article"))) as $a | (map(select(.system == "ordersys"))) as $o |
        ($a | map(.rate) | median) as $theirs | ($o | map(.rate) | median) as $ours |
        "| \(.[0].lines) | \(.[0].connections) | \(.[0].generator) | \($theirs | round) | \($ours | round) | " +
        "\($ours / $theirs | round2) | \($a | map(.p50) | median | round2) | \($o | map(.p50) | median | round2) |")
' "$out"
bad="$(jq -s '[.[] | select(.bad > 0 or (.checks // "" | test("FAIL")))] | length' "$out")"
[ "$bad" = 0 ] || fail "$bad turns had refused or broken requests, or broke an invariant: see $out"
