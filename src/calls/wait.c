/* client:wait: a chain of queries until the task ends. */
#include "calls/wait.h"

#include <string.h>

#include "api/box.h"
#include "api/options.h"
#include "api/status.h"
#include "base/hash.h"
#include "base/retry.h"
#include "calls/query.h"
#include "run/await.h"
#include "run/event.h"
#include "run/exchange.h"
#include "run/job_fail.h"

enum {
  OUTAGE_SAID = 60000, /* ms without an answer: the wait says so once */
  DISTINCT_ID = 8      /* characters */
};

struct wait {
  struct job job;
  struct exchange exchange;
  uint64_t interval;
  uint64_t next_poll;
  uint64_t answered;        /* when the last answer came, or the wait began */
  unsigned failures;        /* polls in a row */
  unsigned char complained; /* of an outage */
};

/* ---- between polls ---- */

static void sleep_until(struct wait *wait, uint64_t due) {
  struct client *client = client_of(&wait->job);
  exchange_clear(&wait->exchange, client);
  wait->next_poll = due;
  job_sleep(&wait->job, due);
}

/* Some jitter, so that tasks that began together do not poll together. */
static uint64_t next_interval(struct wait *wait) {
  uint64_t spread = wait->interval / 10;
  uint64_t *random = &wait->job.owner->engine->random;
  if (spread == 0)
    return wait->interval;
  return wait->interval - spread / 2 + retry_random(random) % spread;
}

static uint64_t patience(const struct wait *wait) {
  uint64_t cap = wait->interval < RETRY_CAP ? wait->interval : RETRY_CAP;
  return cap > RETRY_FLOOR ? cap : RETRY_FLOOR;
}

/* ---- replies that say "not yet" once more ---- */

/* An id that can't be taken for any other word of a reply. */
static int is_distinct(const char *id) {
  return strlen(id) >= DISTINCT_ID && strpbrk(id, "0123456789");
}

/* The hash of a reply without the id of its task, but with its place, so that
 * what one task was told is known for all. Two that differ will hardly
 * collide. */
static uint64_t hash_of(const struct buffer *reply, enum kind kind,
                        const char *id) {
  uint64_t hash = HASH_EMPTY + (uint64_t)kind;
  const char *rest = reply->bytes;
  const char *end = reply->bytes + reply->length;
  const char *found = is_distinct(id) ? strstr(rest, id) : NULL;
  if (!is_distinct(id)) /* the answer of another task is no answer of this */
    hash = hash_add(hash, id, strlen(id));
  if (found) {
    size_t place = (size_t)(found - rest);
    hash = hash_add(hash, rest, place);
    hash = hash_add(hash, (const char *)&place, sizeof place);
    rest = found + strlen(id);
  }
  return hash_add(hash, rest, (size_t)(end - rest));
}

static uint64_t hash_of_reply(lua_State *L, const struct wait *wait, int self) {
  const char *id = query_push_id(L, self);
  uint64_t hash =
      hash_of(&wait->exchange.transfer->reply, (enum kind)wait->job.kind, id);
  lua_pop(L, 1);
  return hash;
}

static uint64_t *place_of(const struct wait *wait, uint64_t hash) {
  return &client_of(&wait->job)->not_yet[hash % CLIENT_NOT_YET];
}

static int is_known(lua_State *L, const struct wait *wait, int self) {
  uint64_t hash = hash_of_reply(L, wait, self);
  return *place_of(wait, hash) == hash;
}

static void remember(lua_State *L, const struct wait *wait, int self) {
  uint64_t hash = hash_of_reply(L, wait, self);
  *place_of(wait, hash) = hash;
}

/* ---- after a poll ---- */

static void note_answer(struct wait *wait) {
  wait->failures = 0;
  wait->complained = 0;
  wait->answered = poller_clock();
}

static void tell_status(lua_State *L, struct job *job, int self, int status) {
  if (!event_begin(L, job, self, "status"))
    return;
  lua_getfield(L, status, "status");
  fault_redact(L, client_of(job)->profile->key); /* it may say anything */
  lua_setfield(L, -2, "status");
  lua_getfield(L, status, "state");
  lua_setfield(L, -2, "state");
  event_send(L, job, self);
}

/* Ends the wait with the status at `status`. */
static void end_with(lua_State *L, struct wait *wait, int self, int status,
                     enum state state) {
  if (state == STATE_SUCCEEDED) {
    lua_pushvalue(L, status);
    job_end(L, &wait->job, self);
    return;
  }
  status_push_failure(L, status, client_of(&wait->job)->profile->key);
  exchange_count(L, &wait->exchange);
  job_fail(L, &wait->job, self);
}

