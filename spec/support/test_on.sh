#!/bin/bash
# Runs `make demo` and `make test` of this working tree on another Debian:
#
#   sudo spec/support/test_on.sh SUITE [ARCH]
#
# The Debian is made by debootstrap, in layers that lie one on the other and are
# kept under ~/.cache/minimax (or XDG_CACHE_HOME):
#
#   bare       the minimal system, with make and git
#   LUA-demo   what `make deps-demo` adds to it
#   LUA-test   what `make deps-test` adds to that
#
# Nothing else is kept. `make demo` runs on the first two and `make test` on all
# three, each in a layer of its own on top that is thrown away. The upper two are
# made anew when .ci/deps has changed, all of them with FRESH=1.
#
# SPECS says which specs (all), DEMO_RUNS how many demos (1), LUA which Lua
# (lua5.4). The last line is `N passed, N failed`, of demos and specs together.
# RESULT is a file that gets one line, with tabs between: suite, architecture, the
# versions of Lua, libcurl, lua-cjson and the compiler, demos that passed and that
# failed, specs that passed and that failed, files of specs.
#
# Mounts and processes are in namespaces of their own and end with this script,
# however it ends. It needs root, debootstrap, some 2 GB (of memory, where the
# cache's file system cannot hold layers), and qemu-user-static where the kernel
# cannot run the architecture; its code is 77 where these are not to be had. This
# machine's own certificate authorities go along, for networks that look into TLS.
set -euo pipefail

is_inside=
[ "$1" != --inside ] || { is_inside=1; shift; }
suite=$1
arch=${2:-$(dpkg --print-architecture)}
mirror=${MIRROR:-http://deb.debian.org/debian}
source=$(cd "$(dirname "$0")/../.." && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/minimax/systems/$suite-$arch
tree=$home/tree
LUA=${LUA:-lua5.4}
slow=1 # how many times the usual time a step may take
counts='^[0-9]+ passed, [0-9]+ failed$'
unset MAKEFLAGS MAKELEVEL

exec 3>&1
say() { echo "== $suite $arch: $*" >&3; }
impossible() { say "cannot run here: $*"; exit 77; }

# Before there are namespaces: makes them, and cleans up after them.
outside() {
  [ "$(id -u)" = 0 ] || impossible "this needs root"
  command -v debootstrap >/dev/null || impossible "debootstrap is not installed"
  unshare --mount --pid --kill-child true 2>/dev/null ||
    impossible "there are no namespaces of our own"
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock -n 9 || { say "waits for another run"; flock 9; }
  setpriv --pdeathsig KILL unshare --mount --pid --kill-child \
    "$0" --inside "$suite" "$arch" </dev/null 9>&- &
  child=$!
  trap 'kill -KILL $child 2>/dev/null || :
        rm -rf --one-file-system "$home/run" "$home/run.work"' EXIT
  trap 'exit 130' INT TERM HUP
  wait $child
}

# limited SECONDS WHAT COMMAND...: tells of a command that fails, and ends one
# that hangs.
limited() {
  seconds=$(($1 * slow)) what=$2 status=0
  shift 2
  timeout --kill-after=10 $seconds "$@" || status=$?
  case $status in
    0) ;;
    124 | 137) say "$what has not ended after $seconds s" ;;
    *) say "$what failed with code $status" ;;
  esac
  return $status
}

# inside SECONDS WHAT SCRIPT: in the tree, with nothing of this environment.
inside() {
  cpu=
  [ "$arch" != i386 ] || cpu="setarch i386"
  limited "$1" "$2" $cpu chroot "$tree" env -i HOME=/root LANG=C.UTF-8 \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    LUA="$LUA" SPECS="${SPECS:-spec}" SPEC_SECONDS=$((120 * slow)) \
    SPEC_JOBS="${SPEC_JOBS:-}" \
    sh -euc "cd /root/minimax; $3"
}

