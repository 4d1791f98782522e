/* Builds the status of a task from an answer. */
#include "api/status.h"

#include <lauxlib.h>
#include <string.h>
#include <time.h>

#include "api/reason.h"
#include "base/taskid.h"
#include "net/url.h"

#define LONGEST_LIFE 1000000000

/* Where the task may stand in an answer, from the outside in: plain, v2's,
 * and gateways that wrap it once or twice. */
static const char *const wrappings[][3] = {
    {NULL, NULL, NULL},     {"task", NULL, NULL},   {"data", NULL, NULL},
    {"data", "task", NULL}, {"data", "data", NULL}, {"data", "data", "task"},
};

/* Where a download link may stand in a task. */
static const char *const link_places[][2] = {
    {"video_url", NULL},
    {"content", "url"},
    {"file", "download_url"},
    {"download_url", NULL},
};

/* Pushes object[names[0]][names[1]]…, or nil. */
static int push_path(lua_State *L, int object, const char *const *names,
                     int count) {
  lua_pushvalue(L, object);
  for (int i = 0; i < count && names[i]; i++) {
    if (!lua_istable(L, -1)) {
      lua_pop(L, 1);
      lua_pushnil(L);
      break;
    }
    lua_getfield(L, -1, names[i]);
    lua_remove(L, -2);
  }
  return lua_type(L, -1);
}

/* The state that the table on top tells by its status word. */
static enum state told_state(lua_State *L) {
  enum state state = STATE_NONE;
  const char *word;
  if (!lua_istable(L, -1))
    return STATE_NONE;
  lua_getfield(L, -1, "status");
  word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (*word)
    state = state_of(word);
  lua_pop(L, 1);
  return state;
}

/* Gives the table on top the fields of the one at `outer` that it lacks; of
 * two task ids the outer one is the gateway's own. */
static void fill_in(lua_State *L, int outer) {
  int inner = lua_gettop(L);
  if (lua_getfield(L, outer, "task_id") == LUA_TSTRING)
    lua_setfield(L, inner, "task_id");
  lua_settop(L, inner);
  lua_pushnil(L);
  while (lua_next(L, outer)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, inner) == LUA_TNIL && !lua_istable(L, -2)) {
      lua_pop(L, 1);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, inner);
      continue;
    }
    lua_pop(L, 2);
  }
}

/* Whether the innermost word is vaguer than one outside it. */
static enum state merged(enum state outer, enum state inner) {
  return state_is_final(inner) || !state_is_final(outer) ? inner : outer;
}

/* Whether the object holds a table of that name. */
static int has_table(lua_State *L, int object, const char *name) {
  int has = lua_getfield(L, object, name) == LUA_TTABLE;
  lua_pop(L, 1);
  return has;
}

/* Pushes the table that is the task, nil if there is none with a status. */
static enum state push_core(lua_State *L, int object) {
  enum state state = STATE_NONE;
  int core = lua_gettop(L) + 1;
  size_t count = has_table(L, object, "task") || has_table(L, object, "data")
                     ? sizeof wrappings / sizeof *wrappings
                     : 1;
  lua_pushnil(L);
  for (size_t i = 0; i < count; i++) {
    enum state told;
    push_path(L, object, wrappings[i], 3);
    told = told_state(L);
    if (told == STATE_NONE) {
      lua_pop(L, 1);
      continue;
    }
    state = merged(state, told);
    if (!lua_isnil(L, core))
      fill_in(L, core);
    lua_replace(L, core);
  }
  return state;
}

static void set_expiry(lua_State *L, const char *url, enum kind kind) {
  lua_Integer at = (lua_Integer)url_expires(url);
  if (at <= 0)
    at = (lua_Integer)endpoints[kind].link_life;
  if (at < LONGEST_LIFE) /* some signatures name the seconds from now */
    at += (lua_Integer)time(NULL);
  lua_pushinteger(L, at);
  lua_setfield(L, -2, "expires_at");
}

