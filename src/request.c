/* Makes a request body of a Lua table. */
#include "request.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "json.h"
#include "jsontext.h"
#include "options.h"

enum {
  DEPTH = 60,
  LARGE = 65536, /* a longer string never passes through lua-cjson */
  SHOWN = 48     /* of a long string in a preview */
};

#define V2_LARGEST ((uint64_t)64 << 20) /* bytes of a whole v2 body */

/* One walk over a request. The copy holds a placeholder for each value that
 * lua-cjson must not see; the list at `splices` has what it stands for. */
struct walk {
  lua_State *L;
  const struct request *request;
  int splices; /* index of the list; 0 in a preview */
  int count;
  int depth;
  size_t path_length;
  char path[160]; /* "media_inputs[1].value", for messages */
};

static int copy_value(struct walk *walk, int value, const char *field);

static int refuse(struct walk *walk, const char *format, const char *detail) {
  lua_State *L = walk->L;
  lua_pushfstring(L, format, detail);
  fault_push(L, walk->request->secret, FAULT_INVALID, "%s%s%s",
             *walk->path ? walk->path : "the request", ": ",
             lua_tostring(L, -1));
  return -1;
}

/* Replaces the value on top by a placeholder that stands for it. */
static void hide(struct walk *walk) {
  lua_State *L = walk->L;
  char name[48];
  lua_rawseti(L, walk->splices, ++walk->count);
  snprintf(name, sizeof name, "@minimax:%016llx:%d@",
           (unsigned long long)walk->request->nonce, walk->count);
  lua_pushstring(L, name);
}

/* JSON has a point where the host's locale may have something else. */
static void put_point(char *digits) {
  size_t whole = strspn(digits, "+-0123456789");
  size_t other = strcspn(digits + whole, "e0123456789");
  if (other == 0)
    return;
  digits[whole] = '.';
  memmove(digits + whole + 1, digits + whole + other,
          strlen(digits + whole + other) + 1);
}

/* Writes the number exactly; returns whether lua-cjson, which writes 14
 * digits, would do the same. */
static int write_number(lua_State *L, int value, char *digits, size_t room) {
  lua_Number number = lua_tonumber(L, value);
  if (lua_isinteger(L, value)) {
    lua_Integer integer = lua_tointeger(L, value);
    snprintf(digits, room, "%lld", (long long)integer);
    return integer > -100000000000000 && integer < 100000000000000;
  }
  snprintf(digits, room, "%.14g", number);
  if (strtod(digits, NULL) == number)
    return 1;
  snprintf(digits, room, "%.17g", number);
  put_point(digits);
  return 0;
}

static int copy_number(struct walk *walk, int value) {
  lua_State *L = walk->L;
  char digits[40];
  if (!isfinite(lua_tonumber(L, value)))
    return refuse(walk, "%s can't be sent as JSON",
                  "a number that is not finite");
  if (write_number(L, value, digits, sizeof digits) || !walk->splices) {
    lua_pushvalue(L, value);
    return 0;
  }
  lua_createtable(L, 1, 0); /* a list of one tells digits from text */
  lua_pushstring(L, digits);
  lua_rawseti(L, -2, 1);
  hide(walk);
  return 0;
}

static void push_excerpt(lua_State *L, const char *text, size_t length) {
  lua_pushlstring(L, text, SHOWN);
  lua_pushfstring(L, "%s… (%I bytes)", lua_tostring(L, -1),
                  (LUAI_UACINT)length);
  lua_remove(L, -2);
}

static int copy_string(struct walk *walk, int value) {
  lua_State *L = walk->L;
  size_t length;
  const char *text = lua_tolstring(L, value, &length);
  if (memchr(text, 0, length))
    return refuse(walk, "%s can't be sent", "a NUL byte");
  if (jsontext_utf8_error(text, length) < length)
    return refuse(walk, "%s; text must be UTF-8", "it is not valid UTF-8");
  if (!walk->splices && length > 4 * SHOWN && strncmp(text, "data:", 5) == 0) {
    push_excerpt(L, text, length);
    return 0;
  }
  lua_pushvalue(L, value);
  if (walk->splices && length > LARGE)
    hide(walk);
  return 0;
}

