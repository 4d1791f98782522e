/* client:query, and with what other calls ask for a task. */
#ifndef MINIMAX_QUERY_H
#define MINIMAX_QUERY_H

#include <lua.h>

#include "run/exchange.h"
#include "run/task.h"

/* client:query(task | task_id [, options]) */
int query_call(lua_State *L);

/* The URL that asks for a task; malloc'd, NULL when memory ends. */
char *query_url(const struct client *client, enum kind kind, const char *id);

/*
 * From an answered or lost exchange pushes a blessed status and returns its
 * state, or an error and returns STATE_NONE. `object` is what
 * exchange_advance pushed.
 */
enum state query_result(lua_State *L, struct job *job, int self,
                        const struct exchange *exchange, struct reply *reply,
                        int object);

/* Pushes the id that a job is about as a C string (anchored by the job). */
const char *query_push_id(lua_State *L, int self);

#endif
