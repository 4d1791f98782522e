/* The way of a download to its bytes. */
#include "calls/download_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "api/box.h"
#include "base/ascii.h"
#include "base/retry.h"
#include "calls/download_deliver.h"
#include "calls/download_link.h"
#include "net/driver.h"
#include "net/header.h"
#include "net/resource.h"
#include "run/client.h"
#include "run/event.h"

enum {
  REDIRECTS = 5,
  RENEWALS = 3 /* without a byte in between */
};

/* ---- an attempt ---- */

static void drop_transfer(struct download *download) {
  transfer_release(download->fetch.transfer);
  download->fetch.transfer = NULL;
  gate_leave(&client_of(&download->job)->gate, &download->fetch.pass);
}

/* Sets of what the next attempt asks for the bytes, and from where on. -1: no
 * memory. */
static int aim(struct download *download, uint64_t *from) {
  char *resource = resource_of(download->link.url);
  int result = resource ? sink_ask(&download->sink, resource, from) : -1;
  free(resource);
  return result;
}

static void send_fetch(lua_State *L, struct download *download) {
  struct client *client = client_of(&download->job);
  /* The key goes to the API's own origin, and no further along redirects. */
  int is_own = download->link.from_api && download->link.redirects == 0;
  uint64_t from;
  struct transfer_order order = {
      .purpose = TRANSFER_FETCH,
      .method = "GET",
      .url = download->link.url,
      .with_key = is_own,
      .leave_by = download->job.deadline,
  };
  struct transfer *transfer;
  if (aim(download, &from) < 0)
    box_no_memory(L);
  if (download->fetch.attempts++ == 0)
    download->fetch.best = from;
  download->fetch.transfer =
      transfer_new(client->owner.engine, client->profile, TRANSFER_FETCH);
  if (!download->fetch.transfer)
    box_no_memory(L);
  transfer = download->fetch.transfer;
  transfer->sink = &download->sink;
  transfer->resume_from = from;
  transfer->allow_private = download->fetch.allow_private || is_own;
  transfer->wants_bytes = (!download->sink.to_file && !download->sink.outlet) ||
                          download->deliver.watched ||
                          event_wanted(&download->job);
  transfer_start(transfer, &download->job.waiter, &order);
  job_weigh(L, transfer);
}

/* Sends the next attempt if it is its turn. */
static void begin_attempt(lua_State *L, struct download *download, int self) {
  struct client *client = client_of(&download->job);
  uint64_t now = poller_clock();
  uint64_t due = download->fetch.resume_at;
  if (now >= download->job.deadline) { /* nothing is begun any more */
    job_sleep(&download->job, now);
    return;
  }
  if (due <= now)
    due = gate_ask(&client->gate, &download->fetch.pass, now);
  if (due > 0) {
    job_sleep(&download->job, due);
    return;
  }
  if (download->sink.handed > 0 && !download->sink.etag) {
    fault_push(L, client->profile->key, FAULT_PROTOCOL,
               "the connection broke, and the server names no strong ETag by "
               "which to go on; what was handed over can't be taken back");
    download_fail(L, download, self);
    return;
  }
  send_fetch(L, download);
}

/* ---- after an attempt ---- */

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* How long a host that names a time is waited for, in ms: an hour at most, not
 * beyond the end of the link, and so that the call's deadline leaves time for
 * another attempt. */
static uint64_t granted(const struct download *download, uint64_t asked) {
  uint64_t now = poller_clock();
  uint64_t deadline = download->job.deadline;
  uint64_t life = download_link_life(download);
  uint64_t delay = least(asked, RETRY_NAMED_MOST);
  if (life > 0)
    delay = least(delay, life);
  if (deadline != POLLER_NEVER && deadline > now && deadline - now <= delay)
    delay = (deadline - now) / 2;
  return delay;
}

