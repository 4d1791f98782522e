/* A job: one asynchronous operation of a client. */
#include "run/job.h"

#include <lauxlib.h>
#include <string.h>

#include "api/box.h"
#include "run/await.h"
#include "run/client.h"
#include "run/event.h"
#include "run/runtime.h"
#include "run/task.h"
#include "net/driver.h"
#include "net/transfer.h"

#define NAME "minimax.job"

enum {
  STACK = 40,
  BALLAST = 16384, /* bytes: what reading a usual answer takes */
  TRIES = 3        /* to move on without memory */
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
  struct runtime *runtime = runtime_of_engine(job->client->engine);
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
  struct runtime *runtime = runtime_of_engine(job->client->engine);
  lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->jobs);
  lua_pushinteger(L, runtime->free_slot);
  lua_rawseti(L, -2, job->slot);
  lua_pop(L, 1);
  runtime->free_slot = job->slot;
  job->slot = 0;
}

int job_push(lua_State *L, const struct job *job) {
  lua_rawgeti(L, LUA_REGISTRYINDEX,
              runtime_of_engine(job->client->engine)->jobs);
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
  if (!job->back || engine_state(job->client->engine) != ENGINE_OPEN)
    return;
  leave_list(job);
  job->type->release(job);
  engine_forget(job->client->engine, &job->waiter);
}

/* Whoever moves it on holds pointers into it. */
void job_release(struct job *job) {
  if (job->moving)
    job->dropped = 1;
  else
    release(job);
}

static int dispose(lua_State *L, struct job *job, enum await_reason reason) {
  struct engine *engine;
  if (!job->client || (!job->back && !job->parked))
    return 0;
  engine = job->client->engine;
  if (engine_state(engine) != ENGINE_OPEN)
    return 0;
  job_release(job);
  engine_forget(engine, &job->waiter); /* it may have news to tell yet */
  if (job->parked)
    await_unpark(L, job, 1, reason);
  engine_settle(engine);
  return 0;
}

/* __gc: an abandoned job cancels itself. */
static int job_collect(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  dispose(L, job, AWAIT_COLLECTED);
  if (job->slot)
    give_slot(L, job);
  return 0;
}

/* __close: the coroutine that owns it was closed, or it was awaited. */
static int job_close(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  if (job->back && job->type->close &&
      engine_state(job->client->engine) == ENGINE_OPEN)
    job->type->close(L, job, 1);
  lua_settop(L, 1);
  return dispose(L, job, AWAIT_CLOSED);
}

struct job *job_at(lua_State *L, int index) {
  return luaL_testudata(L, index, NAME);
}

static struct engine *checked_engine(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, NAME);
  return job->client->engine;
}

/* The three methods by which event loops know something to wait for. */

static int job_pollfd(lua_State *L) {
  return await_push_pollfd(L, checked_engine(L));
}

static int job_events(lua_State *L) {
  lua_pushliteral(L, "r");
  return 1;
}

static int job_timeout(lua_State *L) {
  return await_push_timeout(L, checked_engine(L));
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

static void enter_list(struct job *job, struct client *client) {
  job->next = client->jobs;
  job->back = &client->jobs;
  if (job->next)
    job->next->back = &job->next;
  client->jobs = job;
}

struct job *job_new(lua_State *L, size_t size, const struct job_type *type,
                    int client) {
  struct client *owner = lua_touserdata(L, client);
  struct job *job;
  client = lua_absindex(L, client);
  job = lua_newuserdatauv(L, size, JOB_VALUES);
  memset(job, 0, size);
  job->type = type;
  job->deadline = POLLER_NEVER;
  luaL_setmetatable(L, NAME);
  lua_pushvalue(L, client);
  lua_setiuservalue(L, -2, JOB_CLIENT);
  job->client = owner;
  take_slot(L, job, lua_gettop(L));
  enter_list(job, owner); /* from here on it is to be released */
  return job;
}

/* ---- its news and its end ---- */

static void tell_parent(struct job *job) {
  struct job *parent = job->parent;
  if (!parent)
    return;
  parent->type->child_has_news(parent, job);
  engine_wake(parent->client->engine, &parent->waiter);
}

void job_tell(lua_State *L, struct job *job, int self) {
  job->news = 1;
  tell_parent(job);
  if (job->parked)
    await_unpark(L, job, self, AWAIT_NEWS);
}

/* An end is for good: what comes after it is popped only. */
static void end(lua_State *L, struct job *job, int self) {
  if (job->ended) {
    lua_pop(L, 1);
    return;
  }
  lua_setiuservalue(L, self, JOB_RESULT);
  job->ended = 1;
  release(job);
  tell_parent(job);
  if (job->parked)
    await_unpark(L, job, self, AWAIT_NEWS);
}

void job_succeed(lua_State *L, struct job *job, int self) {
  end(L, job, self);
}

/* Sets a field of the error at `fault` to the value on top, which it pops,
 * unless the field is set. */
static void set_if_absent(lua_State *L, int fault, const char *field) {
  lua_pushstring(L, field);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, fault) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_rawset(L, fault);
  }
  lua_pop(L, 3);
}

