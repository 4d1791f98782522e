/* The bridge to lua-cjson. */
#include "api/json.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/box.h"
#include "base/jsontext.h"
#include "base/number.h"

enum { DEPTH = 64, SHORT_TEXT = 1024 /* bytes */ };

/* Their addresses are the keys in the registry. */
static const char decode_key = 0, encode_key = 0, list_key = 0;

/* Pushes lua-cjson: a sandboxed host may have hidden `require`. */
static void find_cjson(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "cjson") == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  if (lua_getglobal(L, "require") == LUA_TFUNCTION) {
    lua_pushliteral(L, "cjson");
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1))
      return;
  }
  luaL_error(L, "minimax needs lua-cjson: luarocks install lua-cjson, or "
                "apt-get install lua-cjson");
}

/* Calls a setting of the instance on top, where this version has it. */
static void set_number(lua_State *L, const char *setting, int value) {
  if (lua_getfield(L, -1, setting) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  if (value < 0)
    lua_pushboolean(L, 0);
  else
    lua_pushinteger(L, value);
  lua_call(L, 1, 0);
}

/* Pushes an instance of its own. Other modules are put in its place:
 * cjson.safe, which will do, and some that only resemble it. */
static void push_instance(lua_State *L) {
  find_cjson(L);
  if (lua_getfield(L, -1, "new") == LUA_TFUNCTION) {
    lua_call(L, 0, 1);
    if (lua_istable(L, -1) && lua_getfield(L, -1, "decode") == LUA_TFUNCTION &&
        lua_getfield(L, -2, "encode") == LUA_TFUNCTION) {
      lua_pop(L, 2);
      return;
    }
  }
  luaL_error(L, "minimax needs lua-cjson, but another module stands in its "
                "place: package.loaded.cjson has no function 'new' that makes "
                "an instance");
}

void json_open(lua_State *L) {
  int top = lua_gettop(L);
  push_instance(L);
  set_number(L, "decode_invalid_numbers", -1);
  set_number(L, "encode_invalid_numbers", -1);
  set_number(L, "encode_keep_buffer", -1);
  set_number(L, "decode_max_depth", DEPTH);
  set_number(L, "encode_max_depth", DEPTH);
  /* Never encode_escape_forward_slash: before 2.1.0.18 it leaks into the
   * host's own instance. */
  lua_getfield(L, -1, "decode");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &decode_key);
  lua_getfield(L, -1, "encode");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &encode_key);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__jsontype");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &list_key);
  lua_settop(L, top);
}

static int is_id_name(const char *name, size_t length) {
  if (length == 2)
    return memcmp(name, "id", 2) == 0;
  return (length > 3 && memcmp(name + length - 3, "_id", 3) == 0) ||
         (length > 4 && memcmp(name + length - 4, "_ids", 4) == 0);
}

/* Whether the value just above the key at `key` is an id. `in_list`: its table
 * is the list of a field such as `task_ids`. */
static int is_id(lua_State *L, int key, int in_list) {
  size_t length;
  const char *name;
  if (lua_type(L, key) != LUA_TSTRING)
    return in_list;
  name = lua_tolstring(L, key, &length);
  return is_id_name(name, length);
}

/* Pushes the number that the text stands for: an integer where it is whole and
 * has room in one. */
static void push_number(lua_State *L, const char *text) {
  lua_Integer integer;
  int is_whole;
  if (text[0] >= '0' && text[0] <= '9' && text[1] == '\0') { /* most are */
    lua_pushinteger(L, text[0] - '0');
    return;
  }
  if (text[strspn(text, "-0123456789")] == '\0' &&
      lua_stringtonumber(L, text) > 0)
    return;
  lua_pushnumber(L, number_read(text));
  integer = lua_tointegerx(L, -1, &is_whole);
  if (is_whole) {
    lua_pop(L, 1);
    lua_pushinteger(L, integer);
  }
}

/* Digit for digit, and in digits if it is whole. */
static void push_id(lua_State *L, const char *text) {
  char digits[NUMBER_ROOM];
  int is_plain = text[strspn(text, "-0123456789")] == '\0';
  if (!is_plain && number_expand(text, digits) == 0)
    text = digits;
  lua_pushstring(L, text);
}

/* Pushes what the decoder was not to see of the string above the key at `key`.
 * Returns 0 and pushes nothing for any other string. */
static int push_marked(lua_State *L, int key, int in_list) {
  size_t length;
  const char *text = lua_tolstring(L, key + 1, &length);
  if (length < 2 || *text != JSONTEXT_MARK)
    return 0;
  if (text[1] == JSONTEXT_MARK)
    lua_pushlstring(L, text + 1, length - 1);
  else if (is_id(L, key, in_list))
    push_id(L, text + 1);
  else
    push_number(L, text + 1);
  return 1;
}

static void mend_table(lua_State *L, int table, int is_list);

/* Pushes what should stand in place of the value just above the key at `key`;
 * 0 if it is right as it is (tables are mended in place). */
static int push_mended(lua_State *L, int key, int in_list) {
  switch (lua_type(L, key + 1)) {
  case LUA_TSTRING:
    return push_marked(L, key, in_list);
  case LUA_TTABLE:
    mend_table(L, key + 1, is_id(L, key, in_list));
    return 0;
  case LUA_TLIGHTUSERDATA:
    lua_pushnil(L);
    return 1;
  default:
    return 0;
  }
}

/* Empties the list again that was empty before it was marked, and says in its
 * metatable what it is; returns whether it did. */