void status_set_link(lua_State *L, enum kind kind) {
  int status = lua_gettop(L);
  for (size_t i = 0; i < sizeof link_places / sizeof *link_places; i++) {
    if (push_path(L, status, link_places[i], 2) == LUA_TSTRING &&
        *lua_tostring(L, -1)) {
      const char *url = lua_tostring(L, -1);
      lua_setfield(L, status, "url"); /* anchors it */
      set_expiry(L, url, kind);
      return;
    }
    lua_pop(L, 1);
  }
}

/* A gateway names the file only inside its wrapping. */
static void set_file_id(lua_State *L) {
  static const char *const inside[] = {"file", "file_id"};
  int status = lua_gettop(L);
  if (lua_getfield(L, status, "file_id") == LUA_TNIL &&
      push_path(L, status, inside, 2) == LUA_TSTRING)
    lua_setfield(L, status, "file_id");
  lua_settop(L, status);
}

/* MiniMax's own ids are decimal numbers. */
static int is_decimal(const char *id) {
  return *id != '\0' && id[strspn(id, "0123456789")] == '\0';
}

/* Whether both come from one place: MiniMax, or a gateway that begins its ids
 * with the same letters. */
static int have_one_form(const char *id, const char *other) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  size_t prefix = strspn(id, letters);
  if (is_decimal(id) || is_decimal(other))
    return is_decimal(id) && is_decimal(other);
  return prefix > 0 && strspn(other, letters) == prefix &&
         memcmp(id, other, prefix) == 0;
}

/* The id by which the table on top names its task, or an empty one; it stays
 * in the table. An `id` may be the answer's own, where that wraps the task. */
static const char *named_id(lua_State *L, int is_task) {
  static const char *const names[] = {"task_id", "id"};
  for (int i = 0; i < (is_task ? 2 : 1); i++) {
    int type = lua_getfield(L, -1, names[i]);
    size_t length = 0;
    const char *id = type == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    lua_pop(L, 1);
    if (id && taskid_is_sound(id, length))
      return id;
  }
  return "";
}

/* Whether the table names its task by that very id, as nearly all do. */
static int is_named(lua_State *L, int table, const char *id) {
  size_t length = 0;
  const char *named = lua_getfield(L, table, "task_id") == LUA_TSTRING
                          ? lua_tolstring(L, -1, &length)
                          : NULL;
  int is_same = named && strlen(id) == length && memcmp(named, id, length) == 0;
  lua_pop(L, 1);
  return is_same;
}

int status_is_foreign(lua_State *L, int object, const char *id) {
  int top = lua_gettop(L), foreign = 0, is_outermost = 1;
  if (is_named(L, object, id))
    return 0;
  for (size_t i = 0; i < sizeof wrappings / sizeof *wrappings; i++) {
    const char *named = push_path(L, object, wrappings[i], 3) == LUA_TTABLE
                            ? named_id(L, i > 0)
                            : "";
    lua_settop(L, top); /* the name stays in the table */
    if (strcmp(named, id) == 0)
      return 0;
    if (is_outermost && *named) {
      foreign = have_one_form(id, named);
      is_outermost = 0;
    }
  }
  return foreign;
}

/* A gateway that names MiniMax's id is still to be asked by its own. */
static void set_task_id(lua_State *L, const char *id) {
  const char *named;
  if (is_named(L, -1, id))
    return;
  named = named_id(L, 1);
  if (!*named || (*id && !is_decimal(id) && is_decimal(named)))
    named = id;
  lua_pushstring(L, named);
  lua_setfield(L, -2, "task_id");
}

static enum state complete(lua_State *L, enum kind kind, const char *id,
                           enum state state) {
  set_task_id(L, id);
  if (state != STATE_QUEUED && state != STATE_RUNNING) { /* no video yet */
    set_file_id(L);
    status_set_link(L, kind);
  }
  lua_pushstring(L, endpoints[kind].name);
  lua_setfield(L, -2, "kind");
  if (state != STATE_NONE) {
    lua_pushstring(L, state_names[state]);
    lua_setfield(L, -2, "state");
  }
  return state;
}

