#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the server agrees to in TLS, whose sessions it resumes, and how it gets another certificate
# without a restart: by openssl and curl.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/support/musterd.sh

dir=$(mktemp -d)
trap 'musterd_stop || :; rm -rf "$dir"' EXIT
failed=0
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "ok tls: $name"
    else
        echo "not ok tls: $name"
        tail -n 20 "$dir/out" | sed 's/^/# /'
        failed=1
    fi
}

# shake OPTION...: a handshake, and what openssl says of it. TLS 1.3 gives tickets with what is read.
shake() {
    printf 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
        timeout 20 openssl s_client -connect "${MUSTER_URL#https://}" -CAfile "$dir/server/ca.pem" \
            -verify_return_error -ign_eof "$@" 2>&1
}
agrees() { shake "$@" | grep -E "^(New|Reused), TLSv1"; }
resumes() { shake -sess_in "$dir/session" | grep '^Reused, TLSv1.3'; }
refuses() { ! shake "$@" | grep -E "^(New|Reused), TLSv1"; }
serial() { openssl x509 -noout -serial -in "$dir/server/server.pem"; }
shown() { shake | openssl x509 -noout -serial; }
shows() { [ "$(shown)" = "$1" ]; }
logs() { grep -q "\"event\":\"$1\"" "$dir/musterd.log"; }

check 'musterd starts' musterd_start "$dir"
[ "$failed" = 0 ] || exit 1
check 'TLS 1.3' agrees -tls1_3
check 'X25519 first, AES-128-GCM first' eval \
    'shake -tls1_3 | tee "$dir/told" | grep "TLS_AES_128_GCM_SHA256" && grep "X25519" "$dir/told"'
check 'TLS 1.2 with an ephemeral key and authenticated encryption' agrees -tls1_2
check 'no block mode' refuses -tls1_2 -cipher 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384'
check 'no TLS 1.1' refuses -tls1_1 -cipher 'ALL:@SECLEVEL=0'
check 'a session of TLS 1.2 gets no ticket' eval \
    '! shake -tls1_2 | grep "TLS session ticket:"'
check 'a session' agrees -sess_out "$dir/session"
check 'is resumed' resumes

musterd_stop || failed=1
check 'musterd starts again' musterd_run "$dir"
check 'and resumes it still' resumes

before=$(serial)
check 'the certificate of the folder is shown' shows "$before"
while curl -fsS --cacert "$dir/server/ca.pem" "$MUSTER_URL/healthz" >>"$dir/answers" 2>>"$dir/errors"; do :; done &
caller=$!
cp -r "$dir/server" "$dir/copy" && rm -f "$dir/copy/lock" "$dir/copy/server.pem"
"${BUILD:-build}/src/control/musterd" init --data "$dir/copy" --host 127.0.0.1 >/dev/null 2>&1 || :
cp "$dir/copy/server.key" "$dir/server/server.key"
cp "$dir/copy/server.pem" "$dir/server/server.pem"
kill -HUP "$MUSTERD_PID"
check 'another one is there after SIGHUP' parts_wait 10 shows "$(serial)"
check 'it is another one' test "$(serial)" != "$before"
check 'that was logged' logs certificate.reloaded
echo damaged >"$dir/server/server.pem"
kill -HUP "$MUSTERD_PID"
check 'one that is no good is told' parts_wait 10 logs certificate.failed
cp "$dir/copy/server.pem" "$dir/server/server.pem"
check 'and the one before stays' shows "$(serial)"
kill "$caller" 2>/dev/null || failed=1
wait "$caller" 2>/dev/null || :
check 'nobody was turned away meanwhile' eval \
    'test ! -s "$dir/errors" && test "$(wc -l <"$dir/answers")" -gt 3'
check 'musterd ends in order' musterd_stop
exit "$failed"
