/* One API request until it has its answer. */
#include "run/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "api/box.h"
#include "base/retry.h"
#include "net/driver.h"
#include "net/url.h"
#include "run/client.h"
#include "run/event.h"
#include "run/unknown.h"

enum {
  USUAL_URL = 160,   /* bytes */
  LIMITS = 20,       /* rate limit answers in a row that a call puts up with */
  LONG_BODY = 65536, /* bytes: worth telling how far it is */
  PROGRESS_EVERY = 250 /* ms */
};

/* Returns whether memory ended. */
static int add_url(struct buffer *url, const struct client *client,
                   const char *path, const char *name, const char *value) {
  const char *query = client->profile->query;
  int failed = buffer_reserve(url, USUAL_URL) < 0 ||
               buffer_add_text(url, client->profile->base) < 0 ||
               buffer_add_text(url, path) < 0;
  if (name)
    failed |= url_add_parameter(url, name, value, strlen(value)) < 0;
  else if (value) /* the id is the last of the path */
    failed |= buffer_add(url, "/", 1) < 0 ||
              url_add_escaped(url, value, strlen(value)) < 0;
  return failed || (query && url_add_query(url, query) < 0);
}

char *exchange_url(const struct client *client, const char *path,
                   const char *name, const char *value) {
  struct buffer url = {0};
  if (add_url(&url, client, path, name, value))
    buffer_free(&url);
  return url.bytes;
}

void exchange_push_url(lua_State *L, const struct client *client,
                       const char *path) {
  struct buffer *url = box_push_buffer(L);
  box_to_string(L, add_url(url, client, path, NULL, NULL));
}

void exchange_begin(lua_State *L, struct exchange *exchange, struct job *job,
                    const char *method, char *url, enum lane_name lane,
                    enum exchange_policy policy) {
  exchange->pass.waiter = &job->waiter;
  exchange->pass.lane = lane;
  exchange->pass.patient = policy == EXCHANGE_POLL;
  exchange->method = method;
  exchange->url = url;
  exchange->policy = (unsigned char)policy;
  exchange->patience = RETRY_CAP;
  exchange->resume_at = 0;
  exchange->attempts = exchange->failures = exchange->limits = 0;
  exchange->leave_by = POLLER_NEVER;
  if (!url)
    box_no_memory(L);
  exchange->state = EXCHANGE_WAITING;
}

/* The attempt is over; its body serves the next one. */
static void drop_transfer(struct exchange *exchange) {
  if (!exchange->transfer)
    return;
  exchange->body = exchange->transfer->body;
  memset(&exchange->transfer->body, 0, sizeof exchange->transfer->body);
  body_rewind(&exchange->body);
  transfer_release(exchange->transfer);
  exchange->transfer = NULL;
  exchange->state = EXCHANGE_WAITING;
}

void exchange_allow(struct exchange *exchange, struct client *client,
                    uint64_t leave_by) {
  gate_reclaim(&client->gate, &exchange->pass);
  exchange->leave_by = leave_by;
  exchange->state = EXCHANGE_ALLOWED;
}

void exchange_clear(struct exchange *exchange, struct client *client) {
  transfer_release(exchange->transfer);
  exchange->transfer = NULL;
  gate_leave(&client->gate, &exchange->pass);
  body_free(&exchange->body);
  free(exchange->url);
  free(exchange->content_type);
  exchange->url = exchange->content_type = NULL;
  exchange->state = EXCHANGE_IDLE;
}

/* ---- events ---- */

static void tell_request(lua_State *L, struct job *job, int self,
                         const struct exchange *exchange) {
  if (!event_begin(L, job, self, "request"))
    return;
  event_set_text(L, job, "method", exchange->method);
  event_set_text(L, job, "path",
                 exchange->url + strlen(client_of(job)->profile->base));
  event_set_integer(L, "attempt", (lua_Integer)exchange->attempts);
  event_set_integer(L, "bytes", (lua_Integer)exchange->transfer->body.length);
  if (client_of(job)->profile->insecure)
    event_set_flag(L, "insecure");
  event_send(L, job, self);
}

