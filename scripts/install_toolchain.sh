#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes a fresh Debian 12 or 13 able to build, run and test Muster.
#
# usage: install_toolchain.sh [--build | --demo | --test | --bench] [--check]
#   --build  compiler and libraries only      --demo  and what `make demo` runs
#   --test   and what `make test` runs        (none)  all of these, with the SurrealDB CLI
#   --bench  --build, and what `make bench` measures beside: other products, so only when asked for
#   --check  install nothing: list what is missing, exit 1 if anything is
#
# Installs only what is missing, so a second run changes nothing and says so. Starts no service.
# Needs root or sudo only if there is something to install. What it did goes to stderr and to
# $MUSTER_LOG (/var/log/muster-toolchain.log).
set -eu

build='gcc libc6-dev make meson ninja-build pkg-config python3 libevent-dev
    libgnutls28-dev libcurl4-gnutls-dev libsqlite3-dev libjansson-dev libyaml-dev
    libinih-dev libsodium-dev libcmocka-dev'
demo='ca-certificates curl jq iproute2 procps util-linux busybox-static docker-registry'
bench='mosquitto'
# nginx: its verdicts on heads stand beside ours. libhttp-parser-dev: the version that plays the older
# peer in tests/wire/mixed.sh is built with it.
test='clang libclang-rt-dev universal-ctags shellcheck gcovr iptables nginx-light libhttp-parser-dev'

log_file=${MUSTER_LOG:-/var/log/muster-toolchain.log}
say() {
    echo "toolchain: $*" >&2
    { [ "$(id -u)" != 0 ] && [ -z "${MUSTER_LOG:-}" ]; } ||
        echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$log_file"
}
has() { command -v "$1" >/dev/null 2>&1; }

# --- what is missing ---

# A name may carry its architecture behind a colon.
package_there() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
package_offered() { apt-cache show "$1" >/dev/null 2>&1; }
engine_there() {
    has docker || return 1
    has dockerd || curl -fs -m 3 --unix-socket /var/run/docker.sock http://x/_ping >/dev/null 2>&1
}
node_there() {
    has npm && has node && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

# missing_packages GROUP...: the packages of the groups that are not installed, one a line.
missing_packages() {
    for group in "$@"; do
        case $group in
        build) names=$build ;;
        bench) names=$bench ;;
        demo) names=$demo && { engine_there || echo docker.io; } ;;
        test)
            names=$test
            node_there || printf '%s\n' nodejs npm
            has clang-format-14 || package_there clang-format || echo clang-format
            ;;
        *) names= ;;
        esac
        for name in $names; do package_there "$name" || echo "$name"; done
    done
}

# --- installing ---

# Packages come with services (docker-registry would listen on every address): start none. An
# existing policy of the machine is left as it is.
policy=/usr/sbin/policy-rc.d
services_hold() {
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}
services_settle() {
    [ -d /run/systemd/system ] || return 0
    for service in docker-registry mosquitto; do
        ! package_there "$service" || systemctl --quiet disable "$service" || :
    done
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    say "updating the package lists"
    apt-get -qq update || say "some lists could not be updated; going on with what is there"
    # From Debian 13 on the engine's client is a package of its own.
    case " $* " in
    *' docker.io '*) ! package_offered docker-cli || set -- "$@" docker-cli ;;
    esac
    say "installing: $*"
    services_hold
    apt-get -qq -y --no-install-recommends install "$@" >&2
    services_settle
    say "installed $# packages"
}

# The SurrealDB CLI is optional: no Debian package has it, and many machines cannot reach its site.
surreal_url=https://download.surrealdb.com
install_surreal() {
    ! has surreal || return 0
    case $(uname -m) in
    x86_64) machine=linux-amd64 ;;
    aarch64) machine=linux-arm64 ;;
    *) say "no SurrealDB CLI for $(uname -m)" && return 0 ;;
    esac
    if ! version=$(curl -fsSL -m 10 "$surreal_url/latest.txt" 2>/dev/null); then
        say "no SurrealDB CLI (only tests against it need it): $surreal_url cannot be reached"
        return 0
    fi
    folder=$(mktemp -d)
    if curl -fsSL -m 300 "$surreal_url/$version/surreal-$version.$machine.tgz" |
        tar -xzf - -C "$folder" &&
        as_root install -m 755 "$folder/surreal" /usr/local/bin/surreal; then
        say "installed the SurrealDB CLI $version"
        changed=1
    else
        say "no SurrealDB CLI: version $version could not be fetched"
    fi
    rm -rf "$folder"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# --- main ---

groups='build demo test all'
check=
for argument in "$@"; do
    case $argument in
    --build) groups='build' ;;
    --demo) groups='build demo' ;;
    --test) groups='build demo test' ;;
    --bench) groups='build bench' ;;
    --check) check=1 ;;
    *) sed -n '3,15s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
done
has dpkg-query || { say "this is no Debian: docs/dependencies.md lists what to install" && exit 1; }

# shellcheck disable=SC2086 # a list of words
missing=$(missing_packages $groups)
if [ -n "$check" ]; then
    [ -z "$missing" ] || printf '%s\n' "$missing"
    [ -z "$missing" ] || exit 1
    exit 0
fi

changed=
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ]; then
        # shellcheck disable=SC2086 # a list of words
        has sudo || { say "run this as root, these are missing:" $missing && exit 1; }
        exec sudo MUSTER_LOG="$log_file" "$0" "$@"
    fi
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing
    changed=1
fi
case $groups in *all) install_surreal ;; esac
[ -n "$changed" ] || say 'everything is here already: nothing changed'
