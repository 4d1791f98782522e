/* One HTTP exchange: its life, its end, its clocks. */
#include "net/transfer.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "net/alpn.h"
#include "net/easy.h"
#include "net/engine.h"
#include "net/lookup.h"
#include "net/profile.h"
#include "net/response.h"
#include "net/sigpipe.h"
#include "net/url.h"
#include "net/verdict.h"

enum {
  SLOWEST = 1024,     /* bytes a second; slower is a stall */
  USUAL_REPLY = 4095, /* bytes: of a paid request's, there is memory for so
                         many before it leaves */
  GRACE = 1000 /* ms: the answer is there, and no more of the body leaves */
};

static void link_up(struct transfer *transfer) {
  struct engine *engine = transfer->engine;
  transfer->next = engine->transfers;
  transfer->back = &engine->transfers;
  if (transfer->next)
    transfer->next->back = &transfer->next;
  engine->transfers = transfer;
}

static void unlink_it(struct transfer *transfer) {
  if (transfer->back)
    *transfer->back = transfer->next;
  if (transfer->next)
    transfer->next->back = transfer->back;
  transfer->next = NULL;
  transfer->back = NULL;
}

static struct transfer *take_idle(struct profile *profile) {
  struct transfer *transfer = profile->idle;
  if (transfer) {
    profile->idle = transfer->next;
    profile->idle_count--;
    transfer->next = NULL;
  }
  return transfer;
}

/* Whether there are more handles than ever: those that calls give back do not
 * weigh, and those that nobody gives back are as many at most. */
static int is_one_more(struct profile *profile) {
  if (++profile->handles <= profile->most_handles)
    return 0;
  profile->most_handles = profile->handles;
  return 1;
}

static struct transfer *make(struct engine *engine, struct profile *profile,
                             enum transfer_purpose purpose) {
  struct transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer)
    return NULL;
  transfer->engine = engine;
  transfer->profile = profile;
  transfer->purpose = purpose;
  transfer->announced = -1;
  transfer->easy = curl_easy_init();
  if (transfer->easy && easy_dress(transfer) == 0 &&
      (purpose != TRANSFER_PAID ||
       buffer_reserve(&transfer->reply, USUAL_REPLY) == 0)) {
    transfer->made = is_one_more(profile);
    return transfer;
  }
  curl_easy_cleanup(transfer->easy);
  buffer_free(&transfer->reply);
  free(transfer);
  return NULL;
}

struct transfer *transfer_new(struct engine *engine, struct profile *profile,
                              enum transfer_purpose purpose) {
  struct transfer *transfer = NULL;
  if (purpose == TRANSFER_READ)
    transfer = take_idle(profile);
  if (!transfer)
    transfer = make(engine, profile, purpose);
  if (!transfer)
    return NULL;
  profile_retain(profile);
  link_up(transfer);
  return transfer;
}

static void detach(struct transfer *transfer) {
  struct sigpipe guard;
  if (!transfer->attached)
    return;
  transfer->attached = 0;
  if (transfer->engine->turning) { /* a turn keeps SIGPIPE away already */
    curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
    return;
  }
  sigpipe_enter(&guard);
  curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
  sigpipe_leave(&guard);
}

/* A server may say it back, and whatever is read of the reply would hold it. */
static void say_no_key(struct transfer *transfer) {
  struct buffer *reply = &transfer->reply;
  if (reply->length == 0)
    return;
  reply->length =
      redact_in_place(reply->bytes, reply->length, transfer->profile->key);
  reply->bytes[reply->length] = '\0';
}

static void conclude(struct transfer *transfer, enum transfer_outcome outcome) {
  if (transfer->status == 0) /* response_take_head may know it already */
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
                      &transfer->status);
  say_no_key(transfer);
  transfer->outcome = verdict_weigh(transfer, outcome);
  alpn_ended(transfer);
  lookup_forget(transfer);
  detach(transfer);
  if (transfer->waiter)
    engine_wake(transfer->engine, transfer->waiter);
}

/* What came of handing it over. */
static void take(struct transfer *transfer, enum transfer_outcome outcome) {
  if (outcome != TRANSFER_UNDER_WAY)
    conclude(transfer, outcome);
}

void transfer_start(struct transfer *transfer, struct waiter *waiter,
                    const struct transfer_order *order) {
  transfer->waiter = waiter;
  transfer->leave_by = order->leave_by;
  transfer->started = transfer->waiting_since = poller_clock();
  transfer->engine->now = transfer->started;
  take(transfer, easy_address(transfer, order) < 0 ? TRANSFER_NO_MEMORY
                                                   : alpn_attach(transfer));
}

/* Nothing of it has left: it begins again, on a connection of its own. */
static void begin_again(struct transfer *transfer) {
  transfer->is_stale = 0;
  *transfer->problem = '\0';
  detach(transfer);
  easy_connect_afresh(transfer);
  take(transfer, lookup_attach(transfer));
}

/* libcurl's words; where it or we refuse a header line, they don't say so. */
static void note_problem(struct transfer *transfer, int code) {
  const char *text = curl_easy_strerror((CURLcode)code);
  if ((code == CURLE_BAD_FUNCTION_ARGUMENT && transfer->departures > 0) ||
      (code == CURLE_WRITE_ERROR && transfer->stopped == TRANSFER_LOST))
    text = "a malformed header line";
  else if (*transfer->problem)
    return;
  strncpy(transfer->problem, text, sizeof transfer->problem - 1);
}