static void tell_response(lua_State *L, struct job *job, int self,
                          const struct exchange *exchange) {
  const struct transfer *transfer = exchange->transfer;
  if (!event_begin(L, job, self, "response"))
    return;
  event_set_text(L, job, "method", exchange->method);
  event_set_text(L, job, "path",
                 exchange->url + strlen(client_of(job)->profile->base));
  if (transfer->status > 0)
    event_set_integer(L, "http_status", transfer->status);
  event_set_number(L, "seconds",
                   (double)(poller_clock() - transfer->started) / 1000);
  event_set_integer(L, "bytes", (lua_Integer)transfer->reply.length);
  event_set_text(L, job, "date", transfer_header(transfer, "Date"));
  if (transfer->outcome != TRANSFER_ANSWERED || transfer->cut)
    event_set_text(L, job, "message", transfer->problem);
  event_send(L, job, self);
}

uint64_t exchange_named_time(const struct exchange *exchange) {
  const struct transfer *transfer = exchange->transfer;
  return transfer && transfer->outcome == TRANSFER_ANSWERED
             ? reply_retry_after(transfer)
             : 0;
}

/* Said once for each pause that a server asks of this client. */
static void warn_of_pause(lua_State *L, struct client *client, uint64_t delay,
                          uint64_t named) {
  uint64_t now = poller_clock();
  if (named < RETRY_NAMED_SAID || delay < RETRY_NAMED_SAID ||
      now < client->pause_said)
    return;
  client->pause_said = now + delay;
  lua_pushfstring(L,
                  "minimax: the server asks for a pause of %d s; the call goes "
                  "on in %d s",
                  (int)(named / 1000), (int)(delay / 1000));
  lua_warning(L, lua_tostring(L, -1), 0);
  lua_pop(L, 1);
}

void exchange_tell_pause(lua_State *L, struct job *job, int self,
                         const struct exchange *exchange, const char *type,
                         uint64_t delay) {
  uint64_t named = exchange_named_time(exchange);
  warn_of_pause(L, client_of(job), delay, named);
  if (!event_begin(L, job, self, type))
    return;
  event_set_number(L, "delay", (double)delay / 1000);
  if (named > 0)
    event_set_number(L, "retry_after", (double)named / 1000);
  if (exchange->transfer->status > 0)
    event_set_integer(L, "http_status", exchange->transfer->status);
  event_send(L, job, self);
}

/* Whether somebody listens to how far a long body is. */
static int is_watched(const struct job *job, const struct exchange *exchange) {
  uint64_t length = exchange->transfer->body.length;
  return event_wanted(job) && length >= LONG_BODY && exchange->told < length;
}

/* How far a long body is; the last event says that it has left whole. */
static void tell_progress(lua_State *L, struct job *job, int self,
                          struct exchange *exchange) {
  uint64_t length = exchange->transfer->body.length;
  uint64_t moved = exchange->transfer->moved;
  if (!is_watched(job, exchange) || moved == exchange->told)
    return;
  exchange->told = moved < length ? moved : length;
  event_begin(L, job, self, "progress");
  event_set_integer(L, "bytes", (lua_Integer)exchange->told);
  event_set_integer(L, "total", (lua_Integer)length);
  event_send(L, job, self);
}

/* ---- sending ---- */

/* Looks again at `due`, and before that where there is progress to tell. */
static void sleep_until(struct job *job, const struct exchange *exchange,
                        uint64_t due, uint64_t now) {
  if (is_watched(job, exchange) && due > now + PROGRESS_EVERY)
    due = now + PROGRESS_EVERY;
  job_sleep(job, due);
}

static enum transfer_purpose purpose_of(const struct exchange *exchange) {
  return exchange->policy == EXCHANGE_ONCE ? TRANSFER_PAID : TRANSFER_READ;
}

static void send_attempt(lua_State *L, struct job *job, int self,
                         struct exchange *exchange) {
  struct transfer_order order = {
      .purpose = purpose_of(exchange),
      .method = exchange->method,
      .url = exchange->url,
      .content_type = exchange->content_type,
      .leave_by = exchange->leave_by < job->deadline ? exchange->leave_by
                                                     : job->deadline,
  };
  struct transfer *transfer;
  if (order.purpose == TRANSFER_PAID)
    unknown_provide(L, job, self);
  exchange->transfer =
      transfer_new(job->owner->engine, client_of(job)->profile, order.purpose);
  if (!exchange->transfer)
    box_no_memory(L);
  transfer = exchange->transfer;
  exchange->state = EXCHANGE_SENT;
  exchange->attempts++;
  exchange->told = 0;
  transfer->body = exchange->body;
  memset(&exchange->body, 0, sizeof exchange->body);
  transfer_start(transfer, &job->waiter, &order);
  job_weigh(L, transfer);
  tell_request(L, job, self, exchange);
}