static int mend_empty_list(lua_State *L, int table) {
  size_t length = 0;
  const char *mark = NULL;
  if (lua_rawgeti(L, table, 1) == LUA_TSTRING)
    mark = lua_tolstring(L, -1, &length);
  lua_pop(L, 1);
  if (length != 1 || *mark != JSONTEXT_MARK)
    return 0;
  lua_pushnil(L);
  lua_rawseti(L, table, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &list_key);
  lua_setmetatable(L, table);
  return 1;
}

/* `is_list`: the table is the list of a field such as `task_ids`. */
static void mend_table(lua_State *L, int table, int is_list) {
  luaL_checkstack(L, 6, "JSON nested too deep");
  if (mend_empty_list(L, table))
    return;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    int key = lua_gettop(L) - 1;
    if (push_mended(L, key, is_list)) {
      lua_pushvalue(L, key);
      lua_insert(L, -2);
      lua_rawset(L, table); /* an existing field: the traversal goes on */
    }
    lua_settop(L, key);
  }
}

/* A text that was marked, where it is short, as most replies are: those fit our
 * own stack. */
struct short_text {
  char bytes[SHORT_TEXT];
  size_t length;
};

/* Whether it fits, or is as it was: JSONTEXT_MARKED, JSONTEXT_SAME. */
static enum jsontext_result mark_short(const char *text, size_t length,
                                       size_t most, struct short_text *out) {
  struct buffer marked = {0};
  enum jsontext_result result = jsontext_mark(text, length, most, &marked);
  out->length = marked.length;
  if (result == JSONTEXT_MARKED && marked.length <= sizeof out->bytes)
    memcpy(out->bytes, marked.bytes, marked.length);
  else if (result == JSONTEXT_MARKED)
    result = JSONTEXT_NO_MEMORY;
  buffer_free(&marked);
  return result;
}

/* Pushes the text with its marks; whether it did. */
static int push_short(lua_State *L, const char *text, size_t length,
                      size_t most) {
  struct short_text marked;
  enum jsontext_result result = mark_short(text, length, most, &marked);
  if (result == JSONTEXT_MARKED)
    lua_pushlstring(L, marked.bytes, marked.length);
  else if (result == JSONTEXT_SAME)
    lua_pushlstring(L, text, length);
  return result == JSONTEXT_MARKED || result == JSONTEXT_SAME;
}

/* Pushes the text with its marks, or a short reason. */
static enum json_result push_text(lua_State *L, const char *text, size_t length,
                                  size_t most) {
  struct buffer *marked;
  enum jsontext_result result;
  if (length <= SHORT_TEXT && push_short(L, text, length, most))
    return JSON_OK;
  marked = box_push_buffer(L);
  result = jsontext_mark(text, length, most, marked);
  if (result == JSONTEXT_MARKED || result == JSONTEXT_NO_MEMORY) {
    box_to_string(L, result == JSONTEXT_NO_MEMORY);
    return JSON_OK;
  }
  box_pop(L);
  if (result == JSONTEXT_SAME) {
    lua_pushlstring(L, text, length);
    return JSON_OK;
  }
  lua_pushstring(L, result == JSONTEXT_NUL ? "it holds a NUL byte"
                                           : "it holds too many values");
  return result == JSONTEXT_NUL ? JSON_BAD : JSON_TOO_MANY;
}

/* Calls lua-cjson with the value on top. It raises its reason; in cjson.safe,
 * which a program may have put in its place, it returns nil and the reason. */
static int call_cjson(lua_State *L) {
  const char *reason;
  int result = lua_pcall(L, 1, 2, 0);
  int done = result == LUA_OK;
  if (result == LUA_ERRMEM) /* which says nothing of the value */
    lua_error(L);
  if (done && !lua_isnil(L, -2)) {
    lua_pop(L, 1);
    return 0;
  }
  reason = lua_tostring(L, -1);
  lua_pushstring(L, reason ? reason : "lua-cjson gives no reason");
  lua_replace(L, done ? -3 : -2);
  lua_settop(L, lua_gettop(L) - done);
  return -1;
}

enum json_result json_decode(lua_State *L, const char *text, size_t length,
                             size_t most) {
  enum json_result result;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &decode_key);
  result = push_text(L, text, length, most);
  if (result != JSON_OK) {
    lua_remove(L, -2);
    return result;
  }
  if (call_cjson(L) < 0)
    return JSON_BAD;
  if (lua_istable(L, -1))
    mend_table(L, lua_gettop(L), 0);
  return JSON_OK;
}

int json_encode(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &encode_key);
  lua_insert(L, -2);
  if (call_cjson(L) < 0)
    return -1;
  if (lua_type(L, -1) == LUA_TSTRING)
    return 0;
  lua_pop(L, 1);
  lua_pushliteral(L, "what stands for lua-cjson gives no text");
  return -1;
}

static int add_escaped(struct buffer *out, unsigned char byte) {
  char escape[8];
  if (byte == '"' || byte == '\\')
    snprintf(escape, sizeof escape, "\\%c", byte);
  else
    snprintf(escape, sizeof escape, "\\u%04x", byte);
  return buffer_add_text(out, escape);
}

int json_add_string(struct buffer *out, const char *text, size_t length) {
  size_t from = 0;
  int result = buffer_add(out, "\"", 1);
  for (size_t i = 0; i < length && result == 0; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte >= 0x20 && byte != '"' && byte != '\\')
      continue;
    result = buffer_add(out, text + from, i - from);
    if (result == 0)
      result = add_escaped(out, byte);
    from = i + 1;
  }
  if (result == 0)
    result = buffer_add(out, text + from, length - from);
  return result == 0 ? buffer_add(out, "\"", 1) : -1;
}
