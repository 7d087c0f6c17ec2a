#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the programs say when they cannot begin: one line that names the file or the address, with
# the system's words, and the exit code that all three share.
set -u
cd "$(dirname "$0")/../.." || exit
. scripts/lib.sh
. scripts/parts.sh

build=${BUILD:-build}
musterd=$build/src/control/musterd agent=$build/src/agent/muster-agent muster=$build/src/cli/muster
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# says CODE LINE COMMAND...: it ends with CODE, and LINE (a pattern of bash) is all that it says.
says() {
    local code=$1 line=$2 status=0 said
    shift 2
    said=$("$@" 2>&1 >"$dir/out" | grep -v '^20..-') || :
    "$@" >/dev/null 2>&1 || status=$?
    # shellcheck disable=SC2053 # it is a pattern
    if [ "$status" = "$code" ] && [[ $said == $line ]]; then
        echo "ok errors: $line"
    else
        echo "not ok errors: $line"
        echo "# ended with $status: $said"
        failed=1
    fi
}

port=$(port_pick)
mkdir "$dir/file" && rmdir "$dir/file" && : >"$dir/file"

says 8 "musterd init: cannot make the folder: $dir/none/data: No such file or directory" \
    "$musterd" init --data "$dir/none/data"
says 8 "musterd init: not a folder: $dir/file: Not a directory" "$musterd" init --data "$dir/file"
says 6 "musterd init: a host is neither a name nor an address: a b" \
    "$musterd" init --data "$dir/hosts" --host 'a b'
says 4 "musterd run: there is no such file: $dir/none/token.key" "$musterd" run --data "$dir/none"
says 4 "musterd config: there is no such file: $dir/none.conf" \
    "$musterd" check-config --data "$dir" --config "$dir/none.conf"

"$musterd" init --data "$dir/server" >/dev/null || failed=1
says 5 "musterd init: this folder is set up already; see musterd add-org" \
    "$musterd" init --data "$dir/server"
printf 'address = 127.0.0.1\nport = %s\n' "$port" >"$dir/taken.conf"
python3 -c "import socket, time; s = socket.create_server(('127.0.0.1', $port)); time.sleep(600)" &
taker=$!
parts_wait 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" || failed=1
says 8 "musterd run: cannot listen: 127.0.0.1 port $port: Address already in use" \
    "$musterd" run --data "$dir/server" --config "$dir/taken.conf"
kill "$taker"
mv "$dir/server/server.key" "$dir/server/kept.key"
says 8 "musterd run: cannot read the certificate or its key: $dir/server/server.key: No such file*" \
    "$musterd" run --data "$dir/server"
mv "$dir/server/kept.key" "$dir/server/server.key"
# damaged FILE...: a server's folder in which these are no longer what they were.
damaged() {
    local name
    rm -rf "$dir/copy" && cp -r "$dir/server" "$dir/copy"
    for name in "$@"; do echo damaged >"$dir/copy/$name"; done
}
damaged server.pem
says 6 "musterd run: this is not a certificate in PEM: $dir/copy/server.pem: *" \
    "$musterd" run --data "$dir/copy"
damaged ca.pem
says 6 "musterd run: this is not a certificate in PEM: $dir/copy/ca.pem: *" \
    "$musterd" run --data "$dir/copy"
says 6 "musterd init: this is not a certificate in PEM: $dir/copy/ca.pem: *" \
    "$musterd" init --data "$dir/copy"
damaged ca.key
says 6 "musterd init: the key of the certificate cannot be read: $dir/copy/ca.key: *" \
    "$musterd" init --data "$dir/copy"
damaged token.key
says 6 "musterd run: the key is not 32 bytes: $dir/copy/token.key" "$musterd" run --data "$dir/copy"
echo 'no database, whatever the name says, but a text of some length' >"$dir/server/muster.db"
rm -f "$dir/server/muster.db-wal" "$dir/server/muster.db-shm"
says 8 "musterd run: the database file is damaged or cannot be read: $dir/server/muster.db: *not a database*" \
    "$musterd" run --data "$dir/server"