/* A poll was answered: the status is on top. */
static void on_status(lua_State *L, struct wait *wait, int self,
                      enum state state) {
  struct job *job = &wait->job;
  int status = lua_gettop(L);
  note_answer(wait);
  tell_status(L, job, self, status);
  if (lua_getiuservalue(L, self, JOB_CALLBACK) == LUA_TFUNCTION) {
    lua_pushvalue(L, status);
    lua_setiuservalue(L, self, JOB_EXTRA);
    job_tell(L, job, self);
  }
  lua_settop(L, status);
  if (state_is_final(state))
    end_with(L, wait, self, status, state);
  else
    sleep_until(wait, wait->answered + next_interval(wait));
}

/* Said once in each outage, as an event and as a warning. */
static void complain(lua_State *L, struct wait *wait, int self) {
  const char *id;
  wait->complained = 1;
  if (event_begin(L, &wait->job, self, "retry")) {
    event_set_text(L, &wait->job, "message",
                   "no answer for 60 s; the wait goes on");
    event_send(L, &wait->job, self);
  }
  id = query_push_id(L, self);
  lua_warning(L, "minimax: no answer for 60 s about task ", 1);
  lua_warning(L, id, 1);
  lua_warning(L, "; the wait goes on", 0);
  lua_pop(L, 1);
}

/* How long after a poll that failed the next one comes. A time that the server
 * names is kept, but for one beyond the deadline: nothing would come of it. */
static uint64_t next_try(const struct wait *wait, uint64_t now) {
  uint64_t named = exchange_named_time(&wait->exchange);
  if (named > RETRY_NAMED_MOST)
    named = RETRY_NAMED_MOST;
  if (named > 0 && named < wait->job.deadline - now)
    return named > RETRY_FLOOR ? named : RETRY_FLOOR;
  return retry_backoff(wait->failures, RETRY_BASE, RETRY_FLOOR, patience(wait),
                       &wait->job.owner->engine->random);
}

/* A poll failed: the error is on top. The task itself goes on, so nothing but
 * a definite refusal ends the wait. */
static void on_failure(lua_State *L, struct wait *wait, int self,
                       int definite) {
  uint64_t now = poller_clock();
  uint64_t delay;
  if (definite) {
    job_fail(L, &wait->job, self);
    return;
  }
  lua_setiuservalue(L, self, JOB_EXTRA); /* told if the deadline comes */
  delay = next_try(wait, now);
  wait->failures++;
  if (!wait->complained && now - wait->answered >= OUTAGE_SAID)
    complain(L, wait, self);
  exchange_tell_pause(L, &wait->job, self, &wait->exchange, "retry", delay);
  sleep_until(wait, now + delay);
}

static void begin_poll(lua_State *L, struct wait *wait, int self) {
  struct job *job = &wait->job;
  unsigned attempts = wait->exchange.attempts;
  const char *id = query_push_id(L, self);
  exchange_begin(L, &wait->exchange, job, "GET",
                 query_url(client_of(job), (enum kind)job->kind, id),
                 LANE_QUERY, EXCHANGE_POLL);
  wait->exchange.attempts = attempts;
  wait->exchange.patience = patience(wait);
  lua_pop(L, 1);
}

/* What was already known needs no decoding, unless somebody looks at it. */
static int pass_over(lua_State *L, struct wait *wait, int self) {
  struct job *job = &wait->job;
  const struct transfer *transfer = wait->exchange.transfer;
  int watched =
      event_wanted(job) || lua_getiuservalue(L, self, JOB_CALLBACK) != LUA_TNIL;
  lua_settop(L, self);
  if (watched || !transfer || transfer->outcome != TRANSFER_ANSWERED ||
      transfer->status != 200 || transfer->reply.length == 0 ||
      !is_known(L, wait, self))
    return 0;
  note_answer(wait);
  gate_answered(&client_of(job)->gate, LANE_QUERY, wait->answered);
  sleep_until(wait, wait->answered + next_interval(wait));
  return 1;
}

static void wait_advance(lua_State *L, struct job *job, int self) {
  struct wait *wait = (struct wait *)job;
  struct reply reply;
  enum state state;
  if (job->news && !wait->exchange.state) {
    job_sleep(job, POLLER_NEVER); /* until the owner has looked */
    return;
  }
  if (!wait->exchange.state) {
    if (poller_clock() < wait->next_poll) {
      job_sleep(job, wait->next_poll);
      return;
    }
    begin_poll(L, wait, self);
  }
  if (pass_over(L, wait, self))
    return;
  if (exchange_advance(L, job, self, &wait->exchange, &reply) ==
      EXCHANGE_PENDING)
    return;
  state = query_result(L, job, self, &wait->exchange, &reply, lua_gettop(L));
  if (state == STATE_NONE) {
    on_failure(L, wait, self,
               reply_is_definite(wait->exchange.transfer, &reply));
    return;
  }
  if (!state_is_final(state))
    remember(L, wait, self);
  on_status(L, wait, self, state);
}

