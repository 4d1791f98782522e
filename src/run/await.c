/* Waits for a job wherever Lua runs. */
#include "run/await.h"

#include <lauxlib.h>

#include "net/driver.h"
#include "net/long_sleep.h"
#include "run/adapter.h"
#include "run/cqueues.h"
#include "run/job_fail.h"
#include "run/loop.h"
#include "run/step.h"

enum {
  SLICE = 200, /* ms: where Ctrl-C wakes nobody, it is noticed after that */
  LONGEST_SLEEP = 3600000, /* ms */
  TURN = 2                 /* ms: what a resumed coroutine may work */
};

/* Where the round in progress waits. */
enum place {
  PLACE_BLOCK,
  PLACE_LOOP,
  PLACE_CQUEUES,
  PLACE_ADAPTER,
  PLACE_BARE
};

/* What a continuation goes on with. */
enum { BEGUN, RESUMED, DELIVERED };

static int await_round(lua_State *L, int status, lua_KContext context);

/* ---- blocking ---- */

static int do_nothing(lua_State *L) {
  (void)L;
  return 0;
}

static lua_State *main_thread(lua_State *L) {
  lua_State *main;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

/* Whether a signal handler has set a hook. The standalone interpreter sets it
 * on the main thread only, so inside a coroutine we look there. */
static int is_interrupted(lua_State *L, lua_Hook before) {
  return lua_gethook(main_thread(L)) != before;
}

/* Lets such a hook run. */
static void on_signals(lua_State *L, lua_Hook before) {
  int result;
  lua_pushcfunction(L, do_nothing);
  result = lua_pcall(L, 0, 0, 0);
  if (result == LUA_ERRMEM) /* to call a function: no reason to lose a result */
    lua_pop(L, 1);
  else if (result != LUA_OK)
    lua_error(L);
  if (is_interrupted(L, before))
    luaL_error(L, "interrupted!");
}

/* Whether this is a forked child, and the job its parent's. */
static int is_orphan(const struct job *job) {
  return engine_state(job->owner->engine) == ENGINE_FORKED;
}

/* How long there will be no work, at most `limit`. */
static int idle_time(const struct engine *engine, int limit) {
  uint64_t due = engine_due(engine);
  uint64_t now = poller_clock();
  if (due >= now + (uint64_t)limit)
    return limit;
  return due > now ? (int)(due - now) : 0;
}

/* A wait for longer than a slice that costs no wake-up, where it can be: a hook
 * that the program has set wants to run now and then. */
static int sleep_long(lua_State *L, const struct engine *engine,
                      lua_Hook before) {
  struct long_sleep sleep;
  int time = idle_time(engine, LONGEST_SLEEP);
  if (before || time <= SLICE || engine->poller.fd < 0 ||
      long_sleep_begin(&sleep) < 0)
    return 0;
  if (!is_interrupted(L, before))
    long_sleep_sleep(&sleep, engine->poller.fd, time);
  long_sleep_end(&sleep);
  return 1;
}

static void wait_for_work(lua_State *L, struct engine *engine,
                          lua_Hook before) {
  engine_settle_sockets(engine);
  if (sleep_long(L, engine, before))
    driver_turn(engine, 0);
  else
    driver_turn(engine, idle_time(engine, SLICE));
  on_signals(L, before);
}

/* All that is ready moves on before the next turn, and before its owners: so
 * the work of many comes in batches, and a batch costs one turn. */
static void block(lua_State *L, struct job *job) {
  struct engine *engine = job->owner->engine;
  lua_Hook hook = lua_gethook(main_thread(L));
  for (;;) {
    while (step_one(engine) != STEP_NONE)
      ;
    if (job->ended || job->news || is_orphan(job))
      return;
    wait_for_work(L, engine, hook);
  }
}

/* ---- who runs this coroutine? ---- */

static enum place find_place(lua_State *L, const struct job *job) {
  struct engine *engine = job->owner->engine;
  int in_run = runtime_run(runtime_of_engine(engine)) != NULL;
  if (job->block || !lua_isyieldable(L))
    return PLACE_BLOCK;
  if (runtime_has_resumed(engine, L))
    return PLACE_LOOP;
  switch (cqueues_running(L)) {
  case CQUEUES_HERE:
    return PLACE_CQUEUES;
  case CQUEUES_ABOVE: /* a generator inside a cqueues coroutine */
    return in_run ? PLACE_BLOCK : PLACE_CQUEUES;
  case CQUEUES_NOWHERE:
    break;
  }
  if (in_run) /* a generator inside a spawned function */
    return PLACE_BLOCK;
  return adapter_is_set(L) ? PLACE_ADAPTER : PLACE_BARE;
}

/* ---- sleeping ---- */

/* Nothing but what is yielded may stand on the stack here, and nothing that
 * must be given back may be held: yielding never returns. */

static int yield_job(lua_State *L, struct job *job) {
  engine_settle(job->owner->engine);
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return lua_yieldk(L, 1, RESUMED, await_round);
}

/* Our own loop steps before it gives control away: nothing to settle here. */
static int yield_to_loop(lua_State *L, struct job *job) {
  lua_pushthread(L);
  job_park(L, job, lua_upvalueindex(1), &loop_waker);
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return lua_yieldk(L, 1, RESUMED, await_round);
}

static int yield_to_cqueues(lua_State *L, struct job *job) {
  lua_settop(L, 0);
  cqueues_push_yield(L);
  job_park(L, job, lua_upvalueindex(1), &cqueues_waker);
  engine_settle(job->owner->engine);
  return lua_yieldk(L, 2, RESUMED, await_round);
}

/* Calls the adapter's park, which yields as its loop wants it. */
static void park_with_adapter(lua_State *L, struct job *job) {
  adapter_push_park(L, lua_upvalueindex(1));
  lua_pushvalue(L, -1);
  job_park(L, job, lua_upvalueindex(1), &adapter_waker);
  engine_settle(job->owner->engine);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_callk(L, 2, 0, RESUMED, await_round);
  lua_settop(L, 0);
}

/* ---- one round ---- */

/* Calls the user's function in the coroutine that owns the operation: an error
 * in it goes to its caller and to nobody else, and it may yield. */
static void deliver(lua_State *L, struct job *job) {
  int count;
  lua_pushvalue(L, lua_upvalueindex(1));
  count = job_deliver(L, job, 1);
  if (count >= 0)
    lua_callk(L, count, 2, DELIVERED, await_round);
  job->type->delivered(L, job, 1, lua_gettop(L) - 1);
  lua_settop(L, 0);
}

static int finish(lua_State *L, struct job *job) {
  /* Under our own loop control comes back to it before anyone looks. */
  if (!runtime_has_resumed(job->owner->engine, L))
    engine_settle(job->owner->engine);
  lua_pushvalue(L, lua_upvalueindex(1));
  return job_push_results(L, job, 1);
}

static void orphan(lua_State *L, struct job *job) {
  lua_pushvalue(L, lua_upvalueindex(1));
  job_orphan(L, job, 1);
  lua_settop(L, 0);
}

/* Nothing is known of the stack after a yield: resumers differ in what they
 * leave there. After a call it holds the job and two results. */
static int await_round(lua_State *L, int status, lua_KContext context) {
  struct job *job = lua_touserdata(L, lua_upvalueindex(1));
  int was_resumed = context == RESUMED;
  (void)status;
  if (context == DELIVERED)
    job->type->delivered(L, job, 1, lua_gettop(L) - 1);
  lua_settop(L, 0);
  for (;;) {
    if (job->news) {
      deliver(L, job);
      continue;
    }
    if (!job->ended && is_orphan(job))
      orphan(L, job);
    if (job->ended)
      return finish(L, job);
    switch (find_place(L, job)) {
    case PLACE_LOOP:
      return yield_to_loop(L, job);
    case PLACE_CQUEUES:
      return yield_to_cqueues(L, job);
    case PLACE_ADAPTER:
      park_with_adapter(L, job);
      break;
    case PLACE_BARE:
      if (!was_resumed)
        return yield_job(L, job);
      was_resumed = 0;
      step_for(L, job->owner->engine, TURN);
      break;
    case PLACE_BLOCK:
      block(L, job);
      break;
    }
  }
}

static int await_rounds(lua_State *L) {
  return await_round(L, LUA_OK, BEGUN);
}

static int return_results(lua_State *L, int status, lua_KContext self) {
  (void)status;
  return lua_gettop(L) - (int)self;
}

/* Calls the inner function, which alone keeps to the rules of yielding. */
int await_again(lua_State *L) {
  int self = lua_gettop(L);
  struct job *job = lua_touserdata(L, self);
  if (runtime_is_finalizing(L) && !job->ended)
    job_refuse(L, job, self);
  lua_pushvalue(L, self);
  lua_pushcclosure(L, await_rounds, 1);
  lua_callk(L, 0, LUA_MULTRET, self, return_results);
  return return_results(L, LUA_OK, self);
}

int await_job(lua_State *L) {
  lua_toclose(L, -1); /* closing the coroutine cancels at once */
  return await_again(L);
}
