/* minimax.spawn and minimax.run: a loop of our own for programs that have
 * none. */
#ifndef MINIMAX_LOOP_H
#define MINIMAX_LOOP_H

#include <lua.h>

#include "net/engine.h"

/* Once for each Lua state. */
void loop_open(lua_State *L);

/* minimax.spawn(fn, ...), minimax.run([fn, ...]) and minimax.sleep(seconds) */
int loop_spawn(lua_State *L);
int loop_run(lua_State *L);
int loop_sleep(lua_State *L);

/* Whether this very coroutine was resumed by a run of this engine (a forked
 * child's run is still its parent's). */
int loop_is_current(const lua_State *L, struct engine *engine);

/* Whether some run is resuming a coroutine right now. */
int loop_is_busy(struct engine *engine);

/* The coroutine at `index` has news of what it waits for. */
void loop_make_ready(lua_State *L, int index);

#endif
