/* Lends src/base, which knows no Lua, to the specs, and of src/net the body of
 * a request, which knows no libcurl. Not part of the module. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/address.h"
#include "base/base64.h"
#include "net/body.h"
#include "base/buffer.h"
#include "base/heap.h"
#include "base/image.h"
#include "base/jsontext.h"
#include "base/noproxy.h"
#include "base/number.h"
#include "base/mp4.h"
#include "base/nearest.h"
#include "base/rate.h"
#include "base/redact.h"
#include "base/retry.h"
#include "base/sniff.h"
#include "base/taskid.h"

#define BODY   "pure.body"
#define BUFFER "pure.buffer"
#define HEAP   "pure.heap"
#define RATE   "pure.rate"
#define MP4    "pure.mp4"

#define MOST_WORDS 100

int luaopen_pure(lua_State *L);

static uint64_t check_unsigned(lua_State *L, int index) {
  return (uint64_t)luaL_checkinteger(L, index);
}

static void push_unsigned(lua_State *L, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
}

/* A zeroed object that its metatable's __gc may free at once. */
static void *new_object(lua_State *L, size_t size, const char *name) {
  void *object = lua_newuserdatauv(L, size, 0);
  memset(object, 0, size);
  luaL_setmetatable(L, name);
  return object;
}

/* buffer */

static struct buffer *check_buffer(lua_State *L) {
  return luaL_checkudata(L, 1, BUFFER);
}

static int buffer_new(lua_State *L) {
  new_object(L, sizeof(struct buffer), BUFFER);
  return 1;
}

static int lua_buffer_reserve(lua_State *L) {
  struct buffer *buffer = check_buffer(L);
  size_t more = (size_t)check_unsigned(L, 2);
  lua_pushboolean(L, buffer_reserve(buffer, more) == 0);
  return 1;
}

static int lua_buffer_add(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, buffer_add(check_buffer(L), text, length) == 0);
  return 1;
}

static int lua_buffer_add_nothing(lua_State *L) {
  lua_pushboolean(L, buffer_add(check_buffer(L), NULL, 0) == 0);
  return 1;
}

static int lua_buffer_add_text(lua_State *L) {
  const char *text = luaL_checkstring(L, 2);
  lua_pushboolean(L, buffer_add_text(check_buffer(L), text) == 0);
  return 1;
}

static int lua_buffer_clear(lua_State *L) {
  buffer_clear(check_buffer(L));
  return 0;
}

static int lua_buffer_free(lua_State *L) {
  buffer_free(check_buffer(L));
  return 0;
}

/* The content with the byte after it, which should be NUL; or nil. */
static int lua_buffer_content(lua_State *L) {
  const struct buffer *buffer = check_buffer(L);
  if (buffer->bytes == NULL)
    lua_pushnil(L);
  else
    lua_pushlstring(L, buffer->bytes, buffer->length + 1);
  push_unsigned(L, buffer->length);
  push_unsigned(L, buffer->capacity);
  return 3;
}

static const luaL_Reg buffer_methods[] = {
    {"reserve", lua_buffer_reserve},
    {"add", lua_buffer_add},
    {"add_nothing", lua_buffer_add_nothing},
    {"add_text", lua_buffer_add_text},
    {"clear", lua_buffer_clear},
    {"free", lua_buffer_free},
    {"content", lua_buffer_content},
    {"__gc", lua_buffer_free},
    {NULL, NULL},
};

/* heap: the deadlines are numbered from 1 and live inside the object */

struct heap_object {
  struct heap heap;
  size_t size;
  struct deadline deadlines[];
};

static struct heap_object *check_heap(lua_State *L) {
  return luaL_checkudata(L, 1, HEAP);
}

static struct deadline *check_deadline(lua_State *L) {
  struct heap_object *object = check_heap(L);
  size_t number = (size_t)check_unsigned(L, 2);
  luaL_argcheck(L, number >= 1 && number <= object->size, 2, "no such number");
  return &object->deadlines[number - 1];
}

static int heap_new(lua_State *L) {
  size_t size = (size_t)check_unsigned(L, 1);
  struct heap_object *object =
      new_object(L, sizeof(*object) + size * sizeof(struct deadline), HEAP);
  object->size = size;
  return 1;
}

static int lua_heap_put(lua_State *L) {
  struct deadline *deadline = check_deadline(L);
  uint64_t due = check_unsigned(L, 3);
  lua_pushboolean(L, heap_put(&check_heap(L)->heap, deadline, due) == 0);
  return 1;
}

