/* client:each: many waits at once, in the order in which they end. */
#include "calls/each.h"

#include <lauxlib.h>
#include <limits.h>

#include "api/fault.h"
#include "api/options.h"
#include "calls/wait.h"
#include "run/await.h"
#include "run/client.h"
#include "run/job_fail.h"
#include "run/task.h"

struct each {
  struct job job;
  struct job *first, *last; /* waits with news, oldest first */
  unsigned left;            /* items not handed out yet */
  unsigned current;         /* the one that is handed out next */
  unsigned passed;          /* looked at since the loop was ended */
};

/* JOB_EXTRA holds the waits by number, JOB_SUBJECT nothing, JOB_CALLBACK the
 * list of items as they were given. */

/* One of the waits has a status to tell, or has ended. */
static void each_child_has_news(struct job *parent, struct job *child) {
  struct each *each = (struct each *)parent;
  if (child->in_news)
    return;
  child->in_news = 1;
  child->next_with_news = NULL;
  if (each->last)
    each->last->next_with_news = child;
  else
    each->first = child;
  each->last = child;
}

static struct job *take_news(struct each *each) {
  struct job *child = each->first;
  each->first = child->next_with_news;
  if (!each->first)
    each->last = NULL;
  child->in_news = 0;
  return child;
}

static void each_advance(lua_State *L, struct job *job, int self) {
  if (((struct each *)job)->first)
    job_tell(L, job, self);
}

/* `break` and errors end the polling of all. */
static void each_release(struct job *job) {
  struct job *child = job->owner->jobs;
  while (child) {
    struct job *next = child->next;
    if (child->parent == job) {
      child->parent = NULL;
      job_release(child);
    }
    child = next;
  }
  ((struct each *)job)->first = ((struct each *)job)->last = NULL;
}

/* Another coroutine may be waiting for the next item: it gets the one that is
 * there already, else the end. */
static void each_close(lua_State *L, struct job *job, int self) {
  (void)L, (void)self;
  if (job->ended)
    return;
  ((struct each *)job)->left = 0;
  job_return(job);
}

/* A status of one of the waits is told first, then its end. */
static int each_deliver(lua_State *L, struct job *job, int self) {
  struct each *each = (struct each *)job;
  struct job *child = each->first;
  if (!child)
    return -1;
  each->current = child->number;
  if (!child->news)
    return -1;
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_rawgeti(L, -1, (lua_Integer)child->number);
  return job_deliver(L, child, lua_gettop(L));
}

static void each_delivered(lua_State *L, struct job *job, int self,
                           int results) {
  struct each *each = (struct each *)job;
  struct job *child;
  (void)results;
  if (!each->first)
    return;
  child = take_news(each);
  if (child->ended && !child->news) { /* an item; the next call goes on */
    job_return(job);
    return;
  }
  if (child->news) /* it came while the owner looked at the one before */
    each_child_has_news(job, child);
  else
    child->type->delivered(L, child, 0, 0);
  if (each->first)
    job_tell(L, job, self);
}

/* Fails the wait at `wait` for the reason why the loop failed. The error is
 * its own: it names the task. */
static void fail_like(lua_State *L, int self, int wait) {
  lua_getiuservalue(L, self, JOB_RESULT);
  fault_push_copy(L, -1);
  lua_remove(L, -2);
  job_fail(L, job_at(L, wait), wait);
}

/* The loop was ended from outside: what is left comes out in its order, each
 * item with an error. */
static void take_left(lua_State *L, struct each *each, int self, int waits) {
  while (lua_rawgeti(L, waits, (lua_Integer)++each->passed) == LUA_TNIL)
    lua_pop(L, 1);
  each->current = each->passed;
  if (!job_at(L, -1)->ended)
    fail_like(L, self, lua_gettop(L));
  lua_pop(L, 1);
}

/* The item as it was given, its status, its error. */
static int each_push_results(lua_State *L, struct job *job, int self) {
  struct each *each = (struct each *)job;
  lua_Integer number;
  int waits, count;
  if (each->left == 0) /* it was closed */
    return 0;
  lua_getiuservalue(L, self, JOB_EXTRA);
  waits = lua_gettop(L);
  job_go_on(job); /* what ended is one item */
  if (job->failed)
    take_left(L, each, self, waits);
  number = (lua_Integer)each->current;
  lua_rawgeti(L, waits, number);
  lua_pushnil(L);
  lua_rawseti(L, waits, number);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  lua_rawgeti(L, -1, number);
  count = job_push_results(L, job_at(L, waits + 1), waits + 1);
  each->left--;
  return 1 + count;
}

