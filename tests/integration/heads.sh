#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Doubtful heads of requests: nginx's verdicts beside ours (heads.py).
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh

build=${BUILD:-build}
if ! command -v nginx >/dev/null; then
    echo 'skip heads nginx is not here'
    exit 0
fi
dir=$(mktemp -d)
trap 'parts_kill "$dir/nginx.pid" TERM; rm -rf "$dir"' EXIT

port=$(port_pick)
cat >"$dir/nginx.conf" <<CONF
daemon off;
master_process off;
pid $dir/own.pid;
error_log $dir/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    server { listen 127.0.0.1:$port; location / { return 200 ok; } }
}
CONF
nginx -p "$dir" -c "$dir/nginx.conf" 2>>"$dir/error.log" &
echo $! >"$dir/nginx.pid"
if ! parts_wait 10 curl -fsS -m 2 "http://127.0.0.1:$port/"; then
    echo 'not ok heads: nginx starts'
    tail -n 5 "$dir/error.log" >&2
    exit 1
fi
tests/integration/heads.py "$build/tests/support/head_verdict" "$port"
