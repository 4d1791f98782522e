#!/bin/bash
# Runs the demo and the tests on each system of the matrix, and writes the table
# of what came out into the README, between its two marks.
#
#   sudo spec/support/matrix.sh [SUITE:ARCH:LUA ...]
#
# Without cells it only writes the table of what has run. CORE says which specs a
# processor runs that is emulated; DEMO_RUNS how often the demo runs elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."

results=build/matrix
native=$(dpkg --print-architecture)
mkdir -p $results

for cell; do
  IFS=: read -r suite arch lua <<<"$cell"
  case $native-$arch in
    "$arch-$native" | amd64-i386) specs=spec runs=${DEMO_RUNS:-30} ;;
    *) specs=$CORE runs=1 ;;
  esac
  rm -f "$results/$cell"
  RESULT=$PWD/$results/$cell SPECS=$specs DEMO_RUNS=$runs LUA=$lua \
    spec/support/test_on.sh "$suite" "$arch" || echo "== $cell: not all passed"
done

table() {
  echo "| Debian | Lua | libcurl | lua-cjson | compiler | demos | specs | in files |"
  echo "|---|---|---|---|---|---|---|---|"
  sort -t "$(printf '\t')" -k 2,2 -k 4,4V -k 3,3V $results/* |
    awk -F '\t' '{
      printf "| %s %s | %s | %s | %s | %s | %d of %d | %d passed, %d failed | %d |\n",
        $1, $2, $3, $4, $5, $6, $7, $7 + $8, $9, $10, $11 }'
}

table | tee $results.md
awk -v file=$results.md '
  /^<!-- end of make matrix -->/ { inside = 0 }
  !inside { print }
  /^<!-- make matrix -->/ { inside = 1; while ((getline line < file) > 0) print line }
' README.md >$results.new
cat $results.new >README.md
