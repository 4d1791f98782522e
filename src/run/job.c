/* A job: one asynchronous operation of a client. */
#include "run/job.h"

#include <lauxlib.h>
#include <string.h>

#include "net/transfer.h"
#include "run/runtime.h"

#define NAME "minimax.job"

enum {
  BALLAST = 16384, /* bytes: what reading a usual answer takes */
  AGAIN = 10 /* ms: until it is tried again what there was no memory for */
};

/* What libcurl and the kernel hold for a transfer, 24 KB, as LUA_GCSTEP takes
 * it: in an int of KB, since Lua 5.5 in a size_t of bytes. */
#if LUA_VERSION_NUM >= 505
#define WEIGHT ((size_t)24 << 10)
#else
#define WEIGHT 24
#endif

/* ---- from a job's address to its userdata ---- */

/* A list with a place for each job; a free one holds the number of the next. A
 * table keyed by addresses would cost a hash at each step of a job. */

static void take_slot(lua_State *L, struct job *job, int self) {
  struct runtime *runtime = runtime_of_engine(job->owner->engine);
  lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->jobs);
  job->slot = runtime->free_slot;
  if (job->slot) {
    lua_rawgeti(L, -1, job->slot);
    runtime->free_slot = lua_tointeger(L, -1);
    lua_pop(L, 1);
  } else {
    job->slot = ++runtime->job_slots;
  }
  lua_pushvalue(L, self);
  lua_rawseti(L, -2, job->slot);
  lua_pop(L, 1);
}

static void give_slot(lua_State *L, struct job *job) {
  struct runtime *runtime = runtime_of_engine(job->owner->engine);
  lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->jobs);
  lua_pushinteger(L, runtime->free_slot);
  lua_rawseti(L, -2, job->slot);
  lua_pop(L, 1);
  runtime->free_slot = job->slot;
  job->slot = 0;
}

int job_push(lua_State *L, const struct job *job) {
  lua_rawgeti(L, LUA_REGISTRYINDEX,
              runtime_of_engine(job->owner->engine)->jobs);
  lua_rawgeti(L, -1, job->slot);
  lua_remove(L, -2);
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  return 0;
}

/* ---- letting go ---- */

static void leave_list(struct job *job) {
  if (!job->back)
    return;
  *job->back = job->next;
  if (job->next)
    job->next->back = job->back;
  job->back = NULL;
  job->next = NULL;
}

static void release(struct job *job) {
  if (!job->back || engine_state(job->owner->engine) != ENGINE_OPEN)
    return;
  leave_list(job);
  job->type->release(job);
  engine_forget(job->owner->engine, &job->waiter);
}

void job_holds_nothing(struct job *job) {
  (void)job;
}

/* Whoever moves it on holds pointers into it. */
void job_release(struct job *job) {
  if (job->moving)
    job->dropped = 1;
  else
    release(job);
}

static int dispose(lua_State *L, struct job *job, enum wake_reason reason) {
  struct engine *engine;
  if (!job->owner || (!job->back && !job->waker))
    return 0;
  engine = job->owner->engine;
  if (engine_state(engine) != ENGINE_OPEN)
    return 0;
  job_release(job);
  engine_forget(engine, &job->waiter); /* it may have news to tell yet */
  job_wake(L, job, 1, reason);
  engine_settle(engine);
  return 0;
}

/* __gc: an abandoned job cancels itself. */
static int job_collect(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  dispose(L, job, WAKE_COLLECTED);
  if (job->slot)
    give_slot(L, job);
  return 0;
}

/* __close: the coroutine that owns it was closed, or it was awaited. */
static int job_close(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  if (job->back && job->type->close &&
      engine_state(job->owner->engine) == ENGINE_OPEN)
    job->type->close(L, job, 1);
  lua_settop(L, 1);
  return dispose(L, job, WAKE_CLOSED);
}

struct job *job_at(lua_State *L, int index) {
  return luaL_testudata(L, index, NAME);
}

static struct engine *checked_engine(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  return job->owner->engine;
}

/* The three methods by which event loops know something to wait for. */

static int job_pollfd(lua_State *L) {
  return runtime_push_pollfd(L, checked_engine(L));
}

static int job_events(lua_State *L) {
  lua_pushliteral(L, "r");
  return 1;
}

static int job_timeout(lua_State *L) {
  return runtime_push_timeout(L, checked_engine(L));
}

void job_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"pollfd", job_pollfd}, {"events", job_events}, {"timeout", job_timeout},
      {"__gc", job_collect},  {"__close", job_close}, {NULL, NULL},
  };
  luaL_newmetatable(L, NAME);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/* ---- its beginning ---- */

static void enter_list(struct job *job) {
  job->next = job->owner->jobs;
  job->back = &job->owner->jobs;
  if (job->next)
    job->next->back = &job->next;
  job->owner->jobs = job;
}

