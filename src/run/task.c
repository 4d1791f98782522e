/* Tasks and statuses. */
#include "run/task.h"

#include <lauxlib.h>
#include <string.h>

#include "api/options.h"
#include "api/request.h"
#include "api/status.h"

/* The registry key of the methods that all tasks and statuses have. */
static const char methods_key = 0;

/* The upvalue is a method of clients; the task's own client comes first. */
static int task_method(lua_State *L) {
  lua_CFunction method = lua_tocfunction(L, lua_upvalueindex(1));
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!luaL_getmetafield(L, 1, "client"))
    luaL_argerror(L, 1, "a task of a client is expected");
  lua_insert(L, 1);
  return method(L);
}

void task_open(lua_State *L, const luaL_Reg *methods) {
  lua_newtable(L);
  for (; methods->name; methods++) {
    lua_pushcfunction(L, methods->func);
    lua_pushcclosure(L, task_method, 1);
    lua_setfield(L, -2, methods->name);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &methods_key);
}

static int task_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_getmetafield(L, 1, "__name");
  lua_getfield(L, 1, "task_id");
  lua_getfield(L, 1, "kind");
  lua_pushfstring(L, "%s: %s (%s", luaL_tolstring(L, 2, NULL),
                  luaL_tolstring(L, 3, NULL), luaL_tolstring(L, 4, NULL));
  if (lua_getfield(L, 1, "state") == LUA_TSTRING)
    lua_pushfstring(L, "%s, %s)", lua_tostring(L, -2), lua_tostring(L, -1));
  else
    lua_pushfstring(L, "%s)", lua_tostring(L, -2));
  return 1;
}

/*** Why a task ended otherwise than well: the error that `wait` returns.
@function task:failure
@treturn[1] minimax.error kind "failed"
@treturn[2] nil it has not ended so, as far as this table knows
@see https://platform.minimax.io/docs/api-reference/video-generation-query */
int task_failure(lua_State *L) {
  struct client *client = client_check(L);
  const char *state;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 2, "state");
  state = lua_tostring(L, -1);
  if (!state || (strcmp(state, state_names[STATE_FAILED]) != 0 &&
                 strcmp(state, state_names[STATE_CANCELLED]) != 0))
    return 0;
  status_push_failure(L, 2, client->profile ? client->profile->key : NULL);
  lua_pushliteral(L, "query");
  lua_setfield(L, -2, "stage");
  lua_getfield(L, 2, "task_id");
  lua_setfield(L, -2, "task_id");
  return 1;
}

static void make_metatable(lua_State *L, int client, const char *name,
                           int value) {
  lua_createtable(L, 0, 4);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, task_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushvalue(L, client);
  lua_setfield(L, -2, "client");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_key);
  lua_setfield(L, -2, "__index");
  lua_setiuservalue(L, client, value);
}

void task_make_metatables(lua_State *L) {
  int client = lua_gettop(L);
  make_metatable(L, client, "minimax.task", CLIENT_TASK_TABLE);
  make_metatable(L, client, "minimax.status", CLIENT_STATUS_TABLE);
}

void task_bless(lua_State *L, int client) {
  lua_getiuservalue(L, client, CLIENT_TASK_TABLE);
  lua_setmetatable(L, -2);
}

void status_bless(lua_State *L, int client) {
  lua_getiuservalue(L, client, CLIENT_STATUS_TABLE);
  lua_setmetatable(L, -2);
}

/* The kind that the options name, or -1. */
static int told_kind(lua_State *L, int options) {
  int kind = -1;
  if (options && options_get(L, options, "kind")) {
    kind = (int)kind_check(L, -1, options);
    lua_pop(L, 1);
  }
  return kind;
}

/* The kind that a task's own table names, or -1. */
static int own_kind(lua_State *L, int index) {
  int kind = -1;
  if (!lua_istable(L, index))
    return -1;
  if (lua_getfield(L, index, "kind") == LUA_TSTRING)
    kind = kind_named(lua_tostring(L, -1));
  lua_pop(L, 1);
  return kind;
}

struct target target_check(lua_State *L, int index, int options, int fallback) {
  struct target target;
  int kind = told_kind(L, options);
  if (kind < 0)
    kind = own_kind(L, index);
  if (lua_istable(L, index)) {
    lua_getfield(L, index, "task_id");
    if (!lua_isstring(L, -1))
      options_argerror(L, index, "a task, a status or a task id is expected");
    target.id = request_push_id(L, -1, index);
    lua_replace(L, -2);
  } else {
    target.id = request_push_id(L, index, index);
  }
  /* Dots alone would lead to another path. */
  if (strspn(target.id, ".") == strlen(target.id))
    options_argerror(L, index, "an empty task id, or one of dots");
  target.index = lua_gettop(L);
  if (kind < 0)
    kind = fallback;
  target.kind = kind < 0 ? kind_of_id(target.id) : (enum kind)kind;
  return target;
}

/* Whether the program has left the task's id as it was. */
static int still_names(lua_State *L, int task, int id) {
  int same;
  lua_pushliteral(L, "task_id");
  lua_rawget(L, task);
  same = lua_rawequal(L, -1, id);
  lua_pop(L, 1);
  return same;
}

void task_push_of_job(lua_State *L, const struct job *job, int self) {
  int id = lua_gettop(L) + 1, task = id + 1;
  lua_getiuservalue(L, self, JOB_SUBJECT);
  if (lua_getiuservalue(L, self, JOB_TASK) != LUA_TTABLE ||
      !still_names(L, task, id)) {
    lua_getiuservalue(L, self, JOB_CLIENT);
    lua_replace(L, task);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, id);
    lua_setfield(L, -2, "task_id");
    if (job->kind >= 0) {
      lua_pushstring(L, endpoints[job->kind].name);
      lua_setfield(L, -2, "kind");
    }
    task_bless(L, task);
    lua_replace(L, task);
  }
  lua_replace(L, id);
}
