/* minimax.spawn and minimax.run. */
#include "run/loop.h"

#include <lauxlib.h>

#include "run/deferred.h"
#include "run/job.h"
#include "run/run_queue.h"
#include "run/step.h"

/*
 * A run is a job: it has news while coroutines are ready, and delivering the
 * news resumes them. So it waits as everything else does, wherever it runs.
 * Its JOB_EXTRA is the table of its run queue. Its JOB_CALLBACK is the
 * coroutine of the function that was given to run, its JOB_SUBJECT an idle one,
 * on whose stack is what that returned.
 *
 * What it does between two coroutines must not raise: it would close the others
 * and lose what they have paid for.
 */

struct run {
  struct job job;
  struct run_queue queue;
};

/* Registry keys: the coroutines spawned outside any run; the run of each
 * coroutine, weakly. */
static const char spawned_key = 0, runs_key = 0;

void loop_open(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &spawned_key);
  runtime_push_weak(L, "k");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &runs_key);
}

/* ---- who is ready ---- */

static struct run *run_at(lua_State *L, int index) {
  return lua_touserdata(L, index);
}

/* Makes it ready, and tells the run at `self`. */
static void add_ready(lua_State *L, int self, int thread) {
  struct run *run = run_at(L, self);
  thread = lua_absindex(L, thread);
  lua_getiuservalue(L, self, JOB_EXTRA);
  run_queue_make_ready(L, &run->queue, lua_gettop(L), thread);
  lua_pop(L, 1);
  job_tell(L, &run->job, self);
}

/* Pushes the run of the coroutine at `thread`; nil if it has none. */
static int push_run(lua_State *L, int thread) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runs_key);
  lua_pushvalue(L, thread);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return !lua_isnil(L, -1);
}

/* The coroutine at index 1 has news of what it waits for. */
static int make_ready(lua_State *L) {
  lua_settop(L, 1);
  if (push_run(L, 1))
    add_ready(L, 2, 1);
  return 0;
}

/* At once where its job was closed, too: the run counts its coroutines. */
static int loop_wake(lua_State *L, enum wake_reason reason) {
  if (reason == WAKE_COLLECTED)
    return 0;
  lua_pushnil(L);
  return deferred_wake_now(L, make_ready);
}

const struct waker loop_waker = {loop_wake};

/* The coroutine at `thread` joins the run at `self`. */
static void join(lua_State *L, int self, int thread) {
  struct run *run = run_at(L, self);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runs_key);
  lua_pushvalue(L, thread);
  lua_pushvalue(L, self);
  lua_rawset(L, -3);
  lua_getiuservalue(L, self, JOB_EXTRA);
  run_queue_add(L, &run->queue, lua_gettop(L), thread);
  lua_pop(L, 2);
  add_ready(L, self, thread);
}

/* ---- resuming ---- */

/* Keeps the first error, which is on top, and pops it. */
static void keep_error(lua_State *L, int self) {
  struct job *job = &run_at(L, self)->job;
  if (job->raises) {
    lua_pop(L, 1);
    return;
  }
  job->raises = 1;
  lua_setiuservalue(L, self, JOB_RESULT);
}

/* Keeps what the main function returned: the values on `co`. */
static void keep_results(lua_State *L, int self, lua_State *co, int count) {
  lua_State *results;
  lua_getiuservalue(L, self, JOB_SUBJECT);
  results = lua_tothread(L, -1);
  lua_pop(L, 1);
  if (lua_checkstack(results, count)) {
    lua_xmove(co, results, count);
    return;
  }
  lua_settop(co, 0);
  lua_pushliteral(L, "not enough memory"); /* is there, as Lua's own error */
  keep_error(L, self);
}

/* The text of an error with where it came from. */
static int explain(lua_State *L) {
  lua_State *co = lua_touserdata(L, 1);
  luaL_traceback(L, co, lua_tostring(co, -1), 0);
  return 1;
}

/* A string comes with where it came from, unless there is no memory to say. */
static void keep_failure(lua_State *L, int self, lua_State *co) {
  int explained = 0;
  if (lua_type(co, -1) == LUA_TSTRING) {
    lua_pushcfunction(L, explain);
    lua_pushlightuserdata(L, co);
    explained = lua_pcall(L, 1, 1, 0) == LUA_OK;
    if (!explained)
      lua_pop(L, 1);
  }
  if (!explained)
    lua_xmove(co, L, 1);
  keep_error(L, self);
  lua_resetthread(co); /* closes what it has pending */
}

/* A coroutine of which nothing is left to resume: somebody closed it. */
static int is_dead(lua_State *co) {
  switch (lua_status(co)) {
  case LUA_YIELD:
    return 0;
  case LUA_OK:
    return lua_gettop(co) == 0;
  default:
    return 1;
  }
}

static int resume(lua_State *L, struct run *run, lua_State *co, int *count) {
  struct runtime *runtime = runtime_of_engine(run->job.owner->engine);
  struct run *outer = runtime->run;
  const lua_State *resumed = runtime->resumed;
  int arguments = lua_status(co) == LUA_OK ? lua_gettop(co) - 1 : 0;
  int code;
  runtime->run = run;
  runtime->resumed = co;
  code = lua_resume(co, L, arguments, count);
  runtime->run = outer;
  runtime->resumed = resumed;
  return code;
}

/* It yielded something of its own: it goes on in the next round. */
static void on_yield(lua_State *L, int self, int thread, lua_State *co,
                     int count) {
  const struct job *job = count == 1 ? job_at(co, -1) : NULL;
  int waits = job && job->waker;
  lua_pop(co, count);
  if (!waits)
    add_ready(L, self, thread);
}

