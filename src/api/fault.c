/* Error objects: what the world did, as a Lua table with one readable line. */
#include "api/fault.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/box.h"
#include "api/table.h"
#include "base/redact.h"

#define NAME "minimax.error"

static const struct {
  const char *name;
  int retryable;
} kinds[] = {
    [FAULT_NONE] = {"", 0},
    [FAULT_AUTH] = {"auth", 0},
    [FAULT_BALANCE] = {"balance", 0},
    [FAULT_QUOTA] = {"quota", 0},
    [FAULT_RATE_LIMIT] = {"rate_limit", 1},
    [FAULT_CONTENT] = {"content", 0},
    [FAULT_INVALID] = {"invalid", 0},
    [FAULT_SERVER] = {"server", 1},
    [FAULT_TIMEOUT] = {"timeout", 1},
    [FAULT_NETWORK] = {"network", 1},
    [FAULT_TLS] = {"tls", 0},
    [FAULT_PROTOCOL] = {"protocol", 1},
    [FAULT_FAILED] = {"failed", 0},
    [FAULT_UNKNOWN] = {"unknown", 0},
    [FAULT_CANCELLED] = {"cancelled", 0},
    [FAULT_EXPIRED] = {"expired", 0},
    [FAULT_IO] = {"io", 0},
};

static void add_field(lua_State *L, luaL_Buffer *line, const char *field,
                      const char *before) {
  if (lua_getfield(L, 1, field) == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_pushstring(L, before);
  lua_insert(L, -2);
  luaL_tolstring(L, -1, NULL);
  lua_remove(L, -2);
  lua_concat(L, 2);
  luaL_addvalue(line);
}

void fault_redact(lua_State *L, const char *secret) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  struct buffer *clean = box_push_buffer(L);
  box_to_string(L, redact_text(text, length, secret, clean) < 0);
  lua_replace(L, -2);
}

/* "minimax submit: the text … (content, code 1026, task 40…)" */
static int fault_tostring(lua_State *L) {
  luaL_Buffer line;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_buffinit(L, &line);
  luaL_addstring(&line, "minimax");
  add_field(L, &line, "stage", " ");
  add_field(L, &line, "message", ": ");
  add_field(L, &line, "kind", " (");
  add_field(L, &line, "code", ", code ");
  add_field(L, &line, "http_status", ", HTTP ");
  add_field(L, &line, "task_id", ", task ");
  add_field(L, &line, "trace_id", ", trace ");
  luaL_addchar(&line, ')');
  luaL_pushresult(&line);
  fault_redact(L, NULL); /* an id may hold anything: it stays one line */
  return 1;
}

static int fault_concat(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

void fault_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"__tostring", fault_tostring},
      {"__concat", fault_concat},
      {NULL, NULL},
  };
  luaL_newmetatable(L, NAME); /* sets __name */
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}

/* Makes an error object of the text on top, which it replaces. */
static void make(lua_State *L, const char *secret, const char *kind,
                 int retryable) {
  fault_redact(L, secret);
  lua_createtable(L, 0, 6);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushboolean(L, retryable);
  lua_setfield(L, -2, "retryable");
  luaL_setmetatable(L, NAME);
}

void fault_push(lua_State *L, const char *secret, enum fault_kind kind,
                const char *format, ...) {
  const char *message;
  va_list arguments;
  va_start(arguments, format);
  message = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  if (!message) /* Lua 5.5 raises nothing where memory ends */
    box_no_memory(L);
  make(L, secret, kinds[kind].name, kinds[kind].retryable);
}

/* FAULT_NONE for what is no kind. */
static enum fault_kind kind_named(const char *name) {
  for (size_t i = 1; name && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, name) == 0)
      return (enum fault_kind)i;
  return FAULT_NONE;
}

/*** Makes an error object, for what is written in Lua.
@function _error
@tparam string kind any word: an old ledger may know others
@tparam string message
@treturn minimax.error */
int fault_call(lua_State *L) {
  const char *kind = luaL_checkstring(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  make(L, NULL, kind, kinds[kind_named(kind)].retryable);
  return 1;
}

int fault_is(lua_State *L, int index) {
  int is;
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
    return 0;
  luaL_getmetatable(L, NAME);
  is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is;
}

enum fault_kind fault_kind_at(lua_State *L, int index) {
  enum fault_kind found;
  if (!fault_is(L, index))
    return FAULT_NONE;
  index = lua_absindex(L, index);
  lua_pushliteral(L, "kind");
  lua_rawget(L, index);
  found = kind_named(lua_tostring(L, -1));
  lua_pop(L, 1);
  return found;
}

void fault_push_copy(lua_State *L, int index) {
  index = lua_absindex(L, index);
  table_push_copy(L, index);
  if (lua_getmetatable(L, index))
    lua_setmetatable(L, -2);
}

int fault_return(lua_State *L, const char *stage) {
  if (stage) {
    lua_pushstring(L, stage);
    lua_setfield(L, -2, "stage");
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

void fault_set_retryable(lua_State *L, int index, int retryable) {
  index = lua_absindex(L, index);
  lua_pushboolean(L, retryable);
  lua_setfield(L, index, "retryable");
}
