/* What the module keeps for each Lua state: the engine, and what its Lua half
 * needs at every turn. */
#ifndef MINIMAX_RUNTIME_H
#define MINIMAX_RUNTIME_H

#include <lua.h>

#include "net/engine.h"

struct run;

struct runtime {
  struct engine engine;     /* first: an engine leads to its runtime */
  struct runtime *parent;   /* in a forked child: the runtime it came with */
  lua_State *worker;        /* the thread in which jobs move on (job.c) */
  int jobs;                 /* a reference: the list of jobs, weak (job.c) */
  lua_Integer job_slots;    /* places in the list */
  lua_Integer free_slot;    /* the first free one; 0: none */
  struct run *run;          /* the innermost minimax.run at work (loop.c) */
  const lua_State *resumed; /* the coroutine that it resumes now, or NULL */
};

/* Creates the first one. Called before all else of the module that has a
 * finalizer: those run in reverse order, so the engine dies last. */
void runtime_open(lua_State *L);

/* In a forked child: makes one for this process, once. */
void runtime_ensure(lua_State *L);

/* The present one. */
struct runtime *runtime_of(lua_State *L);

/* The one that this engine is in. */
struct runtime *runtime_of_engine(struct engine *engine);

#endif
