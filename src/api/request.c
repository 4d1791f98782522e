/* Makes a request body of a Lua table. */
#include "api/request.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/box.h"
#include "api/encode.h"
#include "api/endpoint.h"
#include "api/fault.h"
#include "api/json.h"
#include "api/media.h"
#include "api/options.h"
#include "api/table.h"

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
static void make_bare(struct encoder *encoder) {
  size_t length;
  const char *id = lua_tolstring(encoder->L, -1, &length);
  if (encoder->splices && length > 0 && strspn(id, "0123456789") == length)
    encode_hide(encoder, SPLICE_JSON, NULL);
}

int request_get(lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_pushstring(L, name);
  return lua_rawget(L, index);
}

/* An id may be given as an integer; the API wants strings, but for a few
 * calls. */
static void mend_ids(struct encoder *encoder, int copy, int original) {
  static const char *const names[] = {"template_id", "task_id", "file_id"};
  lua_State *L = encoder->L;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int type = request_get(L, original, names[i]);
    if (type == LUA_TNUMBER && !lua_isinteger(L, -1))
      luaL_error(L,
                 "'%s' must be a string or an integer: a float loses its "
                 "last digits",
                 names[i]);
    if (type == LUA_TNUMBER ||
        (type == LUA_TSTRING && encoder->request->bare)) {
      request_push_id(L, -1, 1);
      if (encoder->request->bare)
        make_bare(encoder);
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
    if (request_get(L, original, names[i]) == LUA_TTABLE &&
        table_is_empty(L, -1)) {
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
static int copy_request(struct encoder *encoder, int index) {
  lua_State *L = encoder->L;
  int copy;
  if (encode_copy(encoder, index) < 0)
    return -1;
  copy = lua_gettop(L);
  mend_ids(encoder, copy, index);
  mend_inputs(L, copy, index);
  return 0;
}

static int add_file(lua_State *L, const char *path, const char *mime,
                    struct body *body) {
  const char *head = lua_pushfstring(L, "\"data:%s;base64,", mime);
  if (body_add_text(body, head, strlen(head)) < 0 ||
      body_add_file(body, path, BODY_BASE64) < 0 ||
      body_add_text(body, "\"", 1) < 0) {
    fault_push(L, NULL, FAULT_IO, "file '%s' can't be sent: %s", path,
               strerror(errno));
    return -1;
  }
  return 0;
}

static void add_string(lua_State *L, const char *text, size_t length,
                       struct body *body) {
  struct buffer *quoted = box_push_buffer(L);
  if (json_add_string(quoted, text, length) < 0 ||
      body_add_text(body, quoted->bytes, quoted->length) < 0)
    box_no_memory(L);
  box_pop(L);
}

/* Adds what the splice on top stands for. */
static int add_splice(lua_State *L, struct body *body) {
  int splice = lua_gettop(L);
  size_t length;
  const char *text;
  lua_rawgeti(L, splice, 1);
  lua_rawgeti(L, splice, 2);
  lua_rawgeti(L, splice, 3);
  text = lua_tolstring(L, splice + 2, &length);
  switch ((enum splice)lua_tointeger(L, splice + 1)) {
  case SPLICE_FILE:
    return add_file(L, text, lua_tostring(L, splice + 3), body);
  case SPLICE_STRING:
    add_string(L, text, length, body);
    return 0;
  case SPLICE_JSON:
    break;
  }
  if (body_add_text(body, text, length) < 0)
    box_no_memory(L);
  return 0;
}

/* Cuts the JSON text on top at its placeholders and fills the body. */
static int fill_body(struct encoder *encoder, struct body *body) {
  lua_State *L = encoder->L;
  int text_index = lua_gettop(L);
  size_t length;
  const char *text = lua_tolstring(L, text_index, &length);
  const char *end = text + length;
  char mark[40];
  snprintf(mark, sizeof mark,
           "\"@minimax:%016llx:", (unsigned long long)encoder->request->nonce);
  for (;;) {
    char *after;
    const char *found = strstr(text, mark);
    const char *until = found ? found : end;
    if (body_add_text(body, text, (size_t)(until - text)) < 0)
      box_no_memory(L);
    if (!found)
      return 0;
    lua_rawgeti(L, encoder->splices, strtol(found + strlen(mark), &after, 10));
    if (add_splice(L, body) < 0)
      return -1;
    lua_settop(L, text_index);
    text = after + 2; /* past `@"` */
  }
}

static int check_size(struct encoder *encoder, const struct body *body) {
  int kind = encoder->request->kind;
  uint64_t most = kind == MEDIA_NO_KIND ? 0 : endpoints[kind].largest_body;
  if (most == 0 || body->length <= most)
    return 0;
  lua_pushfstring(encoder->L,
                  "the whole body, files as base64, must not exceed %d MB; "
                  "upload large media first and name them as mm_file://…",
                  (int)(most >> 20));
  return encode_refuse(encoder, "%s", lua_tostring(encoder->L, -1));
}

int request_build(lua_State *L, int index, const struct request *request,
                  struct body *body) {
  struct encoder encoder = {.L = L, .request = request};
  index = lua_absindex(L, index);
  lua_newtable(L);
  encoder.splices = lua_gettop(L);
  if (copy_request(&encoder, index) < 0)
    return -1;
  if (json_encode(L) < 0)
    return encode_refuse(&encoder, "it can't be sent as JSON: %s",
                         lua_tostring(L, -1));
  if (fill_body(&encoder, body) < 0)
    return -1;
  lua_settop(L, encoder.splices - 1);
  return check_size(&encoder, body);
}

int request_preview(lua_State *L, int index, const struct request *request) {
  struct encoder encoder = {.L = L, .request = request};
  return copy_request(&encoder, lua_absindex(L, index));
}

int request_kind(lua_State *L, int index, const char *secret) {
  index = lua_absindex(L, index);
  for (int i = 0; i < KINDS; i++) {
    enum kind kind = kinds_by_field[i];
    int has = request_get(L, index, endpoints[kind].told_by) != LUA_TNIL;
    lua_pop(L, 1);
    if (has)
      return (int)kind;
  }
  fault_push(L, secret, FAULT_INVALID,
             "the request has neither template_id, model nor content: the "
             "kind of task can't be told (or set the option kind)");
  return -1;
}
