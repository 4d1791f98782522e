/* client:cancel: looks first, since on a finished task the same request would
 * delete a record that was paid for. */
#include "calls/cancel.h"

#include "calls/call.h"
#include "calls/query.h"
#include "run/await.h"
#include "run/client.h"
#include "run/job_fail.h"
#include "run/task.h"

/* From the look's departure to that of the DELETE, at most: an answer may have
 * lain unread, and a connection may take its time. Then it looks again. */
enum { LOOK_LASTS = 10000 /* ms */ };

/* The DELETE has its turn first; while it has that, the look is made. So there
 * is nothing to wait for between the two. */
struct cancel {
  struct job job;
  struct exchange look; /* before the DELETE, or after it */
  struct exchange act;  /* the DELETE */
  int sent;             /* it left, perhaps */
};

static void begin_look(lua_State *L, struct cancel *cancel, int self) {
  const char *id = query_push_id(L, self);
  exchange_begin(
      L, &cancel->look, &cancel->job, "GET",
      query_url(client_of(&cancel->job), (enum kind)cancel->job.kind, id),
      LANE_QUERY, EXCHANGE_REPEAT);
  lua_pop(L, 1);
}

static void begin(lua_State *L, struct cancel *cancel, int self) {
  const char *id = query_push_id(L, self);
  exchange_begin(L, &cancel->act, &cancel->job, "DELETE",
                 exchange_url(client_of(&cancel->job),
                              endpoints[cancel->job.kind].submit_path, NULL,
                              id),
                 LANE_DELETE, EXCHANGE_ONCE);
  cancel->act.asks = 1;
  lua_pop(L, 1);
  job_start(&cancel->job);
}

static void refuse(lua_State *L, struct cancel *cancel, int self, int status) {
  lua_getfield(L, status, "status");
  fault_push(L, client_of(&cancel->job)->profile->key, FAULT_INVALID,
             cancel->sent ? "the server did not cancel it; it is '%s'"
                          : "only a queued task can be cancelled; this one is "
                            "'%s'",
             lua_tostring(L, -1));
  lua_pushvalue(L, status);
  lua_setfield(L, -2, "status");
  job_fail(L, &cancel->job, self);
}

/* The task is queued: nothing is waited for any more. */
static void allow_delete(struct cancel *cancel) {
  struct client *client = client_of(&cancel->job);
  exchange_allow(&cancel->act, client,
                 cancel->look.transfer->started + LOOK_LASTS);
  cancel->sent = 1;
  exchange_clear(&cancel->look, client);
}

/* What the look says. Returns whether the DELETE may leave. */
static int on_look(lua_State *L, struct cancel *cancel, int self,
                   struct reply *reply) {
  enum state state =
      query_result(L, &cancel->job, self, &cancel->look, reply, lua_gettop(L));
  int status = lua_gettop(L);
  if (state == STATE_QUEUED && cancel->act.state == EXCHANGE_ASKING)
    return 1;
  if (state == STATE_NONE)
    job_fail(L, &cancel->job, self);
  else if (state == STATE_CANCELLED && cancel->sent)
    job_end(L, &cancel->job, self);
  else
    refuse(L, cancel, self, status);
  return 0;
}

/* Whether the DELETE's own answer says that it is done; the status is pushed
 * then. */
static int is_done(lua_State *L, struct cancel *cancel, int self,
                   struct reply *reply) {
  int object = lua_gettop(L);
  return !reply_is_failure(cancel->act.transfer, reply) &&
         query_result(L, &cancel->job, self, &cancel->act, reply, object) ==
             STATE_CANCELLED;
}

/* Returns whether another look must tell what came of it: an empty answer
 * occurs, and a lost one. */
static int on_delete(lua_State *L, struct cancel *cancel, int self,
                     struct reply *reply) {
  int object = lua_gettop(L);
  if (reply->kind != FAULT_NONE &&
      reply_is_definite(cancel->act.transfer, reply) &&
      reply->kind != FAULT_INVALID) {
    reply_push_fault(L, cancel->act.transfer, reply, object);
    exchange_count(L, &cancel->act);
    job_fail(L, &cancel->job, self);
  } else if (is_done(L, cancel, self, reply)) {
    job_end(L, &cancel->job, self);
  } else {
    lua_settop(L, object);
    exchange_clear(&cancel->act, client_of(&cancel->job));
    return 1;
  }
  return 0;
}

