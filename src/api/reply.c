/* Reads the API's answers. */
#include "api/reply.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/json.h"
#include "api/reason.h"
#include "api/status_code.h"
#include "base/ascii.h"
#include "base/taskid.h"
#include "net/header.h"
#include "net/profile.h"

enum { QUOTED = 120 }; /* bytes of an unreadable reply shown in an error */

static void judge_object(lua_State *L, int object, struct reply *reply) {
  struct status_code code = status_code_read(L, object, reply->http_status);
  reply->code = code.number;
  if (code.kind != FAULT_NONE)
    reply->kind = code.kind;
}

static int is_page(const struct transfer *transfer) {
  const char *type = transfer_header(transfer, "Content-Type");
  const char *text = transfer->reply.bytes;
  if (type && ascii_equal_up_to(type, "text/html", 9))
    return 1;
  text = text ? text + strspn(text, " \t\r\n") : "";
  return *text == '<';
}

void reply_read(lua_State *L, const struct transfer *transfer,
                struct reply *reply) {
  const struct buffer *text = &transfer->reply;
  enum json_result result = JSON_BAD;
  int object = lua_gettop(L) + 1;
  memset(reply, 0, sizeof *reply);
  if (transfer->outcome != TRANSFER_ANSWERED) {
    lua_pushnil(L);
    return;
  }
  reply->http_status = transfer->status;
  reply->kind = status_code_kind(transfer->status);
  if (text->length > 0)
    result = json_decode(L, text->bytes, text->length, JSON_MOST);
  reply->too_many = result == JSON_TOO_MANY;
  if (result == JSON_OK && lua_istable(L, -1)) {
    reply->readable = 1;
    judge_object(L, object, reply);
    return;
  }
  lua_settop(L, object - 1);
  lua_pushnil(L);
  reply->is_page = is_page(transfer);
  if (reply->kind == FAULT_NONE)
    reply->kind = FAULT_PROTOCOL;
}

/* Beside an error, or where the rest is not known, a bare `id` like "req_99" is
 * the request's. */
static int is_of_request(const struct taskid *id) {
  return ascii_equal_up_to(id->text, "req", 3);
}

static int find_task_id(const struct transfer *transfer,
                        const struct reply *reply, struct taskid *id) {
  switch (taskid_find(transfer->reply.bytes, transfer->reply.length, id)) {
  case TASKID_CLEAR:
    return 1;
  case TASKID_VAGUE:
    return (reply->readable && reply->kind == FAULT_NONE) || !is_of_request(id);
  default:
    return 0;
  }
}

int reply_push_task_id(lua_State *L, const struct transfer *transfer,
                       const struct reply *reply) {
  struct taskid id;
  int found = find_task_id(transfer, reply, &id);
  if (found)
    lua_pushlstring(L, id.text, id.length);
  return found;
}

int reply_names_task(const struct transfer *transfer,
                     const struct reply *reply) {
  struct taskid id;
  return find_task_id(transfer, reply, &id);
}

int reply_is_failure(const struct transfer *transfer,
                     const struct reply *reply) {
  return transfer->outcome != TRANSFER_ANSWERED || reply->kind != FAULT_NONE;
}

int reply_is_passing(const struct transfer *transfer,
                     const struct reply *reply) {
  if (transfer->outcome != TRANSFER_ANSWERED)
    return reply_loss_is_passing(transfer);
  return reply->kind == FAULT_SERVER || reply->kind == FAULT_TIMEOUT ||
         (!reply->readable && reply->kind == FAULT_PROTOCOL &&
          reply->http_status == 200);
}

int reply_is_definite(const struct transfer *transfer,
                      const struct reply *reply) {
  if (transfer->outcome != TRANSFER_ANSWERED)
    return reply_loss_is_definite(transfer);
  switch (reply->kind) {
  case FAULT_AUTH:
  case FAULT_BALANCE:
  case FAULT_QUOTA:
  case FAULT_CONTENT:
  case FAULT_INVALID:
    return !reply->is_page;
  default:
    return 0;
  }
}

uint64_t reply_retry_after(const struct transfer *transfer) {
  const char *value = transfer_header(transfer, "Retry-After");
  return value ? header_retry_after(value, (int64_t)time(NULL)) : 0;
}

static void push_trace(lua_State *L, const struct transfer *transfer,
                       int object) {
  static const char *const headers[] = {"Trace-Id", "Minimax-Request-Id",
                                        "X-Mm-Request-Id"};
  static const char *const fields[] = {"request_id", "trace_id"};
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    const char *value = transfer_header(transfer, headers[i]);
    if (value && *value) {
      lua_pushstring(L, value);
      return;
    }
  }
  for (size_t i = 0; i < 2 && lua_istable(L, object); i++) {
    if (lua_getfield(L, object, fields[i]) == LUA_TSTRING)
      return;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}

void reply_push_trace(lua_State *L, const struct transfer *transfer,
                      int object) {
  push_trace(L, transfer, object);
  if (lua_isstring(L, -1)) /* a server may echo a header */
    fault_redact(L, transfer->profile->key);
}