static int lua_heap_remove(lua_State *L) {
  heap_remove(&check_heap(L)->heap, check_deadline(L));
  return 0;
}

static int lua_heap_first(lua_State *L) {
  const struct heap_object *object = check_heap(L);
  const struct deadline *first = heap_first(&object->heap);
  if (first == NULL)
    return 0;
  lua_pushinteger(L, (lua_Integer)(first - object->deadlines) + 1);
  push_unsigned(L, first->due);
  return 2;
}

static int lua_heap_slot(lua_State *L) {
  push_unsigned(L, check_deadline(L)->slot);
  return 1;
}

static int lua_heap_count(lua_State *L) {
  push_unsigned(L, check_heap(L)->heap.count);
  return 1;
}

static int lua_heap_free(lua_State *L) {
  heap_free(&check_heap(L)->heap);
  return 0;
}

static const luaL_Reg heap_methods[] = {
    {"put", lua_heap_put},
    {"remove", lua_heap_remove},
    {"first", lua_heap_first},
    {"slot", lua_heap_slot},
    {"count", lua_heap_count},
    {"__gc", lua_heap_free},
    {NULL, NULL},
};

/* rate */

static struct rate *check_rate(lua_State *L) {
  return luaL_checkudata(L, 1, RATE);
}

static int rate_new(lua_State *L) {
  unsigned count = (unsigned)luaL_optinteger(L, 1, 0);
  uint64_t window = (uint64_t)luaL_optinteger(L, 2, 0);
  rate_init(new_object(L, sizeof(struct rate), RATE), count, window);
  return 1;
}

static int lua_pace_ready(lua_State *L) {
  push_unsigned(L, rate_ready(check_rate(L), check_unsigned(L, 2)));
  return 1;
}

static int lua_pace_depart(lua_State *L) {
  lua_pushboolean(L, rate_depart(check_rate(L), check_unsigned(L, 2)) == 0);
  return 1;
}

static int lua_pace_limited(lua_State *L) {
  uint64_t retry_after = (uint64_t)luaL_optinteger(L, 3, 0);
  rate_limited(check_rate(L), check_unsigned(L, 2), retry_after);
  return 0;
}

static int lua_pace_answered(lua_State *L) {
  rate_answered(check_rate(L), check_unsigned(L, 2));
  return 0;
}

/* The learned count, the ceiling, and how many departures there is room for. */
static int lua_pace_figures(lua_State *L) {
  const struct rate *rate = check_rate(L);
  lua_pushinteger(L, rate->count);
  lua_pushinteger(L, rate->ceiling);
  lua_pushinteger(L, rate->capacity);
  return 3;
}

static int lua_pace_free(lua_State *L) {
  rate_free(check_rate(L));
  return 0;
}

static const luaL_Reg rate_methods[] = {
    {"ready", lua_pace_ready},     {"depart", lua_pace_depart},
    {"limited", lua_pace_limited}, {"answered", lua_pace_answered},
    {"figures", lua_pace_figures}, {"free", lua_pace_free},
    {"__gc", lua_pace_free},       {NULL, NULL},
};

/* mp4 */

static struct mp4_walk *check_walk(lua_State *L) {
  return luaL_checkudata(L, 1, MP4);
}

static int mp4_new(lua_State *L) {
  mp4_begin(new_object(L, sizeof(struct mp4_walk), MP4));
  return 1;
}

static int lua_mp4_feed(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, mp4_feed(check_walk(L), bytes, length) == 0);
  return 1;
}

static int lua_mp4_skippable(lua_State *L) {
  push_unsigned(L, mp4_skippable(check_walk(L)));
  return 1;
}

static int lua_mp4_skip(lua_State *L) {
  mp4_skip(check_walk(L), check_unsigned(L, 2));
  return 0;
}

static int lua_mp4_begun(lua_State *L) {
  lua_pushboolean(L, mp4_begun(check_walk(L)));
  return 1;
}

static int lua_mp4_ended(lua_State *L) {
  lua_pushboolean(L, mp4_ended(check_walk(L)));
  return 1;
}

static const luaL_Reg mp4_methods[] = {
    {"feed", lua_mp4_feed},   {"skippable", lua_mp4_skippable},
    {"skip", lua_mp4_skip},   {"begun", lua_mp4_begun},
    {"ended", lua_mp4_ended}, {NULL, NULL},
};

/* plain functions */

static int base64_length_of(lua_State *L) {
  push_unsigned(L, base64_length(check_unsigned(L, 1)));
  return 1;
}