/* Returns whether there is more to do at once. */
static int advance_look(lua_State *L, struct cancel *cancel, int self) {
  struct reply reply;
  enum exchange_step step =
      exchange_advance(L, &cancel->job, self, &cancel->look, &reply);
  if (step == EXCHANGE_PENDING)
    return 0;
  if (!on_look(L, cancel, self, &reply))
    return 0;
  allow_delete(cancel);
  return 1;
}

static int advance_delete(lua_State *L, struct cancel *cancel, int self) {
  struct reply reply;
  enum exchange_step step =
      exchange_advance(L, &cancel->job, self, &cancel->act, &reply);
  if (step == EXCHANGE_PENDING)
    return 0;
  if (step == EXCHANGE_READY) {
    gate_lend(&client_of(&cancel->job)->gate, &cancel->act.pass);
    return 1;
  }
  return on_delete(L, cancel, self, &reply);
}

/* Before the DELETE leaves, or once that is over. */
static int wants_look(const struct cancel *cancel) {
  return cancel->look.state == EXCHANGE_IDLE &&
         (cancel->act.state == EXCHANGE_ASKING ||
          cancel->act.state == EXCHANGE_IDLE);
}

static void cancel_advance(lua_State *L, struct job *job, int self) {
  struct cancel *cancel = (struct cancel *)job;
  int more;
  do {
    if (wants_look(cancel))
      begin_look(L, cancel, self);
    more = cancel->look.state ? advance_look(L, cancel, self)
                              : advance_delete(L, cancel, self);
    if (more)
      lua_settop(L, self);
  } while (more);
}

static void cancel_expire(lua_State *L, struct job *job, int self) {
  const struct cancel *cancel = (struct cancel *)job;
  const struct exchange *current =
      cancel->look.state ? &cancel->look : &cancel->act;
  if (cancel->sent) {
    fault_push(L, NULL, FAULT_TIMEOUT,
               "no answer within the call's timeout; a query tells whether the "
               "task was cancelled");
    exchange_count(L, current);
  } else {
    exchange_push_expiry(L, current);
  }
  job_fail(L, job, self);
}

static void cancel_release(struct job *job) {
  struct cancel *cancel = (struct cancel *)job;
  exchange_clear(&cancel->look, client_of(job));
  exchange_clear(&cancel->act, client_of(job));
}

static const struct job_type type = {
    JOB_TYPE("cancel", cancel_advance, cancel_expire, cancel_release),
};

/*** Cancels a v2 task that is still queued; it is not charged then. It looks
first, and after each pause again, since on a task that has ended the same
request would delete its record.
@function client:cancel
@param task a task, a status, or a task id of kind "video2"
@tparam[opt] table options `timeout` (seconds), `block`
@treturn[1] minimax.status with state "cancelled"
@treturn[2] nil
@treturn[2] minimax.error "invalid" where the task is not queued any more, or
is of a kind that can't be cancelled
@see https://platform.minimax.io/docs/api-reference/video-generation-v2-delete
*/
int cancel_call(lua_State *L) {
  struct client *client = client_check(L);
  struct call_options options = {OPTIONS_NEVER, client->block};
  struct target target;
  struct cancel *cancel;
  int self;
  lua_settop(L, 3);
  options_read(L, 3, call_task_options, &options);
  target = target_check(L, 2, 3, (int)kind_to_cancel());
  if (!client_is_usable(L, client, 1))
    return 2;
  cancel = call_new(L, sizeof *cancel, &type, 1, &options);
  self = lua_gettop(L);
  cancel->job.kind = (int)target.kind;
  job_set_subject(L, self, 2, target.index);
  if (endpoints[target.kind].can_cancel) {
    begin(L, cancel, self);
  } else {
    fault_push(L, NULL, FAULT_INVALID,
               "the API offers no cancelling of tasks of kind '%s'",
               endpoints[target.kind].name);
    job_fail(L, &cancel->job, self);
  }
  return await_job(L);
}