/* Asks for its turn: when to ask again, or 0. */
static uint64_t take_turn(struct job *job, struct exchange *exchange,
                          uint64_t now) {
  uint64_t due = exchange->resume_at;
  if (due <= now)
    due = gate_ask(&client_of(job)->gate, &exchange->pass, now);
  if (due == 0)
    exchange->state = exchange->asks ? EXCHANGE_ASKING : EXCHANGE_ALLOWED;
  return due;
}

/* Sends the next attempt if it is its turn. */
static enum exchange_step ask(lua_State *L, struct job *job, int self,
                              struct exchange *exchange, uint64_t now) {
  uint64_t due = POLLER_NEVER;
  if (now >= job->deadline) { /* nothing is begun any more */
    job_sleep(job, now);
    return EXCHANGE_PENDING;
  }
  if (exchange->state == EXCHANGE_WAITING)
    due = take_turn(job, exchange, now);
  if (exchange->state == EXCHANGE_ALLOWED) {
    send_attempt(L, job, self, exchange);
    due = driver_look(exchange->transfer, now);
    sleep_until(job, exchange, due, now);
    return EXCHANGE_PENDING;
  }
  job_sleep(job, due > 0 ? due : POLLER_NEVER);
  return due > 0 ? EXCHANGE_PENDING : EXCHANGE_READY;
}

/* ---- after an attempt ---- */

static int never_left(const struct exchange *exchange) {
  return exchange->transfer->departures == 0;
}

int exchange_may_have_arrived(const struct exchange *exchange) {
  return exchange->transfer && transfer_may_have_arrived(exchange->transfer);
}

static int may_repeat(const struct job *job, const struct exchange *exchange,
                      const struct reply *reply) {
  if (exchange->policy == EXCHANGE_POLL || exchange->single ||
      exchange->failures >= client_of(job)->retries)
    return 0;
  if (!reply_is_passing(exchange->transfer, reply))
    return 0;
  return exchange->policy == EXCHANGE_REPEAT || never_left(exchange);
}

/* What costs money is not sent again once the answer names a task: then the
 * refusal does not prove that none was made. */
static int is_limited(const struct exchange *exchange,
                      const struct reply *reply) {
  if (exchange->transfer->outcome != TRANSFER_ANSWERED ||
      reply->kind != FAULT_RATE_LIMIT || exchange->single)
    return 0;
  if (exchange->policy == EXCHANGE_ONCE &&
      reply_names_task(exchange->transfer, reply))
    return 0;
  return exchange->policy == EXCHANGE_POLL || exchange->limits < LIMITS;
}

/* The rate budget learns from it; then the same request waits its turn. */
static void wait_for_rate(lua_State *L, struct job *job, int self,
                          struct exchange *exchange, const struct reply *reply,
                          uint64_t now) {
  struct gate *gate = &client_of(job)->gate;
  enum lane_name lane = exchange->pass.lane;
  uint64_t ready;
  gate_limited(gate, lane, now, exchange_named_time(exchange));
  ready = rate_ready(&gate->lanes[lane].rate, now);
  exchange->limits++;
  exchange->limit_code = reply->code;
  exchange->limit_status = reply->http_status;
  exchange_tell_pause(L, job, self, exchange, "rate_limit",
                      ready > now ? ready - now : 0);
  drop_transfer(exchange);
  gate_leave(gate, &exchange->pass);
}

static void back_off(lua_State *L, struct job *job, int self,
                     struct exchange *exchange, uint64_t now) {
  uint64_t named = exchange_named_time(exchange);
  uint64_t delay = named < RETRY_NAMED_MOST ? named : RETRY_NAMED_MOST;
  uint64_t own = retry_backoff(exchange->failures, RETRY_BASE, 0, RETRY_CAP,
                               &job->owner->engine->random);
  delay = delay > own ? delay : own;
  exchange->failures++;
  exchange->limits = 0;
  exchange->resume_at = now + delay;
  exchange_tell_pause(L, job, self, exchange, "retry", delay);
  drop_transfer(exchange);
  gate_leave(&client_of(job)->gate, &exchange->pass);
}