# stack NAME LAYER...: mounts the layers, the lowest last, and puts the working
# tree in; the layer NAME takes what is written.
stack() {
  upper=$home/$1 lower=$home/$2
  shift 2
  for layer; do lower="$lower:$home/$layer"; done
  rm -rf --one-file-system "$upper" "$upper.work"
  mkdir -p "$upper" "$upper.work" "$tree"
  mount -t overlay overlay "$tree" \
    -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work"
  mount -t proc proc "$tree/proc"
  mkdir -p "$tree/dev/pts" "$tree/dev/shm"
  mount -t devpts devpts "$tree/dev/pts" -o ptmxmode=0666
  mount -t tmpfs tmpfs "$tree/dev/shm"
  cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
  mkdir "$tree/root/minimax"
  # Its code is 1 where a file changed meanwhile, as where make is at work there.
  { tar -C "$source" --exclude=./build -cf - . || [ $? = 1 ]; } |
    tar -C "$tree/root/minimax" --no-same-owner -xf -
}

unstack() {
  rm -rf "$tree/root/minimax"
  umount "$tree/dev/shm" "$tree/dev/pts" "$tree/proc" "$tree"
  rm -rf --one-file-system "$upper.work"
}

# Tells the kernel of qemu where it cannot run the programs below $1 by itself.
# It forgets that with the last mount of binfmt_misc, which is ours.
emulate() {
  ! chroot "$1" /bin/true 2>/dev/null || return 0
  case $arch in
    amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; ppc64el) cpu=ppc64le ;;
    armhf | armel) cpu=arm ;; *) cpu=$arch ;;
  esac
  misc=/proc/sys/fs/binfmt_misc
  [ -e $misc/register ] || mount -t binfmt_misc binfmt_misc $misc
  zeros='\x00\x00\x00\x00\x00\x00\x00\x00' ones='\xff\xff\xff\xff\xff\xff\xff'
  if [ $cpu = i386 ]; then # Debian leaves it out: most kernels can run it
    printf '%s%s%s' ":i386:M::\x7fELF\x01\x01\x01\x00$zeros\x02\x00\x03\x00:" \
      "$ones\x00$ones\xff\xfe\xff\xff\xff:" "/usr/bin/qemu-i386-static:F"
  else
    cat /usr/lib/binfmt.d/qemu-$cpu.conf
  fi >$misc/register || :
  chroot "$1" /bin/true || impossible "qemu-user-static is not installed"
  slow=8
}

# Make and git are what the README asks for.
unpack() {
  rm -rf --one-file-system "$1"
  limited 900 debootstrap debootstrap --foreign --arch="$arch" \
    --variant=minbase --include=make,git "$suite" "$1" "$mirror"
}

