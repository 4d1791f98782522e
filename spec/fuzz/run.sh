#!/bin/sh
# Runs one fuzz target for so many seconds, then prints how many lines of the
# file of its name it reached. Usage: run.sh build/fuzz/<name>-fuzzer seconds
set -e
target=$1 seconds=$2
name=$(basename "$target" -fuzzer)
here=$(dirname "$0")
corpus=$target.corpus
options="-max_total_time=$seconds -max_len=4096 -print_final_stats=1"
mkdir -p "$corpus"
if [ -f "$here/$name.seeds" ]; then
  split -l 1 "$here/$name.seeds" "$corpus/seed-"
fi
[ -f "$here/$name.dict" ] && options="$options -dict=$here/$name.dict"
# A heap that a collector cleans looks like a leak after each run.
[ -f "$here/$name.options" ] && options="$options $(cat "$here/$name.options")"
LLVM_PROFILE_FILE=$target.profraw "$target" $options \
  -artifact_prefix="$target-" "$corpus"
"$(clang -print-prog-name=llvm-profdata)" merge -o "$target.profdata" \
  "$target.profraw"
"$(clang -print-prog-name=llvm-cov)" report "$target" \
  -instr-profile="$target.profdata" src/*/"$name.c"
