#!/bin/bash
# Compiles the module by each compiler that is there, in each way that a
# distribution may choose, with all our warnings as errors, and runs the demo in
# what came out. Prints a line for each:
#
#   make compilers        CC="gcc-13 clang" for other compilers
#
# `-m32` is compiled only, where there are headers (libc6-dev-i386). `C++ Lua` is
# a host that is linked with a Lua compiled as C++, where exceptions take the
# place of longjmp (Debian's liblua-c++; since Debian 13 C cannot call it).
set -u

folder=$PWD/build/compilers
demo=$PWD/doc/examples/demo.lua
hardened="-O2 -fstack-protector-strong -fstack-clash-protection"
fortified="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
failed=0
mkdir -p "$folder"
unset MAKEFLAGS MAKELEVEL

version() { "$1" --version | sed -nE '1s/.* ([0-9]+\.[0-9.]+).*/\1/p'; }

# Whether the compiler takes these flags, to the end of a link where FILE is one.
takes() { # COMPILER FILE FLAG...
  local compiler=$1 output=$2
  shift 2
  echo '#include <stdio.h>' | "$compiler" "$@" -xc -fPIC -shared -o "$output" - \
    >/dev/null 2>&1
}

# build DIR TARGET ARGUMENT...: with the compiler $cc.
build() {
  local directory=$folder/$1 target=$2
  shift 2
  make -s -j2 BUILD="$directory" CC="$cc" WERROR=1 "$@" "$directory/$target" \
    >"$directory.log" 2>&1
}

# A demo waits most of the time, so it runs while the next is compiled.
start_demo() { # DIR COMMAND...
  local directory=$folder/$1
  shift
  (cd "$directory" || exit 1; LUA_CPATH="$directory/?.so;$LUA_CPATH" \
    timeout 60 "$@" >demo.log 2>&1 && test -s output.mp4
  echo $? >demo.code) &
}

rows=()
row() { # DIR WHAT OUTCOME
  rows+=("$1|$cc $(version "$cc")|$2|$3")
}

try() { # NAME ARGUMENT...
  local name=$1 directory=$cc-${1//[^a-z0-9A-Z]/_}
  shift
  rm -rf "${folder:?}/$directory"
  if build "$directory" minimax.so "$@"; then
    start_demo "$directory" "$LUA" "$demo"
    row "$directory" "$name" demo
  else
    row "$directory" "$name" compile
  fi
}

# The headers of another architecture are no system headers by themselves.
try_m32() {
  local system
  system=$(pkg-config --cflags libcurl | sed 's/-I */-isystem /g')
  if ! takes "$cc" /dev/null -m32 -c; then
    row - -m32 "left out: no headers for 32 bits"
  elif build "$cc-m32" libminimax.a CFLAGS="-O2 -m32" CURL_CFLAGS="$system"; then
    row - -m32 "no warning"
  else
    row "$cc-m32" -m32 compile
  fi
}

has_c_names() {
  echo 'char luaL_newstate(void); int main(void) { return luaL_newstate(); }' |
    $cc -xc -o /dev/null - $1 2>/dev/null
}

try_cxx() {
  local directory=$cc-cxx libs
  libs=$(pkg-config --libs "$LUA_PC-c++" libcurl 2>/dev/null)
  if [ -z "$libs" ]; then
    row - "C++ Lua" "left out: no $LUA_PC-c++"
  elif ! has_c_names "$libs"; then
    row - "C++ Lua" "left out: the names in $LUA_PC-c++ are not C's"
  elif build "$directory" libminimax.a CFLAGS="-O2 -fexceptions" && $cc -O2 \
    -fexceptions $(pkg-config --cflags "$LUA_PC" libcurl) \
    -o "$folder/$directory/host" doc/examples/host.c \
    "$folder/$directory/libminimax.a" $libs -lpthread -ldl >"$folder/$directory.log" 2>&1
  then
    echo "arg = { [0] = '$demo' } dofile(arg[0])" >"$folder/$directory/demo.lua"
    start_demo "$directory" ./host demo.lua
    row "$directory" "C++ Lua" demo
  else
    row "$directory" "C++ Lua" compile
  fi
}

# What of the outcome is known only at the end.
show() {
  local directory compiler name outcome log
  IFS='|' read -r directory compiler name outcome <<<"$1"
  case $outcome in
    compile) outcome="does not compile" log=$folder/$directory.log ;;
    demo)
      log=$folder/$directory/demo.log
      if [ "$(cat "$folder/$directory/demo.code")" = 0 ]
      then outcome="no warning, demo passed" log=
      else outcome="no warning, demo failed"
      fi ;;
    *) log= ;;
  esac
  printf '%-16s %-22s %s\n' "$compiler" "$name" "$outcome"
  [ -z "$log" ] || { sed 's/^/    /' "$log" | head -n 20; failed=1; }
}

compilers=()
for cc in ${CC:-gcc clang}; do
  command -v "$cc" >/dev/null && compilers+=("$cc")
done
for cc in "${compilers[@]}"; do
  for level in -O0 -O2 -O3; do try "$level" CFLAGS="$level"; done
  lto=-flto
  takes "$cc" /dev/null $lto || lto="-flto -fuse-ld=lld"
  if takes "$cc" /dev/null $lto
  then try "-O2 -flto" CFLAGS="-O2 $lto"
  else row - "-O2 -flto" "left out: no linker for it"
  fi
  branches=-fcf-protection
  takes "$cc" /dev/null $branches || branches=-mbranch-protection=standard
  takes "$cc" /dev/null $branches || branches=
  try "hardened, fortified" CFLAGS="$hardened $branches" CPPFLAGS="$fortified" \
    LDFLAGS="-Wl,-z,relro,-z,now,-z,noexecstack"
  try PORTABLE=1 PORTABLE=1
  try_m32
  try_cxx
done
wait
for each in "${rows[@]}"; do show "$each"; done
exit $failed
