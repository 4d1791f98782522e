/* client:submit: accepted, refused, or unknown. */
#include "calls/submit.h"

#include <lauxlib.h>
#include <string.h>
#include <time.h>

#include "api/box.h"
#include "api/options.h"
#include "api/request.h"
#include "base/retry.h"
#include "calls/call.h"
#include "run/client.h"
#include "run/job_fail.h"
#include "run/task.h"
#include "run/unknown.h"

struct submit {
  struct call call;
  unsigned char calls_back; /* the request names a callback_url */
};

/* ---- accepted ---- */

/* Pushes the task of an accepted submit. */
static int push_task(lua_State *L, struct call *call, int self,
                     const struct reply *reply, int object) {
  const struct transfer *transfer = call->exchange.transfer;
  int task = object + 1;
  lua_createtable(L, 0, 4);
  if (!reply_push_task_id(L, transfer, reply)) {
    reply_push_nonsense(L, transfer,
                        "the server accepted it without naming a task id");
    return -1;
  }
  lua_setfield(L, task, "task_id");
  lua_pushstring(L, endpoints[call->job.kind].name);
  lua_setfield(L, task, "kind");
  reply_push_trace(L, transfer, object);
  lua_setfield(L, task, "trace_id");
  lua_getfield(L, object, "base_resp");
  lua_setfield(L, task, "base_resp");
  lua_getiuservalue(L, self, JOB_CLIENT);
  lua_pushvalue(L, task);
  task_bless(L, task + 1);
  /* A wait for it has no need to ask at once. */
  lua_getiuservalue(L, task + 1, CLIENT_SUBMITTED);
  lua_pushvalue(L, task);
  lua_pushinteger(L, (lua_Integer)poller_clock());
  lua_rawset(L, -3);
  lua_settop(L, task);
  return 0;
}

/* ---- unknown ---- */

/* Seconds of this attempt so far, rounded up. */
static lua_Integer seconds_of(const struct transfer *transfer) {
  return (lua_Integer)(poller_clock() - transfer->started + 999) / 1000;
}

/* Pushes how to learn of a task that may exist. */
static void push_advice(lua_State *L, const struct submit *submit) {
  lua_Integer now = (lua_Integer)time(NULL);
  if (endpoints[submit->call.job.kind].can_list)
    lua_pushfstring(
        L,
        "client:list shows whether it was created between %I and "
        "%I (created_at)",
        (LUAI_UACINT)(now - seconds_of(submit->call.exchange.transfer)),
        (LUAI_UACINT)(now + 1));
  else
    lua_pushliteral(L, "look into the account's usage before you submit it "
                       "again");
  if (!submit->calls_back)
    return;
  lua_pushliteral(L, "; a callback that names it settles it");
  lua_concat(L, 2);
}

/* An answer from which it can't be told whether the task was created. */
static int says_nothing(const struct reply *reply) {
  if (reply->kind == FAULT_SERVER || reply->kind == FAULT_TIMEOUT)
    return 1;
  /* A redirect is a refusal; a page with 200 is not. */
  return reply->kind == FAULT_PROTOCOL && reply->http_status < 300;
}

static void cast_unknown(lua_State *L, struct call *call, int self,
                         const struct reply *reply) {
  const struct transfer *transfer = call->exchange.transfer;
  int accepted = transfer->outcome == TRANSFER_ANSWERED; /* without a task */
  int unknown = reply->kind != FAULT_NONE
                    ? says_nothing(reply)
                    : accepted || transfer_may_have_arrived(transfer);
  push_advice(L, (struct submit *)call);
  lua_insert(L, -2);
  unknown_cast(L, &call->job, self, transfer, reply, unknown,
               lua_tostring(L, -2));
}

/* ---- on_send ---- */

static int submit_deliver(lua_State *L, struct job *job, int self) {
  if (job->ended) /* its deadline passed before the owner could look */
    return -1;
  gate_lend(&client_of(job)->gate, &((struct call *)job)->exchange.pass);
  engine_settle(job->owner->engine);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  return 0;
}

/* `false`, or nil and why not, keeps it from being sent. */
static void submit_delivered(lua_State *L, struct job *job, int self,
                             int results) {
  struct exchange *exchange = &((struct call *)job)->exchange;
  if (job->ended)
    return;
  if (lua_toboolean(L, results) ||
      (lua_isnil(L, results) && lua_isnil(L, results + 1))) {
    exchange_allow(exchange, client_of(job), POLLER_NEVER);
    engine_wake(job->owner->engine, &job->waiter);
    return;
  }
  luaL_tolstring(L, results + 1, NULL);
  if (job->ended) /* code of the program's own has closed the client */
    return;
  fault_push(L, client_of(job)->profile->key, FAULT_CANCELLED,
             "on_send kept it from being sent%s%s",
             lua_isnil(L, results + 1) ? "" : ": ",
             lua_isnil(L, results + 1) ? "" : lua_tostring(L, -1));
  exchange_count(L, exchange);
  job_fail(L, job, self);
}

