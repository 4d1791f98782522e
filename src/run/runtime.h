/* What the module keeps for each Lua state: the engine, and what its Lua half
 * needs at every turn. */
#ifndef MINIMAX_RUNTIME_H
#define MINIMAX_RUNTIME_H

#include <lua.h>

#include "net/engine.h"

struct job;
struct run;

/* Who has jobs: a client, or the runtime for those that need no more than the
 * engine. */
struct owner {
  struct engine *engine;
  struct job *jobs; /* under way */
  int moving;       /* jobs that are moved on right now */
  /* The job at `self` was moved on, which others may have waited for. NULL:
   * nobody does. */
  void (*moved)(lua_State *L, struct owner *owner, int self);
};

struct runtime {
  struct engine engine;     /* first: an engine leads to its runtime */
  struct owner owner;       /* of jobs that have no client */
  struct runtime *parent;   /* in a forked child: the runtime it came with */
  lua_State *worker;        /* the thread in which jobs move on (step.c) */
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

/* The innermost run that is resuming a coroutine, or NULL. In a forked child it
 * may be one of the parent's, of which this is a copy. */
struct run *runtime_run(const struct runtime *runtime);

/* Whether this very coroutine was resumed by a run of this engine (a forked
 * child's run is still its parent's). */
int runtime_has_resumed(struct engine *engine, const lua_State *L);

/* Pushes a new table whose keys ("k") or values ("v") are weak. */
void runtime_push_weak(lua_State *L, const char *mode);

/* Push what event loops ask for. */
int runtime_push_pollfd(lua_State *L, const struct engine *engine);
int runtime_push_timeout(lua_State *L, const struct engine *engine);

/* Whether a call that would wait can't: a finalizer runs. */
int runtime_is_finalizing(lua_State *L);

/* Whether this version of Lua lets that be known. */
int runtime_knows_finalizers(void);

#endif
