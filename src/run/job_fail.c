/* Ends jobs with errors. */
#include "run/job_fail.h"

#include "api/fault.h"
#include "run/task.h"

/* Sets a field of the error at `fault` to the value on top, which it pops,
 * unless the field is set. */
static void set_if_absent(lua_State *L, int fault, const char *field) {
  lua_pushstring(L, field);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, fault) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_rawset(L, fault);
  }
  lua_pop(L, 3);
}

void job_fail(lua_State *L, struct job *job, int self) {
  int fault = lua_gettop(L);
  lua_pushstring(L, job->type->stage);
  set_if_absent(L, fault, "stage");
  /* An error names the task it is about, so that nobody loses it. */
  if (lua_getiuservalue(L, self, JOB_SUBJECT) == LUA_TSTRING) {
    set_if_absent(L, fault, "task_id");
    task_push_of_job(L, job, self);
    set_if_absent(L, fault, "task");
  } else {
    lua_pop(L, 1);
  }
  job->failed |= !job->ended;
  job_end(L, job, self);
}

void job_cancel(lua_State *L, struct job *job, const char *text) {
  if (!job_push(L, job)) {
    job_release(job); /* collected, its finalizer still to run */
    return;
  }
  if (job->moving) {
    job->cancelled = text;
    lua_pop(L, 1);
    return;
  }
  fault_push(L, NULL, FAULT_CANCELLED, "%s", text);
  job_fail(L, job, lua_gettop(L) - 1);
  lua_pop(L, 1);
}

void job_orphan(lua_State *L, struct job *job, int self) {
  fault_push(L, NULL, FAULT_CANCELLED,
             "this call belongs to the parent process, where it goes on");
  job->waker = NULL; /* and so does who resumes it there */
  job_fail(L, job, self);
}

void job_refuse(lua_State *L, struct job *job, int self) {
  fault_push(L, NULL, FAULT_INVALID,
             "inside a finalizer nothing can be waited for");
  job_fail(L, job, self);
}
