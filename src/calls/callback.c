/* client:callback: what to answer to a POST to your callback_url. */
#include "calls/callback.h"

#include <string.h>

#include "api/json.h"
#include "api/options.h"
#include "api/status.h"
#include "run/client.h"
#include "run/event.h"
#include "run/task.h"

static int fail(lua_State *L, const struct client *client, const char *text) {
  fault_push(L, client->profile->key, FAULT_PROTOCOL, "the callback's body %s",
             text);
  return fault_return(L, NULL);
}

/* Pushes {"challenge":"…"} for the string on top. */
static int answer_challenge(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "challenge");
  if (json_encode(L) < 0)
    return lua_error(L);
  return 1;
}

/* The kind that a call under way for the task with the id on top tells, or -1.
 */
static int kind_of_jobs(lua_State *L, const struct client *client) {
  const struct job *job = client->owner.jobs;
  while (job && (job->kind < 0 || !job_is_about(L, job, lua_gettop(L))))
    job = job->next;
  return job ? job->kind : -1;
}

/* The kind of a submitted task that the program still holds, or -1. */
static int kind_of_tasks(lua_State *L, const char *id) {
  int top = lua_gettop(L);
  int kind = -1;
  lua_getiuservalue(L, 1, CLIENT_SUBMITTED);
  lua_pushnil(L);
  while (kind < 0 && lua_next(L, top + 1)) {
    const char *task_id;
    /* As they are: code of the program's own might add to the list. */
    lua_pushliteral(L, "task_id");
    lua_rawget(L, top + 2);
    task_id = lua_tostring(L, -1);
    lua_pushliteral(L, "kind");
    if (lua_rawget(L, top + 2) == LUA_TSTRING && task_id &&
        strcmp(task_id, id) == 0)
      kind = kind_named(lua_tostring(L, -1));
    lua_settop(L, top + 2);
  }
  lua_settop(L, top);
  return kind;
}

/* What the body itself tells: only v2 wraps a task, only templates have a
 * video_url. */
static int kind_of_body(lua_State *L, int object) {
  int kind = -1;
  if (lua_getfield(L, object, "task") == LUA_TTABLE)
    kind = KIND_VIDEO2;
  else if (lua_getfield(L, object, "video_url") == LUA_TSTRING)
    kind = KIND_TEMPLATE;
  lua_settop(L, object);
  return kind;
}

/* Leaves the event on top; 0 if the body is none. */
static int make_event(lua_State *L, const struct client *client, int object) {
  int kind = kind_of_body(L, object);
  if (lua_getfield(L, object, "task") != LUA_TTABLE)
    lua_settop(L, object);
  if (status_complete(L, kind < 0 ? KIND_VIDEO : (enum kind)kind, "") ==
      STATE_NONE)
    return 0;
  lua_getfield(L, -1, "task_id");
  if (kind < 0)
    kind = kind_of_jobs(L, client);
  if (kind < 0)
    kind = kind_of_tasks(L, lua_tostring(L, -1));
  if (*lua_tostring(L, -1) == '\0')
    return 0;
  lua_pop(L, 1);
  lua_pushstring(L, kind < 0 ? NULL : endpoints[kind].name);
  lua_setfield(L, -2, "kind");
  status_bless(L, 1);
  return 1;
}

/*** Reads the body of a POST to your callback_url. Nothing signs these
requests: the event is a hint; `client:notify` confirms it by a query.
@function client:callback
@tparam string body
@treturn[1] string the JSON text to answer with, within 3 s
@treturn[1] minimax.status|nil the event; nil for a challenge
@treturn[2] nil
@treturn[2] minimax.error kind "protocol"
@see https://platform.minimax.io/docs/api-reference/video-agent-create */
int callback_call(lua_State *L) {
  struct client *client = client_check(L);
  size_t length;
  const char *body;
  int is_object;
  if (lua_type(L, 2) != LUA_TSTRING)
    options_argerror(L, 2, "the body of a callback is expected");
  body = lua_tolstring(L, 2, &length);
  lua_settop(L, 2);
  is_object =
      json_decode(L, body, length, JSON_MOST) == JSON_OK && lua_istable(L, 3);
  if (!client_is_usable(L, client, 0))
    return 2;
  if (!is_object)
    return fail(L, client, "is no JSON object");
  if (lua_getfield(L, 3, "challenge") == LUA_TSTRING)
    return answer_challenge(L);
  lua_settop(L, 3);
  if (!make_event(L, client, 3))
    return fail(L, client, "names no task or no status");
  event_tell_callback(L, client, 1);
  lua_pushliteral(L, "{\"status\":\"success\"}");
  lua_insert(L, -2);
  return 2;
}
