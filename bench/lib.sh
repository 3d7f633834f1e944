# What the measuring scripts share; sourced by them from the top of the repository.

fail() {
    echo "$(basename "$0" .sh): $*" >&2
    exit 1
}

need() { # need COMMAND...
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || fail "$command is needed"
    done
}

# Prints the path of the program to measure: the one named, or a release build of this checkout.
program() { # program [BINARY]
    local path="$1"
    [ -n "$path" ] || path="$(cargo build --release --quiet --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys").executable // empty')"
    [ -x "$path" ] || fail "$path is no program"
    realpath "$path"
}

# Prints the path of ordersys-benches: the one named, or one built from this checkout.
benches() { # benches [BINARY]
    local path="$1"
    [ -n "$path" ] || path="$(cargo build --profile quick --package ordersys-benches --quiet \
        --message-format json-render-diagnostics |
        jq -r 'select(.reason == "compiler-artifact" and .target.name == "ordersys-benches").executable // empty')"
    [ -x "$path" ] || fail "$path is no program"
    realpath "$path"
}

# Makes $work; whatever happens, what was started in it is taken down at the end, and so is what
# `background` started.
prepare() {
    local name
    # Settings of the person who measures must not change what is measured.
    for name in "${!ORDERSYS_@}"; do unset "$name"; done
    # Below target: /tmp may be memory, on which a sync costs nothing.
    mkdir -p target
    work="$(mktemp -d "$PWD/target/bench-XXXXXX")"
    projects=() background_pids=()
    trap clean_up EXIT
    trap 'exit 130' INT TERM
}

clean_up() {
    local project
    [ "${#background_pids[@]}" = 0 ] || kill "${background_pids[@]}" 2>/dev/null || true
    for project in "${projects[@]}"; do
        timeout 90 "$binary" down --volumes --quiet --project "$project" --state-dir "$work/state" ||
            echo "$0: $work may still be in use" >&2
    done
    rm -rf "$work"
}

# From here on `ordersys`, `start_stack` and `loaded` mean this stack.
use_stack() { # use_stack [NAME]
    project="bench-$$${1:+-$1}"
    stack=(--project "$project" --state-dir "$work/state")
}

# Starts the stack on free ports; sets our_user, our_product and our_order.
start_stack() { # start_stack UP_FLAG...
    case " ${projects[*]} " in *" $project "*) ;; *) projects+=("$project") ;; esac
    timeout 90 "$binary" up --port auto --quiet "$@" "${stack[@]}" >"$work/up.txt" || fail "the stack does not start"
    our_user="$(url_of user)" our_product="$(url_of product)" our_order="$(url_of order)"
}

# Starts a stack of local processes of $binary on free ports; sets stack, work, our_user, our_product
# and our_order.
fresh_stack() { # fresh_stack UP_FLAG...
    prepare
    use_stack
    start_stack --runtime process "$@"
}

ordersys() { "$binary" "$@" "${stack[@]}"; }

# One run of the load tester against the stack, as a line of JSON.
loaded() { # loaded SECONDS BENCH_FLAG...
    local length="$1" # the scripts have a constant `seconds`
    shift
    # Its exit code says what is wrong with a run; here that is read from the result.
    timeout $((length + 240)) "$binary" bench --duration "${length}s" --output json --quiet "$@" "${stack[@]}" \
        >"$work/loaded.json" 2>"$work/loaded.err" || true
    jq -ce '{rate: .totals.throughput, p50: .latency.response.p50, p99: .latency.response.p99,
             bad: (.totals.refused + .totals.failed + .totals.timedOut), verdict, cause,
             broken: [.verification[] | select(.result == "FAIL") | .id], cpu: .cpuMicrosPerRequest}' \
        "$work/loaded.json" || { cat "$work/loaded.err" >&2; fail "a run gave no result"; }
}

# Ends with 1 if a turn in a file of results was not sound.
all_sound() { # all_sound FILE
    local bad
    bad="$(jq -s '[.[] | select((.bad // 0) > 0 or ((.broken // []) | length) > 0)] | length' "$1")"
    [ "$bad" = 0 ] || fail "$bad turns had refused or failed requests, or broke an invariant: see $1"
}

url_of() { # url_of SERVICE
    ordersys status --output json | jq -r --arg name "$1" '.services[] | select(.name == $name) | .url'
}

background() { # background COMMAND...
    "$@" >>"$work/background.log" 2>&1 &
    background_pids+=("$!")
}

await() { # await URL, at most 10 s
    timeout 10 sh -c "until curl -sf -o /dev/null '$1'; do sleep 0.05; done" || fail "$1 does not answer"
}

# Prints so many free TCP ports.
free_ports() { # free_ports COUNT
    node -e '
        const net = require("node:net"), count = Number(process.argv[1]), servers = [];
        const listening = (server) => {
            console.log(server.address().port);
            if (servers.push(server) === count) servers.forEach((each) => each.close());
        };
        for (let i = 0; i < count; i++) {
            const server = net.createServer().listen(0, "127.0.0.1", () => listening(server));
        }' "$1"
}

machine() {
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | sort -u | head -1), $(nproc) cores, $(uname -srm)"
}

conditions() { # conditions WHAT
    local storage
    storage="$(stat -f -c %T "$work" 2>/dev/null || echo unknown)"
    echo "Conditions: $1; local processes on $storage; $(machine), shared by generator and services;" \
        "$("$binary" --version) ($(profile_of "$binary")), $(date -u +%F)."
    echo
}

# The directory a program was built into says how it was built.
profile_of() { # profile_of BINARY
    echo "$(basename "$(dirname "$1")") build"
}