static int lua_base64_encode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_Buffer out;
  char *space = luaL_buffinitsize(L, &out, (size_t)base64_length(length));
  luaL_pushresultsize(
      &out, base64_encode((const unsigned char *)text, length, space));
  return 1;
}

static int lua_retry_random(lua_State *L) {
  uint64_t state = check_unsigned(L, 1);
  push_unsigned(L, retry_random(&state));
  push_unsigned(L, state);
  return 2;
}

static int lua_retry_backoff(lua_State *L) {
  unsigned attempt = (unsigned)check_unsigned(L, 1);
  uint64_t state = check_unsigned(L, 5);
  push_unsigned(L, retry_backoff(attempt, check_unsigned(L, 2),
                                 check_unsigned(L, 3), check_unsigned(L, 4),
                                 &state));
  push_unsigned(L, state);
  return 2;
}

static int read_number(lua_State *L) {
  lua_pushnumber(L, number_read(luaL_checkstring(L, 1)));
  return 1;
}

static int write_number(lua_State *L) {
  char text[NUMBER_ROOM];
  number_write(luaL_checknumber(L, 1), text);
  lua_pushstring(L, text);
  return 1;
}

/* nil: it can't be expanded. */
static int expand_number(lua_State *L) {
  char text[NUMBER_ROOM];
  if (number_expand(luaL_checkstring(L, 1), text) < 0)
    return 0;
  lua_pushstring(L, text);
  return 1;
}

/* What it said, then the text it made. */
static int mark_json(lua_State *L) {
  static const char *const words[] = {"same", "marked", "nul", "too many",
                                      "no memory"};
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  size_t most = (size_t)luaL_optinteger(L, 2, LUA_MAXINTEGER);
  struct buffer *out = new_object(L, sizeof(*out), BUFFER);
  lua_pushstring(L, words[jsontext_mark(text, length, most, out)]);
  if (out->bytes == NULL)
    return 1;
  lua_pushlstring(L, out->bytes, out->length);
  return 2;
}

static int utf8_error(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  size_t at = jsontext_utf8_error(text, length);
  if (at == length)
    return 0;
  push_unsigned(L, at);
  return 1;
}

static int is_closed(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, jsontext_is_closed(text, length));
  return 1;
}

/* The id and how it is named, or nil. */
static int task_id(lua_State *L) {
  static const char *const words[] = {"none", "clear", "vague"};
  struct taskid id;
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  enum taskid_naming naming = taskid_find(text, length, &id);
  if (naming == TASKID_NONE)
    return 0;
  lua_pushlstring(L, id.text, id.length);
  lua_pushstring(L, words[naming]);
  return 2;
}

static int redact(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *secret = luaL_optstring(L, 2, NULL);
  struct buffer *out = new_object(L, sizeof(*out), BUFFER);
  if (redact_text(text, length, secret, out) != 0)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, out->bytes, out->length);
  return 1;
}

static int nearest(lua_State *L) {
  const char *words[MOST_WORDS + 1] = {NULL};
  const char *word = luaL_checkstring(L, 1);
  int i, count = (int)luaL_len(L, 2);
  luaL_argcheck(L, count <= MOST_WORDS, 2, "too many words");
  luaL_checkstack(L, count, NULL);
  for (i = 0; i < count; i++) {
    lua_geti(L, 2, i + 1);
    words[i] = luaL_checkstring(L, -1);
  }
  lua_pushstring(L, nearest_word(word, words));
  return 1;
}

/* Takes an IPv4 or IPv6 address as text; any other text stands for a socket
 * of another family. */
static int address_private(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  struct sockaddr_un other = {.sun_family = AF_UNIX};
  const void *address = &other;
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
    address = &v4;
  else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
    address = &v6;
  lua_pushboolean(L, address_is_private(address));
  return 1;
}

static int name_private(lua_State *L) {
  lua_pushboolean(L, address_name_is_private(luaL_checkstring(L, 1)));
  return 1;
}

static int sniff(lua_State *L) {
  static const char *const classes[] = {"unknown", "image", "video", "audio"};
  size_t length;
  const char *head = luaL_checklstring(L, 1, &length);
  const struct sniff *found = sniff_media((const unsigned char *)head, length);
  lua_pushstring(L, classes[found->class]);
  lua_pushstring(L, found->mime);
  lua_pushstring(L, found->name);
  return 3;
}

/* The reader: a Lua function of offset and length that returns a string, or
 * nil where the file can't be read. */
