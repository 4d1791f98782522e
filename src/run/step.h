/* The engine's Lua half: moves jobs on once there is something to do for them.
 */
#ifndef MINIMAX_STEP_H
#define MINIMAX_STEP_H

#include <lua.h>

#include "net/engine.h"

enum step_progress { STEP_NONE, STEP_MOVED, STEP_ENDED };

/* Moves one ready job on, if there is one. */
enum step_progress step_one(struct engine *engine);

/* Steps the engine for at most `budget` ms; returns how many jobs ended. */
int step_for(lua_State *L, struct engine *engine, int budget);

#endif
