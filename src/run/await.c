/* Waits for a job wherever Lua runs. */
#include "run/await.h"

#include <lauxlib.h>

#include "run/client.h"
#include "net/driver.h"
#include "net/long_sleep.h"
#include "run/deferred.h"
#include "run/loop.h"
#include "run/cqueues.h"

enum {
  SLICE = 200, /* ms: where Ctrl-C wakes nobody, it is noticed after that */
  LONGEST_DOZE = 3600000, /* ms */
  LOOK = 10,              /* ms: between two looks where no descriptor tells */
  AGAIN = 10, /* ms: until it is tried again what there was no memory for */
  TURN = 2    /* ms: what a resumed coroutine may work */
};

/* The key of the adapter that luv, copas and others set. */
static const char adapter_key = 0;

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

/* ---- stepping ---- */

int await_step(lua_State *L, struct engine *engine, int budget) {
  uint64_t until = poller_clock() + (uint64_t)budget;
  enum job_progress progress;
  int ended = 0;
  int busy;
  if (await_is_finalizing(L)) /* perhaps in the middle of a job's move */
    return 0;
  do {
    busy = driver_turn(engine, 0);
    do {
      progress = job_advance_one(engine);
      ended += progress == JOB_ENDED;
    } while (progress != JOB_NONE && poller_clock() <= until);
  } while (busy && poller_clock() < until);
  engine_settle(engine);
  return ended;
}

int await_push_pollfd(lua_State *L, const struct engine *engine) {
  if (engine->poller.fd < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, engine->poller.fd);
  return 1;
}

int await_push_timeout(lua_State *L, const struct engine *engine) {
  uint64_t due = engine_due(engine);
  uint64_t now = poller_clock();
  /* With no descriptor to watch, sockets are looked at every so often. */
  if (engine->poller.fd < 0 && engine->transfers && due > now + LOOK)
    due = now + LOOK;
  if (!engine_is_awaited(engine))
    lua_pushnil(L);
  else
    lua_pushnumber(L, due > now ? (lua_Number)(due - now) / 1000 : 0);
  return 1;
}

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
  return engine_state(job->client->engine) == ENGINE_FORKED;
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
  int time = idle_time(engine, LONGEST_DOZE);
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
  struct engine *engine = job->client->engine;
  lua_Hook hook = lua_gethook(main_thread(L));
  for (;;) {
    while (job_advance_one(engine) != JOB_NONE)
      ;
    if (job->ended || job->news || is_orphan(job))
      return;
    wait_for_work(L, engine, hook);
  }
}

/* ---- who runs this coroutine? ---- */

static int push_adapter(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &adapter_key) == LUA_TTABLE)
    return 1;
  lua_pop(L, 1);
  return 0;
}

/*** Says how coroutines wait in a loop of the program's own. `token()` names
the running coroutine, `park(token)` yields it to its loop, and `wake(token)`
has the loop resume it; the loop drives `minimax.step`. nil takes it away.
@function adapter
@tparam table|nil adapter the functions `token`, `park` and `wake` */
int await_set_adapter(lua_State *L) {
  static const char *const needed[] = {"token", "park", "wake"};
  if (!lua_isnil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    for (int i = 0; i < 3; i++) {
      luaL_argcheck(L, lua_getfield(L, 1, needed[i]) == LUA_TFUNCTION, 1,
                    "an adapter has the functions token, park and wake");
      lua_pop(L, 1);
    }
  }
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &adapter_key);
  return 0;
}

static enum place find_place(lua_State *L, const struct job *job) {
  int has_adapter;
  if (job->block || !lua_isyieldable(L))
    return PLACE_BLOCK;
  if (loop_is_current(L, job->client->engine))
    return PLACE_LOOP;
  switch (cqueues_running(L)) {
  case CQUEUES_HERE:
    return PLACE_CQUEUES;
  case CQUEUES_ABOVE: /* a generator inside a cqueues coroutine */
    return loop_is_busy(job->client->engine) ? PLACE_BLOCK : PLACE_CQUEUES;
  case CQUEUES_NOWHERE:
    break;
  }
  if (loop_is_busy(
          job->client->engine)) /* a generator inside a spawned function */
    return PLACE_BLOCK;
  has_adapter = push_adapter(L);
  lua_settop(L, 0);
  return has_adapter ? PLACE_ADAPTER : PLACE_BARE;
}

/* ---- sleeping ---- */

/* Nothing but what is yielded may stand on the stack here, and nothing that
 * must be given back may be held: yielding never returns. */

static int yield_job(lua_State *L, struct job *job) {
  engine_settle(job->client->engine);
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return lua_yieldk(L, 1, RESUMED, await_round);
}

/* Our own loop steps before it gives control away: nothing to settle here. */
static int yield_to_loop(lua_State *L, struct job *job) {
  lua_pushthread(L);
  lua_setiuservalue(L, lua_upvalueindex(1), JOB_TOKEN);
  job->parked = PLACE_LOOP;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return lua_yieldk(L, 1, RESUMED, await_round);
}

static int yield_to_cqueues(lua_State *L, struct job *job) {
  lua_settop(L, 0);
  cqueues_push_yield(L, lua_upvalueindex(1)); /* _POLL and a condition */
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, lua_upvalueindex(1), JOB_TOKEN);
  job->parked = PLACE_CQUEUES;
  engine_settle(job->client->engine);
  return lua_yieldk(L, 2, RESUMED, await_round);
}

