/* client:retrieve and client:upload. */
#include "calls/files.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/media.h"
#include "api/request.h"
#include "api/status.h"
#include "base/retry.h"
#include "calls/call.h"
#include "run/client.h"
#include "run/job_fail.h"

static const struct job_type retrieve_type = {
    JOB_TYPE("retrieve", call_advance, call_expire, call_release),
};

static const struct job_type upload_type = {
    JOB_TYPE("upload", call_advance, call_expire, call_release),
};

static const struct option known[] = {
    CALL_OPTIONS,
    {NULL, OPTION_ANY, 0},
};

/* The file's own object, with `url` and `expires_at` where it has a link. */
static int finish_file(lua_State *L, struct call *call, int self,
                       const struct reply *reply, int object) {
  (void)self, (void)reply;
  if (lua_getfield(L, object, "file") != LUA_TTABLE ||
      lua_getfield(L, -1, "file_id") != LUA_TSTRING) {
    reply_push_nonsense(L, call->exchange.transfer, "the answer names no file");
    return -1;
  }
  lua_pop(L, 1);
  status_set_link(L, KIND_VIDEO);
  return 0;
}

/*** Asks for a file and its download link.
@function client:retrieve
@tparam string|integer file_id
@tparam[opt] table options `timeout` (seconds), `block`
@treturn[1] table the file: `file_id`, `url`, `expires_at` (Unix seconds),
`filename`, …
@treturn[2] nil
@treturn[2] minimax.error
@see https://platform.minimax.io/docs/api-reference/video-generation-download
*/
int files_retrieve(lua_State *L) {
  struct client *client = client_check(L);
  struct call_options options = {OPTIONS_NEVER, client->block};
  struct call *call;
  const char *id;
  int self;
  lua_settop(L, 3);
  options_read(L, 3, known, &options);
  id = request_push_id(L, 2, 2);
  lua_replace(L, 2);
  if (!*id)
    options_argerror(L, 2, "the file id is empty");
  if (!client_is_usable(L, client, 1))
    return 2;
  call = call_new(L, sizeof *call, &retrieve_type, 1, &options);
  self = lua_gettop(L);
  call->finish = finish_file;
  exchange_begin(L, &call->exchange, &call->job, "GET",
                 exchange_url(client, "/v1/files/retrieve", "file_id", id),
                 LANE_FILE, EXCHANGE_REPEAT);
  lua_settop(L, self);
  return call_await(L, call);
}

/* ---- upload ---- */

/* Pushes the file's name as a form's Content-Disposition may hold it. */
static const char *push_file_name(lua_State *L, const char *path) {
  const char *slash = strrchr(path, '/');
  luaL_gsub(L, slash ? slash + 1 : path, "\"", "%22");
  luaL_gsub(L, lua_tostring(L, -1), "\r", "%0D");
  luaL_gsub(L, lua_tostring(L, -1), "\n", "%0A");
  return lua_tostring(L, -1);
}

/* The form: the purpose, and the file as it is. */
static int add_form(lua_State *L, struct call *call, const char *path,
                    const char *purpose, const char *mime) {
  struct body *body = &call->exchange.body;
  char boundary[40];
  const char *head, *tail, *type;
  snprintf(boundary, sizeof boundary, "minimax-%016llx",
           (unsigned long long)retry_random(&call->job.owner->engine->random));
  head = lua_pushfstring(
      L,
      "--%s\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n%s\r\n"
      "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
      "filename=\"%s\"\r\nContent-Type: %s\r\n\r\n",
      boundary, purpose, boundary, push_file_name(L, path), mime);
  tail = lua_pushfstring(L, "\r\n--%s--\r\n", boundary);
  type = lua_pushfstring(L, "multipart/form-data; boundary=%s", boundary);
  call->exchange.content_type = strdup(type);
  if (!call->exchange.content_type ||
      body_add_text(body, head, strlen(head)) < 0)
    return -1;
  if (body_add_file(body, path, BODY_FILE) < 0)
    return -1;
  return body_add_text(body, tail, strlen(tail));
}

static const char *check_text(lua_State *L, int index, const char *what) {
  if (lua_type(L, index) != LUA_TSTRING ||
      strlen(lua_tostring(L, index)) != lua_rawlen(L, index))
    options_argerror(L, index, what);
  return lua_tostring(L, index);
}

/* It stands in the form as it is. */
static const char *check_purpose(lua_State *L, int index) {
  const char *purpose = check_text(L, index, "a purpose is expected");
  if (strpbrk(purpose, "\r\n"))
    options_argerror(L, index, "a purpose of one line is expected");
  return purpose;
}

static int begin_upload(lua_State *L, struct call *call, const char *path,
                        const char *purpose, const char *mime) {
  int self = lua_gettop(L);
  call->finish = finish_file;
  exchange_begin(
      L, &call->exchange, &call->job, "POST",
      exchange_url(client_of(&call->job), "/v1/files/upload", NULL, NULL),
      LANE_BULK, EXCHANGE_REPEAT);
  errno = ENOMEM;
  if (add_form(L, call, path, purpose, mime) < 0) {
    fault_push(L, NULL, FAULT_IO, "'%s' can't be sent: %s", path,
               strerror(errno));
    job_fail(L, &call->job, self);
  }
  lua_settop(L, self);
  return call_await(L, call);
}

/*** Uploads a file, streamed. It costs nothing, so it is repeated when it
fails.
@function client:upload
@tparam string path
@tparam[opt="video_generation_input"] string purpose
@tparam[opt] table options `timeout` (seconds), `block`
@treturn[1] table the file, with its `file_id`; v2 knows it as
`mm_file://<file_id>`
@treturn[2] nil
@treturn[2] minimax.error
@see https://platform.minimax.io/docs/api-reference/file-management-upload */
int files_upload(lua_State *L) {
  struct client *client = client_check(L);
  struct call_options options = {OPTIONS_NEVER, client->block};
  const char *path, *purpose = "video_generation_input", *mime;
  int input;
  lua_settop(L, 4);
  path = check_text(L, 2, "a file path is expected");
  if (!lua_isnil(L, 3))
    purpose = check_purpose(L, 3);
  options_read(L, 4, known, &options);
  if (!client_is_usable(L, client, 1))
    return 2;
  input = strcmp(purpose, "video_generation_input") == 0;
  mime = input ? media_check(L, path, KIND_VIDEO2, NULL)
               : "application/octet-stream";
  if (!mime) {
    fault_push(L, client->profile->key, FAULT_INVALID, "%s",
               lua_tostring(L, -1));
    return fault_return(L, "upload");
  }
  return begin_upload(
      L, call_new(L, sizeof(struct call), &upload_type, 1, &options), path,
      purpose, mime);
}