/* The other region's host, for a key that this one refused. */
static const char *other_region(const struct transfer *transfer) {
  return strstr(transfer->profile->base, "//api.minimax.io")
             ? "https://api.minimaxi.com"
             : "https://api.minimax.io";
}

static const char *advice(const struct transfer *transfer,
                          const struct reply *reply) {
  switch (reply->kind) {
  case FAULT_BALANCE:
    return "; top up the account's balance";
  case FAULT_QUOTA:
    return "; the plan's quota is used up or does not cover this model";
  case FAULT_CONTENT:
    return "; change the text or the media";
  case FAULT_RATE_LIMIT:
    return "; send fewer requests, or set submit_rate and query_rate";
  case FAULT_INVALID:
    if (reply->http_status == 407)
      return "; the proxy wants credentials: proxy = "
             "\"http://user:password@host:port\" names them";
    return reply->http_status == 404 && !reply->readable
               ? "; check base_url and its path prefix"
               : "";
  case FAULT_PROTOCOL:
    return transfer->status >= 300 && transfer->status < 400
               ? "; set base_url to where it redirects"
               : "";
  default:
    return "";
  }
}

static void set_details(lua_State *L, const struct transfer *transfer,
                        const struct reply *reply, int object) {
  if (reply->code > 0) {
    lua_pushinteger(L, reply->code);
    lua_setfield(L, -2, "code");
  }
  lua_pushinteger(L, transfer->status);
  lua_setfield(L, -2, "http_status");
  reply_push_trace(L, transfer, object);
  lua_setfield(L, -2, "trace_id");
}

/* Where to cut a text of the server: not in the midst of the key, half of
 * which nobody would recognize and take out. */
static size_t excerpt_length(const struct transfer *transfer) {
  const char *bytes = transfer->reply.bytes, *key = transfer->profile->key;
  size_t size = key ? strlen(key) : 0;
  size_t at = size < QUOTED ? QUOTED - size : 0;
  for (; size > 0 && at < QUOTED; at++)
    if (transfer->reply.length - at >= size &&
        memcmp(bytes + at, key, size) == 0)
      return at + size;
  return QUOTED;
}

/* Pushes the first bytes of a reply that is no JSON object. */
static void push_excerpt(lua_State *L, const struct transfer *transfer) {
  size_t length = transfer->reply.length;
  if (length == 0)
    lua_pushliteral(L, "an empty body");
  else if (length <= QUOTED)
    lua_pushlstring(L, transfer->reply.bytes, length);
  else {
    lua_pushlstring(L, transfer->reply.bytes, excerpt_length(transfer));
    lua_pushliteral(L, "…");
    lua_concat(L, 2);
  }
}

/* What refuses without the API's own words may stand in front of it. */
static void push_stranger(lua_State *L, const struct transfer *transfer,
                          const struct reply *reply, const char *words) {
  fault_push(L, transfer->profile->key, FAULT_AUTH,
             "the request was refused, not in the API's own words (a proxy or "
             "gateway?): %s%s",
             words,
             reply->http_status == 401 ? "; otherwise check the key" : "");
}

static void push_auth(lua_State *L, const struct transfer *transfer,
                      const char *words) {
  fault_push(L, transfer->profile->key, FAULT_AUTH,
             "the key was refused: %s; check the key; one of the other region "
             "needs base_url = \"%s\"",
             words, other_region(transfer));
}

/* A 403 that is JSON without a code is a gateway's as well. */
static int is_stranger(const struct reply *reply) {
  return !reply->readable || (reply->code <= 0 && reply->http_status == 403);
}

void reply_push_fault(lua_State *L, const struct transfer *transfer,
                      const struct reply *reply, int object) {
  const char *secret = transfer->profile->key;
  const char *words;
  if (transfer->outcome != TRANSFER_ANSWERED) {
    reply_push_loss(L, transfer);
    return;
  }
  object = lua_absindex(L, object);
  if (reply->readable)
    reason_push(L, object, secret);
  else
    push_excerpt(L, transfer);
  words = lua_tostring(L, -1);
  if (reply->kind == FAULT_AUTH && is_stranger(reply))
    push_stranger(L, transfer, reply, words);
  else if (reply->kind == FAULT_AUTH)
    push_auth(L, transfer, words);
  else if (!reply->readable)
    fault_push(L, secret, reply->kind, "the server answered with %s: %s%s",
               reply->too_many ? "more values than are read"
                               : "something other than JSON",
               words, advice(transfer, reply));
  else
    fault_push(L, secret, reply->kind, "%s%s", words, advice(transfer, reply));
  lua_remove(L, -2);
  set_details(L, transfer, reply, object);
}

void reply_push_nonsense(lua_State *L, const struct transfer *transfer,
                         const char *text) {
  const struct reply reply = {.http_status = transfer->status};
  fault_push(L, transfer->profile->key, FAULT_PROTOCOL, "%s", text);
  set_details(L, transfer, &reply, -1);
}