void transfer_ended(struct transfer *transfer, int code) {
  enum transfer_outcome outcome = verdict_of(transfer, code);
  if (transfer->is_stale) {
    begin_again(transfer);
    return;
  }
  if (transfer->departures == 0 &&
      (outcome == TRANSFER_NO_CONNECTION || outcome == TRANSFER_TIMED_OUT))
    lookup_distrust(transfer);
  if (code != CURLE_OK)
    note_problem(transfer, code);
  if (code != CURLE_OK && transfer->stopped != TRANSFER_UNDER_WAY)
    outcome = transfer->stopped;
  conclude(transfer, outcome);
}

void transfer_stop(struct transfer *transfer, enum transfer_outcome outcome) {
  if (transfer->outcome == TRANSFER_UNDER_WAY)
    conclude(transfer, outcome);
}

static int is_moving(const struct transfer *transfer) {
  if (transfer->begun)
    return 1;
  return transfer->moved > 0 && !body_is_done(&transfer->body);
}

static uint64_t stall_due(struct transfer *transfer, uint64_t now) {
  uint64_t window = transfer->profile->stall_timeout;
  uint64_t moved = transfer->moved - transfer->marked_bytes;
  if (now - transfer->marked_at < window)
    return transfer->marked_at + window;
  if (!transfer->paused && moved < SLOWEST * window / 1000)
    return 0;
  transfer->marked_at = now;
  transfer->marked_bytes = transfer->moved;
  return now + window;
}

/* The clock of an answer, or of silence. */
static uint64_t answer_due(struct transfer *transfer, uint64_t now) {
  uint64_t due, answer;
  if (is_moving(transfer)) {
    if (transfer->marked_at == 0) {
      transfer->marked_at = now;
      transfer->marked_bytes = transfer->moved;
    }
    due = stall_due(transfer, now);
    /* The answer's own time begins with the body's last byte. */
    answer = now + transfer->profile->request_timeout + 1;
    return due < answer ? due : answer;
  }
  due = transfer->waiting_since + transfer->profile->request_timeout;
  if (transfer->waits_for_names && transfer->profile->connect_timeout > 0 &&
      transfer->profile->connect_timeout < transfer->profile->request_timeout)
    due = transfer->started + transfer->profile->connect_timeout;
  return now < due ? due : 0;
}

uint64_t transfer_due(struct transfer *transfer, uint64_t now) {
  uint64_t due = answer_due(transfer, now);
  uint64_t idle = transfer->moved_at + GRACE;
  if (!transfer->headed)
    return due;
  if (now < idle) /* the rest of the body may be wanted all the same */
    return due < idle ? due : idle;
  return verdict_is_answered(transfer) ? 0 : due;
}

void transfer_resume(struct transfer *transfer) {
  struct sigpipe guard;
  if (!transfer->paused || !transfer->attached)
    return;
  transfer->paused = 0;
  transfer->marked_at = poller_clock(); /* the pause was ours, no stall */
  transfer->marked_bytes = transfer->moved;
  sigpipe_enter(&guard);
  curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
  sigpipe_leave(&guard);
}

/* Ready for the next read; the options stay as they are. */
static void park(struct transfer *transfer) {
  struct profile *profile = transfer->profile;
  struct buffer reply = transfer->reply;
  memset(transfer, 0, offsetof(struct transfer, problem));
  *transfer->problem = '\0';
  buffer_clear(&reply);
  transfer->reply = reply;
  transfer->announced = -1;
  response_watch_head(transfer);
  transfer->next = profile->idle;
  profile->idle = transfer;
  profile->idle_count++;
}

static void dispose(struct transfer *transfer) {
  transfer->profile->handles--;
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  curl_slist_free_all(transfer->addresses);
  lookup_free_plan(transfer);
  body_free(&transfer->body);
  buffer_free(&transfer->reply);
  free(transfer);
}

static int can_serve_again(const struct transfer *transfer) {
  return transfer->reusable && transfer->outcome == TRANSFER_ANSWERED &&
         !transfer->cut && transfer->reply.capacity <= 16384 &&
         transfer->profile->references > 1 &&
         transfer->profile->idle_count < transfer->profile->idle_limit;
}

void transfer_destroy(struct transfer *transfer) {
  struct profile *profile = transfer->profile;
  alpn_forget(transfer);
  lookup_forget(transfer);
  detach(transfer);
  unlink_it(transfer);
  dispose(transfer);
  profile_release(profile);
}

void transfer_release(struct transfer *transfer) {
  struct profile *profile;
  if (!transfer)
    return;
  if (!can_serve_again(transfer)) {
    transfer_destroy(transfer);
    return;
  }
  profile = transfer->profile;
  unlink_it(transfer);
  park(transfer);
  profile_release(profile);
}

void transfer_drop_idle(struct profile *profile) {
  struct transfer *transfer;
  profile->idle_limit = 0;
  while ((transfer = take_idle(profile)) != NULL)
    dispose(transfer);
}
