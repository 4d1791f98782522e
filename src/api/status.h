/* Builds the status of a task from an answer, whatever its wrapping. */
#ifndef MINIMAX_STATUS_H
#define MINIMAX_STATUS_H

#include <lua.h>

#include "api/endpoint.h"
#include "api/reply.h"

/* Whether the object at `object` is about another task than the one that was
 * asked for: it names another one in the same form, and nowhere that one. What
 * is in another form was renamed by a gateway, which calls MiniMax's 4011… its
 * own `video_…` or `task_…`. */
int status_is_foreign(lua_State *L, int object, const char *id);

/*
 * From the object at `object` (what reply_read pushed) pushes either a status
 * table without a metatable and returns its state, or an error and returns
 * STATE_NONE. `id` is the id that was asked for.
 */
enum state status_build(lua_State *L, int object, enum kind kind,
                        const char *id, const struct transfer *transfer,
                        const struct reply *reply);

/* Sets `state`, `kind`, `task_id`, `url` and `expires_at` of the table on top,
 * from its own fields; returns its state. */
enum state status_complete(lua_State *L, enum kind kind, const char *id);

/* Sets `url` and `expires_at` of the table on top, where it holds a link. */
void status_set_link(lua_State *L, enum kind kind);

/* Pushes the reason of a task that ended otherwise than well, and sets the
 * error's `code` if there is one; `status` is the index of the status. */
void status_push_failure(lua_State *L, int status, const char *secret);

#endif
