/* minimax.spawn and minimax.run. */
#include "run/loop.h"

#include <lauxlib.h>

#include "run/await.h"
#include "run/client.h"
#include "run/runtime.h"
#include "run/job.h"

/*
 * A run is a job: it has news while coroutines are ready, and delivering the
 * news resumes them. So it waits as everything else does, wherever it runs.
 * Its JOB_EXTRA is a table: the ready coroutines (first to last), and each
 * living one as a key. Its JOB_CALLBACK is the coroutine of the function that
 * was given to run, its JOB_SUBJECT a table of what that returned.
 */

struct run {
  struct job job;
  lua_Integer first, last; /* of the ready ones; none if first > last */
  lua_Integer alive;
};

/* Registry keys: the coroutines spawned outside any run; the run of each
 * coroutine, weakly. */
static const char spawned_key = 0, runs_key = 0;

void loop_open(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &spawned_key);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &runs_key);
}

/* The innermost run that is resuming a coroutine, or NULL. In a forked child it
 * may be one of the parent's, of which this is a copy. */
static struct run *run_at_work(const struct runtime *runtime) {
  while (runtime && !runtime->resumed)
    runtime = runtime->parent;
  return runtime ? runtime->run : NULL;
}

int loop_is_busy(struct engine *engine) {
  return run_at_work(runtime_of_engine(engine)) != NULL;
}

int loop_is_current(const lua_State *L, struct engine *engine) {
  return runtime_of_engine(engine)->resumed == L;
}

/* ---- who is ready ---- */

static struct run *run_at(lua_State *L, int index) {
  return lua_touserdata(L, index);
}

/* Puts the coroutine at `thread` into the list of the ready of the run at
 * `self`. */
static void put_in_list(lua_State *L, int self, int thread) {
  struct run *run = run_at(L, self);
  thread = lua_absindex(L, thread);
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_pushvalue(L, thread);
  lua_rawseti(L, -2, run->last + 1);
  run->last++;
  lua_pop(L, 1);
}

/* The same, and tells the run. */
static void add_ready(lua_State *L, int self, int thread) {
  put_in_list(L, self, thread);
  job_tell(L, &run_at(L, self)->job, self);
}

/* Pushes the run of the coroutine at `thread`; nil if it has none. */
static int push_run(lua_State *L, int thread) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runs_key);
  lua_pushvalue(L, thread);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return !lua_isnil(L, -1);
}

void loop_make_ready(lua_State *L, int index) {
  if (push_run(L, index))
    add_ready(L, lua_gettop(L), index);
  lua_pop(L, 1);
}

/* The coroutine at `thread` joins the run at `self`. */
static void join(lua_State *L, int self, int thread) {
  struct run *run = run_at(L, self);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runs_key);
  lua_pushvalue(L, thread);
  lua_pushvalue(L, self);
  lua_rawset(L, -3);
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_pushvalue(L, thread);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 2);
  put_in_list(L, self, thread);
  run->alive++; /* once it is sure to be resumed */
  job_tell(L, &run->job, self);
}

/* ---- resuming ---- */

/* The coroutine at `thread` is no more: nothing holds it any longer. */
static void leave(lua_State *L, int self, int thread) {
  struct run *run = run_at(L, self);
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_pushvalue(L, thread);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  run->alive--;
}

/* Keeps what the main function returned: the values on `co`. */
static void keep_results(lua_State *L, int self, lua_State *co, int count) {
  lua_createtable(L, count, 1);
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
  luaL_checkstack(L, count + 4, "too many results");
  lua_xmove(co, L, count);
  for (int i = count; i > 0; i--)
    lua_rawseti(L, -1 - i, i);
  lua_setiuservalue(L, self, JOB_SUBJECT);
}

/* Keeps the first error: a string with where it came from. */
static void keep_failure(lua_State *L, int self, lua_State *co) {
  struct run *run = run_at(L, self);
  if (!run->job.raises) {
    run->job.raises = 1;
    if (lua_type(co, -1) == LUA_TSTRING)
      luaL_traceback(L, co, lua_tostring(co, -1), 0);
    else
      lua_xmove(co, L, 1);
    lua_setiuservalue(L, self, JOB_RESULT);
  }
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
  struct runtime *runtime = runtime_of_engine(run->job.client->engine);
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
  int waits = job && job->parked;
  lua_pop(co, count);
  if (!waits)
    add_ready(L, self, thread);
}

static void resume_one(lua_State *L, int self, int thread) {
  lua_State *co = lua_tothread(L, thread);
  int count = 0;
  int is_main;
  if (is_dead(co)) {
    leave(L, self, thread);
    return;
  }
  switch (resume(L, run_at(L, self), co, &count)) {
  case LUA_YIELD:
    on_yield(L, self, thread, co, count);
    return;
  case LUA_OK:
    lua_getiuservalue(L, self, JOB_CALLBACK);
    is_main = lua_rawequal(L, -1, thread);
    lua_pop(L, 1);
    if (is_main)
      keep_results(L, self, co, count);
    else
      lua_pop(co, count);
    break;
  default:
    keep_failure(L, self, co);
    break;
  }
  leave(L, self, thread);
}

