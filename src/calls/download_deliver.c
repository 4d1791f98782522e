/* What a download hands to its owner: chunks, progress, and at last the file.
 */
#include "calls/download_deliver.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/options.h"
#include "calls/download_target.h"
#include "net/sigpipe.h"
#include "run/client.h"
#include "run/event.h"

enum delivery { DELIVER_CHUNK, DELIVER_PROGRESS, DELIVER_WORD };

enum { PROGRESS_EVERY = 500 /* ms between two events */ };

void download_deliver_init(lua_State *L, struct download *download, int self,
                           int options) {
  if (options_get(L, options, "on_progress")) {
    download->deliver.watched = 1;
    lua_setiuservalue(L, self, JOB_EXTRA);
  }
  if (options_get(L, options, "on_whole")) {
    download->deliver.has_word = 1;
    lua_setiuservalue(L, self, JOB_CALLBACK);
  }
}

static int has_chunk(const struct download *download) {
  const char *bytes;
  return sink_peek(&download->sink, &bytes) > 0;
}

/* What an earlier call left counts from when the host has agreed to go on. */
static int has_progress(const struct download *download) {
  int counts = download->fetch.arrived ||
               (download->fetch.transfer && download->fetch.transfer->to_sink);
  return counts && download->deliver.watched &&
         download->sink.received != download->deliver.told;
}

/* Whether the owner is to be asked before the file gets its name. */
static int has_word(const struct download *download) {
  return download->fetch.arrived && download->deliver.has_word;
}

static int has_news(const struct download *download) {
  return has_chunk(download) || has_progress(download) || has_word(download);
}

static void tell_progress(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  uint64_t now = poller_clock();
  if (!event_wanted(job) ||
      (now - download->deliver.progress_at < PROGRESS_EVERY &&
       !download->fetch.arrived))
    return;
  download->deliver.progress_at = now;
  event_begin(L, job, self, "progress");
  event_set_integer(L, "bytes", (lua_Integer)download->sink.received);
  if (download->sink.total != UINT64_MAX)
    event_set_integer(L, "total", (lua_Integer)download->sink.total);
  event_send(L, job, self);
}

static void push_info(lua_State *L, const struct download *download) {
  lua_createtable(L, 0, 4);
  if (download->sink.to_file) {
    lua_pushstring(L, download->sink.part.path);
    lua_setfield(L, -2, "path");
  }
  lua_pushinteger(L, (lua_Integer)download->sink.received);
  lua_setfield(L, -2, "bytes");
  if (download->sink.kept > 0) {
    lua_pushinteger(L, (lua_Integer)download->sink.kept);
    lua_setfield(L, -2, "resumed_from");
  }
  lua_pushstring(L, download->fetch.content_type);
  lua_setfield(L, -2, "content_type");
}

static void stop_by_problem(lua_State *L, struct download *download, int self,
                            const char *problem) {
  fault_push(L, NULL, FAULT_IO, "writing failed: %s", problem);
  download_fail(L, download, self);
}

/* The Lua file it is written to; NULL once that is closed. */
static FILE *lua_file(lua_State *L, int self) {
  luaL_Stream *stream;
  lua_getiuservalue(L, self, JOB_CALLBACK);
  stream = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return stream->closef ? stream->f : NULL;
}

/* Writes what the ring holds. */
static const char *drain(struct sink *sink, FILE *file) {
  const char *bytes;
  size_t length;
  while ((length = sink_peek(sink, &bytes)) > 0) {
    if (fwrite(bytes, 1, length, file) != length)
      return strerror(errno);
    sink_drop(sink, length);
  }
  return NULL;
}

/* What stdio holds back may not fit any more. */
static const char *flush(struct sink *sink, FILE *file) {
  (void)sink;
  return fflush(file) == 0 ? NULL : strerror(errno);
}

/* Drains or flushes into the Lua file. A pipe whose reader is gone is an error
 * of the download, and no signal to the host. */
static const char *write_lua_file(lua_State *L, struct download *download,
                                  int self,
                                  const char *(*write)(struct sink *, FILE *)) {
  FILE *file = lua_file(L, self);
  struct sigpipe guard;
  const char *problem;
  if (!file)
    return "the file was closed";
  sigpipe_enter(&guard);
  problem = write(&download->sink, file);
  sigpipe_leave(&guard);
  return problem;
}

