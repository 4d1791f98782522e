/* Makes of a request what lua-cjson can encode. */
#include "api/encode.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "api/media.h"
#include "api/table.h"
#include "base/jsontext.h"
#include "base/number.h"

enum {
  DEPTH = 60,
  LARGE = 65536, /* a longer string never passes through lua-cjson */
  SHOWN = 48     /* of a long string in a preview */
};

static int copy_value(struct encoder *encoder, int value, const char *field);

int encode_refuse(struct encoder *encoder, const char *format,
                  const char *detail) {
  lua_State *L = encoder->L;
  lua_pushfstring(L, format, detail);
  fault_push(L, encoder->request->secret, FAULT_INVALID, "%s%s%s",
             *encoder->path ? encoder->path : "the request", ": ",
             lua_tostring(L, -1));
  return -1;
}

void encode_hide(struct encoder *encoder, enum splice splice,
                 const char *mime) {
  lua_State *L = encoder->L;
  char name[48];
  lua_createtable(L, 3, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 2);
  lua_pushinteger(L, splice);
  lua_rawseti(L, -2, 1);
  lua_pushstring(L, mime);
  lua_rawseti(L, -2, 3);
  lua_rawseti(L, encoder->splices, ++encoder->count);
  snprintf(name, sizeof name, "@minimax:%016llx:%d@",
           (unsigned long long)encoder->request->nonce, encoder->count);
  lua_pushstring(L, name);
}

/* Writes the number exactly; returns whether lua-cjson, which writes 14 digits
 * and a point that is the locale's, would do the same. */
static int write_number(lua_State *L, int value, char digits[NUMBER_ROOM]) {
  if (lua_isinteger(L, value))
    snprintf(digits, NUMBER_ROOM, "%lld", (long long)lua_tointeger(L, value));
  else
    number_write(lua_tonumber(L, value), digits);
  return strlen(digits) <= 14 &&
         strspn(digits, "-0123456789") == strlen(digits);
}

static int copy_number(struct encoder *encoder, int value) {
  lua_State *L = encoder->L;
  char digits[NUMBER_ROOM];
  if (!isfinite(lua_tonumber(L, value)))
    return encode_refuse(encoder, "%s can't be sent as JSON",
                         "a number that is not finite");
  if (write_number(L, value, digits) || !encoder->splices) {
    lua_pushvalue(L, value);
    return 0;
  }
  lua_pushstring(L, digits);
  encode_hide(encoder, SPLICE_JSON, NULL);
  return 0;
}

static void push_excerpt(lua_State *L, const char *text, size_t length) {
  lua_pushlstring(L, text, SHOWN);
  lua_pushfstring(L, "%s… (%I bytes)", lua_tostring(L, -1),
                  (LUAI_UACINT)length);
  lua_remove(L, -2);
}

/* A path, or base64 without its head, would be paid for and fail. */
static int refuse_media(struct encoder *encoder, const char *text,
                        size_t length) {
  lua_State *L = encoder->L;
  if (length > SHOWN)
    push_excerpt(L, text, length);
  else
    lua_pushlstring(L, text, length);
  lua_pushfstring(L,
                  "'%s' begins with none of https:, http:, data: and mm_file:; "
                  "a local file is minimax.file \"path\", base64 needs "
                  "data:image/jpeg;base64, before it",
                  lua_tostring(L, -1));
  return encode_refuse(encoder, "%s", lua_tostring(L, -1));
}

static int copy_string(struct encoder *encoder, int value, const char *field) {
  lua_State *L = encoder->L;
  size_t length;
  const char *text = lua_tolstring(L, value, &length);
  if (memchr(text, 0, length))
    return encode_refuse(encoder, "%s can't be sent", "a NUL byte");
  if (jsontext_utf8_error(text, length) < length)
    return encode_refuse(encoder, "%s; text must be UTF-8",
                         "it is not valid UTF-8");
  if (encoder->request->kind != MEDIA_NO_KIND && !media_may_be(text, field))
    return refuse_media(encoder, text, length);
  if (!encoder->splices && length > 4 * SHOWN &&
      strncmp(text, "data:", 5) == 0) {
    push_excerpt(L, text, length);
    return 0;
  }
  lua_pushvalue(L, value);
  if (encoder->splices && length > LARGE)
    encode_hide(encoder, SPLICE_STRING, NULL);
  return 0;
}

static int copy_file(struct encoder *encoder, int value, const char *field) {
  lua_State *L = encoder->L;
  const char *path = media_path(L, value);
  const char *mime = media_check(L, path, encoder->request->kind, field);
  if (!mime)
    return encode_refuse(encoder, "%s", lua_tostring(L, -1));
  if (!encoder->splices) {
    lua_pushfstring(L, "data:%s;base64,… (%s)", mime, path);
    return 0;
  }
  lua_pushstring(L, path);
  encode_hide(encoder, SPLICE_FILE, mime);
  return 0;
}

