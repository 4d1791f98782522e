/* Lends the tortures an allocator of Lua's that fails, and the failures of
 * faulty.c, which is loaded ahead. Not part of the module. */
#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

int luaopen_starve(lua_State *L);

static struct {
  lua_Alloc next;
  void *user;
  long count, first, times; /* from 1; first 0: none fails */
  long used, limit;         /* bytes; limit 0: as many as there are */
  long failed, most;        /* the limit is gone after so many failures */
  void *old;                /* what failed last: Lua tries it once more */
  size_t size;
} heap;

/* Lua collects garbage when it gets nothing, and asks again: no allocation is
 * counted for that. */
static int is_second_try(void *old, size_t size) {
  int is = heap.failed > 0 && heap.old == old && heap.size == size;
  heap.size = 0;
  return is;
}

static int fails(void *old, size_t before, size_t size) {
  if (size == 0 || (old && size <= before))
    return 0;
  if (heap.limit && heap.failed < heap.most &&
      heap.used + (long)size - (long)(old ? before : 0) > heap.limit)
    return 1;
  if (!heap.first)
    return 0;
  if (is_second_try(old, size))
    return 1;
  heap.count++;
  if (heap.count < heap.first || heap.count >= heap.first + heap.times)
    return 0;
  heap.old = old;
  heap.size = size;
  return 1;
}

static void *allocate(void *user, void *old, size_t before, size_t size) {
  void *block;
  (void)user;
  if (fails(old, before, size)) {
    heap.failed++;
    return NULL;
  }
  block = heap.next(heap.user, old, before, size);
  if (block || size == 0)
    heap.used += (long)size - (long)(old ? before : 0);
  return block;
}

/* starve.lua(first [, times]): Lua's allocations fail from the first one of
 * that number on, so many times (1) */
static int starve_lua(lua_State *L) {
  heap.first = (long)luaL_checkinteger(L, 1);
  heap.times = (long)luaL_optinteger(L, 2, 1);
  heap.count = heap.failed = 0;
  heap.size = 0;
  return 0;
}

/* starve.limit(bytes [, times]): so many more than now may Lua use, until that
 * has failed so often */
static int starve_limit(lua_State *L) {
  heap.limit = heap.used + (long)luaL_checkinteger(L, 1);
  heap.most = (long)luaL_optinteger(L, 2, LONG_MAX);
  heap.failed = 0;
  return 0;
}

/* starve.feed() -> how many allocations there were, how many failed */
static int starve_feed(lua_State *L) {
  long count = heap.count;
  heap.first = heap.limit = 0;
  lua_pushinteger(L, count);
  lua_pushinteger(L, heap.failed);
  return 2;
}

static void *function(lua_State *L, const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  if (!found)
    luaL_error(L, "faulty.c is not loaded ahead");
  return found;
}

/* starve.watch(libraries): whose calls and blocks count */
static int starve_watch(lua_State *L) {
  void (*watch)(const char *);
  *(void **)&watch = function(L, "faulty_watch");
  watch(luaL_checkstring(L, 1));
  return 0;
}

/* starve.call(name, error, first [, times]): "malloc" or a system call */
static int starve_call(lua_State *L) {
  void (*arm)(const char *, const char *, long, long);
  *(void **)&arm = function(L, "faulty_arm");
  arm(luaL_checkstring(L, 1), luaL_checkstring(L, 2),
      (long)luaL_checkinteger(L, 3) - 1, (long)luaL_optinteger(L, 4, 1));
  return 0;
}

/* starve.stop() -> how many calls there were */
static int starve_stop(lua_State *L) {
  long (*disarm)(void);
  *(void **)&disarm = function(L, "faulty_disarm");
  lua_pushinteger(L, disarm());
  return 1;
}

/* starve.blocks() -> how many blocks are there, the number of the last */
static int starve_blocks(lua_State *L) {
  long (*number)(void);
  *(void **)&number = function(L, "faulty_blocks");
  lua_pushinteger(L, number());
  *(void **)&number = function(L, "faulty_now");
  lua_pushinteger(L, number());
  return 2;
}

static void print_caller(const void *caller) {
  Dl_info info;
  if (dladdr(caller, &info))
    fprintf(stderr, "  a block of %s+0x%lx\n", info.dli_fname,
            (unsigned long)((uintptr_t)caller - (uintptr_t)info.dli_fbase));
}

/* starve.name(since): prints who made the blocks that came after that one */
static int starve_name(lua_State *L) {
  long (*name)(long, void (*)(const void *));
  *(void **)&name = function(L, "faulty_name_blocks");
  name((long)luaL_checkinteger(L, 1), print_caller);
  return 0;
}

/* starve.watchdog(seconds): SIGALRM ends a case that hangs */
static int starve_watchdog(lua_State *L) {
  alarm((unsigned)luaL_checkinteger(L, 1));
  return 0;
}

/* The allocator serves to the state's last free, after modules are unloaded. */
static void stay(void) {
  Dl_info info;
  if (dladdr((void *)&heap, &info))
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

int luaopen_starve(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"lua", starve_lua},           {"limit", starve_limit},
      {"feed", starve_feed},         {"watch", starve_watch},
      {"call", starve_call},         {"stop", starve_stop},
      {"blocks", starve_blocks},     {"name", starve_name},
      {"watchdog", starve_watchdog}, {NULL, NULL},
  };
  stay();
  heap.next = lua_getallocf(L, &heap.user);
  lua_setallocf(L, allocate, NULL);
  luaL_newlib(L, functions);
  return 1;
}
