/* Calls of one request and one answer: client:call and client:list. */
#include "calls/call.h"

#include <lauxlib.h>
#include <string.h>

#include "api/box.h"
#include "api/media.h"
#include "api/request.h"
#include "api/status.h"
#include "base/ascii.h"
#include "base/retry.h"
#include "net/url.h"
#include "run/await.h"
#include "run/client.h"
#include "run/job_fail.h"
#include "run/task.h"
#include "run/unknown.h"

const struct option call_task_options[] = {
    {"kind", OPTION_ANY, 0},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

/* ---- the job ---- */

void *call_new(lua_State *L, size_t size, const struct job_type *type,
               int client, const struct call_options *options) {
  struct job *job = job_new(L, size, type, client);
  job->block = (unsigned char)options->block;
  job_set_timeout(job, options->timeout);
  return job;
}

int call_await(lua_State *L, struct call *call) {
  job_start(&call->job);
  return await_job(L);
}

/* Ends it with the error on top. */
static void fail(lua_State *L, struct call *call, int self,
                 const struct reply *reply) {
  if (call->cast_unknown && call->exchange.transfer)
    call->cast_unknown(L, call, self, reply);
  exchange_count(L, &call->exchange);
  job_fail(L, &call->job, self);
}

static void judge(lua_State *L, struct call *call, int self,
                  const struct reply *reply) {
  int object = lua_gettop(L);
  if (reply_is_failure(call->exchange.transfer, reply)) {
    reply_push_fault(L, call->exchange.transfer, reply, object);
  } else if (!call->finish || call->finish(L, call, self, reply, object) == 0) {
    job_end(L, &call->job, self);
    return;
  }
  fail(L, call, self, reply);
}

void call_advance(lua_State *L, struct job *job, int self) {
  struct call *call = (struct call *)job;
  struct reply reply;
  switch (exchange_advance(L, job, self, &call->exchange, &reply)) {
  case EXCHANGE_PENDING:
    break;
  case EXCHANGE_READY:
    job_tell(L, job, self);
    break;
  case EXCHANGE_ENDED:
    judge(L, call, self, &reply);
    break;
  }
}

void call_expire(lua_State *L, struct job *job, int self) {
  struct call *call = (struct call *)job;
  struct reply reply;
  if (exchange_expire(L, job, self, &call->exchange, &reply)) {
    judge(L, call, self, &reply);
    return;
  }
  exchange_push_expiry(L, &call->exchange);
  fail(L, call, self, &reply);
}

void call_release(struct job *job) {
  exchange_clear(&((struct call *)job)->exchange, client_of(job));
}

static const struct job_type call_type = {
    JOB_TYPE("call", call_advance, call_expire, call_release),
};

static const struct job_type list_type = {
    JOB_TYPE("list", call_advance, call_expire, call_release),
};

/* ---- query strings ---- */

/* Adds the parameter with the value on top, which it pops. */
static void add_value(lua_State *L, struct buffer *path, const char *name) {
  size_t length;
  const char *value;
  if (lua_isboolean(L, -1)) {
    lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
    lua_replace(L, -2);
  }
  value = options_text(L, -1, &length);
  if (!value)
    luaL_error(L, "query parameter '%s' must be a string, number or boolean",
               name);
  if (url_add_parameter(path, name, value, length) < 0)
    box_no_memory(L);
  lua_pop(L, 1);
}

/* A list becomes repeated parameters. Pops the value on top. */
static void add_parameter(lua_State *L, struct buffer *path, const char *name) {
  lua_Integer count;
  if (!lua_istable(L, -1)) {
    add_value(L, path, name);
    return;
  }
  count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    add_value(L, path, name);
  }
  lua_pop(L, 1);
}

/* ---- client:call ---- */

