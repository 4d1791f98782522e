/* client:download: its arguments, its steps, its life. */
#include "calls/download.h"

#include <string.h>

#include "api/box.h"
#include "api/options.h"
#include "api/request.h"
#include "base/ascii.h"
#include "calls/call.h"
#include "calls/download_deliver.h"
#include "calls/download_fetch.h"
#include "calls/download_link.h"
#include "calls/download_target.h"
#include "run/await.h"
#include "run/client.h"
#include "run/job_fail.h"
#include "run/task.h"

#define MAX_BYTES ((uint64_t)4 << 30) /* default of max_bytes */

/* ---- its life ---- */

static void download_advance(lua_State *L, struct job *job, int self) {
  struct download *download = (struct download *)job;
  switch ((enum download_step)download->step) {
  case DOWNLOAD_TASK_LINK:
    download_link_of_task(L, download, self);
    break;
  case DOWNLOAD_FILE_LINK:
    download_link_of_file(L, download, self);
    break;
  case DOWNLOAD_BYTES:
    download_fetch(L, download, self);
    break;
  }
}

static void download_expire(lua_State *L, struct job *job, int self) {
  fault_push(L, NULL, FAULT_TIMEOUT,
             "the download did not end within the call's timeout");
  download_fail(L, (struct download *)job, self);
}

static void download_release(struct job *job) {
  struct download *download = (struct download *)job;
  download_link_release(download);
  download_fetch_release(download);
  sink_close(&download->sink);
}

static const struct job_type type = {
    JOB_TYPE("download", download_advance, download_expire, download_release),
    .deliver = download_deliver,
    .delivered = download_delivered,
};

/* ---- the call ---- */

struct download_options {
  struct call_options call;
  uint64_t max_bytes;
  int overwrite, allow_private, verify;
};

#define FIELD(name) offsetof(struct download_options, name)

static const struct option known[] = {
    {"on_progress", OPTION_FUNCTION, 0},
    {"on_whole", OPTION_FUNCTION, 0},
    {"overwrite", OPTION_BOOLEAN, FIELD(overwrite)},
    {"allow_private", OPTION_BOOLEAN, FIELD(allow_private)},
    {"max_bytes", OPTION_BYTES, FIELD(max_bytes)},
    {"verify", OPTION_BOOLEAN, FIELD(verify)},
    {"kind", OPTION_ANY, 0},
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

static int is_link(lua_State *L, int index) {
  const char *text;
  if (lua_type(L, index) != LUA_TSTRING)
    return 0;
  text = lua_tostring(L, index);
  text += strspn(text, " \t\r\n"); /* download_link.c trims it */
  return ascii_equal_up_to(text, "https://", 8) ||
         ascii_equal_up_to(text, "http://", 7);
}

/* Takes the text field of the table at `what`; NULL if there is none. */
static const char *push_field(lua_State *L, int what, const char *name) {
  const char *text = NULL;
  if (lua_getfield(L, what, name) == LUA_TSTRING || lua_isinteger(L, -1))
    text = request_push_id(L, -1, what);
  return text && *text ? text : NULL;
}

/* What is to be downloaded: where its link comes from. The texts are anchored
 * on the stack. */
struct source {
  const char *url, *file_id; /* NULL: none */
  int has_task;
  struct target target; /* where there is one */
};

static void read_table(lua_State *L, struct source *source, int what) {
  source->url = push_field(L, what, "url");
  source->file_id = push_field(L, what, "file_id");
  source->has_task = push_field(L, what, "task_id") != NULL;
  if (!source->url && !source->file_id && !source->has_task)
    options_argerror(L, what,
                     "a task, a status, a table with file_id, a task id or a "
                     "URL is expected");
}

/* A table of the program's own may run code while it is read. */
static struct source read_what(lua_State *L) {
  struct source source = {.has_task = 0};
  if (is_link(L, 2))
    source.url = lua_tostring(L, 2);
  else if (lua_istable(L, 2))
    read_table(L, &source, 2);
  else
    source.has_task = 1;
  if (source.has_task)
    source.target = target_check(L, 2, 4, -1);
  return source;
}

static void set_source(lua_State *L, struct download *download, int self,
                       const struct source *source) {
  if (download_link_init(download, source->url, source->file_id,
                         source->has_task) < 0)
    box_no_memory(L);
  if (source->has_task) {
    download->job.kind = (int)source->target.kind;
    job_set_subject(L, self, 2, source->target.index);
  }
}

static void set_options(lua_State *L, struct download *download, int self,
                        const struct download_options *options) {
  sink_init(&download->sink, options->verify, options->max_bytes);
  download_fetch_init(download, options->allow_private);
  download_deliver_init(L, download, self, 4);
}

/*** Downloads a task's video, or any link. It never waits for the task.
What was cut off is resumed, by this call or a later one, if the link leads to
the same resource: the same origin, path and query, but for the parameters that
sign it (`Expires`, `Signature`, `token`, `auth_key`, `X-Amz-…`, `x-oss-…` and
their like), and the same size and ETag. A storage host that names a time to
come back is waited for at most an hour at a time.
@function client:download
@param what a status, a task, a task id, a table with `file_id`, or a URL
@param destination a path, a `function(chunk)`, or an open Lua file
@tparam[opt] table options `on_progress` (function(received, total), bytes),
`on_whole` (function(bytes, hash), with a path: called once the whole file is in
the `.part`, before it gets its name; nil and an error keep it from that; the
hash is FNV-1a of 64 bits in hexadecimal),
`overwrite`, `allow_private`, `max_bytes`, `verify`, `kind`, `timeout`
(seconds), `block`
@treturn[1] table `path`, `bytes`, `resumed_from`, `content_type`
@treturn[2] nil
@treturn[2] minimax.error kinds io, protocol, expired, network, timeout, tls,
invalid, server, and those of a query
@see https://platform.minimax.io/docs/api-reference/video-generation-download
*/
int download_call(lua_State *L) {
  struct client *client = client_check(L);
  struct download_options options = {
      {OPTIONS_NEVER, client->block}, MAX_BYTES, 1, 0, 1};
  struct download *download;
  struct source source;
  int self;
  lua_settop(L, 4);
  options_read(L, 4, known, &options);
  download_target_check(L, 3);
  if (lua_type(L, 3) != LUA_TSTRING && options_get(L, 4, "on_whole"))
    options_argerror(L, 4, "on_whole wants a path to download to");
  source = read_what(L);
  if (!client_is_usable(L, client, !is_link(L, 2)))
    return 2;
  download = call_new(L, sizeof *download, &type, 1, &options.call);
  self = lua_gettop(L);
  set_options(L, download, self, &options);
  set_source(L, download, self, &source);
  if (download_target_open(L, download, self, 3, options.overwrite) < 0)
    job_fail(L, &download->job, self);
  job_start(&download->job);
  return await_job(L);
}