/* Resumes each coroutine that is ready now, once. */
static int run_round(lua_State *L) {
  struct run *run = run_at(L, 1);
  lua_Integer last = run->last;
  while (run->first <= last) {
    lua_getiuservalue(L, 1, JOB_EXTRA);
    lua_rawgeti(L, 2, run->first);
    lua_pushnil(L);
    lua_rawseti(L, 2, run->first++);
    resume_one(L, 1, 3);
    lua_settop(L, 1);
  }
  if (run->first <= run->last) /* some go on at once: see to the others, too */
    await_step(L, run->job.client->engine, 0);
  return 0;
}

/* ---- the job ---- */

static void run_advance(lua_State *L, struct job *job, int self) {
  (void)L, (void)job, (void)self;
}

static void run_release(struct job *job) {
  (void)job;
}

static int run_deliver(lua_State *L, struct job *job, int self) {
  job->news = 0;
  lua_pushcfunction(L, run_round);
  lua_pushvalue(L, self);
  return 1;
}

static void run_delivered(lua_State *L, struct job *job, int self,
                          int results) {
  const struct run *run = (struct run *)job;
  (void)results;
  if (run->alive == 0 && !job->ended) {
    lua_getiuservalue(L, self, JOB_RESULT); /* an error, or nil */
    job_succeed(L, job, self);
  }
}

static int run_push_results(lua_State *L, struct job *job, int self) {
  int count = 0, results;
  if (job->failed)
    return job_push_outcome(L, job, self);
  if (lua_getiuservalue(L, self, JOB_SUBJECT) != LUA_TTABLE)
    return 0;
  results = lua_gettop(L);
  lua_getfield(L, results, "n");
  count = (int)lua_tointeger(L, -1);
  luaL_checkstack(L, count, "too many results");
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, results, i);
  return count;
}

/* Pushes a list of the living coroutines: closing one runs code of its own, and
 * changes the table. Returns their number. */
static lua_Integer list_crew(lua_State *L, int self) {
  lua_Integer count = 0;
  int crew;
  lua_newtable(L);
  lua_getiuservalue(L, self, JOB_EXTRA);
  crew = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, crew)) {
    lua_pop(L, 1);
    if (!lua_isthread(L, -1))
      continue;
    lua_pushvalue(L, -1);
    lua_rawseti(L, crew - 1, ++count);
  }
  lua_settop(L, crew - 1);
  return count;
}

/* A run that ends before its coroutines closes them, and so cancels what they
 * wait for. */
static void run_close(lua_State *L, struct job *job, int self) {
  int list = lua_gettop(L) + 1;
  lua_Integer count;
  (void)job;
  count = list_crew(L, self);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_State *co;
    lua_rawgeti(L, list, i);
    co = lua_tothread(L, -1);
    if (!is_dead(co) && co != L)
      lua_resetthread(co);
    lua_settop(L, list);
  }
  lua_settop(L, list - 1);
}

static const struct job_type type = {
    .stage = "run",
    .advance = run_advance,
    .expire = run_advance,
    .release = run_release,
    .deliver = run_deliver,
    .delivered = run_delivered,
    .push_results = run_push_results,
    .close = run_close,
};

/* ---- sleep ---- */

static void sleep_advance(lua_State *L, struct job *job, int self) {
  (void)L, (void)self;
  job_sleep(job, POLLER_NEVER); /* until its deadline */
}

static void sleep_expire(lua_State *L, struct job *job, int self) {
  lua_pushboolean(L, 1);
  job_succeed(L, job, self);
}

static const struct job_type sleep_type = {
    .stage = "sleep",
    .advance = sleep_advance,
    .expire = sleep_expire,
    .release = run_release,
};

/*** Waits for that long, as everything else waits: other transfers and, under
`minimax.run`, other coroutines go on meanwhile.
@function sleep
@tparam number seconds
@treturn boolean true */
int loop_sleep(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct job *job;
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1,
                "a number of seconds is expected");
  lua_settop(L, 1);
  client_push_bare(L);
  job = job_new(L, sizeof *job, &sleep_type, 2);
  job->kind = -1;
  job_set_timeout(job, (uint64_t)(seconds * 1000 + 0.5));
  job_start(job);
  return await_job(L);
}

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
  run = run_at_work(runtime_of(L));
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
  if (run_at_work(runtime_of(L)))
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

/*** Runs all spawned coroutines until they have ended.
@function run
@tparam[opt] function fn run as one of them
@param ... its arguments
@return what `fn` returned; raises the first uncaught error */
int loop_run(lua_State *L) {
  struct run *run;
  int has_main = !lua_isnoneornil(L, 1);
  if (has_main) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    make_thread(L, 1);
  }
  lua_settop(L, 1);
  client_push_bare(L);
  run = (struct run *)job_new(L, sizeof *run, &type, 2);
  run->job.kind = -1;
  run->first = 1;
  lua_newtable(L);
  lua_setiuservalue(L, 3, JOB_EXTRA);
  join_spawned(L, 3);
  if (has_main) {
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 3, JOB_CALLBACK);
    join(L, 3, 1);
  }
  run->job.news = 1; /* even with nothing to do it looks, and ends */
  return await_job(L);
}
