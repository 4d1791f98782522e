/* A client: its settings, its gate, its jobs. */
#include "run/client.h"

#include <lauxlib.h>
#include <string.h>

#include "api/box.h"
#include "net/transfer.h"
#include "run/await.h"
#include "run/deferred.h"
#include "run/runtime.h"
#include "run/settings.h"
#include "run/task.h"

#define NAME "minimax.client"

static void make_submitted_table(lua_State *L, int self) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setiuservalue(L, self, CLIENT_SUBMITTED);
}

/* Closed first, then it acquires: an error on the way leaks nothing. */
static struct client *push_closed(lua_State *L) {
  struct client *client = lua_newuserdatauv(L, sizeof *client, CLIENT_VALUES);
  memset(client, 0, sizeof *client);
  client->engine = &runtime_of(L)->engine;
  luaL_setmetatable(L, NAME);
  return client;
}

void client_push_bare(lua_State *L) {
  runtime_ensure(L);
  push_closed(L);
}

/* Puts a copy in the place of the options: their texts are used where
 * finalizers may run, and one of those may change the program's table. */
static void copy_options(lua_State *L) {
  if (!lua_istable(L, 1) || fault_is(L, 1))
    return;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  lua_replace(L, 1);
}

/*** Makes a client.
@function new
@tparam[opt] table options see the README's table of options
@treturn minimax.client */
int client_new(lua_State *L) {
  struct client *client;
  int self;
  lua_settop(L, 1);
  copy_options(L);
  runtime_ensure(L);
  client = push_closed(L);
  self = lua_gettop(L);
  /* While the state is closed nobody would free it any more. */
  if (engine_state(client->engine) == ENGINE_CLOSED)
    return 1;
  client->profile = profile_new();
  if (!client->profile)
    box_no_memory(L);
  settings_read(L, client, self);
  make_submitted_table(L, self);
  task_make_metatables(L);
  return 1;
}

/* ---- its end ---- */

static void cancel_all(lua_State *L, struct client *client, const char *text) {
  while (client->jobs)
    job_cancel(L, client->jobs, text);
}

/* A job that moves on holds pointers into the client's settings. */
void client_dispose(lua_State *L, struct client *client) {
  if (!client->profile || engine_state(client->engine) != ENGINE_OPEN)
    return;
  client->closing = 1;
  if (client->moving)
    return;
  transfer_drop_idle(client->profile);
  cancel_all(L, client, "the client was closed");
  gate_free(&client->gate);
  profile_release(client->profile);
  client->profile = NULL;
  engine_settle(client->engine);
}

/* __gc: its jobs hold it: when it is collected, they are gone. */
static int client_collect(lua_State *L) {
  client_dispose(L, luaL_checkudata(L, 1, NAME));
  return 0;
}

/*** Cancels what is under way and closes the connections. Idempotent.
@function client:close */
int client_close(lua_State *L) {
  struct client *client = luaL_checkudata(L, 1, NAME);
  if (!await_is_finalizing(L)) {
    client_dispose(L, client);
  } else if (client->profile && engine_state(client->engine) == ENGINE_OPEN) {
    lua_settop(L, 1);
    lua_pushnil(L);
    deferred_send(L, client_close);
    engine_settle(client->engine);
  }
  return 0;
}

static int client_tostring(lua_State *L) {
  const struct client *client = luaL_checkudata(L, 1, NAME);
  if (client->profile)
    lua_pushfstring(L, NAME ": %s", client->profile->base);
  else
    lua_pushliteral(L, NAME ": closed");
  return 1;
}

void client_open(lua_State *L, const luaL_Reg *shared, const luaL_Reg *own) {
  static const luaL_Reg meta[] = {
      {"__gc", client_collect},
      {"__close", client_close},
      {"__tostring", client_tostring},
      {NULL, NULL},
  };
  luaL_newmetatable(L, NAME);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, shared, 0);
  luaL_setfuncs(L, own, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

struct client *client_check(lua_State *L) {
  return luaL_checkudata(L, 1, NAME);
}

int client_is_usable(lua_State *L, struct client *client, int needs_key) {
  enum engine_state state = engine_state(client->engine);
  if (state == ENGINE_OPEN && client->profile && !client->closing &&
      !(needs_key && client->lacks_key))
    return 1;
  lua_pushnil(L);
  if (state == ENGINE_FORKED)
    fault_push(L, NULL, FAULT_CANCELLED,
               "this client belongs to the parent process; minimax.new makes "
               "one for this process");
  else if (state == ENGINE_CLOSED || !client->profile || client->closing)
    fault_push(L, NULL, FAULT_CANCELLED, "the client is closed");
  else
    fault_push(L, NULL, FAULT_AUTH,
               client->key_file_failed
                   ? "there is no API key: the file named by "
                     "MINIMAX_API_KEY_FILE can't be read, holds none, or may "
                     "be read by others (chmod 600)"
                   : "there is no API key: set the environment variable "
                     "MINIMAX_API_KEY (or MINIMAX_API_KEY_FILE), or the "
                     "option api_key");
  return 0;
}

const char *client_push_key(lua_State *L, const struct client *client) {
  return lua_pushstring(L, client->profile->key);
}

/* ---- abort ---- */

/* Whether the job is about the task with the id at `id`. */
static int is_about(lua_State *L, const struct job *job, int id) {
  int top = lua_gettop(L);
  int same = 0;
  if (job_push(L, job)) {
    lua_getiuservalue(L, -1, JOB_SUBJECT);
    same = lua_rawequal(L, -1, id);
  }
  lua_settop(L, top);
  return same;
}

static struct job *find_about(lua_State *L, const struct client *client,
                              int id) {
  struct job *job = client->jobs;
  while (job && (job->cancelled || !is_about(L, job, id)))
    job = job->next;
  return job;
}

static int count_about(lua_State *L, const struct client *client, int id) {
  int count = 0;
  for (const struct job *job = client->jobs; job; job = job->next)
    count += is_about(L, job, id);
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
int client_abort(lua_State *L) {
  struct client *client = client_check(L);
  struct target target = target_check(L, 2, 0, -1);
  int count;
  if (!client_is_usable(L, client, 0))
    return 2;
  if (!await_is_finalizing(L)) {
    count = cancel_about(L, client, target.index);
  } else if ((count = count_about(L, client, target.index)) > 0) {
    lua_pushvalue(L, 1);
    lua_pushvalue(L, target.index);
    deferred_send(L, client_abort);
  }
  engine_settle(client->engine);
  lua_pushinteger(L, count);
  return 1;
}
