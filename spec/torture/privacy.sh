#!/bin/sh
# Runs the specs with a packet capture on the loopback, keeps every file and all
# output, then searches each byte of it for the keys that the specs use: one may
# stand in the Authorization header of a request to the API alone.
#
#     spec/torture/privacy.sh [spec files and folders]
#
# A whole run leaves some 10 GB until it has been searched, in /dev/shm or the
# folder that PRIVACY_DIR names.
#
# It needs tcpdump, tcpflow, and to be allowed a network and a mount namespace of
# its own: so nobody else's packets are captured, and /tmp is its own.
set -e
cd "$(dirname "$0")/../.."
for tool in tcpdump tcpflow unshare ip; do
  command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
[ "$(id -u)" = 0 ] && own="unshare -mn" || own="unshare -rmn"
$own true || { echo "no namespace of its own is allowed here"; exit 77; }

export LUA="${LUA:-lua5.4}"
make -s all build/pure.so
eval "$(make -s env)"
# Without a network it could not be installed.
"$LUA" -e 'assert(require "spec.support.prism".install())' || true
# A disk is too slow for what a download of 1 GB brings.
work=$(mktemp -d "${PRIVACY_DIR:-/dev/shm}/minimax-privacy.XXXXXX")
mkdir "$work/tmp" "$work/tree" "$work/flows"
chmod 1777 "$work/tmp"
[ "$KEEP" ] || trap 'rm -rf "$work"' EXIT

# The tree may itself lie below /tmp.
$own sh -s "$PWD" "$work" "${*:-spec}" <<'END'
  tree=$1 work=$2 specs=$3
  mount --bind "$tree" "$work/tree" && cd "$work/tree" || exit 1
  mount --bind "$work/tmp" /tmp || exit 1
  ip link set lo up
  nice -n -10 tcpdump -i lo -s 0 -B 1000000 -w "$work/capture" \
    2>"$work/tcpdump" &
  tcpdump=$!
  until grep -qs listening "$work/tcpdump"; do
    kill -0 $tcpdump || exit 1
    sleep 0.1
  done
  touch "$work/begun"
  export PRIVACY_OUTPUT="$work/children"
  make -s run-specs SPECS="$specs" \
    BUSTED_FLAGS=--helper=spec/torture/privacy_keep.lua </dev/null \
    >"$work/output" 2>&1
  grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/output"
  sleep 1
  kill -INT $tcpdump
  wait $tcpdump
  find . -type f -newer "$work/begun" ! -path './.git/*' >"$work/changed"
END

grep -E 'captured|dropped' "$work/tcpdump"
grep -q '^0 packets dropped' "$work/tcpdump" || complete=no
tcpflow -q -r "$work/capture" -o "$work/flows"
# What is no TCP is searched as a whole.
tcpdump -r "$work/capture" -w "$work/others" 'not tcp' 2>/dev/null
"$LUA" spec/torture/privacy.lua "$work"
[ -z "$complete" ] || { echo "but some packets were not captured"; exit 1; }