/* Calls the adapter's park, which yields as its loop wants it. */
static void park_with_adapter(lua_State *L, struct job *job) {
  push_adapter(L);
  lua_getfield(L, 1, "park");
  lua_getfield(L, 1, "token");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, lua_upvalueindex(1), JOB_TOKEN);
  job->parked = PLACE_ADAPTER;
  engine_settle(job->client->engine);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_callk(L, 2, 0, RESUMED, await_round);
  lua_settop(L, 0);
}

/* Tells the adapter: its token, and whether the waiter is gone. */
static int wake_in_adapter(lua_State *L) {
  if (!push_adapter(L))
    return 0;
  lua_getfield(L, 3, "wake");
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_call(L, 2, 0);
  return 0;
}

/* Tells cqueues: the condition, and the job whose waiter sleeps on it. */
static int wake_in_cqueues(lua_State *L) {
  cqueues_signal(L, 2, 1);
  return 0;
}

/* Tells our own loop: the coroutine. */
static int wake_in_loop(lua_State *L) {
  loop_make_ready(L, 1);
  return 0;
}

/* Calls the function with the two values on top; -1: no memory for that. It is
 * code of others: its error is no reason to lose a result, and where finalizers
 * run, what it works with may be gone. */
static int call_waker(lua_State *L, lua_CFunction waker) {
  int result;
  lua_pushcfunction(L, waker);
  lua_insert(L, -3);
  result = lua_pcall(L, 2, 0, 0);
  if (result == LUA_OK)
    return 0;
  if (result == LUA_ERRMEM) {
    lua_pop(L, 1);
    return -1;
  }
  lua_warning(L, "minimax: error in waking a coroutine: ", 1);
  lua_warning(L, luaL_tolstring(L, -1, NULL), 0);
  lua_pop(L, 2);
  return 0;
}

/* Calls it; or has that done soon, where a finalizer runs. */
static int call_or_send(lua_State *L, lua_CFunction waker) {
  if (!await_is_finalizing(L))
    return call_waker(L, waker);
  deferred_send(L, waker);
  return 0;
}

void await_unpark(lua_State *L, struct job *job, int self,
                  enum await_reason reason) {
  unsigned char place = job->parked;
  int top = lua_gettop(L);
  int told = 0;
  job->parked = 0; /* now: who is woken may run at once, and park again */
  lua_getiuservalue(L, self, JOB_TOKEN);
  if (place == PLACE_ADAPTER) {
    lua_pushboolean(L, reason != AWAIT_NEWS);
    told = call_or_send(L, wake_in_adapter);
  } else if (place == PLACE_LOOP && reason != AWAIT_COLLECTED) {
    lua_pushnil(L);
    told = call_waker(L, wake_in_loop); /* closed, too: the run counts them */
  } else if (place == PLACE_CQUEUES) {
    lua_pushvalue(L, self);
    told = call_or_send(L, wake_in_cqueues);
  }
  lua_settop(L, top);
  if (told < 0 && reason != AWAIT_COLLECTED) {
    job->parked = place;
    engine_alarm(job->client->engine, &job->waiter, poller_clock() + AGAIN);
  }
}

/* ---- one round ---- */

/* Calls the user's function in the coroutine that owns the operation: an error
 * in it goes to its caller and to nobody else, and it may yield. */
static void deliver(lua_State *L, struct job *job) {
  int count;
  lua_pushvalue(L, lua_upvalueindex(1));
  count = job->type->deliver(L, job, 1);
  if (count >= 0) {
    lua_callk(L, count, 2, DELIVERED, await_round);
  }
  job->type->delivered(L, job, 1, lua_gettop(L) - 1);
  lua_settop(L, 0);
}

static int finish(lua_State *L, struct job *job) {
  /* Under our own loop control comes back to it before anyone looks. */
  if (!loop_is_current(L, job->client->engine))
    engine_settle(job->client->engine);
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
      await_step(L, job->client->engine, TURN);
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

/* While a finalizer runs the collector does nothing that it is asked for, and
 * says so; Lua before 5.4.4 does not. */
int await_is_finalizing(lua_State *L) {
  return lua_gc(L, LUA_GCCOUNT) == -1;
}

static int note_finalizing(lua_State *L) {
  *(int *)lua_touserdata(L, lua_upvalueindex(1)) = await_is_finalizing(L);
  return 0;
}

static int make_finalizer(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, note_finalizing, 1);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return 1;
}

/* A state of its own: closing it runs the finalizer, whatever the host's
 * collector does. */
int await_knows_finalizers(void) {
  int known = 1; /* without memory this is not the place to say so */
  lua_State *L = luaL_newstate();
  if (!L)
    return known;
  lua_pushcfunction(L, make_finalizer);
  lua_pushlightuserdata(L, &known);
  lua_pcall(L, 1, 1, 0);
  lua_close(L);
  return known;
}

/* Calls the inner function, which alone keeps to the rules of yielding. */
static int await_called(lua_State *L, lua_KFunction after) {
  int self = lua_gettop(L);
  struct job *job = lua_touserdata(L, self);
  if (await_is_finalizing(L) && !job->ended)
    job_refuse(L, job, self);
  lua_pushvalue(L, self);
  lua_pushcclosure(L, await_rounds, 1);
  lua_callk(L, 0, LUA_MULTRET, self, after);
  return after(L, LUA_OK, self);
}

static int return_results(lua_State *L, int status, lua_KContext self) {
  (void)status;
  return lua_gettop(L) - (int)self;
}

int await_job(lua_State *L) {
  return await_then(L, return_results);
}

int await_then(lua_State *L, lua_KFunction after) {
  lua_toclose(L, -1); /* closing the coroutine cancels at once */
  return await_called(L, after);
}

int await_again(lua_State *L) {
  return await_called(L, return_results);
}