/* For the owner at `owner`, or the runtime's where that is 0. */
static struct job *make(lua_State *L, size_t size, const struct job_type *type,
                        int owner) {
  struct job *job = lua_newuserdatauv(L, size, JOB_VALUES);
  memset(job, 0, size);
  job->type = type;
  job->deadline = POLLER_NEVER;
  job->kind = -1;
  luaL_setmetatable(L, NAME);
  if (owner) {
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, JOB_CLIENT);
    job->owner = lua_touserdata(L, owner);
  } else {
    job->owner = &runtime_of(L)->owner;
  }
  take_slot(L, job, lua_gettop(L));
  enter_list(job); /* from here on it is to be released */
  return job;
}

struct job *job_new(lua_State *L, size_t size, const struct job_type *type,
                    int client) {
  return make(L, size, type, lua_absindex(L, client));
}

struct job *job_new_bare(lua_State *L, size_t size,
                         const struct job_type *type) {
  runtime_ensure(L);
  return make(L, size, type, 0);
}

/* ---- its news and its end ---- */

static void tell_parent(struct job *job) {
  struct job *parent = job->parent;
  if (!parent)
    return;
  parent->type->child_has_news(parent, job);
  engine_wake(parent->owner->engine, &parent->waiter);
}

void job_park(lua_State *L, struct job *job, int self,
              const struct waker *waker) {
  lua_setiuservalue(L, self, JOB_TOKEN);
  job->waker = waker;
}

void job_wake(lua_State *L, struct job *job, int self,
              enum wake_reason reason) {
  const struct waker *waker = job->waker;
  int top = lua_gettop(L);
  if (!waker)
    return;
  job->waker = NULL; /* now: who is woken may run at once, and park again */
  lua_getiuservalue(L, self, JOB_TOKEN);
  if (waker->wake(L, reason) < 0 && reason != WAKE_COLLECTED) {
    job->waker = waker;
    engine_alarm(job->owner->engine, &job->waiter, poller_clock() + AGAIN);
  }
  lua_settop(L, top);
}

void job_tell(lua_State *L, struct job *job, int self) {
  job->news = 1;
  tell_parent(job);
  job_wake(L, job, self, WAKE_NEWS);
}

int job_deliver(lua_State *L, struct job *job, int self) {
  job->news = 0;
  return job->type->deliver(L, job, self);
}

void job_return(struct job *job) {
  job->news = 0;
  job->ended = 1;
}

void job_go_on(struct job *job) {
  job->ended = job->failed;
}

void job_end(lua_State *L, struct job *job, int self) {
  if (job->ended) {
    lua_pop(L, 1);
    return;
  }
  lua_setiuservalue(L, self, JOB_RESULT);
  job->ended = 1;
  release(job);
  tell_parent(job);
  job_wake(L, job, self, WAKE_NEWS);
}

int job_push_results(lua_State *L, struct job *job, int self) {
  if (job->type->push_results && !job->raises)
    return job->type->push_results(L, job, self);
  return job_push_outcome(L, job, self);
}

int job_push_outcome(lua_State *L, struct job *job, int self) {
  if (job->failed)
    lua_pushnil(L);
  lua_getiuservalue(L, self, JOB_RESULT);
  if (job->raises)
    lua_error(L);
  return job->failed ? 2 : 1;
}

void job_sleep(struct job *job, uint64_t due) {
  uint64_t until = due < job->deadline ? due : job->deadline;
  /* Without memory for the alarm it looks again at once. */
  if (engine_alarm(job->owner->engine, &job->waiter, until) < 0)
    engine_wake(job->owner->engine, &job->waiter);
}

/* Without that, abandoned jobs would lie around as long as Lua's own heap does
 * not grow. A handle in the place of one that was given back does not count. */
void job_weigh(lua_State *L, const struct transfer *transfer) {
  if (transfer->made && lua_gc(L, LUA_GCISRUNNING))
    lua_gc(L, LUA_GCSTEP, WEIGHT);
}

void job_provide(lua_State *L, int self) {
  lua_newuserdatauv(L, BALLAST, 0);
  lua_setiuservalue(L, self, JOB_BALLAST);
  lua_setiuservalue(L, self, JOB_LAST_WORD);
}

void job_set_timeout(struct job *job, uint64_t timeout) {
  if (timeout != POLLER_NEVER)
    job->deadline = poller_clock() + timeout;
}

void job_set_subject(lua_State *L, int self, int task, int id) {
  lua_pushvalue(L, id);
  lua_setiuservalue(L, self, JOB_SUBJECT);
  /* A table of another program is not kept: it may lack the methods. */
  if (luaL_getmetafield(L, task, "client")) {
    lua_pushvalue(L, task);
    lua_setiuservalue(L, self, JOB_TASK);
  }
  lua_settop(L, self);
}

int job_is_about(lua_State *L, const struct job *job, int id) {
  int top = lua_gettop(L);
  int same = 0;
  if (job_push(L, job)) {
    lua_getiuservalue(L, -1, JOB_SUBJECT);
    same = lua_rawequal(L, -1, id);
  }
  lua_settop(L, top);
  return same;
}

void job_start(struct job *job) {
  if (job->ended) { /* the client was closed while it was made */
    job->type->release(job);
    return;
  }
  engine_wake(job->owner->engine, &job->waiter);
}
