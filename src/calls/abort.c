/* client:abort. */
#include "calls/abort.h"

#include "run/client.h"
#include "run/deferred.h"
#include "run/job_fail.h"
#include "run/task.h"

static struct job *find_about(lua_State *L, const struct client *client,
                              int id) {
  struct job *job = client->owner.jobs;
  while (job && (job->cancelled || !job_is_about(L, job, id)))
    job = job->next;
  return job;
}

static int count_about(lua_State *L, const struct client *client, int id) {
  int count = 0;
  for (const struct job *job = client->owner.jobs; job; job = job->next)
    count += job_is_about(L, job, id);
  return count;
}

/* Each time from the first one: what ends a job may end others, too. */
static int cancel_about(lua_State *L, struct client *client, int id) {
  struct job *job;
  int count = 0;
  while ((job = find_about(L, client, id)) != NULL) {
    job_cancel(L, job, "the call was aborted; the task goes on");
    count++;
  }
  return count;
}

/*** Ends every call under way for a task; nothing is sent, and the task goes on
at the server.
@function client:abort
@param task a task, a status or a task id
@treturn integer how many calls were ended */
int abort_call(lua_State *L) {
  struct client *client = client_check(L);
  struct target target = target_check(L, 2, 0, -1);
  int count;
  if (!client_is_usable(L, client, 0))
    return 2;
  if (!runtime_is_finalizing(L)) {
    count = cancel_about(L, client, target.index);
  } else if ((count = count_about(L, client, target.index)) > 0) {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, target.index);
    deferred_send(L, abort_call);
  }
  engine_settle(client->owner.engine);
  lua_pushinteger(L, count);
  return 1;
}