/* The deadline. What the last poll said is told, and the task is named. */
static void wait_expire(lua_State *L, struct job *job, int self) {
  const struct wait *wait = (struct wait *)job;
  const char *last = "the task has not ended yet";
  const char *outlook = "the task goes on at the server and can be waited for "
                        "again";
  if (wait->failures && lua_getiuservalue(L, self, JOB_EXTRA) == LUA_TTABLE &&
      lua_getfield(L, -1, "message") == LUA_TSTRING) {
    last = lua_pushfstring(L, "the last poll failed: %s", lua_tostring(L, -1));
    if (lua_getfield(L, -3, "status") == LUA_TTABLE)
      outlook = "the task has ended, and nothing says where its result is";
  }
  fault_push(L, client_of(job)->profile->key, FAULT_TIMEOUT,
             "the wait's deadline passed; %s (%s)", outlook, last);
  exchange_count(L, &wait->exchange);
  job_fail(L, job, self);
}

static void wait_release(struct job *job) {
  exchange_clear(&((struct wait *)job)->exchange, client_of(job));
}

static int wait_deliver(lua_State *L, struct job *job, int self) {
  engine_settle(job->owner->engine);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  lua_getiuservalue(L, self, JOB_EXTRA);
  return 1;
}

/* Its results mean nothing; polling goes on. */
static void wait_delivered(lua_State *L, struct job *job, int self,
                           int results) {
  (void)L, (void)self, (void)results;
  if (!job->ended)
    engine_wake(job->owner->engine, &job->waiter);
}

static const struct job_type type = {
    JOB_TYPE("wait", wait_advance, wait_expire, wait_release),
    .deliver = wait_deliver,
    .delivered = wait_delivered,
};

/* ---- the call ---- */

static const struct option known[] = {
    {"kind", OPTION_ANY, 0},
    {"interval", OPTION_SECONDS, offsetof(struct wait_options, interval)},
    {"on_status", OPTION_FUNCTION, 0},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

struct wait_options wait_read_options(lua_State *L, int index,
                                      const struct client *client) {
  struct wait_options options = {{client->wait_timeout, client->block},
                                 client->poll_interval};
  options_read(L, index, known, &options);
  return options;
}

/* After a submit of this client the first poll comes one interval later. */
static uint64_t first_poll(lua_State *L, int client, int task,
                           uint64_t interval) {
  uint64_t due = 0;
  if (!lua_istable(L, task))
    return 0;
  lua_getiuservalue(L, client, CLIENT_SUBMITTED);
  lua_pushvalue(L, task);
  if (lua_rawget(L, -2) == LUA_TNUMBER)
    due = (uint64_t)lua_tointeger(L, -1) + interval;
  lua_pop(L, 2);
  return due;
}

struct job *wait_push(lua_State *L, int client, int task, int options,
                      const struct target *target,
                      const struct wait_options *values) {
  struct wait *wait = call_new(L, sizeof *wait, &type, client, &values->call);
  int self = lua_gettop(L);
  wait->job.kind = (int)target->kind;
  wait->interval = values->interval;
  wait->answered = poller_clock();
  wait->next_poll = first_poll(L, client, task, wait->interval);
  job_set_subject(L, self, task, target->index);
  if (options_get(L, options, "on_status"))
    lua_setiuservalue(L, self, JOB_CALLBACK);
  job_start(&wait->job);
  return &wait->job;
}

/*** Waits until a task ends. Blocks a plain script, yields inside a coroutine.
@function client:wait
@param task a task, a status, or a task id
@tparam[opt] table options `timeout` (seconds, or false), `interval` (seconds),
`kind`, `on_status` (function(status), after every answered poll), `block`
@treturn[1] minimax.status with state "succeeded"
@treturn[2] nil
@treturn[2] minimax.error "failed" where the task ended otherwise, "timeout"
at the deadline, or a definite refusal */
int wait_call(lua_State *L) {
  struct client *client = client_check(L);
  struct wait_options options;
  struct target target;
  lua_settop(L, 3);
  options = wait_read_options(L, 3, client);
  target = target_check(L, 2, 3, -1);
  if (!client_is_usable(L, client, 1))
    return 2;
  wait_push(L, 1, 2, 3, &target, &options);
  return await_job(L);
}

/* ---- callbacks ---- */

/*** Moves the next poll of a task to now, because a callback spoke of it.
@function client:notify
@tparam table event what `minimax.callback` returned, or any table with task_id
@treturn integer how many waits will ask at once */
int wait_notify(lua_State *L) {
  struct client *client = client_check(L);
  struct target target;
  int count = 0;
  if (!lua_istable(L, 2))
    options_argerror(L, 2, "an event is expected");
  target = target_check(L, 2, 0, -1);
  if (!client_is_usable(L, client, 0))
    return 2;
  for (struct job *job = client->owner.jobs; job; job = job->next) {
    struct wait *wait = (struct wait *)job;
    if (job->type != &type || !job_is_about(L, job, target.index))
      continue;
    count++;
    wait->next_poll = 0;
    gate_hurry(&client->gate, &wait->exchange.pass);
    engine_wake(client->owner.engine, &job->waiter);
  }
  engine_settle(client->owner.engine);
  lua_pushinteger(L, count);
  return 1;
}