/* Says once what nobody would guess. */
static void warn_of_hold(lua_State *L, struct download *download,
                         uint64_t asked, uint64_t delay) {
  if (download->fetch.complained || delay < RETRY_NAMED_SAID)
    return;
  download->fetch.complained = 1;
  lua_pushfstring(L,
                  "minimax: the storage host asks for a pause of %d s; the "
                  "download goes on in %d s",
                  (int)(asked / 1000), (int)(delay / 1000));
  lua_warning(L, lua_tostring(L, -1), 0);
  lua_pop(L, 1);
}

static void tell_retry(lua_State *L, struct download *download, int self,
                       uint64_t delay, uint64_t asked) {
  struct job *job = &download->job;
  if (!event_begin(L, job, self, "retry"))
    return;
  event_set_number(L, "delay", (double)delay / 1000);
  if (asked > 0)
    event_set_number(L, "retry_after", (double)asked / 1000);
  event_set_integer(L, "bytes", (lua_Integer)download->sink.received);
  if (download->fetch.transfer->status > 0)
    event_set_integer(L, "http_status", download->fetch.transfer->status);
  event_send(L, job, self);
}

static void try_again(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  uint64_t delay = retry_backoff(download->fetch.failures, RETRY_BASE, 0,
                                 RETRY_CAP, &job->owner->engine->random);
  uint64_t asked = reply_retry_after(download->fetch.transfer);
  if (asked > delay)
    delay = granted(download, asked);
  download->fetch.failures++;
  tell_retry(L, download, self, delay, asked);
  warn_of_hold(L, download, asked, delay);
  drop_transfer(download);
  download->fetch.resume_at = poller_clock() + delay;
  job_sleep(job, download->fetch.resume_at);
}

static void set_status(lua_State *L, const struct download *download) {
  lua_pushinteger(L, download->fetch.transfer->status);
  lua_setfield(L, -2, "http_status");
}

static void fail_status(lua_State *L, struct download *download, int self,
                        enum fault_kind kind, const char *text) {
  fault_push(L, client_of(&download->job)->profile->key, kind, "%s", text);
  set_status(L, download);
  download_fail(L, download, self);
}

/* A lost attempt is repeated as long as bytes come. */
static void on_loss(lua_State *L, struct download *download, int self) {
  if (download->fetch.failures < client_of(&download->job)->retries) {
    try_again(L, download, self);
    return;
  }
  reply_push_loss(L, download->fetch.transfer);
  download_fail(L, download, self);
}

/* It is lost for good: what came is kept only where a later call may go on
 * with it. */
static void give_up(lua_State *L, struct download *download, int self) {
  enum transfer_outcome outcome = download->fetch.transfer->outcome;
  struct sink *sink = &download->sink;
  if (outcome == TRANSFER_SINK_NOT_VIDEO ||
      (outcome == TRANSFER_SINK_TOO_LARGE && sink->total == UINT64_MAX))
    sink_restart(sink);
  reply_push_loss(L, download->fetch.transfer);
  download_fail(L, download, self);
}

static void renew(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  int has_source = download->link.has_task || download->link.file_id;
  if (download->fetch.renewals >= RENEWALS ||
      (!has_source && !download->link.asked)) {
    fail_status(L, download, self, FAULT_EXPIRED,
                download->fetch.renewals
                    ? "the link serves no more, and a renewed one neither"
                    : "the link serves no more; download the task instead, "
                      "which renews its link");
    return;
  }
  download->fetch.renewals++;
  if (event_begin(L, job, self, "renew")) {
    event_set_integer(L, "http_status", download->fetch.transfer->status);
    event_send(L, job, self);
  }
  drop_transfer(download);
  if (!has_source) { /* what was asked for may redirect to a fresh one */
    download_link_go_back(download);
    download_go_to(download, DOWNLOAD_BYTES);
    return;
  }
  download_go_to(download, download->link.has_task ? DOWNLOAD_TASK_LINK
                                                   : DOWNLOAD_FILE_LINK);
}

