/* The way of a download to its link. */
#include "calls/download_link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/box.h"
#include "api/endpoint.h"
#include "base/ascii.h"
#include "calls/query.h"
#include "net/url.h"
#include "run/client.h"

#define LONGEST_LIFE     1000000000 /* s */
#define RETRIEVE         "/v1/files/retrieve"
#define RETRIEVE_CONTENT "/v1/files/retrieve_content"

/* Takes `url` over: the way begins there. */
static void begin_at(struct download *download, char *url) {
  free(download->link.url);
  free(download->link.asked);
  download->link.url = url;
  download->link.asked = NULL;
  download->link.redirects = 0;
  download->link.from_api = 0;
}

void download_link_follow(struct download *download, char *url) {
  if (download->link.redirects++ == 0)
    download->link.asked = download->link.url;
  else
    free(download->link.url);
  download->link.url = url;
}

void download_link_go_back(struct download *download) {
  char *url = download->link.asked;
  download->link.asked = NULL;
  begin_at(download, url);
}

/* Makes `text` the link: trimmed, encoded, joined with base_url where it is
 * relative, and upgraded to https where it must be. -1: no memory. */
static int set_link(struct download *download, const char *text) {
  const struct profile *profile = client_of(&download->job)->profile;
  char *url = url_link(profile->base, text);
  struct buffer upgraded = {0};
  download->link.upgraded =
      url && !profile_is_plain(profile) && ascii_equal_up_to(url, "http://", 7);
  if (download->link.upgraded) {
    if (url_add_upgraded(&upgraded, url) < 0)
      buffer_free(&upgraded);
    free(url);
    url = upgraded.bytes;
  }
  if (!url)
    return -1;
  begin_at(download, url);
  return 0;
}

int download_link_init(struct download *download, const char *url,
                       const char *file_id, int has_task) {
  if ((url && set_link(download, url) < 0) ||
      (file_id && profile_set(&download->link.file_id, file_id) < 0))
    return -1;
  download->link.has_task = (unsigned char)has_task;
  if (url)
    download->step = DOWNLOAD_BYTES;
  else
    download->step = file_id ? DOWNLOAD_FILE_LINK : DOWNLOAD_TASK_LINK;
  return 0;
}

void download_link_release(struct download *download) {
  struct download_link *link = &download->link;
  exchange_clear(&download->exchange, client_of(&download->job));
  free(link->url);
  free(link->asked);
  free(link->file_id);
  link->url = link->asked = link->file_id = NULL;
}

uint64_t download_link_life(const struct download *download) {
  int64_t now = time(NULL), end = url_expires(download->link.url);
  return end > now && end - now < LONGEST_LIFE ? (uint64_t)(end - now) * 1000
                                               : 0;
}

static void begin_exchange(lua_State *L, struct download *download, char *url,
                           enum lane_name lane) {
  exchange_begin(L, &download->exchange, &download->job, "GET", url, lane,
                 EXCHANGE_REPEAT);
}

static void end_exchange(struct download *download) {
  exchange_clear(&download->exchange, client_of(&download->job));
}

/* ---- a file's link ---- */

/* Takes the link from the object that files/retrieve answered. */
static void on_file(lua_State *L, struct download *download, int object) {
  const char *url = NULL;
  if (lua_getfield(L, object, "file") == LUA_TTABLE) {
    lua_getfield(L, -1, "download_url");
    url = lua_tostring(L, -1);
  }
  if (url && *url) {
    if (set_link(download, url) < 0)
      box_no_memory(L);
    return;
  }
  begin_at(download, exchange_url(client_of(&download->job), RETRIEVE_CONTENT,
                                  "file_id", download->link.file_id));
  if (!download->link.url)
    box_no_memory(L);
  download->link.from_api = 1;
}

void download_link_of_file(lua_State *L, struct download *download, int self) {
  struct reply reply;
  int object;
  if (!download->exchange.state)
    begin_exchange(L, download,
                   exchange_url(client_of(&download->job), RETRIEVE, "file_id",
                                download->link.file_id),
                   LANE_FILE);
  if (exchange_advance(L, &download->job, self, &download->exchange, &reply) ==
      EXCHANGE_PENDING)
    return;
  object = lua_gettop(L);
  if (reply_is_failure(download->exchange.transfer, &reply)) {
    reply_push_fault(L, download->exchange.transfer, &reply, object);
    exchange_count(L, &download->exchange);
    download_fail(L, download, self);
    return;
  }
  on_file(L, download, object);
  end_exchange(download); /* last: without memory its answer is read again */
  download_go_to(download, DOWNLOAD_BYTES);
}

/* ---- a task's link ---- */

static void fail_state(lua_State *L, struct download *download, int self,
                       int status) {
  lua_getfield(L, status, "state");
  lua_getfield(L, status, "status");
  fault_push(L, client_of(&download->job)->profile->key, FAULT_INVALID,
             "the task has no video to download: it is %s ('%s')",
             lua_tostring(L, -2), lua_tostring(L, -1));
  lua_pushvalue(L, status);
  lua_setfield(L, -2, "status");
  download_fail(L, download, self);
}

/* Takes what the status on top names: a link, or a file. */
static void on_status(lua_State *L, struct download *download) {
  int status = lua_gettop(L);
  const char *text;
  if (lua_getfield(L, status, "file_id") == LUA_TSTRING &&
      *(text = lua_tostring(L, -1)) &&
      profile_set(&download->link.file_id, text) < 0)
    box_no_memory(L);
  if (lua_getfield(L, status, "url") == LUA_TSTRING) {
    if (set_link(download, lua_tostring(L, -1)) < 0)
      box_no_memory(L);
    download_go_to(download, DOWNLOAD_BYTES);
  } else {
    download_go_to(download, DOWNLOAD_FILE_LINK);
  }
  lua_settop(L, status);
}

static void ask_for_task(lua_State *L, struct download *download, int self) {
  const struct job *job = &download->job;
  const char *id = query_push_id(L, self);
  begin_exchange(L, download,
                 query_url(client_of(job), (enum kind)job->kind, id),
                 LANE_QUERY);
  lua_pop(L, 1);
}

void download_link_of_task(lua_State *L, struct download *download, int self) {
  struct reply reply;
  enum state state;
  if (!download->exchange.state)
    ask_for_task(L, download, self);
  if (exchange_advance(L, &download->job, self, &download->exchange, &reply) ==
      EXCHANGE_PENDING)
    return;
  state = query_result(L, &download->job, self, &download->exchange, &reply,
                       lua_gettop(L));
  if (state == STATE_NONE)
    download_fail(L, download, self);
  else if (state != STATE_SUCCEEDED)
    fail_state(L, download, self, lua_gettop(L));
  else
    on_status(L, download);
  end_exchange(download);
}