/* What the lane learns: is the server there? */
static void teach_gate(struct job *job, const struct exchange *exchange,
                       const struct reply *reply, uint64_t now) {
  struct gate *gate = &client_of(job)->gate;
  const struct transfer *transfer = exchange->transfer;
  if (transfer->outcome == TRANSFER_ANSWERED &&
      (reply->readable || reply->kind != FAULT_SERVER)) {
    if (reply->kind != FAULT_RATE_LIMIT)
      gate_answered(gate, exchange->pass.lane, now);
    else if (exchange->single)
      gate_limited(gate, exchange->pass.lane, now,
                   exchange_named_time(exchange));
    gate->multiplier = transfer_http_version(transfer) == 2 ? 100 : 1;
  } else if (gate_is_read(exchange->pass.lane) &&
             reply_is_passing(transfer, reply)) {
    gate_failed(gate, now, exchange->patience, exchange_named_time(exchange));
  }
}

/* The attempt has ended: tells so, and pushes the decoded answer if there is
 * one. */
static void read_answer(lua_State *L, struct job *job, int self,
                        struct exchange *exchange, struct reply *reply,
                        uint64_t now) {
  const struct transfer *transfer = exchange->transfer;
  if (transfer->departures > 1) /* libcurl sent it once more by itself */
    exchange->attempts += transfer->departures - 1;
  if (body_is_done(&transfer->body))
    tell_progress(L, job, self, exchange);
  tell_response(L, job, self, exchange);
  reply_read(L, transfer, reply);
  teach_gate(job, exchange, reply, now);
}

/* Is that the answer, or is there another attempt? */
static enum exchange_step conclude(lua_State *L, struct job *job, int self,
                                   struct exchange *exchange,
                                   struct reply *reply) {
  uint64_t now = poller_clock();
  int top = lua_gettop(L);
  read_answer(L, job, self, exchange, reply, now);
  if (is_limited(exchange, reply)) {
    wait_for_rate(L, job, self, exchange, reply, now);
  } else if (may_repeat(job, exchange, reply)) {
    back_off(L, job, self, exchange, now);
  } else {
    gate_leave(&client_of(job)->gate, &exchange->pass);
    return EXCHANGE_ENDED;
  }
  lua_settop(L, top);
  return ask(L, job, self, exchange, now);
}

int exchange_expire(lua_State *L, struct job *job, int self,
                    struct exchange *exchange, struct reply *reply) {
  memset(reply, 0, sizeof *reply);
  if (!exchange->transfer)
    return 0;
  transfer_stop(exchange->transfer, TRANSFER_TIMED_OUT);
  read_answer(L, job, self, exchange, reply, poller_clock());
  return exchange->transfer->outcome == TRANSFER_ANSWERED;
}

enum exchange_step exchange_advance(lua_State *L, struct job *job, int self,
                                    struct exchange *exchange,
                                    struct reply *reply) {
  struct transfer *transfer = exchange->transfer;
  uint64_t now = poller_clock();
  uint64_t due;
  if (exchange->state != EXCHANGE_SENT)
    return ask(L, job, self, exchange, now);
  due = driver_look(transfer, now);
  if (due > 0) {
    tell_progress(L, job, self, exchange);
    sleep_until(job, exchange, due, now);
    return EXCHANGE_PENDING;
  }
  return conclude(L, job, self, exchange, reply);
}

void exchange_count(lua_State *L, const struct exchange *exchange) {
  lua_pushinteger(L, (lua_Integer)exchange->attempts);
  lua_setfield(L, -2, "attempts");
}

void exchange_push_expiry(lua_State *L, const struct exchange *exchange) {
  int limited = !exchange->transfer && exchange->limits > 0;
  int turned = exchange->transfer || (exchange->failures > 0 && !limited);
  fault_push(L, NULL, turned ? FAULT_TIMEOUT : FAULT_RATE_LIMIT,
             turned ? "no answer within the call's timeout"
                    : "its turn did not come within the call's timeout; "
                      "nothing is under way");
  if (limited) {
    if (exchange->limit_code > 0) {
      lua_pushinteger(L, exchange->limit_code);
      lua_setfield(L, -2, "code");
    }
    lua_pushinteger(L, exchange->limit_status);
    lua_setfield(L, -2, "http_status");
  }
  exchange_count(L, exchange);
}