/* Whether it is that of the function which was given to the run at `self`. */
static int is_main(lua_State *L, int self, int thread) {
  int is_equal;
  lua_getiuservalue(L, self, JOB_CALLBACK);
  is_equal = lua_rawequal(L, -1, thread);
  lua_pop(L, 1);
  return is_equal;
}

/* Resumes the coroutine at `thread` of the run queue at `table`. */
static void resume_one(lua_State *L, int self, int table, int thread) {
  struct run *run = run_at(L, self);
  lua_State *co = lua_tothread(L, thread);
  int count = 0;
  int code;
  if (is_dead(co)) {
    run_queue_remove(L, &run->queue, table, thread);
    return;
  }
  code = resume(L, run, co, &count);
  if (code == LUA_YIELD) {
    on_yield(L, self, thread, co, count);
    return;
  }
  run_queue_remove(L, &run->queue, table, thread);
  if (code != LUA_OK)
    keep_failure(L, self, co);
  else if (is_main(L, self, thread))
    keep_results(L, self, co, count);
  else
    lua_pop(co, count);
}

/* Resumes each coroutine that is ready now, once. */
static int run_round(lua_State *L) {
  struct run *run = run_at(L, 1);
  lua_getiuservalue(L, 1, JOB_EXTRA);
  for (lua_Integer left = run->queue.ready; left > 0; left--) {
    run_queue_push_next(L, &run->queue, 2);
    resume_one(L, 1, 2, 3);
    lua_settop(L, 2);
  }
  if (run->queue.ready > 0) /* some go on at once: see to the others, too */
    step_for(L, run->job.owner->engine, 0);
  return 0;
}

/* ---- the job ---- */

static void run_advance(lua_State *L, struct job *job, int self) {
  (void)L, (void)job, (void)self;
}

static int run_deliver(lua_State *L, struct job *job, int self) {
  (void)job;
  lua_pushcfunction(L, run_round);
  lua_pushvalue(L, self);
  return 1;
}

static void run_delivered(lua_State *L, struct job *job, int self,
                          int results) {
  const struct run *run = (struct run *)job;
  (void)results;
  if (run->queue.alive == 0 && !job->ended) {
    lua_getiuservalue(L, self, JOB_RESULT); /* an error, or nil */
    job_end(L, job, self);
  }
}

static int run_push_results(lua_State *L, struct job *job, int self) {
  lua_State *results;
  int count;
  if (job->failed)
    return job_push_outcome(L, job, self);
  if (lua_getiuservalue(L, self, JOB_SUBJECT) != LUA_TTHREAD)
    return 0;
  results = lua_tothread(L, -1);
  count = lua_gettop(results);
  luaL_checkstack(L, count, "too many results");
  lua_xmove(results, L, count);
  return count;
}

/* A run that ends before its coroutines closes them, and so cancels what they
 * wait for. Closing one runs code of its own, which changes the queue. */
static void run_close(lua_State *L, struct job *job, int self) {
  struct run_queue *queue = &((struct run *)job)->queue;
  int table = lua_gettop(L) + 1;
  lua_getiuservalue(L, self, JOB_EXTRA);
  run_queue_make_all_ready(L, queue, table);
  while (queue->ready > 0) {
    lua_State *co;
    run_queue_push_next(L, queue, table);
    co = lua_tothread(L, -1);
    run_queue_remove(L, queue, table, table + 1); /* or closing wakes it */
    if (!is_dead(co) && co != L)
      lua_resetthread(co);
    lua_settop(L, table);
  }
  lua_settop(L, table - 1);
}

static const struct job_type type = {
    JOB_TYPE("run", run_advance, run_advance, job_holds_nothing),
    .deliver = run_deliver,
    .delivered = run_delivered,
    .push_results = run_push_results,
    .close = run_close,
};

/* ---- the calls ---- */

/* Replaces the function and its arguments, from `index` to the top, by a
 * coroutine that holds them. */
static void make_thread(lua_State *L, int index) {
  int count = lua_gettop(L) - index + 1;
  lua_State *co = lua_newthread(L);
  luaL_checkstack(co, count, "too many arguments");
  lua_insert(L, index);
  lua_xmove(L, co, count);
}

/*** Makes a coroutine that `minimax.run` runs; closing it cancels what it
waits for.
@function spawn
@tparam function fn
@param ... its arguments
@treturn thread */
int loop_spawn(lua_State *L) {
  const struct run *run;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  make_thread(L, 1);
  run = runtime_run(runtime_of(L));
  if (run && job_push(L, &run->job)) {
    join(L, 2, 1);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &spawned_key);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  lua_settop(L, 1);
  return 1;
}

/* What was spawned before belongs to the outermost run. */
static void join_spawned(lua_State *L, int self) {
  int list;
  if (runtime_run(runtime_of(L)))
    return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &spawned_key);
  list = lua_gettop(L);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &spawned_key);
  for (lua_Integer i = 1; lua_rawgeti(L, list, i) == LUA_TTHREAD; i++) {
    join(L, self, list + 1);
    lua_settop(L, list);
  }
  lua_settop(L, list - 1);
}

void loop_push_run(lua_State *L) {
  struct run *run;
  int has_main = !lua_isnoneornil(L, 1);
  if (has_main) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    make_thread(L, 1);
  }
  lua_settop(L, 1);
  run = (struct run *)job_new_bare(L, sizeof *run, &type);
  run_queue_push(L);
  lua_setiuservalue(L, 2, JOB_EXTRA);
  join_spawned(L, 2);
  if (has_main) {
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, JOB_CALLBACK);
    lua_newthread(L);
    lua_setiuservalue(L, 2, JOB_SUBJECT);
    join(L, 2, 1);
  }
  job_tell(L, &run->job, 2); /* even with nothing to do it looks, and ends */
}