void job_fail(lua_State *L, struct job *job, int self) {
  int fault = lua_gettop(L);
  lua_pushstring(L, job->type->stage);
  set_if_absent(L, fault, "stage");
  /* An error names the task it is about, so that nobody loses it. */
  if (lua_getiuservalue(L, self, JOB_SUBJECT) == LUA_TSTRING) {
    set_if_absent(L, fault, "task_id");
    task_push_of_job(L, job, self);
    set_if_absent(L, fault, "task");
  } else {
    lua_pop(L, 1);
  }
  job->failed |= !job->ended;
  end(L, job, self);
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
  if (engine_alarm(job->client->engine, &job->waiter, until) < 0)
    engine_wake(job->client->engine, &job->waiter);
}

/* Without that, abandoned jobs would lie around as long as Lua's own heap does
 * not grow. A handle in the place of one that was given back does not count. */
void job_weigh(lua_State *L, const struct transfer *transfer) {
  if (transfer->made && lua_gc(L, LUA_GCISRUNNING))
    lua_gc(L, LUA_GCSTEP, WEIGHT);
}

/* Protected: what is raised here belongs to the job's owner alone. An answer
 * that has arrived wins over the deadline. */
static int advance(lua_State *L) {
  struct job *job = lua_touserdata(L, 1);
  int late = poller_clock() >= job->deadline;
  if (!lua_checkstack(L, STACK))
    box_no_memory(L);
  if (job->parked &&
      (job->ended || job->news)) /* no memory to tell so before */
    await_unpark(L, job, 1, AWAIT_NEWS);
  if (job->ended)
    return 0;
  if (late)
    driver_catch_up(job->client->engine, job->deadline);
  job->type->advance(L, job, 1);
  if (late && !job->ended)
    job->type->expire(L, job, 1);
  return 0;
}

/* What was asked for while it was moved on. */
static void catch_up(lua_State *L, struct job *job) {
  job->moving = 0;
  job->client->moving--;
  if (job->cancelled && !job->ended)
    job_cancel(L, job, job->cancelled);
  if (job->dropped)
    release(job);
  if (job->again && (job->back || job->parked))
    engine_wake(job->client->engine, &job->waiter);
  job->again = 0;
  if (job->client->closing && job->client->moving == 0)
    client_dispose(L, job->client);
}

void job_provide(lua_State *L, int self) {
  lua_newuserdatauv(L, BALLAST, 0);
  lua_setiuservalue(L, self, JOB_BALLAST);
  lua_setiuservalue(L, self, JOB_LAST_WORD);
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
  end(L, job, 1);
}

/* Moves the job at index 1 on, then tells the listener what happened. */
static int move_on(lua_State *L) {
  struct job *job = lua_touserdata(L, 1);
  int result;
  job->moving = 1;
  job->client->moving++;
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
  event_flush(L, job->client, 1);
  return 0;
}

/* What went wrong besides its move is no reason for whoever steps to fail, and
 * the job is not stuck in its move: it is moved on once more. */
static void on_failure(lua_State *L, struct job *job) {
  lua_pop(L, 1);
  lua_warning(L, "minimax: not enough memory", 0);
  job->client->moving -= job->moving;
  job->moving = 0;
  if (job->back || job->parked)
    engine_wake(job->client->engine, &job->waiter);
}

/* The Lua half has a thread of its own, which no hook of the caller's reaches:
 * the hook by which Ctrl-C raises its error would otherwise be spent inside a
 * protected call of ours, and the signal lost. */
enum job_progress job_advance_one(struct engine *engine) {
  struct job *job = (struct job *)engine_take(engine);
  lua_State *thread;
  int before;
  if (!job)
    return JOB_NONE;
  if (job->moving) { /* code of the program's own steps in its midst */
    job->again = 1;
    return JOB_MOVED;
  }
  thread = runtime_of_engine(engine)->worker; /* has room for these few */
  lua_pushcfunction(thread, move_on);
  if (!job_push(thread, job)) {
    lua_pop(thread, 1);
    return JOB_MOVED; /* collected, its finalizer still to run */
  }
  before = job->ended;
  if (lua_pcall(thread, 1, 0, 0) != LUA_OK)
    on_failure(thread, job);
  return job->ended && !before ? JOB_ENDED : JOB_MOVED;
}

void job_cancel(lua_State *L, struct job *job, const char *text) {
  if (!job_push(L, job)) {
    job_release(job); /* collected, its finalizer still to run */
    return;
  }
  if (job->moving) {
    job->cancelled = text;
    lua_pop(L, 1);
    return;
  }
  fault_push(L, NULL, FAULT_CANCELLED, "%s", text);
  job_fail(L, job, lua_gettop(L) - 1);
  lua_pop(L, 1);
}

void job_orphan(lua_State *L, struct job *job, int self) {
  fault_push(L, NULL, FAULT_CANCELLED,
             "this call belongs to the parent process, where it goes on");
  job->parked = 0; /* and so does who resumes it there */
  job_fail(L, job, self);
}

void job_refuse(lua_State *L, struct job *job, int self) {
  fault_push(L, NULL, FAULT_INVALID,
             "inside a finalizer nothing can be waited for");
  job_fail(L, job, self);
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

void job_start(struct job *job) {
  if (job->ended) { /* the client was closed while it was made */
    job->type->release(job);
    return;
  }
  engine_wake(job->client->engine, &job->waiter);
}