static const struct job_type type = {
    JOB_TYPE("wait", each_advance, each_advance, each_release),
    .close = each_close,
    .deliver = each_deliver,
    .delivered = each_delivered,
    .push_results = each_push_results,
    .child_has_news = each_child_has_news,
};

/* The iterator; its upvalue is the job. */
static int next_item(lua_State *L) {
  struct job *job = job_at(L, lua_upvalueindex(1));
  struct each *each = (struct each *)job;
  lua_settop(L, 0);
  if (each->left == 0 || (!job->back && !job->failed && !job->raises))
    return 0; /* all were handed out, or the loop has closed it */
  if (job->waker)
    luaL_error(L, "another coroutine waits for the next item of this loop");
  if (each->first && !job->failed && !job->raises)
    job_tell(L, job, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(1));
  return await_again(L);
}

/* Where each value stands on the stack of each_call. */
enum { CLIENT = 1, LIST, OPTIONS, ITEMS, IDS, ITS_KINDS, SELF };

/* Reads the list: pushes its items, their ids and their kinds. A table of the
 * program's own may run code while it is read, so all are read before the
 * client is looked at; and the caller may change the list in the loop. */
static void read_list(lua_State *L, int count) {
  int *kinds;
  lua_createtable(L, count, 0);
  lua_createtable(L, count, 0);
  kinds = lua_newuserdatauv(L, sizeof *kinds * (size_t)(count + 1), 0);
  for (int i = 0; i < count; i++) {
    struct target target;
    lua_rawgeti(L, LIST, i + 1);
    target = target_check(L, ITS_KINDS + 1, OPTIONS, -1);
    kinds[i] = (int)target.kind;
    lua_rawseti(L, IDS, i + 1);
    lua_rawseti(L, ITEMS, i + 1);
    lua_settop(L, ITS_KINDS);
  }
}

/* Starts the wait for item `number`. */
static void add_wait(lua_State *L, unsigned number,
                     const struct wait_options *options) {
  const int *kinds = lua_touserdata(L, ITS_KINDS);
  struct target target = {.kind = (enum kind)kinds[number - 1],
                          .index = SELF + 2};
  struct job *child;
  lua_rawgeti(L, ITEMS, (lua_Integer)number);
  lua_rawgeti(L, IDS, (lua_Integer)number);
  child = wait_push(L, CLIENT, SELF + 1, OPTIONS, &target, options);
  child->parent = job_at(L, SELF);
  child->number = number;
  lua_getiuservalue(L, SELF, JOB_EXTRA);
  lua_insert(L, -2);
  lua_rawseti(L, -2, (lua_Integer)number);
  lua_settop(L, SELF);
}

/*** Waits for many tasks and iterates in the order of completion:
`for task, status, err in client:each(tasks) do … end`. A task that fails is
an item, not an end of the loop.
@function client:each
@tparam table tasks a list of tasks, statuses or ids
@tparam[opt] table options those of `client:wait`
@treturn function an iterator: the item as given, its status or nil, its error
*/
int each_call(lua_State *L) {
  struct client *client = client_check(L);
  struct wait_options options;
  struct each *each;
  int count;
  lua_settop(L, OPTIONS);
  if (!lua_istable(L, LIST) || lua_rawlen(L, LIST) > INT_MAX / sizeof count)
    options_argerror(L, LIST, "a list of tasks is expected");
  options = wait_read_options(L, OPTIONS, client);
  count = (int)lua_rawlen(L, LIST);
  read_list(L, count);
  if (!client_is_usable(L, client, 1))
    return lua_error(L); /* a loop has no other way to say it */
  each = (struct each *)job_new(L, sizeof *each, &type, CLIENT);
  each->job.block = (unsigned char)options.call.block;
  lua_pushvalue(L, ITEMS);
  lua_setiuservalue(L, SELF, JOB_CALLBACK);
  lua_createtable(L, count, 0);
  lua_setiuservalue(L, SELF, JOB_EXTRA);
  for (int i = 1; i <= count; i++)
    add_wait(L, (unsigned)i, &options);
  each->left = (unsigned)count;
  lua_pushvalue(L, SELF);
  lua_pushcclosure(L, next_item, 1);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, SELF); /* the loop closes it */
  return 4;
}