static const struct job_type type = {
    JOB_TYPE("submit", call_advance, call_expire, call_release),
    .deliver = submit_deliver,
    .delivered = submit_delivered,
};

/* ---- the call ---- */

struct submit_options {
  struct call_options call;
  int dry_run;
};

static const struct option known[] = {
    {"kind", OPTION_ANY, 0},
    CALL_OPTIONS,
    {"dry_run", OPTION_BOOLEAN, offsetof(struct submit_options, dry_run)},
    {"on_send", OPTION_FUNCTION, 0},
    {NULL, OPTION_ANY, 0},
};

/* The kind from the options or the request's fields; -1 with an error. */
static int find_kind(lua_State *L, const struct client *client) {
  if (options_get(L, 3, "kind")) {
    int kind = (int)kind_check(L, -1, 3);
    lua_pop(L, 1);
    return kind;
  }
  return request_kind(L, 2, client->profile->key);
}

static void release_body(void *body) {
  body_free(body);
}

/* Pushes what would be sent, or nil and an error; returns their number. */
static int dry_run(lua_State *L, struct client *client,
                   const struct request *request) {
  struct body *body = box_push(L, sizeof *body, release_body);
  int result;
  lua_createtable(L, 0, 6);
  lua_pushliteral(L, "POST");
  lua_setfield(L, -2, "method");
  exchange_push_url(L, client, endpoints[request->kind].submit_path);
  lua_setfield(L, -2, "url");
  lua_pushstring(L, endpoints[request->kind].submit_path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, endpoints[request->kind].name);
  lua_setfield(L, -2, "kind");
  result = request_build(L, 2, request, body);
  if (result == 0) {
    lua_pushinteger(L, (lua_Integer)body->length);
    lua_setfield(L, -2, "bytes");
    result = request_preview(L, 2, request);
  }
  if (result < 0)
    return fault_return(L, "submit");
  lua_setfield(L, -2, "body");
  return 1;
}

static int begin(lua_State *L, struct client *client,
                 const struct request *request,
                 const struct submit_options *options) {
  struct submit *submit = call_new(L, sizeof *submit, &type, 1, &options->call);
  struct call *call = &submit->call;
  int self = lua_gettop(L);
  submit->calls_back = request_get(L, 2, "callback_url") == LUA_TSTRING;
  lua_settop(L, self);
  call->finish = push_task;
  call->cast_unknown = cast_unknown;
  call->job.kind = request->kind;
  exchange_begin(
      L, &call->exchange, &call->job, "POST",
      exchange_url(client, endpoints[request->kind].submit_path, NULL, NULL),
      LANE_SUBMIT, EXCHANGE_ONCE);
  if (options_get(L, 3, "on_send")) {
    lua_setiuservalue(L, self, JOB_CALLBACK);
    call->exchange.single = call->exchange.asks = 1;
  }
  if (request_build(L, 2, request, &call->exchange.body) < 0)
    job_fail(L, &call->job, self);
  lua_settop(L, self);
  return call_await(L, call);
}

/*** Submits a task. It is never sent twice by itself once it may have arrived.
@function client:submit
@tparam table request MiniMax's own JSON body as a Lua table; `minimax.file`
may stand for any media value; an empty table is an object, or a list where its
metatable has `__jsontype = "array"`
@tparam[opt] table options `kind`, `timeout` (seconds; also for its turn under
a rate budget), `block`, `dry_run` (checks and returns what would be sent),
`on_send` (function, called in the caller's coroutine when its turn has come,
right before the request leaves; `false`, or nil and why not, stops it; the
call then makes this one attempt only and returns what came of it)
@treturn[1] minimax.task
@treturn[2] nil
@treturn[2] minimax.error kind "unknown" where a task may exist (`err.task`
where the answer names it); otherwise nothing was created
@see https://platform.minimax.io/docs/api-reference/video-generation-t2v
@see https://platform.minimax.io/docs/api-reference/video-agent-create
@see https://platform.minimax.io/docs/api-reference/video-generation-v2-create
*/
int submit_call(lua_State *L) {
  struct client *client = client_check(L);
  struct submit_options options = {{OPTIONS_NEVER, client->block}, 0};
  struct request request = {0};
  lua_settop(L, 3);
  if (!lua_istable(L, 2))
    options_argerror(L, 2, "a request table is expected");
  options_read(L, 3, known, &options);
  if (!client_is_usable(L, client, !options.dry_run))
    return 2;
  request.kind = find_kind(L, client);
  if (request.kind < 0)
    return fault_return(L, "submit");
  request.secret = client_push_key(L, client);
  request.nonce = retry_random(&client->owner.engine->random);
  if (options.dry_run)
    return dry_run(L, client, &request);
  return begin(L, client, &request, &options);
}
