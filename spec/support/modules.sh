#!/bin/sh
# Builds the modules that Debian packages for other versions of Lua only, from
# the sources of its own packages, and puts them where Lua looks:
#
#   spec/support/modules.sh LUA [FOLDER]
#
# LUA is an interpreter, FOLDER its /usr/local/lib/lua/X.Y by default. What it
# loads already is not built. SUITE and MIRROR say which Debian's sources. Their
# Lua files are taken from the packages for the other versions. Needs root.
set -eu

lua=${1:?an interpreter, such as lua5.5}
version=$($lua -e 'print(_VERSION:match("%d+%.%d+"))')
folder=${2:-/usr/local/lib/lua/$version}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
flags="-O2 -fPIC $(pkg-config --cflags "lua$version") -include $work/casts.h"

# What Lua 5.4 still had, and these sources use.
cat >"$work/casts.h" <<'END'
#include <lauxlib.h>
#ifndef luaL_checkint
#define luaL_checkint(L, n) ((int)luaL_checkinteger(L, n))
#define luaL_optint(L, n, d) ((int)luaL_optinteger(L, n, d))
#define luaL_optunsigned(L, n, d) \
  ((lua_Unsigned)luaL_optinteger(L, n, (lua_Integer)(d)))
#define lua_pushunsigned(L, n) lua_pushinteger(L, (lua_Integer)(n))
#endif
END

present() { "$lua" -e "package.cpath = '$folder/?.so;' .. package.cpath
  assert(package.searchpath('$1', package.cpath))" 2>/dev/null; }

# The sources have a list of their own: nothing of the system's is changed.
sources() {
  apt-get -q -o Dir::Etc::SourceList="$work/list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root "$@" >/dev/null
}

# Unpacks a package's source as $work/<package>.
unpack() {
  if [ ! -e "$work/list" ]; then
    mkdir -p "$work/lists/partial" "$folder"
    echo "deb-src ${MIRROR:-http://deb.debian.org/debian} ${SUITE:-sid} main" \
      >"$work/list"
    sources update
  fi
  mkdir "$work/$1"
  (cd "$work/$1" && sources source --tar-only "$1" &&
    tar -xf ./*.orig.tar.* --strip-components=1)
}

build_cjson() {
  unpack lua-cjson
  (cd "$work/lua-cjson" && cc $flags -w -shared -o "$folder/cjson.so" \
    lua_cjson.c strbuf.c fpconv.c)
}

# Its makefiles know no newer version: the rules for 5.4, with our headers.
by_its_rules() { # PACKAGE TARGET
  unpack "$1"
  sed -i 's/LUA_VERSION_NUM > 504/0/' \
    "$work/$1/vendor/compat53/c-api/compat-5.3.h"
  make -s -C "$work/$1" LUA_APIS=5.4 ALL_LUA54_CPPFLAGS="$flags -w" \
    "${2}5.4" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
  cp "$work/$1/src/5.4/$2.so" "$folder/_$2.so"
}
build__cqueues() { by_its_rules lua-cqueues cqueues; }
build__openssl() { by_its_rules lua-luaossl openssl; }

build_luv() {
  unpack lua-luv
  [ -e "$work/lua-cqueues" ] || unpack lua-cqueues
  (cd "$work/lua-luv" && cc $flags -w -shared -D_GNU_SOURCE \
    -I"$work/lua-cqueues/vendor/compat53/c-api" -o "$folder/luv.so" \
    src/luv.c -luv)
}

for module in cjson _cqueues _openssl luv; do
  if ! present $module; then
    command -v m4 xz >/dev/null && [ -e /usr/include/uv.h ] ||
      DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
        --no-install-recommends m4 xz-utils libssl-dev libuv1-dev >/dev/null
    build_$module
    echo "$module for Lua $version: $folder"
  fi
done