says 8 "muster-agent run: cannot make the folder: $dir/none/state: No such file or directory" \
    "$agent" run --state "$dir/none/state"
says 5 "muster-agent run: this machine is not enrolled, and there is no enrolment file: $dir/none/enrol" \
    "$agent" run --state "$dir/state" --enrol-file "$dir/none/enrol"
# token SERVER: an enrolment token for it.
token() {
    printf 'muster2.'
    printf '{"servers":["%s"],"fleet":"shop","secret":"s3cret"}' "$1" | base64 -w0 | tr '+/' '-_' | tr -d '='
}
says 6 "muster-agent enrol: this is no enrolment token: /servers/0: must be https://HOST\[:PORT\]" \
    "$agent" enrol --state "$dir/state" "$(token ftp://a)"
says 7 "muster-agent enrol: cannot connect: 127.0.0.1:$port: Connection refused" \
    "$agent" enrol --state "$dir/state" "$(token "http://127.0.0.1:$port")"
printf 'token = muster2.x\n' >"$dir/enrol"
says 6 "muster-agent run: this is no enrolment token: $dir/enrol: it looks like *" \
    "$agent" run --state "$dir/state" --enrol-file "$dir/enrol"
echo 'no pair' >"$dir/enrol"
says 6 "muster-agent run: the enrolment file is not right: $dir/enrol: line 1 must be *" \
    "$agent" run --state "$dir/state" --enrol-file "$dir/enrol"
mkdir "$dir/damaged" && echo 'no json' >"$dir/damaged/membership.json"
says 6 "muster-agent run: a file of the state folder is damaged: $dir/damaged/membership.json: *" \
    "$agent" run --state "$dir/damaged"
says 2 "muster-agent: no such verb: dance; see muster-agent --help" "$agent" dance

says 7 "muster: the server cannot be reached: http://127.0.0.1:$port: *" \
    env HOME="$dir" MUSTER_PASSWORD=x "$muster" login --server "http://127.0.0.1:$port" \
    --org a --name a
says 8 "muster: not a regular file: $dir: Invalid argument" \
    "$muster" login --server https://localhost --ca "$dir" --org a --name a
says 8 "muster: not a regular file: $dir: Invalid argument" \
    "$muster" login --server https://localhost --password-file "$dir" --org a --name a
echo 'no json' >"$dir/session"
says 6 "muster: the session file is damaged, sign in again: $dir/session" \
    "$muster" org show --config "$dir/session"


# Root reads every file, unless it gives up the right to.
unprivileged=()
[ "$(id -u)" != 0 ] || unprivileged=(setpriv '--bounding-set=-dac_override,-dac_read_search')
echo 'services: {}' >"$dir/closed.yml" && chmod 000 "$dir/closed.yml"
ln -s itself "$dir/itself"
head -c 2000000 /dev/zero >"$dir/large.yml"
create=("${unprivileged[@]}" "$muster" release create --version 1 --file)
says 4 "muster: there is no file \"$dir/none.yml\"" "${create[@]}" "$dir/none.yml"
says 8 "muster: cannot open: $dir/closed.yml: Permission denied" "${create[@]}" "$dir/closed.yml"
says 8 "muster: cannot open: $dir/itself: Too many levels of symbolic links" \
    "${create[@]}" "$dir/itself"
says 8 "muster: cannot open: $dir/file/a.yml: Not a directory" "${create[@]}" "$dir/file/a.yml"
says 8 "muster: cannot read: $dir: Is a directory" "${create[@]}" "$dir"
says 8 "muster: cannot read: /proc/self/mem: Input/output error" "${create[@]}" /proc/self/mem
says 6 "muster: the file is larger than allowed: $dir/large.yml" "${create[@]}" "$dir/large.yml"
exec 3<"$dir"
says 8 "muster: cannot read: standard input: Is a directory" "${create[@]}" - <&3
exit "$failed"
