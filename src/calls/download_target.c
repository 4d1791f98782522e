/* Where a download goes: a path, a function, or an open Lua file. */
#include "calls/download_target.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/fault.h"
#include "api/options.h"
#include "run/client.h"

#define NAME "minimax.reservation"

/* A path that is taken, from before a submit until its video comes. */
struct reservation {
  struct part part;
  const struct engine *engine; /* of the client in its user value */
};

void download_target_push_fault(lua_State *L, enum part_result result,
                                const struct part *part) {
  static const char *const texts[] = {
      [PART_NOT_REGULAR] = "is no regular file; pass an open Lua file to write "
                           "to something else",
      [PART_EXISTS] = "exists already, and overwrite is false",
      [PART_PINNED] = "can't be replaced: it is mounted, protected, or another "
                      "user's; pass an open Lua file to write into it",
      [PART_LOCKED] = "is being written by another download",
      [PART_FOREIGN] = "is in the way: it is no regular file of this user; "
                       "remove it",
  };
  int is_part = result == PART_LOCKED || result == PART_FOREIGN;
  if (result == PART_NO_MEMORY)
    fault_push(L, NULL, FAULT_IO, "not enough memory");
  else if (result == PART_OK || result == PART_ERRNO)
    fault_push(L, NULL, FAULT_IO, "'%s' can't be written: %s", part->path,
               strerror(errno));
  else
    fault_push(L, NULL, FAULT_IO, "'%s' %s",
               is_part ? part->part_path : part->path, texts[result]);
  if (result == PART_LOCKED) /* it will be done some time */
    fault_set_retryable(L, lua_gettop(L), 1);
}

/* ---- what it may be ---- */

static void check_path(lua_State *L, int index) {
  if (strlen(lua_tostring(L, index)) != lua_rawlen(L, index))
    options_argerror(L, index, "the path holds a NUL byte");
}

void download_target_check(lua_State *L, int index) {
  const luaL_Stream *file = luaL_testudata(L, index, LUA_FILEHANDLE);
  if (lua_type(L, index) == LUA_TSTRING)
    check_path(L, index);
  else if (file && !file->closef)
    options_argerror(L, index, "the file is closed");
  else if (!file && !lua_isfunction(L, index) &&
           !luaL_testudata(L, index, NAME))
    options_argerror(L, index,
                     "a path, a function or an open file is expected");
}

/* ---- a path that is taken ---- */

/* __gc and __close. In a forked child what it holds is the parent's. */
static int reservation_close(lua_State *L) {
  struct reservation *reservation = luaL_checkudata(L, 1, NAME);
  if (reservation->engine && engine_state(reservation->engine) != ENGINE_FORKED)
    part_close(&reservation->part);
  return 0;
}

void download_target_install(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"__gc", reservation_close},
      {"__close", reservation_close},
      {NULL, NULL},
  };
  luaL_newmetatable(L, NAME);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
}

int download_target_reserve(lua_State *L, int client, int index,
                            int overwrite) {
  const struct client *owner = lua_touserdata(L, client);
  struct reservation *reservation;
  enum part_result result;
  if (lua_type(L, index) != LUA_TSTRING)
    return 0;
  reservation = lua_newuserdatauv(L, sizeof *reservation, 1);
  part_init(&reservation->part);
  reservation->engine = NULL;
  luaL_setmetatable(L, NAME);
  lua_pushvalue(L, client);
  lua_setiuservalue(L, -2, 1);
  reservation->engine = owner->owner.engine;
  result = part_open(&reservation->part, lua_tostring(L, index), overwrite);
  if (result != PART_OK) {
    download_target_push_fault(L, result, &reservation->part);
    return -1;
  }
  lua_replace(L, index);
  lua_toclose(L, index);
  return 0;
}

/* ---- a stream ---- */

/* A pipe or a terminal may be slow: while it takes what it is given, nothing
 * else would go on. */
static int is_quick(FILE *file) {
  struct stat status;
  int fd = fileno(file);
  if (fd < 0 || fstat(fd, &status) < 0)
    return 0;
  return S_ISREG(status.st_mode) || (S_ISCHR(status.st_mode) && !isatty(fd));
}

/* Called by libcurl's callback. The job keeps the Lua file. */
static int write_to_stream(void *user, const char *bytes, size_t length) {
  const luaL_Stream *stream = user;
  if (!stream->closef) {
    errno = 0;
    return -1;
  }
  return fwrite(bytes, 1, length, stream->f) == length ? 0 : -1;
}

static void open_stream(struct download *download, luaL_Stream *stream) {
  download->to_lua_file = 1;
  if (!is_quick(stream->f))
    return;
  download->sink.outlet = write_to_stream;
  download->sink.stream = stream;
}

/* ---- opening it ---- */

static enum part_result open_path(lua_State *L, struct part *part, int index,
                                  int overwrite) {
  struct reservation *reservation = luaL_testudata(L, index, NAME);
  if (!reservation)
    return part_open(part, lua_tostring(L, index), overwrite);
  *part = reservation->part;
  part_init(&reservation->part);
  return PART_OK;
}

int download_target_open(lua_State *L, struct download *download, int self,
                         int index, int overwrite) {
  struct part *part = &download->sink.part;
  enum part_result result;
  if (lua_isfunction(L, index) || luaL_testudata(L, index, LUA_FILEHANDLE)) {
    if (lua_isuserdata(L, index))
      open_stream(download, lua_touserdata(L, index));
    lua_pushvalue(L, index);
    lua_setiuservalue(L, self, JOB_CALLBACK);
    return 0;
  }
  result = open_path(L, part, index, overwrite);
  if (result == PART_OK && sink_use_part(&download->sink) < 0)
    result = PART_ERRNO;
  if (result == PART_OK)
    return 0;
  download_target_push_fault(L, result, part);
  return -1;
}
