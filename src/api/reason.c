/* The words in which an answer says why. */
#include "api/reason.h"

#include <lauxlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/json.h"
#include "base/ascii.h"

enum {
  NESTING = 6,
  ITEMS = 8,    /* of a list that are looked at */
  EXCERPT = 120 /* bytes */
};

/* Where it may stand, the most telling first; in each of them the same again:
 * `error.message`, `detail[1].msg`, `data.error`. */
static const char *const places[] = {
    "error",         "errors",         "fail_reason",
    "failed_reason", "failure_reason", "error_message",
    "error_msg",     "err_msg",        "errmsg",
    "base_resp",     "status_msg",     "message",
    "msg",           "reason",         "detail",
    "details",       "data",           "task",
    "response",      "code",           "error_description",
};

/* Fields that say nothing about it. */
static const char *const quiet[] = {
    "base_resp", "created_at", "expires_at", "file_id",    "id",    "kind",
    "model",     "object",     "prompt",     "request_id", "state", "status",
    "task_id",   "type",       "task_type",  "trace_id",   "url",   "video_url",
};

int reason_is_told(const char *text) {
  static const char *const none[] = {"",   "success", "succeeded", "successful",
                                     "ok", "none",    "null"};
  text += strspn(text, " \t\r\n");
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (ascii_equal(text, none[i]))
      return 0;
  return text[strspn(text, "0123456789")] != '\0';
}

static int find(lua_State *L, int nesting);

/* A code of zero says that its words are about the answer alone. */
static int is_about_success(lua_State *L, const char *place) {
  int is = 0;
  if (strcmp(place, "base_resp") == 0 && lua_istable(L, -1)) {
    lua_getfield(L, -1, "status_code");
    is = lua_isinteger(L, -1) && lua_tointeger(L, -1) == 0;
    lua_pop(L, 1);
  }
  return is;
}

/* Replaces the table on top by the text that it holds, or nothing. */
static int find_in_table(lua_State *L, int nesting) {
  int table = lua_gettop(L);
  luaL_checkstack(L, 6, "JSON nested too deep");
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    lua_getfield(L, table, places[i]);
    if (is_about_success(L, places[i]))
      lua_pop(L, 1);
    else if (find(L, nesting))
      goto found;
  }
  for (lua_Integer n = 1; n <= ITEMS; n++) {
    lua_rawgeti(L, table, n);
    if (find(L, nesting))
      goto found;
  }
  lua_pop(L, 1);
  return 0;
found:
  lua_replace(L, table);
  return 1;
}

/* Replaces the value on top by the text that it is or holds, or nothing. */
static int find(lua_State *L, int nesting) {
  if (lua_type(L, -1) == LUA_TSTRING && reason_is_told(lua_tostring(L, -1)))
    return 1;
  if (lua_istable(L, -1) && nesting < NESTING)
    return find_in_table(L, nesting + 1);
  lua_pop(L, 1);
  return 0;
}

int reason_find(lua_State *L, int index) {
  lua_pushvalue(L, index);
  return find(L, 0);
}

static int is_quiet(const char *name) {
  for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
    if (strcmp(quiet[i], name) == 0)
      return 1;
  return 0;
}

/* Whether the value on top holds anything that may tell something. */
static int may_tell(lua_State *L, int nesting) {
  int tells = 0;
  if (lua_type(L, -1) == LUA_TSTRING)
    return reason_is_told(lua_tostring(L, -1));
  if (!lua_istable(L, -1) || nesting == NESTING)
    return lua_tonumber(L, -1) != 0;
  luaL_checkstack(L, 6, "JSON nested too deep");
  lua_pushnil(L);
  while (!tells && lua_next(L, -2)) {
    tells = may_tell(L, nesting + 1);
    lua_pop(L, tells ? 2 : 1);
  }
  return tells;
}

/* Pushes a table of what else is in the one at `index`; how many fields. */
static int push_rest(lua_State *L, int index) {
  int rest = lua_gettop(L) + 1, count = 0;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) == LUA_TSTRING && !is_quiet(lua_tostring(L, -2)) &&
        may_tell(L, 0)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, rest);
      count++;
    } else {
      lua_pop(L, 1);
    }
  }
  return count;
}

/* Cuts the text on top, the key out of which is cut already, between two
 * characters. */
static void shorten(lua_State *L) {
  size_t length, end = EXCERPT;
  const char *text = lua_tolstring(L, -1, &length);
  if (length <= EXCERPT)
    return;
  while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
    end--;
  lua_pushlstring(L, text, end);
  lua_pushliteral(L, "…");
  lua_concat(L, 2);
  lua_remove(L, -2);
}

void reason_push(lua_State *L, int index, const char *secret) {
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  if (reason_find(L, index))
    return;
  if (push_rest(L, index) > 0 && json_encode(L) == 0) {
    fault_redact(L, secret);
    shorten(L);
    lua_pushfstring(L, "the answer says %s", lua_tostring(L, -1));
  } else {
    lua_pushliteral(L, "the server gave no reason");
  }
  lua_insert(L, top + 1);
  lua_settop(L, top + 1);
}