static const struct option call_known[] = {
    {"query", OPTION_TABLE, 0},
    {"body", OPTION_TABLE, 0},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

static const char *check_method(lua_State *L) {
  static const char *const methods[] = {"GET",   "POST",   "PUT",
                                        "PATCH", "DELETE", NULL};
  const char *method = lua_tostring(L, 2);
  for (int i = 0; methods[i]; i++)
    if (method && ascii_equal(methods[i], method))
      return methods[i];
  options_argerror(L, 2, "GET, POST, PUT, PATCH or DELETE is expected");
  return NULL;
}

static enum lane_name lane_of(const char *method) {
  if (strcmp(method, "GET") == 0)
    return LANE_QUERY;
  return strcmp(method, "DELETE") == 0 ? LANE_DELETE : LANE_SUBMIT;
}

/* A path is used as it is, so it must be one. */
static const char *check_path(lua_State *L) {
  size_t length = 0;
  const char *path =
      lua_type(L, 3) == LUA_TSTRING ? lua_tolstring(L, 3, &length) : NULL;
  if (!path || *path != '/' || path[1] == '/')
    options_argerror(L, 3, "a path such as \"/v1/files/list\" is expected");
  for (size_t i = 0; i < length; i++)
    if (path[i] <= ' ' || path[i] > '~' || path[i] == '#')
      options_argerror(L, 3, "the path must be percent-encoded");
  return path;
}

/* Pushes the path with the parameters of options.query. */
static const char *push_path(lua_State *L, const char *path) {
  struct buffer *whole = box_push_buffer(L);
  int failed = buffer_add_text(whole, path) < 0;
  if (!failed && options_get(L, 4, "query")) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "option 'query' must hold names and texts");
      add_parameter(L, whole, lua_tostring(L, -2));
    }
    lua_pop(L, 1);
  }
  return box_to_string(L, failed);
}

/* Fills the body from options.body; -1 with an error pushed. */
static int add_body(lua_State *L, struct call *call, const char *path) {
  struct request request = {.kind = MEDIA_NO_KIND};
  if (!options_get(L, 4, "body"))
    return 0;
  request.secret = client_push_key(L, client_of(&call->job));
  request.nonce = retry_random(&call->job.owner->engine->random);
  request.bare = endpoint_takes_bare_ids(path);
  return request_build(L, lua_gettop(L) - 1, &request, &call->exchange.body);
}

static void cast_unknown(lua_State *L, struct call *call, int self,
                         const struct reply *reply) {
  const struct exchange *exchange = &call->exchange;
  int is_post = strcmp(exchange->method, "POST") == 0;
  if (reply->kind != FAULT_NONE && reply->kind != FAULT_RATE_LIMIT)
    fault_set_retryable(L, -1, 0); /* it may have had its effect */
  unknown_cast(L, &call->job, self, is_post ? exchange->transfer : NULL, reply,
               reply->kind == FAULT_NONE && exchange_may_have_arrived(exchange),
               NULL);
}

/*** Reaches any other endpoint with the client's key, limits and errors. Only
a GET is repeated by itself; after a rate limit all are but a DELETE.
@function client:call
@tparam string method "GET", "POST", "PUT", "PATCH" or "DELETE"
@tparam string path such as "/v1/files/list"
@tparam[opt] table options `query` (table), `body` (table), `timeout`
(seconds), `block`
@treturn[1] table the decoded reply
@treturn[2] nil
@treturn[2] minimax.error */
int call_call(lua_State *L) {
  struct client *client = client_check(L);
  struct call_options options = {OPTIONS_NEVER, client->block};
  struct call *call;
  const char *method, *path;
  int self, is_get;
  lua_settop(L, 4);
  method = check_method(L);
  path = check_path(L);
  options_read(L, 4, call_known, &options);
  if (!client_is_usable(L, client, 1))
    return 2;
  is_get = strcmp(method, "GET") == 0;
  call = call_new(L, sizeof *call, &call_type, 1, &options);
  self = lua_gettop(L);
  exchange_begin(L, &call->exchange, &call->job, method,
                 exchange_url(client, push_path(L, path), NULL, NULL),
                 lane_of(method), is_get ? EXCHANGE_REPEAT : EXCHANGE_ONCE);
  call->cast_unknown = is_get ? NULL : cast_unknown;
  /* After a hold it might delete something else than what was looked at. */
  call->exchange.single = lane_of(method) == LANE_DELETE;
  call->job.kind = (int)kind_of_path(path); /* that its answer names */
  if (add_body(L, call, path) < 0)
    job_fail(L, &call->job, self);
  lua_settop(L, self);
  return call_await(L, call);
}

