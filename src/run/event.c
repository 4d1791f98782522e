/* Tells the user's on_event what happens. */
#include "run/event.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/box.h"
#include "api/fault.h"
#include "api/options.h"
#include "base/redact.h"
#include "run/client.h"

int event_wanted(const struct job *job) {
  return client_of(job)->observed;
}

static double wall_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void begin(lua_State *L, const char *type) {
  lua_createtable(L, 0, 8);
  lua_pushstring(L, type);
  lua_setfield(L, -2, "type");
  event_set_number(L, "time", wall_clock());
}

int event_begin(lua_State *L, const struct job *job, int self,
                const char *type) {
  if (!event_wanted(job))
    return 0;
  begin(L, type);
  lua_pushstring(L, job->type->stage);
  lua_setfield(L, -2, "stage");
  lua_getiuservalue(L, self, JOB_SUBJECT);
  lua_setfield(L, -2, "task_id");
  return 1;
}

void event_set_text(lua_State *L, const struct job *job, const char *name,
                    const char *text) {
  const char *key = client_of(job)->profile->key;
  struct buffer *clean;
  if (!text)
    return;
  clean = box_push_buffer(L);
  box_to_string(L, redact_text(text, strlen(text), key, clean) < 0);
  lua_setfield(L, -2, name);
}

void event_set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

void event_set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

void event_set_flag(lua_State *L, const char *name) {
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, name);
}

/* An id may hold anything; the line stays one line. */
static void print_line(lua_State *L, const struct client *client) {
  fault_redact(L, client->profile->key);
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
}

/* The fields in a fixed order. */
static void print(lua_State *L, const struct client *client) {
  static const char *const fields[] = {
      "type",   "stage", "task_id", "method",      "path",    "attempt",
      "status", "state", "code",    "http_status", "kind",    "seconds",
      "delay",  "bytes", "total",   "message",     "insecure"};
  int event = lua_gettop(L);
  lua_pushliteral(L, "minimax");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_settop(L, event + 1);
    if (lua_getfield(L, event, fields[i]) == LUA_TNIL)
      continue;
    options_text(L, -1, NULL);
    if (i < 2)
      lua_pushfstring(L, "%s %s", lua_tostring(L, event + 1),
                      luaL_tolstring(L, -1, NULL));
    else
      lua_pushfstring(L, "%s %s=%s", lua_tostring(L, event + 1), fields[i],
                      luaL_tolstring(L, -1, NULL));
    lua_replace(L, event + 1);
  }
  lua_settop(L, event + 1);
  print_line(L, client);
  lua_settop(L, event);
}

/* An error in the listener is said once a client, and the work goes on. */
static void call_listener(lua_State *L, struct client *client) {
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return;
  if (client->observed < 2) {
    const char *reason = luaL_tolstring(L, -1, NULL);
    lua_warning(L, "minimax: error in on_event: ", 1);
    lua_warning(L, reason, 0);
    lua_pop(L, 1);
    client->observed = 2;
  }
  lua_pop(L, 1);
}

/* Appends the event at `event` to the list of the client on top. */
static void put_in_list(lua_State *L, int event) {
  int client = lua_gettop(L);
  if (lua_getiuservalue(L, client, CLIENT_EVENTS) != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, client, CLIENT_EVENTS);
  }
  lua_pushvalue(L, event);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

void event_send(lua_State *L, const struct job *job, int self) {
  int event = lua_gettop(L);
  if (client_of(job)->prints)
    print(L, client_of(job));
  lua_getiuservalue(L, self, JOB_CLIENT);
  if (lua_getiuservalue(L, -1, CLIENT_ON_EVENT) == LUA_TFUNCTION) {
    lua_settop(L, event + 1);
    put_in_list(L, event);
    client_of(job)->has_events = 1;
  }
  lua_settop(L, event - 1);
}

void event_flush(lua_State *L, struct client *client, int self) {
  int top = lua_gettop(L);
  if (!client->has_events)
    return;
  client->has_events = 0;
  lua_getiuservalue(L, self, JOB_CLIENT);
  lua_getiuservalue(L, top + 1, CLIENT_EVENTS);
  lua_pushnil(L);
  lua_setiuservalue(L, top + 1, CLIENT_EVENTS);
  for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TTABLE; i++) {
    lua_getiuservalue(L, top + 1, CLIENT_ON_EVENT);
    lua_insert(L, -2);
    call_listener(L, client);
    lua_settop(L, top + 2);
  }
  lua_settop(L, top);
}

void event_tell_callback(lua_State *L, struct client *client, int self) {
  static const char *const fields[] = {"task_id", "status", "state"};
  int told = lua_gettop(L);
  if (!client->observed)
    return;
  lua_getiuservalue(L, self, CLIENT_ON_EVENT);
  begin(L, "callback");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (lua_getfield(L, told, fields[i]) ==
        LUA_TSTRING) /* it may say anything */
      fault_redact(L, client->profile->key);
    lua_setfield(L, -2, fields[i]);
  }
  if (client->prints)
    print(L, client);
  if (lua_isfunction(L, told + 1))
    call_listener(L, client);
  lua_settop(L, told);
}