static int copy_file(struct walk *walk, int value, const char *field) {
  lua_State *L = walk->L;
  const char *path = media_path(L, value);
  const char *mime = media_check(L, path, walk->request->kind, field);
  if (!mime)
    return refuse(walk, "%s", lua_tostring(L, -1));
  if (!walk->splices) {
    lua_pushfstring(L, "data:%s;base64,… (%s)", mime, path);
    return 0;
  }
  lua_createtable(L, 0, 2);
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, mime);
  lua_setfield(L, -2, "mime");
  hide(walk);
  return 0;
}

/* Adds a key to the path; `length` is where to cut it off again. */
static size_t enter(struct walk *walk, int key) {
  lua_State *L = walk->L;
  size_t length = walk->path_length;
  char *end = walk->path + length;
  size_t room = sizeof walk->path - length;
  int written;
  if (lua_type(L, key) == LUA_TSTRING)
    written =
        snprintf(end, room, "%s%s", length ? "." : "", lua_tostring(L, key));
  else
    written = snprintf(end, room, "[%lld]", (long long)lua_tointeger(L, key));
  if (written > 0 && (size_t)written < room)
    walk->path_length += (size_t)written;
  else
    *end = '\0';
  return length;
}

static void leave(struct walk *walk, size_t length) {
  walk->path_length = length;
  walk->path[length] = '\0';
}

static int check_key(struct walk *walk, int key) {
  lua_State *L = walk->L;
  size_t length;
  const char *name;
  if (lua_isinteger(L, key))
    return 0;
  if (lua_type(L, key) != LUA_TSTRING)
    return refuse(walk, "a key that is %s can't be sent as JSON",
                  luaL_typename(L, key));
  name = lua_tolstring(L, key, &length);
  if (memchr(name, 0, length) || jsontext_utf8_error(name, length) < length)
    return refuse(walk, "%s", "a key is not valid UTF-8");
  return 0;
}

/* The name by which the API knows a value: that of a list is its items', and
 * image_url = { url = … } is an image_url. */
static const char *name_of(lua_State *L, int key, const char *field) {
  const char *name =
      lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : field;
  return field && strcmp(name, "url") == 0 ? field : name;
}

static int copy_table(struct walk *walk, int table, const char *field) {
  lua_State *L = walk->L;
  int copy;
  if (walk->depth == DEPTH)
    return refuse(walk, "%s", "it is nested too deep, or holds itself");
  luaL_checkstack(L, 12, "request nested too deep");
  walk->depth++;
  lua_newtable(L);
  copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    int key = copy + 1;
    size_t length = enter(walk, key);
    const char *name = name_of(L, key, field);
    if (check_key(walk, key) < 0 || copy_value(walk, key + 1, name) < 0)
      return -1;
    lua_pushvalue(L, key);
    lua_insert(L, -2);
    lua_rawset(L, copy);
    lua_settop(L, key);
    leave(walk, length);
  }
  walk->depth--;
  return 0;
}

static int is_empty(lua_State *L, int table) {
  lua_pushnil(L);
  if (!lua_next(L, table))
    return 1;
  lua_pop(L, 2);
  return 0;
}

/* Nothing but a metatable tells an empty list from an object: `__jsontype`, as
 * dkjson has it. */
static int is_empty_list(lua_State *L, int table) {
  int is_list;
  if (!is_empty(L, table) ||
      luaL_getmetafield(L, table, "__jsontype") == LUA_TNIL)
    return 0;
  is_list = lua_type(L, -1) == LUA_TSTRING &&
            strcmp(lua_tostring(L, -1), "array") == 0;
  lua_pop(L, 1);
  return is_list;
}

/* lua-cjson would send it as an object. */
static void copy_empty_list(struct walk *walk, int list) {
  lua_State *L = walk->L;
  lua_createtable(L, 1, 0);
  if (walk->splices) {
    lua_pushliteral(L, "[]");
    lua_rawseti(L, -2, 1);
    hide(walk);
  } else {
    lua_getmetatable(L, list);
    lua_setmetatable(L, -2);
  }
}

/* Pushes a copy of the value that lua-cjson can encode; `field` is the nearest
 * name above it. */