make_bare() {
  say "makes the bare system"
  new=$home/bare.new
  rm -rf --one-file-system "$home/bare" "$home"/*.stamp
  unpack "$new" || { sleep 10; unpack "$new"; }
  emulate "$new"
  limited 900 "debootstrap's second stage" \
    chroot "$new" /debootstrap/debootstrap --second-stage
  echo "deb $mirror $suite main" >"$new/etc/apt/sources.list"
  # A mirror that has stood still for some days will do.
  echo 'Acquire::Check-Valid-Until "false";' >"$new/etc/apt/apt.conf.d/mirror"
  mkdir -p "$new/usr/local/share/ca-certificates"
  [ ! -d /usr/local/share/ca-certificates ] ||
    cp -R /usr/local/share/ca-certificates "$new/usr/local/share"
  mv "$new" "$home/bare"
}

is_current() {
  [ "$(cat "$home/$LUA-$1.stamp" 2>/dev/null)" = "$stamp" ]
}

# make_layer GROUP LAYER...: what `make deps-GROUP` adds to the layers. It is
# tried twice, since a network may fail for a moment; before the second time
# modules are built that have no package for that Lua.
make_layer() {
  group=$1 name=$LUA-$1
  shift
  say "installs what make $group needs"
  stack "$name" "$@"
  deps="make deps-$group LUA=$LUA"
  modules=:
  [ "$LUA" = lua5.4 ] || modules="SUITE=$suite spec/support/modules.sh $LUA"
  inside 900 "$deps" "$deps || { sleep 10; $modules; $deps; }; apt-get clean"
  unstack
  echo "$stamp" >"$home/$name.stamp"
}

# Some file systems hold no layers: one in memory does.
find_room() {
  mkdir -p "$home/probe/upper" "$home/probe/work" "$tree"
  if mount -t overlay overlay "$tree" 2>/dev/null -o \
    "lowerdir=$home,upperdir=$home/probe/upper,workdir=$home/probe/work"
  then umount "$tree"
  else mount -t tmpfs tmpfs "$home" || impossible "nothing can be mounted"
  fi
  rm -rf "$home/probe"
  rm -f "$home/null"
  { mknod "$home/null" c 1 3 && : >"$home/null"; } 2>/dev/null ||
    impossible "no devices can be made"
}

make_layers() {
  stamp=$(cat "$source/.ci/deps" "$source/spec/support/modules.sh" | cksum)
  [ -z "${FRESH:-}" ] || rm -rf --one-file-system "$home/bare"
  [ -e "$home/bare" ] || make_bare
  emulate "$home/bare"
  is_current demo || make_layer demo bare
  is_current test || make_layer test "$LUA-demo" bare
}

# Prints, with tabs between: Lua, libcurl, lua-cjson, compiler.
versions='lua=$($LUA -v); lua=${lua#Lua }
  printf "%s\t" "${lua%% *}" "$(pkg-config --modversion libcurl)" \
    "$($LUA -e "print(require \"cjson\"._VERSION)")"
  echo "gcc $(cc -dumpfullversion)"'

# The demo, again and again: each is a new process.
run_demos() {
  target=demo demos_passed=0 demos_failed=0
  while [ $((demos_passed + demos_failed)) -lt "${DEMO_RUNS:-1}" ]; do
    if inside 300 "make $target" "rm -f output.mp4
      make $target LUA=$LUA && test -s output.mp4" >"$home/log" 2>&1
    then demos_passed=$((demos_passed + 1))
    else demos_failed=$((demos_failed + 1)); tail -n 30 "$home/log"
    fi
    target=run-demo
  done
}

# A run that broke off, or broke after its last spec, has failed, too.
run_specs() {
  broken=0
  inside 1500 "make test" 'make test LUA="$LUA" SPECS="$SPECS"' 2>&1 |
    tee "$home/log" | grep --line-buffered -vE "$counts" || broken=1
  read -r specs_passed _ specs_failed _ < <(grep -E "$counts" "$home/log" | tail -n 1) ||
    specs_passed=0 specs_failed=0
  files=$(grep -cE '^spec/.* passed  ' "$home/log") || :
  [ $broken = 0 ] || [ "$specs_failed" != 0 ] || specs_failed=1
}

within() {
  find_room
  trap 'code=$?; case $code in 0 | 77) ;; *) tail -n 30 "$home/log" ;; esac' EXIT
  make_layers >"$home/log" 2>&1
  trap - EXIT
  start=$(date +%s)
  stack run "$LUA-demo" bare
  run_demos
  say "make demo: $demos_passed passed, $demos_failed failed," \
    "$(($(date +%s) - start)) s"
  unstack
  start=$(date +%s)
  stack run "$LUA-test" "$LUA-demo" bare
  versions=$(inside 60 versions "$versions")
  run_specs
  say "make test: $specs_passed passed, $specs_failed failed," \
    "$(($(date +%s) - start)) s"
  [ -z "${RESULT:-}" ] || printf '%s\t' "$suite" "$arch" "$versions" \
    "$demos_passed" "$demos_failed" "$specs_passed" "$specs_failed" "$files" >"$RESULT"
  failed=$((demos_failed + specs_failed))
  echo "$((demos_passed + specs_passed)) passed, $failed failed"
  [ $failed = 0 ]
}

if [ $is_inside ]; then within; else outside; fi; exit
