/* The way of a download to its bytes. */
#include "fetch.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "event.h"
#include "header.h"
#include "query.h"
#include "retry.h"
#include "status.h"
#include "url.h"

enum {
  REDIRECTS = 5,
  RENEWALS = 3, /* without a byte in between */
  BACKOFF_BASE = 500,
  BACKOFF_CAP = 30000
};

#define RETRIEVE         "/v1/files/retrieve"
#define RETRIEVE_CONTENT "/v1/files/retrieve_content"

/* ---- the link ---- */

int fetch_set_link(struct download *download, const char *url) {
  const struct profile *profile = download->job.client->profile;
  struct buffer link = {0};
  int result = profile_is_plain(profile) ? buffer_add_text(&link, url)
                                         : url_add_upgraded(&link, url);
  if (result < 0) {
    buffer_free(&link);
    return -1;
  }
  free(download->url);
  download->url = link.bytes;
  download->redirects = 0;
  return 0;
}

static void go_to(struct download *download,
                  void (*step)(lua_State *, struct download *, int)) {
  download->step = step;
  engine_wake(download->job.client->engine, &download->job.waiter);
}

/* Moves the exchange on. Returns whether it has ended; the decoded object is
 * then on top, or nil. */
static int advance_exchange(lua_State *L, struct download *download, int self,
                            struct reply *reply, enum exchange_step *step) {
  *step = exchange_advance(L, &download->job, self, &download->exchange, reply);
  if (*step == EXCHANGE_LOST)
    lua_pushnil(L);
  return *step != EXCHANGE_PENDING;
}

static void begin_exchange(lua_State *L, struct download *download, char *url) {
  if (!url)
    fault_no_memory(L);
  exchange_begin(&download->exchange, &download->job, "GET", url, LANE_QUERY,
                 EXCHANGE_REPEAT);
}

static void end_exchange(struct download *download) {
  exchange_clear(&download->exchange, download->job.client);
}

/* The error of an exchange that brought no link; a file or task that is not
 * there any more has expired. */
static void fail_exchange(lua_State *L, struct download *download, int self,
                          const struct reply *reply, enum exchange_step step,
                          int object) {
  const struct transfer *transfer = download->exchange.transfer;
  if (step == EXCHANGE_LOST)
    reply_push_loss(L, transfer);
  else
    reply_push_fault(L, transfer, reply, object);
  exchange_count(L, &download->exchange);
  download_fail(L, download, self);
}

/* ---- a file's link ---- */

/* Takes the link from the object that files/retrieve answered. */
static void heed_file(lua_State *L, struct download *download, int object) {
  const char *url = NULL;
  if (lua_getfield(L, object, "file") == LUA_TTABLE) {
    lua_getfield(L, -1, "download_url");
    url = lua_tostring(L, -1);
  }
  download->from_api = !url || !*url;
  if (!download->from_api) {
    if (fetch_set_link(download, url) < 0)
      fault_no_memory(L);
    return;
  }
  free(download->url);
  download->url = exchange_url(download->job.client, RETRIEVE_CONTENT,
                               "file_id", download->file_id);
  if (!download->url)
    fault_no_memory(L);
}

static void await_file(lua_State *L, struct download *download, int self) {
  struct reply reply;
  enum exchange_step step;
  int object;
  if (!advance_exchange(L, download, self, &reply, &step))
    return;
  object = lua_gettop(L);
  if (step == EXCHANGE_LOST || reply.kind != FAULT_NONE) {
    fail_exchange(L, download, self, &reply, step, object);
    return;
  }
  end_exchange(download);
  heed_file(L, download, object);
  go_to(download, fetch_bytes);
}

void fetch_link_of_file(lua_State *L, struct download *download, int self) {
  begin_exchange(L, download,
                 exchange_url(download->job.client, RETRIEVE, "file_id",
                              download->file_id));
  download->step = await_file;
  await_file(L, download, self);
}

