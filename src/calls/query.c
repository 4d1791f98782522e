/* client:query. */
#include "calls/query.h"

#include <string.h>

#include "api/options.h"
#include "api/status.h"
#include "calls/call.h"
#include "run/job_fail.h"

char *query_url(const struct client *client, enum kind kind, const char *id) {
  const struct endpoint *endpoint = &endpoints[kind];
  return exchange_url(client, endpoint->query_path,
                      endpoint->id_in_path ? NULL : "task_id", id);
}

const char *query_push_id(lua_State *L, int self) {
  lua_getiuservalue(L, self, JOB_SUBJECT);
  return lua_tostring(L, -1);
}

/* Whoever asks for an unknown task may have asked in the wrong place. */
static void explain_unknown(lua_State *L, enum kind kind) {
  lua_getfield(L, -1, "message");
  lua_pushfstring(L,
                  "%s; it was asked as a task of kind '%s' (the option kind "
                  "names another), and only tasks of the key's own account "
                  "are known",
                  lua_tostring(L, -1), endpoints[kind].name);
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
}

enum state query_result(lua_State *L, struct job *job, int self,
                        const struct exchange *exchange, struct reply *reply,
                        int object) {
  int top = lua_gettop(L);
  enum state state = STATE_NONE;
  const char *id = query_push_id(L, self);
  if (reply->readable && status_is_foreign(L, object, id)) {
    reply->kind = FAULT_PROTOCOL; /* it refuses nothing that was asked */
    reply_push_nonsense(L, exchange->transfer,
                        "the answer is about another task");
  } else {
    state = status_build(L, object, (enum kind)job->kind, id,
                         exchange->transfer, reply);
  }
  if (state == STATE_NONE && reply->kind == FAULT_INVALID)
    explain_unknown(L, (enum kind)job->kind);
  if (state == STATE_NONE) {
    exchange_count(L, exchange);
  } else {
    lua_getiuservalue(L, self, JOB_CLIENT);
    lua_insert(L, -2);
    status_bless(L, lua_gettop(L) - 1);
  }
  lua_insert(L, top + 1);
  lua_settop(L, top + 1);
  return state;
}

static void query_advance(lua_State *L, struct job *job, int self) {
  struct exchange *exchange = &((struct call *)job)->exchange;
  struct reply reply;
  if (exchange_advance(L, job, self, exchange, &reply) == EXCHANGE_PENDING)
    return;
  if (query_result(L, job, self, exchange, &reply, lua_gettop(L)) == STATE_NONE)
    job_fail(L, job, self);
  else
    job_end(L, job, self);
}

static void query_expire(lua_State *L, struct job *job, int self) {
  exchange_push_expiry(L, &((struct call *)job)->exchange);
  job_fail(L, job, self);
}

static const struct job_type type = {
    JOB_TYPE("query", query_advance, query_expire, call_release),
};

/*** Asks once how a task is getting on.
@function client:query
@param task a task, a status, or a task id (string or integer)
@tparam[opt] table options `kind` ("template", "video", "video2"), `timeout`
(seconds), `block` (boolean)
@treturn[1] minimax.status
@treturn[2] nil
@treturn[2] minimax.error kinds auth, rate_limit, content, invalid, server,
timeout, network, tls, protocol
@see https://platform.minimax.io/docs/api-reference/video-generation-query */
int query_call(lua_State *L) {
  struct client *client = client_check(L);
  struct call_options options = {OPTIONS_NEVER, client->block};
  struct target target;
  struct call *call;
  options_read(L, 3, call_task_options, &options);
  target = target_check(L, 2, 3, -1);
  if (!client_is_usable(L, client, 1))
    return 2;
  call = call_new(L, sizeof *call, &type, 1, &options);
  call->job.kind = (int)target.kind;
  job_set_subject(L, lua_gettop(L), 2, target.index);
  exchange_begin(L, &call->exchange, &call->job, "GET",
                 query_url(client, target.kind, target.id), LANE_QUERY,
                 EXCHANGE_REPEAT);
  return call_await(L, call);
}
