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

# Starts a stack of local processes of $binary on free ports; sets stack, work, our_user, our_product
# and our_order; whatever happens, it is taken down at the end, and so is what `background` started.
fresh_stack() { # fresh_stack UP_FLAG...
    local name
    # Settings of the person who measures must not change what is measured.
    for name in "${!ORDERSYS_@}"; do unset "$name"; done
    # Below target: /tmp may be memory, on which a sync costs nothing.
    mkdir -p target
    work="$(mktemp -d "$PWD/target/bench-XXXXXX")"
    stack=(--project "bench-$$" --state-dir "$work/state")
    background_pids=()
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    timeout 60 "$binary" up --runtime process --port auto --quiet "$@" "${stack[@]}" >"$work/up.txt" ||
        fail "the stack does not start"
    our_user="$(url_of user)" our_product="$(url_of product)" our_order="$(url_of order)"
}

clean_up() {
    [ "${#background_pids[@]}" = 0 ] || kill "${background_pids[@]}" 2>/dev/null || true
    timeout 90 "$binary" down --volumes --quiet "${stack[@]}" || echo "$0: $work may still be in use" >&2
    rm -rf "$work"
}

ordersys() { "$binary" "$@" "${stack[@]}"; }

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

conditions() { # conditions WHAT
    local storage
    storage="$(stat -f -c %T "$work" 2>/dev/null || echo unknown)"
    echo "Conditions: $1; local processes on $storage; $(nproc) cores shared by generator and services," \
        "$(uname -sm); $("$binary" --version), $(date -u +%F)."
    echo
}