/* ---- a task's link ---- */

static void fail_state(lua_State *L, struct download *download, int self,
                       int status) {
  lua_getfield(L, status, "state");
  lua_getfield(L, status, "status");
  fault_push(L, download->job.client->profile->key, FAULT_INVALID,
             "the task has no video to download: it is %s ('%s')",
             lua_tostring(L, -2), lua_tostring(L, -1));
  lua_pushvalue(L, status);
  lua_setfield(L, -2, "status");
  download_fail(L, download, self);
}

/* Takes what the status on top names: a link, or a file. */
static void heed_status(lua_State *L, struct download *download) {
  int status = lua_gettop(L);
  const char *text;
  if (lua_getfield(L, status, "file_id") == LUA_TSTRING &&
      *(text = lua_tostring(L, -1)) &&
      profile_set(&download->file_id, text) < 0)
    fault_no_memory(L);
  if (lua_getfield(L, status, "url") == LUA_TSTRING) {
    if (fetch_set_link(download, lua_tostring(L, -1)) < 0)
      fault_no_memory(L);
    go_to(download, fetch_bytes);
  } else {
    go_to(download, fetch_link_of_file);
  }
  lua_settop(L, status);
}

static void await_task(lua_State *L, struct download *download, int self) {
  struct reply reply;
  enum exchange_step step;
  enum state state;
  int object;
  if (!advance_exchange(L, download, self, &reply, &step))
    return;
  object = lua_gettop(L);
  state = query_result(L, &download->job, self, &download->exchange, &reply,
                       step, object);
  end_exchange(download);
  if (state == STATE_NONE)
    download_fail(L, download, self);
  else if (state != STATE_SUCCEEDED)
    fail_state(L, download, self, lua_gettop(L));
  else
    heed_status(L, download);
}

void fetch_link_of_task(lua_State *L, struct download *download, int self) {
  const char *id = query_push_id(L, self);
  begin_exchange(
      L, download,
      query_url(download->job.client, (enum kind)download->job.kind, id));
  lua_pop(L, 1);
  download->step = await_task;
  await_task(L, download, self);
}

/* ---- the bytes ---- */

static void await_bytes(lua_State *L, struct download *download, int self);

static void drop_transfer(struct download *download) {
  transfer_release(download->transfer);
  download->transfer = NULL;
  gate_leave(&download->job.client->gate, &download->pass);
}

/* Where the next attempt begins: only bytes of a known file are kept. */
static int find_start(struct download *download) {
  struct sink *sink = &download->sink;
  if (sink->received == 0)
    return 0;
  if (download->etag || sink_restart(sink) == 0)
    return 0;
  return -1;
}

static void send_fetch(lua_State *L, struct download *download) {
  struct client *client = download->job.client;
  struct transfer_order order = {
      .purpose = TRANSFER_FETCH,
      .method = "GET",
      .url = download->url,
      .etag = download->etag,
      .with_key = download->from_api && download->redirects == 0,
  };
  struct transfer *transfer =
      transfer_new(client->engine, client->profile, TRANSFER_FETCH);
  if (!transfer)
    fault_no_memory(L);
  download->transfer = transfer;
  download->attempts++;
  transfer->sink = &download->sink;
  transfer->resume_from = download->sink.received;
  transfer->allow_private = download->allow_private;
  transfer->wants_bytes = !download->sink.to_file || download->watched ||
                          event_wanted(&download->job);
  if (transfer_start(transfer, &download->job.waiter, &order) < 0)
    fault_no_memory(L);
}

void fetch_bytes(lua_State *L, struct download *download, int self) {
  struct client *client = download->job.client;
  uint64_t now = poller_clock();
  uint64_t due = download->resume_at;
  if (due <= now)
    due = gate_ask(&client->gate, &download->pass, now);
  if (due > 0) {
    job_sleep(&download->job, due);
    return;
  }
  if (find_start(download) < 0) {
    fault_push(L, client->profile->key, FAULT_PROTOCOL,
               "the connection broke, and the server names no strong ETag by "
               "which to go on; what was handed over can't be taken back");
    download_fail(L, download, self);
    return;
  }
  send_fetch(L, download);
  download->step = await_bytes;
  await_bytes(L, download, self);
}

