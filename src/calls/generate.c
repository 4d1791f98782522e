/* client:generate: submit, wait and download in one call. */
#include "calls/generate.h"

#include "api/fault.h"
#include "api/options.h"
#include "calls/call.h"
#include "calls/download.h"
#include "calls/download_target.h"
#include "calls/submit.h"
#include "calls/wait.h"
#include "run/client.h"

/* Where each value stands on the stack, for the whole call. */
enum { CLIENT = 1, REQUEST, DESTINATION, OPTIONS, RESULT, LAST_WORD };

enum { CHECKED, SUBMITTED, WAITED, DOWNLOADED }; /* CHECKED: a dry run */

static const char *const submit_options[] = {"kind", "block", "dry_run", NULL};
static const char *const wait_options[] = {"timeout",   "interval", "kind",
                                           "on_status", "block",    NULL};
static const char *const download_options[] = {
    "on_progress", "overwrite", "allow_private", "max_bytes",
    "verify",      "kind",      "block",         NULL};

struct checked {
  struct call_options call;
  uint64_t time;
  uint64_t bytes;
  int flag, overwrite, dry_run;
};

static const struct option known[] = {
    {"kind", OPTION_ANY, 0},
    {"interval", OPTION_SECONDS, offsetof(struct checked, time)},
    {"on_status", OPTION_FUNCTION, 0},
    {"on_progress", OPTION_FUNCTION, 0},
    {"overwrite", OPTION_BOOLEAN, offsetof(struct checked, overwrite)},
    {"allow_private", OPTION_BOOLEAN, offsetof(struct checked, flag)},
    {"max_bytes", OPTION_BYTES, offsetof(struct checked, bytes)},
    {"dry_run", OPTION_BOOLEAN, offsetof(struct checked, dry_run)},
    {"verify", OPTION_BOOLEAN, offsetof(struct checked, flag)},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

/* Replaces the options at `index` by a table with those that the names choose.
 */
static void choose(lua_State *L, int index, const char *const *names) {
  lua_newtable(L);
  for (; *names; names++)
    if (options_get(L, index, *names))
      lua_setfield(L, index + 1, *names);
  lua_replace(L, index);
}

/* The client's methods, with those of the options that are theirs. */

static int submit_stage(lua_State *L) {
  choose(L, 3, submit_options);
  return submit_call(L);
}

static int wait_stage(lua_State *L) {
  choose(L, 3, wait_options);
  return wait_call(L);
}

static int download_stage(lua_State *L) {
  choose(L, 4, download_options);
  return download_call(L);
}

static int go_on(lua_State *L, int status, lua_KContext stage);

/* Calls a stage about the value at `subject`. */
static int call(lua_State *L, lua_CFunction method, int subject,
                lua_KContext stage) {
  int top = lua_gettop(L);
  lua_pushcfunction(L, method);
  lua_pushvalue(L, CLIENT);
  lua_pushvalue(L, subject);
  if (stage == DOWNLOADED)
    lua_pushvalue(L, DESTINATION);
  lua_pushvalue(L, OPTIONS);
  return go_on(L, lua_pcallk(L, lua_gettop(L) - top - 1, 2, 0, stage, go_on),
               stage);
}

/* Before anything is paid: the error for a lack of memory after that. Its
 * fields are there already, and filling them takes no memory. */
static void push_last_word(lua_State *L) {
  static const char *const fields[] = {"task", "task_id"};
  fault_push(L, NULL, FAULT_IO,
             "not enough memory to go on; the task was submitted and is paid: "
             "client:wait(err.task) and client:download go on with it");
  fault_set_retryable(L, -1, 0);
  lua_pushliteral(L, "wait");
  lua_setfield(L, -2, "stage");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, fields[i]);
  }
}

/* nil and that error. */
static int say_last_word(lua_State *L) {
  lua_settop(L, LAST_WORD);
  lua_pushvalue(L, RESULT);
  lua_setfield(L, LAST_WORD, "task");
  lua_getfield(L, RESULT, "task_id");
  lua_setfield(L, LAST_WORD, "task_id");
  return fault_return(L, NULL);
}

/* A client that was closed between two stages knows no task any more. */
static void name_task(lua_State *L, int fault) {
  if (lua_getfield(L, fault, "task") == LUA_TNIL) {
    lua_pushvalue(L, RESULT);
    lua_setfield(L, fault, "task");
    lua_getfield(L, RESULT, "task_id");
    lua_setfield(L, fault, "task_id");
  }
  lua_settop(L, fault);
}

/* nil and the error: once a task is paid, calling generate again is no help. */
static int fail(lua_State *L, lua_KContext stage) {
  int fault = lua_gettop(L);
  if (stage > SUBMITTED) {
    fault_set_retryable(L, fault, 0);
    name_task(L, fault);
  }
  return fault_return(L, NULL);
}

/* The results of a stage are the two values on top. */
static int go_on(lua_State *L, int status, lua_KContext stage) {
  if (status == LUA_ERRMEM && stage > SUBMITTED)
    return say_last_word(L);
  if (status != LUA_OK && status != LUA_YIELD)
    return lua_error(L);
  if (lua_isnil(L, -2))
    return fail(L, stage);
  lua_pop(L, 1);
  if (stage == CHECKED)
    return 1;
  if (stage == DOWNLOADED) { /* RESULT is the status, the info is above it */
    lua_pushvalue(L, RESULT);
    return 2;
  }
  lua_replace(L, RESULT);
  return stage == SUBMITTED ? call(L, wait_stage, RESULT, WAITED)
                            : call(L, download_stage, RESULT, DOWNLOADED);
}

/*** Submits, waits and downloads. The destination is opened and locked first,
and stays so until the end: a path that can't be written to costs nothing.
@function client:generate
@tparam table request as for `client:submit`
@param destination as for `client:download`
@tparam[opt] table options those of the three calls; `timeout` is the wait's
@treturn[1] table as from `client:download`
@treturn[1] minimax.status
@treturn[2] nil
@treturn[2] minimax.error with `task` once one exists: go on with that */
int generate_call(lua_State *L) {
  struct client *client = client_check(L);
  struct checked checked = {.overwrite = 1};
  lua_settop(L, OPTIONS);
  if (!lua_istable(L, REQUEST))
    options_argerror(L, REQUEST, "a request table is expected");
  options_read(L, OPTIONS, known, &checked);
  if (!client_is_usable(L, client, 1))
    return 2;
  download_target_check(L, DESTINATION);
  if (download_target_reserve(L, CLIENT, DESTINATION, checked.overwrite) < 0)
    return fault_return(L, "download");
  lua_pushnil(L); /* RESULT */
  push_last_word(L);
  return call(L, submit_stage, REQUEST, checked.dry_run ? CHECKED : SUBMITTED);
}