static int copy_value(struct walk *walk, int value, const char *field) {
  lua_State *L = walk->L;
  switch (lua_type(L, value)) {
  case LUA_TNUMBER:
    return copy_number(walk, value);
  case LUA_TSTRING:
    return copy_string(walk, value);
  case LUA_TTABLE:
    if (!is_empty_list(L, value))
      return copy_table(walk, value, field);
    copy_empty_list(walk, value);
    return 0;
  case LUA_TUSERDATA:
    if (media_path(L, value))
      return copy_file(walk, value, field);
    break;
  case LUA_TBOOLEAN:
  case LUA_TLIGHTUSERDATA: /* cjson.null and its like */
    lua_pushvalue(L, value);
    return 0;
  default:
    break;
  }
  return refuse(walk, "a %s can't be sent as JSON", luaL_typename(L, value));
}

const char *request_push_id(lua_State *L, int index, int argument) {
  const char *problem = NULL;
  if (lua_isinteger(L, index))
    lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, index));
  else if (lua_type(L, index) == LUA_TSTRING)
    lua_pushvalue(L, index);
  else if (lua_type(L, index) == LUA_TNUMBER)
    problem = "an id must be a string or an integer: a float loses its last "
              "digits";
  else
    problem = "an id must be a string";
  if (!problem && strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
    problem = "an id must not hold a NUL byte";
  if (problem)
    options_argerror(L, argument, problem);
  return lua_tostring(L, -1);
}

/* Replaces the id on top, a string, by its digits as a bare number. */
static void make_bare(struct walk *walk) {
  lua_State *L = walk->L;
  size_t length;
  const char *id = lua_tolstring(L, -1, &length);
  if (!walk->splices || length == 0 || strspn(id, "0123456789") != length)
    return;
  lua_createtable(L, 1, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  hide(walk);
}

/* An id may be given as an integer; the API wants strings, but for a few
 * calls. */
static void mend_ids(struct walk *walk, int copy, int original) {
  static const char *const names[] = {"template_id", "task_id", "file_id"};
  lua_State *L = walk->L;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int type = lua_getfield(L, original, names[i]);
    if (type == LUA_TNUMBER && !lua_isinteger(L, -1))
      luaL_error(L,
                 "'%s' must be a string or an integer: a float loses its "
                 "last digits",
                 names[i]);
    if (type == LUA_TNUMBER || (type == LUA_TSTRING && walk->request->bare)) {
      request_push_id(L, -1, 1);
      if (walk->request->bare)
        make_bare(walk);
      lua_setfield(L, copy, names[i]);
    }
    lua_pop(L, 1);
  }
}

/* A string or file in `text_inputs` or `media_inputs` stands for { value = it
 * }; an empty list there is left out, since lua-cjson would send an object. */
static void mend_inputs(lua_State *L, int copy, int original) {
  static const char *const names[] = {"text_inputs", "media_inputs"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (lua_getfield(L, original, names[i]) == LUA_TTABLE &&
        is_empty(L, lua_gettop(L))) {
      lua_pushnil(L);
      lua_setfield(L, copy, names[i]);
    } else if (lua_getfield(L, copy, names[i]) == LUA_TTABLE) {
      int list = lua_gettop(L);
      lua_Integer count = (lua_Integer)lua_rawlen(L, list);
      for (lua_Integer n = 1; n <= count; n++) {
        if (lua_rawgeti(L, list, n) == LUA_TSTRING) {
          lua_createtable(L, 0, 1);
          lua_insert(L, -2);
          lua_setfield(L, -2, "value");
          lua_rawseti(L, list, n);
          continue;
        }
        lua_pop(L, 1);
      }
    }
    lua_settop(L, copy);
  }
}

/* Pushes the copy of the whole request. */
static int copy_request(struct walk *walk, int index) {
  lua_State *L = walk->L;
  int copy;
  if (copy_table(walk, index, NULL) < 0)
    return -1;
  copy = lua_gettop(L);
  mend_ids(walk, copy, index);
  mend_inputs(L, copy, index);
  return 0;
}