/* ---- after an attempt ---- */

static void try_again(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  uint64_t delay = retry_backoff(download->failures, BACKOFF_BASE, 0,
                                 BACKOFF_CAP, &job->client->engine->random);
  uint64_t asked = reply_retry_after(download->transfer);
  delay = delay > asked ? delay : asked;
  download->failures++;
  if (event_wanted(job)) {
    event_begin(L, job, self, "retry");
    event_set_number(L, "delay", (double)delay / 1000);
    event_set_integer(L, "bytes", (lua_Integer)download->sink.received);
    event_send(L, job, self);
  }
  drop_transfer(download);
  download->resume_at = poller_clock() + delay;
  download->step = fetch_bytes;
  job_sleep(job, download->resume_at);
}

static void set_status(lua_State *L, const struct download *download) {
  lua_pushinteger(L, download->transfer->status);
  lua_setfield(L, -2, "http_status");
}

static void fail_status(lua_State *L, struct download *download, int self,
                        enum fault_kind kind, const char *text) {
  fault_push(L, download->job.client->profile->key, kind, "%s", text);
  set_status(L, download);
  download_fail(L, download, self);
}

/* A lost attempt is repeated as long as bytes come. */
static void heed_loss(lua_State *L, struct download *download, int self) {
  if (download->failures < download->job.client->retries) {
    try_again(L, download, self);
    return;
  }
  reply_push_loss(L, download->transfer);
  download_fail(L, download, self);
}

static void renew(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  if (download->renewals >= RENEWALS ||
      (!download->has_task && !download->file_id)) {
    fail_status(L, download, self, FAULT_EXPIRED,
                download->renewals
                    ? "the link serves no more, and a renewed one neither"
                    : "the link serves no more; download the task instead, "
                      "which renews its link");
    return;
  }
  download->renewals++;
  if (event_wanted(job)) {
    event_begin(L, job, self, "renew");
    event_set_integer(L, "http_status", download->transfer->status);
    event_send(L, job, self);
  }
  drop_transfer(download);
  download->from_api = 0;
  go_to(download, download->has_task ? fetch_link_of_task : fetch_link_of_file);
}

static void redirect(lua_State *L, struct download *download, int self) {
  const char *target = transfer_redirect(download->transfer);
  const struct profile *profile = download->job.client->profile;
  char *url;
  if (!target || download->redirects >= REDIRECTS) {
    fail_status(L, download, self, FAULT_PROTOCOL,
                target ? "the link redirects too often"
                       : "the link redirects to nowhere");
    return;
  }
  if (strncmp(target, "https://", 8) != 0 &&
      !(profile_is_plain(profile) && strncmp(target, "http://", 7) == 0)) {
    fail_status(L, download, self, FAULT_PROTOCOL,
                "the link redirects to something other than https://");
    return;
  }
  url = strdup(target);
  if (!url)
    fault_no_memory(L);
  free(download->url);
  download->url = url;
  download->redirects++;
  drop_transfer(download);
  go_to(download, fetch_bytes);
}

/* 416: the range begins where the file ends, or the file is another one. */
static void heed_unsatisfied(lua_State *L, struct download *download,
                             int self) {
  struct content_range range = {0, 0, HEADER_UNKNOWN};
  const char *value = transfer_header(download->transfer, "Content-Range");
  if (value)
    header_content_range(value, &range);
  if (range.total == download->sink.received &&
      sink_is_whole(&download->sink)) {
    download->arrived = 1;
    download_heed_bytes(L, download, self);
    return;
  }
  if (sink_restart(&download->sink) < 0) {
    fail_status(L, download, self, FAULT_PROTOCOL,
                "the remote file changed, and what was handed over can't be "
                "taken back");
    return;
  }
  heed_loss(L, download, self);
}

