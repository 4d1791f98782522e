/* Tasks and statuses: plain tables with the methods of their client. */
#ifndef MINIMAX_TASK_H
#define MINIMAX_TASK_H

#include <lua.h>

#include "api/endpoint.h"
#include "run/client.h"

/* What a call is about. */
struct target {
  const char *id; /* anchored at `index` */
  enum kind kind;
  int index; /* stack index of the id, pushed by target_check */
};

/* Once for each Lua state: methods of clients that tasks and statuses have. */
struct luaL_Reg;
void task_open(lua_State *L, const struct luaL_Reg *methods);

/* task:failure(), called with the client before the task. */
int task_failure(lua_State *L);

/* Gives the client on top of the stack its two metatables. */
void task_make_metatables(lua_State *L);

/*
 * The task at `index`: a task, a status, a table with task_id, or an id.
 * `options` is the index of the options that may name the kind. `fallback` is
 * the kind of a bare id, -1: told by the id itself. Raises on anything else.
 */
struct target target_check(lua_State *L, int index, int options, int fallback);

/* Sets the metatable of the table on top. */
void task_bless(lua_State *L, int client);
void status_bless(lua_State *L, int client);

/* Pushes the task that a job with a subject is about: the program's own table,
 * else a new one. */
void task_push_of_job(lua_State *L, const struct job *job, int self);

#endif