/* Adds a key to the path; `length` is where to cut it off again. */
static size_t enter(struct encoder *encoder, int key) {
  lua_State *L = encoder->L;
  size_t length = encoder->path_length;
  char *end = encoder->path + length;
  size_t room = sizeof encoder->path - length;
  int written;
  if (lua_type(L, key) == LUA_TSTRING)
    written =
        snprintf(end, room, "%s%s", length ? "." : "", lua_tostring(L, key));
  else
    written = snprintf(end, room, "[%lld]", (long long)lua_tointeger(L, key));
  if (written > 0 && (size_t)written < room)
    encoder->path_length += (size_t)written;
  else
    *end = '\0';
  return length;
}

static void leave(struct encoder *encoder, size_t length) {
  encoder->path_length = length;
  encoder->path[length] = '\0';
}

static int check_key(struct encoder *encoder, int key) {
  lua_State *L = encoder->L;
  size_t length;
  const char *name;
  if (lua_isinteger(L, key))
    return 0;
  if (lua_type(L, key) != LUA_TSTRING)
    return encode_refuse(encoder, "a key that is %s can't be sent as JSON",
                         luaL_typename(L, key));
  name = lua_tolstring(L, key, &length);
  if (memchr(name, 0, length) || jsontext_utf8_error(name, length) < length)
    return encode_refuse(encoder, "%s", "a key is not valid UTF-8");
  return 0;
}

/* The name by which the API knows a value: that of a list is its items', and
 * image_url = { url = … } is an image_url. */
static const char *name_of(lua_State *L, int key, const char *field) {
  static const char *const inner[] = {"url", "value", "image"};
  const char *name =
      lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : field;
  for (size_t i = 0; field && i < sizeof inner / sizeof *inner; i++)
    if (strcmp(name, inner[i]) == 0)
      return field;
  return name;
}

static int copy_table(struct encoder *encoder, int table, const char *field) {
  lua_State *L = encoder->L;
  int copy;
  if (encoder->depth == DEPTH)
    return encode_refuse(encoder, "%s",
                         "it is nested too deep, or holds itself");
  luaL_checkstack(L, 12, "request nested too deep");
  encoder->depth++;
  lua_newtable(L);
  copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    int key = copy + 1;
    size_t length = enter(encoder, key);
    const char *name = name_of(L, key, field);
    if (check_key(encoder, key) < 0 || copy_value(encoder, key + 1, name) < 0)
      return -1;
    lua_pushvalue(L, key);
    lua_insert(L, -2);
    lua_rawset(L, copy);
    lua_settop(L, key);
    leave(encoder, length);
  }
  encoder->depth--;
  return 0;
}

/* Nothing but a metatable tells an empty list from an object: `__jsontype`, as
 * dkjson has it. */
static int is_empty_list(lua_State *L, int table) {
  int is_list;
  if (!table_is_empty(L, table) ||
      luaL_getmetafield(L, table, "__jsontype") == LUA_TNIL)
    return 0;
  is_list = lua_type(L, -1) == LUA_TSTRING &&
            strcmp(lua_tostring(L, -1), "array") == 0;
  lua_pop(L, 1);
  return is_list;
}

/* lua-cjson would send it as an object. */
static void copy_empty_list(struct encoder *encoder, int list) {
  lua_State *L = encoder->L;
  if (encoder->splices) {
    lua_pushliteral(L, "[]");
    encode_hide(encoder, SPLICE_JSON, NULL);
  } else {
    lua_newtable(L);
    lua_getmetatable(L, list);
    lua_setmetatable(L, -2);
  }
}

/* Pushes a copy of the value that lua-cjson can encode; `field` is the nearest
 * name above it. */
static int copy_value(struct encoder *encoder, int value, const char *field) {
  lua_State *L = encoder->L;
  switch (lua_type(L, value)) {
  case LUA_TNUMBER:
    return copy_number(encoder, value);
  case LUA_TSTRING:
    return copy_string(encoder, value, field);
  case LUA_TTABLE:
    if (!is_empty_list(L, value))
      return copy_table(encoder, value, field);
    copy_empty_list(encoder, value);
    return 0;
  case LUA_TUSERDATA:
    if (media_path(L, value))
      return copy_file(encoder, value, field);
    break;
  case LUA_TBOOLEAN:
  case LUA_TLIGHTUSERDATA: /* cjson.null and its like */
    lua_pushvalue(L, value);
    return 0;
  default:
    break;
  }
  return encode_refuse(encoder, "a %s can't be sent as JSON",
                       luaL_typename(L, value));
}

int encode_copy(struct encoder *encoder, int table) {
  return copy_table(encoder, table, NULL);
}