enum state status_complete(lua_State *L, enum kind kind, const char *id) {
  return complete(L, kind, id, told_state(L));
}

/* Whether status[names[0]][names[1]]… is a text that is not empty. */
static int has_text(lua_State *L, int status, const char *const *names) {
  int has = push_path(L, status, names, 2) == LUA_TSTRING &&
            *lua_tostring(L, -1) != '\0';
  lua_pop(L, 1);
  return has;
}

/* A task of v2 whose result is a text, not a video. */
static int writes_prompt(lua_State *L, int status) {
  const char *type;
  int writes;
  lua_getfield(L, status, "task_type");
  type = lua_tostring(L, -1);
  writes = type && strcmp(type, "h3_context_ir") == 0;
  lua_pop(L, 1);
  return writes;
}

/* Whether the status on top says what its task was to bring. */
static int has_result(lua_State *L) {
  static const char *const places[][2] = {
      {"url", NULL}, {"file_id", NULL}, {"content", "prompt"}};
  int status = lua_gettop(L);
  if (writes_prompt(L, status))
    return has_text(L, status, places[2]);
  return has_text(L, status, places[0]) || has_text(L, status, places[1]);
}

/* Success without a result: an outer word may be about the answer alone. The
 * innermost one stands in the status. */
static enum state doubted(lua_State *L) {
  enum state state = told_state(L);
  lua_pushstring(L, state_names[state]);
  lua_setfield(L, -2, "state");
  return state;
}

enum state status_build(lua_State *L, int object, enum kind kind,
                        const char *id, const struct transfer *transfer,
                        const struct reply *reply) {
  enum state state = STATE_NONE;
  int top = lua_gettop(L);
  if (reply->readable)
    state = push_core(L, object);
  /* An HTTP error's own "status" is not the task's. */
  if (reply_is_failure(transfer, reply) &&
      (!state_is_final(state) || reply->http_status >= 300)) {
    lua_settop(L, top);
    reply_push_fault(L, transfer, reply, object);
    return STATE_NONE;
  }
  if (state == STATE_NONE) {
    lua_settop(L, top);
    reply_push_nonsense(L, transfer, "the answer names no status");
    return STATE_NONE;
  }
  complete(L, kind, id, state);
  reply_push_trace(L, transfer, object);
  lua_setfield(L, -2, "trace_id");
  if (state == STATE_SUCCEEDED && !has_result(L))
    state = doubted(L);
  if (state != STATE_SUCCEEDED || has_result(L))
    return state;
  reply_push_nonsense(L, transfer,
                      "the task succeeded, but the answer names neither a "
                      "link nor a file");
  lua_pushvalue(L, -2); /* what is known of it */
  lua_setfield(L, -2, "status");
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return STATE_NONE;
}

/* Pushes the code that an ended task's status carries, or nil. */
static void push_code(lua_State *L, int status) {
  static const char *const places[][2] = {{"base_resp", "status_code"},
                                          {"error", "code"}};
  for (int i = 0; i < 2; i++) {
    lua_Integer code;
    push_path(L, status, places[i], 2);
    code = lua_tointeger(L, -1); /* v2 sends it as a string */
    lua_pop(L, 1);
    if (code != 0) {
      lua_pushinteger(L, code);
      return;
    }
  }
  lua_pushnil(L);
}

void status_push_failure(lua_State *L, int status, const char *secret) {
  int top = lua_gettop(L);
  push_code(L, status);
  reason_push(L, status, secret);
  lua_getfield(L, status, "status");
  fault_push(L, secret, FAULT_FAILED, "the task ended as '%s': %s",
             lua_tostring(L, top + 3), lua_tostring(L, top + 2));
  lua_pushvalue(L, top + 1);
  lua_setfield(L, -2, "code");
  lua_pushvalue(L, status);
  lua_setfield(L, -2, "status");
  lua_getfield(L, status, "trace_id");
  lua_setfield(L, -2, "trace_id");
  lua_insert(L, top + 1);
  lua_settop(L, top + 1);
}
