#!/usr/bin/env bash
# Prove the README's commands on a bare Debian: a fresh minimal system with nothing but Python.
#
#   sudo packaging/bare_check.sh MIRROR FOLDER COMMAND [ARGUMENTS]
#   sudo packaging/bare_check.sh http://mirror.example/debian /tmp/bare test
#   sudo packaging/bare_check.sh http://mirror.example/debian /tmp/bare demo --out /root/demo
#
# FOLDER becomes the root of that system (made by debootstrap if it is empty, used again otherwise; delete
# it for a wholly fresh run). The last commit of this checkout is cloned into it, a .venv of an earlier run
# goes with the earlier clone, and `python3 packaging/dev.py COMMAND ARGUMENTS` is run and timed there.
# What the host's network needs is passed in, never written here:
#   BARE_ENV    names of environment variables to pass on        (example: "PIP_CERT PIP_INDEX_URL")
#   BARE_BIND   host paths to show read-only at the same place   (example: "/etc/ssl/certs")
#   BARE_DATA   folder of real images, shown read-only, for the tests that need them
#   BARE_SUITE  Debian's release, bookworm unless said otherwise
# Mounts and processes live in a namespace of their own and vanish with it.
set -euo pipefail

if [ $# -lt 3 ]; then
    sed -n '2,18p' "$0" >&2
    exit 2
fi
mirror=$1 root=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ ! -e "$root/etc/debian_version" ]; then
    debootstrap --variant=minbase "${BARE_SUITE:-bookworm}" "$root" "$mirror"
fi
rm -rf "$root/root/cryoplan" "$root/root/.cache"
git clone --quiet --no-hardlinks "$here" "$root/root/cryoplan"

variables=(HOME=/root LANG=C.UTF-8 CI=true PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for name in ${BARE_ENV:-}; do
    if [ -n "${!name:-}" ]; then variables+=("$name=${!name}"); fi
done
if [ -n "${BARE_DATA:-}" ]; then variables+=(CRYOPLAN_DATA=/root/data); fi

export root variables_text="${variables[*]}"
unshare --mount --pid --fork --propagation private bash -euo pipefail -c '
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t sysfs -o ro sysfs "$root/sys"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    for path in ${BARE_BIND:-}; do
        mkdir -p "$root$path"
        mount --bind -o ro "$path" "$root$path"
    done
    if [ -n "${BARE_DATA:-}" ]; then
        mkdir -p "$root/root/data"
        mount --bind -o ro "$BARE_DATA" "$root/root/data"
    fi
    inside() { chroot "$root" env -i $variables_text "$@"; }
    if ! inside which python3 >/dev/null; then
        inside apt-get update -qq
        inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 >/dev/null
    fi
    echo "bare system: $(inside cat /etc/debian_version), $(inside python3 --version)" >&2
    start=$(date +%s)
    code=0
    inside python3 /root/cryoplan/packaging/dev.py "$@" </dev/null || code=$?
    echo "dev.py $* ended with $code after $(($(date +%s) - start)) s" >&2
    exit $code
' bash "$@"