static void complete(lua_State *L, struct download *download, int self) {
  struct sink *sink = &download->sink;
  enum part_result result = PART_OK;
  const char *problem = NULL;
  if (sink->to_file)
    result = part_finish(&sink->part);
  else if (download->to_lua_file)
    problem = write_lua_file(L, download, self, flush);
  if (problem) {
    stop_by_problem(L, download, self, problem);
  } else if (result != PART_OK) {
    download_target_push_fault(L, result, &sink->part);
    download_fail(L, download, self);
  } else {
    push_info(L, download);
    job_end(L, &download->job, self);
  }
}

void download_deliver_bytes(lua_State *L, struct download *download, int self) {
  tell_progress(L, download, self);
  if (has_news(download))
    job_tell(L, &download->job, self);
  else if (download->fetch.arrived)
    complete(L, download, self);
}

/* The owner has room again, or knows how far it is. */
static void go_on(lua_State *L, struct download *download, int self) {
  struct job *job = &download->job;
  if (download->fetch.transfer && sink_has_room(&download->sink))
    transfer_resume(download->fetch.transfer);
  if (has_news(download))
    job_tell(L, job, self);
  else if (download->fetch.arrived)
    complete(L, download, self);
}

static int push_progress(lua_State *L, struct download *download, int self) {
  download->deliver.delivering = DELIVER_PROGRESS;
  download->deliver.told = download->sink.received;
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_pushinteger(L, (lua_Integer)download->deliver.told);
  if (download->sink.total == UINT64_MAX)
    lua_pushnil(L);
  else
    lua_pushinteger(L, (lua_Integer)download->sink.total);
  return 2;
}

static int push_word(lua_State *L, struct download *download, int self) {
  char text[24];
  uint64_t hash;
  download->deliver.delivering = DELIVER_WORD;
  download->deliver.has_word = 0;
  if (part_hash(&download->sink.part, &hash) < 0) {
    stop_by_problem(L, download, self, strerror(errno));
    return -1;
  }
  snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  lua_pushinteger(L, (lua_Integer)download->sink.received);
  lua_pushstring(L, text);
  return 2;
}

int download_deliver(lua_State *L, struct job *job, int self) {
  struct download *download = (struct download *)job;
  const char *bytes;
  size_t length = sink_peek(&download->sink, &bytes);
  gate_lend(&client_of(job)->gate, &download->fetch.pass);
  engine_settle(job->owner->engine);
  if (length > 0 && download->to_lua_file) {
    const char *problem = write_lua_file(L, download, self, drain);
    if (problem)
      stop_by_problem(L, download, self, problem);
    return -1;
  }
  if (length > 0) {
    download->deliver.delivering = DELIVER_CHUNK;
    lua_getiuservalue(L, self, JOB_CALLBACK);
    lua_pushlstring(L, bytes, length);
    sink_drop(&download->sink, length);
    return 1;
  }
  if (has_progress(download))
    return push_progress(L, download, self);
  if (has_word(download))
    return push_word(L, download, self);
  return -1; /* what there was to hand over began anew before */
}

/* A sink, or who was asked, stops the download by returning nil and an error.
 */
static void on_stop(lua_State *L, struct download *download, int self,
                    int error) {
  const char *problem;
  if (fault_kind_at(L, error) != FAULT_NONE) {
    lua_pushvalue(L, error);
    download_fail(L, download, self);
    return;
  }
  problem = luaL_tolstring(L, error, NULL);
  if (!download->job.ended) /* not by code of the program's own */
    stop_by_problem(L, download, self, problem);
}

void download_delivered(lua_State *L, struct job *job, int self, int results) {
  struct download *download = (struct download *)job;
  gate_reclaim(&client_of(job)->gate, &download->fetch.pass);
  if (job->ended)
    return;
  if (results > self && download->deliver.delivering != DELIVER_PROGRESS &&
      !lua_toboolean(L, results) && !lua_isnil(L, results + 1)) {
    on_stop(L, download, self, results + 1);
    return;
  }
  go_on(L, download, self);
}