static int add_file(lua_State *L, int splice, struct body *body) {
  const char *path, *head;
  lua_getfield(L, splice, "path");
  path = lua_tostring(L, -1);
  lua_getfield(L, splice, "mime");
  head = lua_pushfstring(L, "\"data:%s;base64,", lua_tostring(L, -1));
  if (body_add_text(body, head, strlen(head)) < 0 ||
      body_add_file(body, path, BODY_BASE64) < 0 ||
      body_add_text(body, "\"", 1) < 0) {
    fault_push(L, NULL, FAULT_IO, "file '%s' can't be sent: %s", path,
               strerror(errno));
    return -1;
  }
  return 0;
}

static int add_long_string(lua_State *L, int splice, struct body *body) {
  struct buffer quoted = {0};
  size_t length;
  const char *text = lua_tolstring(L, splice, &length);
  int result = json_add_string(&quoted, text, length);
  if (result == 0)
    result = body_add_text(body, quoted.bytes, quoted.length);
  buffer_free(&quoted);
  if (result < 0)
    fault_push(L, NULL, FAULT_IO, "not enough memory");
  return result;
}

/* Adds what the splice on top stands for. */
static int add_splice(lua_State *L, struct body *body) {
  int splice = lua_gettop(L);
  const char *digits;
  if (lua_type(L, splice) == LUA_TSTRING)
    return add_long_string(L, splice, body);
  if (lua_rawgeti(L, splice, 1) == LUA_TNIL)
    return add_file(L, splice, body);
  digits = lua_tostring(L, -1);
  if (body_add_text(body, digits, strlen(digits)) == 0)
    return 0;
  fault_push(L, NULL, FAULT_IO, "not enough memory");
  return -1;
}

/* Cuts the JSON text on top at its placeholders and fills the body. */
static int fill_body(struct walk *walk, struct body *body) {
  lua_State *L = walk->L;
  int text_index = lua_gettop(L);
  size_t length;
  const char *text = lua_tolstring(L, text_index, &length);
  const char *end = text + length;
  char mark[40];
  snprintf(mark, sizeof mark,
           "\"@minimax:%016llx:", (unsigned long long)walk->request->nonce);
  for (;;) {
    char *after;
    const char *found = strstr(text, mark);
    const char *until = found ? found : end;
    if (body_add_text(body, text, (size_t)(until - text)) < 0) {
      fault_push(L, NULL, FAULT_IO, "not enough memory");
      return -1;
    }
    if (!found)
      return 0;
    lua_rawgeti(L, walk->splices, strtol(found + strlen(mark), &after, 10));
    if (add_splice(L, body) < 0)
      return -1;
    lua_settop(L, text_index);
    text = after + 2; /* past `@"` */
  }
}

int request_build(lua_State *L, int index, const struct request *request,
                  struct body *body) {
  struct walk walk = {.L = L, .request = request};
  index = lua_absindex(L, index);
  lua_newtable(L);
  walk.splices = lua_gettop(L);
  if (copy_request(&walk, index) < 0)
    return -1;
  if (json_encode(L) < 0)
    return refuse(&walk, "it can't be sent as JSON: %s", lua_tostring(L, -1));
  if (fill_body(&walk, body) < 0)
    return -1;
  lua_settop(L, walk.splices - 1);
  if (request->kind == KIND_VIDEO2 && body->length > V2_LARGEST)
    return refuse(&walk, "%s",
                  "the whole body, files as base64, must not exceed 64 MB; "
                  "upload large media first and name them as mm_file://…");
  return 0;
}

int request_preview(lua_State *L, int index, const struct request *request) {
  struct walk walk = {.L = L, .request = request};
  return copy_request(&walk, lua_absindex(L, index));
}

int request_kind(lua_State *L, int index, const char *secret) {
  static const enum kind order[] = {KIND_TEMPLATE, KIND_VIDEO2, KIND_VIDEO};
  index = lua_absindex(L, index);
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    int has = lua_getfield(L, index, endpoints[order[i]].told_by) != LUA_TNIL;
    lua_pop(L, 1);
    if (has)
      return (int)order[i];
  }
  fault_push(L, secret, FAULT_INVALID,
             "the request has neither template_id, model nor content: the "
             "kind of task can't be told (or set the option kind)");
  return -1;
}
