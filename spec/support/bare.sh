#!/bin/sh
# Shows that a bare Debian needs nothing but the README: makes a minimal tree
# with debootstrap, adds make and git, clones this repository's last commit
# into it, and there runs `make demo` and `make test`.
#
#   sudo spec/support/bare.sh [FOLDER]
#
# Needs root, debootstrap, some 1.5 GB and a few minutes. FOLDER must not exist
# yet (default: a new one under /var/tmp); it is removed at the end, unless KEEP
# is set. SUITE and MIRROR choose another Debian. This machine's own certificate
# authorities go along, for networks that look into TLS.
set -eu

suite=${SUITE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
tree=${1:-/var/tmp/minimax-bare.$$}
[ ! -e "$tree" ] || { echo "$tree exists"; exit 1; }

leave() {
  for mounted in proc dev/pts; do
    if mountpoint -q "$tree/$mounted"; then
      umount "$tree/$mounted"
    fi
  done
  [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$tree"
}
trap leave EXIT
trap 'exit 1' INT TERM

# A command inside the tree, with nothing of this shell's environment.
inside() {
  chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -ec "$1"
}

# Runs a target and says how long it took.
show() {
  start=$(date +%s)
  inside "cd /root/minimax && $1"
  echo "== $1: $(($(date +%s) - start)) s"
}

debootstrap --variant=minbase "$suite" "$tree" "$mirror" >/dev/null
mount -t proc proc "$tree/proc"
mkdir -p "$tree/dev/pts"
mount -t devpts devpts "$tree/dev/pts"
inside 'apt-get install -q -y --no-install-recommends make git' >/dev/null
mkdir -p "$tree/usr/local/share/ca-certificates"
cp -R /usr/local/share/ca-certificates/. "$tree/usr/local/share/ca-certificates"
git clone -q "$repository" "$tree/root/minimax"
echo "== a bare $suite: $(inside 'dpkg -l | grep -c ^ii') packages," \
  "commit $(git -C "$repository" rev-parse --short HEAD)"

show "make demo"
inside 'ls -l /root/minimax/output.mp4'
show "make test"
