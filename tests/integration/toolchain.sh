#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Once scripts/install_toolchain.sh ran, nothing is missing, and running it again changes nothing.
set -eu
cd "$(dirname "$0")/../.."
command -v dpkg-query >/dev/null || { echo 'skip toolchain this is no Debian' && exit 0; }

failed=0
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then echo "ok toolchain: $name"; else echo "not ok toolchain: $name" && failed=1; fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MUSTER_LOG=$work/log
# Packages, and whether a service policy was left behind.
machine_state() {
    dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n'
    ls /usr/sbin/policy-rc.d 2>&1 || :
}

before=$(machine_state)
check 'nothing is missing' scripts/install_toolchain.sh --check
scripts/install_toolchain.sh --test 2>"$work/said"
check 'a second run says that nothing changed' grep -q 'nothing changed' "$work/said"
check 'a second run changes nothing' test "$before" = "$(machine_state)"
check 'it logs what it did' grep -q 'nothing changed' "$work/log"

# Without dpkg's answers everything is missing, and --check says so.
mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
chmod +x "$work/bin/dpkg-query"
missing=$(PATH="$work/bin:$PATH" scripts/install_toolchain.sh --check) && status=0 || status=$?
check 'what is missing fails the check' test "$status" = 1
check 'what is missing is listed' grep -qx libsodium-dev <<<"$missing"
exit "$failed"