static int may_lead_to(const struct profile *profile, const char *url) {
  return ascii_equal_up_to(url, "https://", 8) ||
         (profile_is_plain(profile) && ascii_equal_up_to(url, "http://", 7));
}

/* NULL, or why not. */
static const char *follow_redirect(struct download *download) {
  char *target =
      transfer_redirect(download->fetch.transfer, download->link.url);
  const char *problem = NULL;
  if (!target)
    problem = "the link redirects to nowhere";
  else if (download->link.redirects >= REDIRECTS)
    problem = "the link redirects too often";
  else if (!may_lead_to(client_of(&download->job)->profile, target))
    problem = "the link redirects to something other than https://";
  if (problem)
    free(target);
  else
    download_link_follow(download, target);
  return problem;
}

static void redirect(lua_State *L, struct download *download, int self) {
  const char *problem = follow_redirect(download);
  if (problem) {
    fail_status(L, download, self, FAULT_PROTOCOL, problem);
    return;
  }
  drop_transfer(download);
  download_go_to(download, DOWNLOAD_BYTES);
}

/* What is here is not what the host has: it begins anew, the first time at
 * once. */
static void begin_anew(lua_State *L, struct download *download, int self) {
  struct sink *sink = &download->sink;
  if (sink_restart(sink) < 0) {
    download->fetch.transfer->outcome =
        sink->handed > 0 ? TRANSFER_CHANGED : TRANSFER_SINK_FAILED;
    give_up(L, download, self);
  } else if (download->fetch.restarted) {
    download->fetch.transfer->outcome = TRANSFER_BAD_RANGE;
    on_loss(L, download, self);
  } else {
    download->fetch.restarted = 1;
    tell_retry(L, download, self, 0, 0);
    drop_transfer(download);
    download_go_to(download, DOWNLOAD_BYTES);
  }
}

/* Whether a 416 says that the sink holds all of the file already: as long as
 * was announced before, or else the same by its entity tag. */
static int holds_all(const struct download *download) {
  const struct sink *sink = &download->sink;
  const char *value =
      transfer_header(download->fetch.transfer, "Content-Range");
  const char *etag = transfer_header(download->fetch.transfer, "ETag");
  struct content_range range;
  if (!value || header_content_range(value, &range) < 0 ||
      range.total != sink->received)
    return 0;
  return etag ? strcmp(etag, sink->etag) == 0 : sink->total == range.total;
}

/* The range begins where the file ends, or the file is another one. */
static void on_unsatisfied(lua_State *L, struct download *download, int self) {
  struct sink *sink = &download->sink;
  if (!holds_all(download)) {
    begin_anew(L, download, self);
    return;
  }
  if (sink->total == UINT64_MAX)
    sink->total = sink->received;
  if (!sink_is_whole(sink)) {
    begin_anew(L, download, self);
  } else if (sink->total > sink->limit) {
    download->fetch.transfer->outcome = TRANSFER_SINK_TOO_LARGE;
    give_up(L, download, self);
  } else {
    download->fetch.arrived = 1;
    download_deliver_bytes(L, download, self);
  }
}

/* The storage host has trouble of its own. */
static void on_trouble(lua_State *L, struct download *download, int self) {
  if (download->fetch.failures < client_of(&download->job)->retries)
    try_again(L, download, self);
  else
    fail_status(L, download, self, FAULT_SERVER,
                "the storage host keeps failing");
}

static void on_refusal(lua_State *L, struct download *download, int self) {
  long status = download->fetch.transfer->status;
  if (status == 401 || status == 403 || status == 404 || status == 410)
    renew(L, download, self);
  else if (status == 416 && download->fetch.transfer->resume_from > 0)
    on_unsatisfied(L, download, self);
  else if (status == 412 && download->fetch.transfer->resume_from > 0)
    begin_anew(L, download, self); /* to If-Range: RFC 9110 says 200 */
  else if (status == 408 || status == 429 || status >= 500)
    on_trouble(L, download, self);
  else
    fail_status(L, download, self, FAULT_PROTOCOL,
                "the storage host refused the download");
}

