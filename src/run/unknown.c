/* Errors of kind "unknown". */
#include "run/unknown.h"

#include "run/client.h"

/* Notes the task that what arrived names; 0 if it names none. Whatever the
 * error says: a refusal beside an id does not prove that nothing was made. */
static int take_task(lua_State *L, const struct job *job, int self,
                     const struct transfer *post, const struct reply *reply) {
  if (job->kind < 0 || !post || !reply_push_task_id(L, post, reply))
    return 0;
  lua_setiuservalue(L, self, JOB_SUBJECT);
  return 1;
}

/* Pushes the text for the error at `cause`. */
static void push_text(lua_State *L, int cause, int self, int named,
                      const char *advice) {
  lua_getfield(L, cause, "message");
  if (named) {
    lua_getiuservalue(L, self, JOB_SUBJECT);
    lua_pushfstring(L,
                    "the request may have arrived: its answer names task %s, "
                    "and all the same failed: %s. The task may exist and be "
                    "paid: client:wait(err.task) tells; do not submit it again "
                    "before",
                    lua_tostring(L, -1), lua_tostring(L, -2));
    return;
  }
  lua_pushfstring(
      L, "the request may have arrived, and its answer did not: %s%s%s",
      lua_tostring(L, -1), advice ? ". A task may exist and be paid: " : "",
      advice ? advice : "");
}

void unknown_cast(lua_State *L, struct job *job, int self,
                  const struct transfer *post, const struct reply *reply,
                  int unknown, const char *advice) {
  static const char *const details[] = {"code", "http_status", "trace_id"};
  int cause = lua_gettop(L);
  int named = take_task(L, job, self, post, reply);
  if (!named && !unknown)
    return;
  push_text(L, cause, self, named, advice);
  fault_push(L, client_of(job)->profile->key, FAULT_UNKNOWN, "%s",
             lua_tostring(L, -1));
  for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
    lua_getfield(L, cause, details[i]);
    lua_setfield(L, -2, details[i]);
  }
  lua_replace(L, cause);
  lua_settop(L, cause);
}

void unknown_provide(lua_State *L, const struct job *job, int self) {
  fault_push(L, NULL, FAULT_UNKNOWN,
             "the request may have arrived, and there was not enough memory to "
             "read its answer: it may have had its effect%s",
             job->kind < 0 ? "" : ", and a task may exist and be paid");
  lua_pushstring(L, job->type->stage);
  lua_setfield(L, -2, "stage");
  lua_pushinteger(L, 1);
  lua_setfield(L, -2, "attempts");
  job_provide(L, self);
}