/* The storage host has trouble of its own. */
static void heed_trouble(lua_State *L, struct download *download, int self) {
  if (download->failures < download->job.client->retries)
    try_again(L, download, self);
  else
    fail_status(L, download, self, FAULT_SERVER,
                "the storage host keeps failing");
}

static void heed_refusal(lua_State *L, struct download *download, int self) {
  long status = download->transfer->status;
  if (status == 401 || status == 403 || status == 404 || status == 410)
    renew(L, download, self);
  else if (status == 416 && download->transfer->resume_from > 0)
    heed_unsatisfied(L, download, self);
  else if (status == 408 || status == 429 || status >= 500)
    heed_trouble(L, download, self);
  else
    fail_status(L, download, self, FAULT_PROTOCOL,
                "the storage host refused the download");
}

/* The whole body came: is it a whole video? */
static void heed_end(lua_State *L, struct download *download, int self) {
  const char *type = transfer_header(download->transfer, "Content-Type");
  if (type && profile_set(&download->content_type, type) < 0)
    fault_no_memory(L);
  if (sink_is_whole(&download->sink) && download->sink.received > 0) {
    download->arrived = 1;
    download_heed_bytes(L, download, self);
    return;
  }
  sink_restart(&download->sink); /* nothing of it is worth resuming */
  fail_status(L, download, self, FAULT_PROTOCOL,
              "what arrived is no whole MP4 video; verify = false lets other "
              "content through");
}

/* Keeps what tells the remote file from another one. */
static void remember_file(lua_State *L, struct download *download) {
  const struct transfer *transfer = download->transfer;
  const char *etag = transfer_header(transfer, "ETag");
  if (!transfer->to_sink)
    return;
  download->total = transfer->total;
  if (profile_set(&download->etag,
                  etag && header_etag_is_strong(etag) ? etag : NULL) < 0)
    fault_no_memory(L);
  if (download->sink.received > download->best) {
    download->best = download->sink.received;
    download->failures = download->renewals = 0;
  }
}

/* Whether another attempt may mend what happened. */
static int may_mend(struct download *download) {
  switch (download->transfer->outcome) {
  case TRANSFER_NO_HOST:
  case TRANSFER_NO_CONNECTION:
  case TRANSFER_NO_TLS:
  case TRANSFER_TIMED_OUT:
  case TRANSFER_LOST:
  case TRANSFER_CUT:
    return 1;
  case TRANSFER_BAD_RANGE:
    return sink_restart(&download->sink) == 0;
  default:
    return 0;
  }
}

static void heed_outcome(lua_State *L, struct download *download, int self) {
  const struct transfer *transfer = download->transfer;
  gate_leave(&download->job.client->gate, &download->pass);
  remember_file(L, download);
  if (transfer->status >= 300 && transfer->status < 400) {
    redirect(L, download, self);
  } else if (transfer->status >= 400) {
    heed_refusal(L, download, self);
  } else if (transfer->outcome == TRANSFER_ANSWERED) {
    heed_end(L, download, self);
  } else if (may_mend(download)) {
    heed_loss(L, download, self);
  } else {
    reply_push_loss(L, transfer);
    download_fail(L, download, self);
  }
}

static void await_bytes(lua_State *L, struct download *download, int self) {
  struct transfer *transfer = download->transfer;
  if (download->arrived) {
    download_heed_bytes(L, download, self);
    return;
  }
  if (transfer->outcome == TRANSFER_UNDER_WAY) {
    uint64_t due = transfer_due(transfer, poller_clock());
    if (due > 0) {
      job_sleep(&download->job, due);
      download->total = transfer->total;
      download_heed_bytes(L, download, self);
      return;
    }
    transfer_stop(transfer, TRANSFER_TIMED_OUT);
  }
  heed_outcome(L, download, self);
}