/* The whole body came, so far as its framing tells: is it a whole video? */
static void on_end(lua_State *L, struct download *download, int self) {
  struct transfer *transfer = download->fetch.transfer;
  struct sink *sink = &download->sink;
  const char *type = transfer_header(transfer, "Content-Type");
  if (type && profile_set(&download->fetch.content_type, type) < 0)
    box_no_memory(L);
  if (transfer->to_sink && sink->received < sink->total &&
      sink->total != UINT64_MAX) { /* a 206 that is shorter than it says */
    transfer->outcome = TRANSFER_CUT;
    on_loss(L, download, self);
    return;
  }
  if (transfer->to_sink && sink_is_whole(sink)) {
    download->fetch.arrived = 1;
    download_deliver_bytes(L, download, self);
    return;
  }
  if (transfer->to_sink)
    sink_restart(sink); /* nothing of it is worth resuming */
  fail_status(L, download, self, FAULT_PROTOCOL,
              "what arrived is no whole MP4 video; verify = false lets other "
              "content through");
}

/* Attempts are counted only without progress. */
static void on_progress(struct download *download) {
  if (download->sink.received > download->fetch.best) {
    download->fetch.best = download->sink.received;
    download->fetch.failures = download->fetch.renewals = 0;
  }
}

/* Beyond what was announced. */
static int is_too_long(const struct sink *sink) {
  return sink->total != UINT64_MAX && sink->received > sink->total;
}

/* A rest that is none: of another file, empty, or not fit for what is here. */
static int is_bad_rest(const struct download *download) {
  const struct transfer *transfer = download->fetch.transfer;
  switch (transfer->outcome) {
  case TRANSFER_BAD_RANGE:
    return 1;
  case TRANSFER_SINK_NOT_VIDEO:
    return transfer->resume_from > 0;
  case TRANSFER_ANSWERED:
    return transfer->status == 206 &&
           (!transfer->begun || is_too_long(&download->sink));
  default:
    return 0;
  }
}

static void on_outcome(lua_State *L, struct download *download, int self) {
  const struct transfer *transfer = download->fetch.transfer;
  gate_leave(&client_of(&download->job)->gate, &download->fetch.pass);
  on_progress(download);
  if (transfer->status >= 300 && transfer->status < 400) {
    redirect(L, download, self);
  } else if (transfer->status >= 400) {
    on_refusal(L, download, self);
  } else if (is_bad_rest(download)) {
    begin_anew(L, download, self);
  } else if (transfer->outcome == TRANSFER_ANSWERED) {
    on_end(L, download, self);
  } else if (reply_loss_is_passing(transfer)) {
    on_loss(L, download, self);
  } else {
    give_up(L, download, self);
  }
}

void download_fetch(lua_State *L, struct download *download, int self) {
  uint64_t due;
  if (!download->fetch.transfer)
    begin_attempt(L, download, self);
  if (!download->fetch.transfer)
    return;
  if (download->fetch.arrived) {
    download_deliver_bytes(L, download, self);
    return;
  }
  due = driver_look(download->fetch.transfer, poller_clock());
  if (due > 0) {
    job_sleep(&download->job, due);
    download_deliver_bytes(L, download, self);
    return;
  }
  on_outcome(L, download, self);
}

/* ---- its life ---- */

void download_fetch_init(struct download *download, int allow_private) {
  const struct profile *profile = client_of(&download->job)->profile;
  download->fetch.pass.waiter = &download->job.waiter;
  download->fetch.pass.lane = LANE_BULK;
  download->fetch.allow_private = allow_private || profile_is_private(profile);
}

void download_fetch_release(struct download *download) {
  drop_transfer(download);
  free(download->fetch.content_type);
  download->fetch.content_type = NULL;
}
