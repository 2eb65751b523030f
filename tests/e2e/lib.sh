# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the end-to-end scripts share: one line a check, and the closing line.
# A check is a function or command: 0 passed, 77 skipped (its last line says why), else failed.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034
weft=${WEFT:-$root/build/weft}
passed=0
failed=0
skipped=0
scratch=$(mktemp -d /tmp/weft-e2e.XXXXXX)
cleanup_commands=()
cleanup() {
    local i
    for ((i = ${#cleanup_commands[@]} - 1; i >= 0; i--)); do
        eval "${cleanup_commands[$i]}" >/dev/null 2>&1
    done
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

check() {
    local name=$1 out rc
    shift
    # Not in a subshell: what a function notes for the clean-up must stay.
    "$@" >"$scratch/.check" 2>&1
    rc=$?
    out=$(<"$scratch/.check")
    case $rc in
    0)
        passed=$((passed + 1))
        echo "ok $name"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "skip $name: $(tail -n 1 <<<"$out")"
        ;;
    *)
        failed=$((failed + 1))
        echo "not ok $name (status $rc)"
        tail -n 30 <<<"$out" | sed 's/^/    /'
        ;;
    esac
}

# exits STATUS COMMAND...: does it exit with that status?
exits() {
    local want=$1 rc
    shift
    "$@"
    rc=$?
    [ "$rc" -eq "$want" ] || {
        echo "exit status $rc, not $want"
        return 1
    }
}

# holds FILE FILTER: is every output of the jq filter true, and is there one?
holds() {
    local out
    out=$(jq -r "$2" "$1") || return 1
    [ -n "$out" ] && ! grep -qvx true <<<"$out" || {
        echo "in $1, not true: $2"
        jq '.tests[] | {name, verified, counters, completion_ns, latency_ns}' "$1"
        return 1
    }
}

finish() {
    if [ "$skipped" -gt 0 ]; then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ]
    exit
}
