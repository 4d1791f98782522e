/* client:wait: a chain of queries until the task ends. */
#ifndef MINIMAX_WAIT_H
#define MINIMAX_WAIT_H

#include <lua.h>
#include <stdint.h>

#include "calls/call.h"
#include "run/task.h"

struct wait_options {
  struct call_options call;
  uint64_t interval;
};

/* client:wait(task | task_id [, options]) */
int wait_call(lua_State *L);

/* Reads the options at `index`. */
struct wait_options wait_read_options(lua_State *L, int index,
                                      const struct client *client);

/* Pushes a started wait for the target whose task stands at `task`; the
 * client is at `client`, the options' table at `options`. */
struct job *wait_push(lua_State *L, int client, int task, int options,
                      const struct target *target,
                      const struct wait_options *values);

/* client:notify(event) */
int wait_notify(lua_State *L);

#endif