static ptrdiff_t read_piece(void *source, uint64_t offset, void *out,
                            size_t length) {
  lua_State *L = source;
  size_t got;
  const char *piece;
  lua_pushvalue(L, 1);
  push_unsigned(L, offset);
  push_unsigned(L, length);
  lua_call(L, 2, 1);
  piece = lua_tolstring(L, -1, &got);
  if (piece == NULL)
    return -1;
  if (got > length)
    luaL_error(L, "the reader gave more than it was asked for");
  memcpy(out, piece, got);
  lua_pop(L, 1);
  return (ptrdiff_t)got;
}

static int image(lua_State *L) {
  static const char *const words[] = {"ok", "unknown", "broken", "unreadable"};
  struct image size = {0, 0};
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushstring(L, words[image_read(read_piece, L, &size)]);
  lua_pushinteger(L, size.width);
  lua_pushinteger(L, size.height);
  return 3;
}

/* Whether it is whole, by the reader and its size. */
static int image_whole(lua_State *L) {
  static const char *const words[] = {"ok", "unknown", "broken", "unreadable"};
  uint64_t size = (uint64_t)luaL_checkinteger(L, 2);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushstring(L, words[image_check_whole(read_piece, L, size)]);
  return 1;
}

static int no_proxy(lua_State *L) {
  lua_pushboolean(
      L, noproxy_names(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
  return 1;
}

/* body */

static struct body *check_body(lua_State *L) {
  return luaL_checkudata(L, 1, BODY);
}

static int body_new(lua_State *L) {
  new_object(L, sizeof(struct body), BODY);
  return 1;
}

static int lua_body_add_text(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, body_add_text(check_body(L), text, length) == 0);
  return 1;
}

static int lua_body_add_file(lua_State *L) {
  static const char *const kinds[] = {"text", "file", "base64", NULL};
  int kind = luaL_checkoption(L, 3, NULL, kinds);
  lua_pushboolean(L, body_add_file(check_body(L), luaL_checkstring(L, 2),
                                   (enum body_kind)kind) == 0);
  return 1;
}

/* The bytes that it stores in so much room, with which it must do; nil if it
 * fails. */
static int lua_body_read(lua_State *L) {
  size_t room = (size_t)check_unsigned(L, 2);
  char *out = lua_newuserdatauv(L, room + 1, 0);
  ptrdiff_t count;
  out[room] = '#';
  count = body_read(check_body(L), out, room);
  if (count > (ptrdiff_t)room || out[room] != '#')
    return luaL_error(L, "it stored more than there was room for");
  if (count < 0)
    return 0;
  lua_pushlstring(L, out, (size_t)count);
  return 1;
}

static int lua_body_length(lua_State *L) {
  push_unsigned(L, check_body(L)->length);
  return 1;
}

static int lua_body_is_done(lua_State *L) {
  lua_pushboolean(L, body_is_done(check_body(L)));
  return 1;
}

static int lua_body_rewind(lua_State *L) {
  body_rewind(check_body(L));
  return 0;
}

static int lua_body_free(lua_State *L) {
  body_free(check_body(L));
  return 0;
}

static const luaL_Reg body_methods[] = {
    {"add_text", lua_body_add_text}, {"add_file", lua_body_add_file},
    {"read", lua_body_read},         {"length", lua_body_length},
    {"is_done", lua_body_is_done},   {"rewind", lua_body_rewind},
    {"__gc", lua_body_free},         {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"body", body_new},
    {"buffer", buffer_new},
    {"heap", heap_new},
    {"rate", rate_new},
    {"mp4", mp4_new},
    {"base64_length", base64_length_of},
    {"base64_encode", lua_base64_encode},
    {"retry_random", lua_retry_random},
    {"retry_backoff", lua_retry_backoff},
    {"read_number", read_number},
    {"write_number", write_number},
    {"expand_number", expand_number},
    {"mark_json", mark_json},
    {"utf8_error", utf8_error},
    {"is_closed", is_closed},
    {"task_id", task_id},
    {"redact", redact},
    {"nearest", nearest},
    {"address_private", address_private},
    {"name_private", name_private},
    {"sniff", sniff},
    {"image", image},
    {"no_proxy", no_proxy},
    {"image_whole", image_whole},
    {NULL, NULL},
};

static void add_class(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

int luaopen_pure(lua_State *L) {
  add_class(L, BODY, body_methods);
  add_class(L, BUFFER, buffer_methods);
  add_class(L, HEAP, heap_methods);
  add_class(L, RATE, rate_methods);
  add_class(L, MP4, mp4_methods);
  luaL_newlib(L, functions);
  return 1;
}
