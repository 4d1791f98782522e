/* What a finalizer asks for, done later: one may run wherever Lua allocates,
 * also in the middle of a call that begins and of a job that moves on, and
 * while the state is closed. */
#ifndef MINIMAX_DEFERRED_H
#define MINIMAX_DEFERRED_H

#include <lua.h>

/* Calls `act` at a turn of its own, with the two values on top, which it pops.
 * In a state that is being closed there is no such turn any more. */
void deferred_send(lua_State *L, lua_CFunction act);

/* For wakers: calls `act` with the two values on top, which it pops; where a
 * finalizer runs, what it works with may be gone, and so it is sent. It is code
 * of others: its error is a warning. -1: there was no memory for the call. */
int deferred_wake(lua_State *L, lua_CFunction act);

/* The same, and never sent. */
int deferred_wake_now(lua_State *L, lua_CFunction act);

#endif
