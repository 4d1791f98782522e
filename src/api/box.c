/* What is not Lua's own, held by Lua. */
#include "api/box.h"

#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define NAME "minimax.box"

struct box {
  void (*release)(void *);
  max_align_t content[];
};

static void release(lua_State *L, int index) {
  struct box *box = lua_touserdata(L, index);
  void (*release_it)(void *) = box->release;
  box->release = NULL; /* once */
  if (release_it)
    release_it(box->content);
}

static int box_collect(lua_State *L) {
  release(L, 1);
  return 0;
}

void box_open(lua_State *L) {
  luaL_newmetatable(L, NAME);
  lua_pushcfunction(L, box_collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void *box_push(lua_State *L, size_t size, void (*release_it)(void *)) {
  struct box *box = lua_newuserdatauv(L, sizeof *box + size, 0);
  memset(box, 0, sizeof *box + size);
  box->release = release_it;
  luaL_setmetatable(L, NAME);
  return box->content;
}

void box_pop(lua_State *L) {
  release(L, -1);
  lua_pop(L, 1);
}

static void release_buffer(void *buffer) {
  buffer_free(buffer);
}

struct buffer *box_push_buffer(lua_State *L) {
  return box_push(L, sizeof(struct buffer), release_buffer);
}

const char *box_to_string(lua_State *L, int failed) {
  struct box *box = lua_touserdata(L, -1);
  const struct buffer *text = (const void *)box->content;
  if (failed)
    box_no_memory(L);
  lua_pushlstring(L, text->bytes ? text->bytes : "", text->length);
  release(L, -2);
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

_Noreturn void box_no_memory(lua_State *L) {
  luaL_error(L, "not enough memory");
  abort(); /* not reached: luaL_error raises, but does not say so */
}