/* ---- client:list ---- */

struct list_options {
  struct call_options call;
  unsigned page_num, page_size;
  const char *text; /* of the filters: only their type is checked */
};

static const struct option list_known[] = {
    {"page_num", OPTION_POSITIVE, offsetof(struct list_options, page_num)},
    {"page_size", OPTION_POSITIVE, offsetof(struct list_options, page_size)},
    {"status", OPTION_TEXT, offsetof(struct list_options, text)},
    {"task_ids", OPTION_TABLE, 0},
    {"model", OPTION_TEXT, offsetof(struct list_options, text)},
    {"task_type", OPTION_TEXT, offsetof(struct list_options, text)},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

/* Makes each item a status. */
static int finish_list(lua_State *L, struct call *call, int self,
                       const struct reply *reply, int object) {
  lua_Integer count;
  int client = object + 1, items = object + 2;
  (void)reply;
  lua_getiuservalue(L, self, JOB_CLIENT);
  if (lua_getfield(L, object, "items") != LUA_TTABLE) {
    reply_push_nonsense(L, call->exchange.transfer,
                        "the answer holds no list of tasks");
    return -1;
  }
  count = (lua_Integer)lua_rawlen(L, items);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, items, i) == LUA_TTABLE) {
      status_complete(L, kind_to_list(), "");
      status_bless(L, client);
    }
    lua_pop(L, 1);
  }
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, items);
  lua_setfield(L, -2, "items");
  lua_getfield(L, object, "total");
  lua_setfield(L, -2, "total");
  return 0;
}

static void check_ids(lua_State *L) {
  if (!options_get(L, 2, "task_ids"))
    return;
  for (lua_Integer i = 1; lua_rawgeti(L, 3, i) != LUA_TNIL; i++) {
    request_push_id(L, -1, 2);
    lua_settop(L, 3);
  }
  lua_settop(L, 2);
}

static const char *push_list_path(lua_State *L) {
  static const struct {
    const char *option, *parameter;
  } parameters[] = {
      {"page_num", "page_num"},    {"page_size", "page_size"},
      {"status", "filter.status"}, {"task_ids", "filter.task_ids"},
      {"model", "filter.model"},   {"task_type", "filter.task_type"},
  };
  struct buffer *path = box_push_buffer(L);
  int failed = buffer_add_text(path, endpoints[kind_to_list()].query_path) < 0;
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
    if (!failed && options_get(L, 2, parameters[i].option))
      add_parameter(L, path, parameters[i].parameter);
  return box_to_string(L, failed);
}

/*** Lists the account's v2 tasks of the last seven days.
@function client:list
@tparam[opt] table options `page_num` (from 1), `page_size`, `status`,
`task_ids` (list), `model`, `task_type`, `timeout` (seconds), `block`
@treturn[1] table `items` (statuses), `total`
@treturn[2] nil
@treturn[2] minimax.error
@see https://platform.minimax.io/docs/api-reference/video-generation-v2-list */
int call_list(lua_State *L) {
  struct client *client = client_check(L);
  struct list_options options = {{OPTIONS_NEVER, client->block}, 0, 0, NULL};
  struct call *call;
  int self;
  lua_settop(L, 2);
  options_read(L, 2, list_known, &options);
  check_ids(L);
  if (!client_is_usable(L, client, 1))
    return 2;
  call = call_new(L, sizeof *call, &list_type, 1, &options.call);
  self = lua_gettop(L);
  call->finish = finish_list;
  exchange_begin(L, &call->exchange, &call->job, "GET",
                 exchange_url(client, push_list_path(L), NULL, NULL),
                 LANE_QUERY, EXCHANGE_REPEAT);
  lua_settop(L, self);
  return call_await(L, call);
}
