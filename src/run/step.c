/* The engine's Lua half: moves jobs on. */
#include "run/step.h"

#include "api/box.h"
#include "net/driver.h"
#include "run/job_fail.h"

enum {
  STACK = 40,
  TRIES = 3 /* to move on without memory */
};

/* Protected: what is raised here belongs to the job's owner alone. An answer
 * that has arrived wins over the deadline. */
static int advance(lua_State *L) {
  struct job *job = lua_touserdata(L, 1);
  int late = poller_clock() >= job->deadline;
  if (job->ended || job->news) /* no memory to tell so before */
    job_wake(L, job, 1, WAKE_NEWS);
  if (!lua_checkstack(L, STACK))
    box_no_memory(L);
  if (job->ended)
    return 0;
  if (late)
    driver_catch_up(job->owner->engine, job->deadline);
  job->type->advance(L, job, 1);
  if (late && !job->ended)
    job->type->expire(L, job, 1);
  return 0;
}

/* What was asked for while it was moved on. */
static void catch_up(lua_State *L, struct job *job) {
  job->moving = 0;
  job->owner->moving--;
  if (job->cancelled && !job->ended)
    job_cancel(L, job, job->cancelled);
  if (job->dropped)
    job_release(job);
  if (job->again && (job->back || job->waker))
    engine_wake(job->owner->engine, &job->waiter);
  job->again = 0;
}

/* It is moved on once more: the ballast is the collector's to take, and an
 * answer stays where it is until it was read. */
static void try_again(lua_State *L, struct job *job) {
  job->starved++;
  job->again = 1;
  lua_pushnil(L);
  lua_setiuservalue(L, 1, JOB_BALLAST);
}

/* Ends it with its last word, or else raises the error on top. */
static void give_up(lua_State *L, struct job *job, int no_memory) {
  if (no_memory && lua_getiuservalue(L, 1, JOB_LAST_WORD) != LUA_TNIL)
    job->failed = 1;
  else
    job->raises = 1;
  if (!job->failed && no_memory)
    lua_pop(L, 1);
  job_end(L, job, 1);
}

/* Moves the job at index 1 on, then tells its owner. */
static int move_on(lua_State *L) {
  struct job *job = lua_touserdata(L, 1);
  int result;
  job->moving = 1;
  job->owner->moving++;
  lua_pushcfunction(L, advance);
  lua_pushvalue(L, 1);
  result = lua_pcall(L, 1, 0, 0);
  if (result == LUA_OK)
    job->starved = 0;
  else if (result == LUA_ERRMEM && job->starved < TRIES)
    try_again(L, job);
  else if (!job->ended)
    give_up(L, job, result == LUA_ERRMEM);
  catch_up(L, job);
  lua_settop(L, 1);
  if (job->owner->moved)
    job->owner->moved(L, job->owner, 1);
  return 0;
}

/* What went wrong besides its move is no reason for whoever steps to fail, and
 * the job is not stuck in its move: it is moved on once more. */
static void on_failure(lua_State *L, struct job *job) {
  lua_pop(L, 1);
  lua_warning(L, "minimax: not enough memory", 0);
  job->owner->moving -= job->moving;
  job->moving = 0;
  if (job->back || job->waker)
    engine_wake(job->owner->engine, &job->waiter);
}

/* The Lua half has a thread of its own, which no hook of the caller's reaches:
 * the hook by which Ctrl-C raises its error would otherwise be spent inside a
 * protected call of ours, and the signal lost. */
enum step_progress step_one(struct engine *engine) {
  struct job *job = (struct job *)engine_take(engine);
  lua_State *thread;
  int before;
  if (!job)
    return STEP_NONE;
  if (job->moving) { /* code of the program's own steps in its midst */
    job->again = 1;
    return STEP_MOVED;
  }
  thread = runtime_of_engine(engine)->worker; /* has room for these few */
  lua_pushcfunction(thread, move_on);
  if (!job_push(thread, job)) {
    lua_pop(thread, 1);
    return STEP_MOVED; /* collected, its finalizer still to run */
  }
  before = job->ended;
  if (lua_pcall(thread, 1, 0, 0) != LUA_OK)
    on_failure(thread, job);
  return job->ended && !before ? STEP_ENDED : STEP_MOVED;
}

int step_for(lua_State *L, struct engine *engine, int budget) {
  uint64_t until = poller_clock() + (uint64_t)budget;
  enum step_progress progress;
  int ended = 0;
  int busy;
  if (runtime_is_finalizing(L)) /* perhaps in the middle of a job's move */
    return 0;
  do {
    busy = driver_turn(engine, 0);
    do {
      progress = step_one(engine);
      ended += progress == STEP_ENDED;
    } while (progress != STEP_NONE && poller_clock() <= until);
  } while (busy && poller_clock() < until);
  engine_settle(engine);
  return ended;
}
