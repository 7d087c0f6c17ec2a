#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The data folder under real processes: one at a time, private, sealed; a full disk and a damaged
# page are told.
set -u
cd "$(dirname "$0")/../.." || exit
. scripts/parts.sh
. tests/e2e/control.sh
suite='store_care'

is_built || { echo "skip $suite the programs are not built" && exit 0; }
dir=$(mktemp -d)
musterd=$build/src/control/musterd
mounted=
finish() {
    [ ! -e "$dir/musterd.pid" ] || control_kill
    [ -z "$mounted" ] || umount "$dir/server"
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# ends CODE PATTERN COMMAND...: it ends with CODE and says a line like PATTERN.
ends() {
    local code=$1 pattern=$2 status=0
    shift 2
    "$@" >"$dir/said" 2>&1 || status=$?
    cat "$dir/said"
    # shellcheck disable=SC2053 # it is a pattern
    [ "$status" = "$code" ] && [[ $(cat "$dir/said") == $pattern ]]
}
logged() { grep -q "$1" "$dir/musterd.log"; }
mode_is() { [ "$(stat -c %a "$2")" = "$1" ]; }
ready_is() { # ready_is STATUS [CODE]
    local status
    status=$(curl -s -m 5 -o "$dir/ready" -w '%{http_code}' --cacert "$dir/server/ca.pem" "$url/readyz")
    [ "$status" = "$1" ] && { [ -z "${2:-}" ] || grep -q "\"code\":\"$2\"" "$dir/ready"; }
}

# --- one process ---

one_at_a_time() {
    local who
    who="another process works in this folder: $dir/server: process $(cat "$dir/musterd.pid")"
    ends 7 "*musterd run: $who" "$musterd" run --data "$dir/server" &&
        ends 7 "*musterd add-org: $who" "$musterd" add-org --data "$dir/server" --org other &&
        ends 7 "*musterd init: $who" "$musterd" init --data "$dir/server" &&
        ends 7 "*musterd rotate-key: $who" "$musterd" rotate-key --data "$dir/server" &&
        ready_is 200
}
no_stale_lock() {
    control_kill && control_start && control_kill &&
        "$musterd" add-org --data "$dir/server" --org other && control_start
}
need 'a control plane starts' control_init
need 'it serves' control_start
check 'a second process is refused, by folder and process' one_at_a_time
check 'kill -9 leaves no lock behind' no_stale_lock

# --- private ---

made_private() {
    control_kill
    chmod 755 "$dir/server" && chmod 644 "$dir/server/muster.db" "$dir/server/token.key" || return 1
    : >"$dir/musterd.log"
    control_start && logged 'data.made_private.*token.key' && logged 'data.made_private.*muster.db' &&
        mode_is 700 "$dir/server" && mode_is 600 "$dir/server/token.key" || return 1
    for file in muster.db muster.db-wal muster.db-shm muster.db-reserve lock ca.key master.key; do
        mode_is 600 "$dir/server/$file" || { echo "$file" && return 1; }
    done
    control_kill
    : >"$dir/musterd.log"
    control_start && ! logged data.made_private
}
check 'rights of others are taken away once, and told' made_private

# --- sealed ---

key_rotated() {
    local before=$dir/before.key
    cp "$dir/server/master.key" "$before"
    control_kill
    "$musterd" rotate-key --data "$dir/server" && ! cmp -s "$before" "$dir/server/master.key" &&
        ends 5 "*sealed under another key: $dir/server/ca.key: needed is *" \
            "$musterd" run --data "$dir/server" --master-key "$before" &&
        control_start && api GET /v1/fleets
}
useless_copy() {
    mkdir -m 700 "$dir/copy" && cp -p "$dir/server/"* "$dir/copy" && rm "$dir/copy/master.key" &&
        ends 4 "*the server key is missing, *: $dir/copy/master.key" \
            "$musterd" run --data "$dir/copy" &&
        ends 6 '*the key is not 64 hex digits: *' \
            "$musterd" run --data "$dir/copy" --master-key "$dir/server/ca.pem" || return 1
    # The key by a descriptor, and as a credential of systemd: then the copy opens.
    "$musterd" add-org --data "$dir/copy" --org fd --master-key-fd 3 3<"$dir/server/master.key" &&
        mkdir "$dir/systemd" && cp "$dir/server/master.key" "$dir/systemd" &&
        CREDENTIALS_DIRECTORY=$dir/systemd "$musterd" add-org --data "$dir/copy" --org systemd
}
need 'an operator signs in' control_login
check 'the server key is replaced and tokens go on being good' key_rotated
check 'a copy of the folder is of no use without the key' useless_copy

# --- damaged ---

damage_told() {
    local i pages
    for i in $(seq 100); do
        api POST /v1/fleets "{\"name\":\"some-$i\"}" || return 1
    done
    parts_kill "$dir/musterd.pid" TERM
    pages=$(($(stat -c %s "$dir/server/muster.db") / 4096))
    # The last pages are the latest entries of the audit log, which no start reads.
    dd if=/dev/zero bs=4096 seek=$((pages - 3)) count=3 conv=notrunc of="$dir/server/muster.db" 2>/dev/null
    : >"$dir/musterd.log"
    "$musterd" run --data "$dir/server" 2>>"$dir/musterd.log" &
    echo $! >"$dir/musterd.pid"
    parts_wait 20 ready_is 503 system && logged "store.damaged.*$dir/server/muster.db"
}
check 'a damaged store is named and not ready' damage_told
control_kill

# --- full ---

# The server may take a page between the look and the taking: then there is less to take.
fill() {
    local i
    for i in $(seq 20); do
        fallocate -l "$(($(stat -f -c '%a * %S' "$dir/server")))" "$dir/server/filler" && return
    done
    return 1
}
full_told() {
    local fleet status
    fleet=$(api POST /v1/fleets '{"name":"first"}' | jq -re .id) || return 1
    fill || return 1
    for i in $(seq 2000); do
        status=$(curl -s -m 20 -o "$dir/answer" -w '%{http_code}' --cacert "$dir/server/ca.pem" \
            "$url/v1/fleets" -H "Authorization: Bearer $bearer" -H 'Content-Type: application/json' \
            -d "{\"name\":\"fleet-$i\"}")
        [ "$status" = 201 ] || break
    done
    cat "$dir/answer"
    [ "$status" = 507 ] && grep -q '"code":"full"' "$dir/answer" && ready_is 503 full &&
        api DELETE "/v1/fleets/$fleet" && ready_is 503 full && logged store.full &&
        rm "$dir/server/filler" && parts_wait 10 ready_is 200 &&
        api POST /v1/fleets '{"name":"again"}' && audit_intact
}
rm -rf "$dir/server" && mkdir "$dir/server"
if mount -t tmpfs -o size=48M tmpfs "$dir/server" 2>/dev/null; then
    mounted=1
    need 'a control plane starts on a small disk' control_init
    need 'it serves from there' control_start
    need 'an operator signs in there' control_login
    check 'a full disk is told, deletions work, and it heals by itself' full_told
else
    echo "skip $suite a full disk: may not mount"
fi
exit "$failed"
