/* A client: its settings, its gate, its jobs. */
#include "run/client.h"

#include <lauxlib.h>
#include <string.h>

#include "api/fault.h"

#define NAME "minimax.client"

static int client_tostring(lua_State *L) {
  const struct client *client = luaL_checkudata(L, 1, NAME);
  if (client->profile)
    lua_pushfstring(L, NAME ": %s", client->profile->base);
  else
    lua_pushliteral(L, NAME ": closed");
  return 1;
}

void client_open(lua_State *L, const luaL_Reg *meta, const luaL_Reg *shared,
                 const luaL_Reg *own) {
  luaL_newmetatable(L, NAME);
  luaL_setfuncs(L, meta, 0);
  lua_pushcfunction(L, client_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_newtable(L);
  luaL_setfuncs(L, shared, 0);
  luaL_setfuncs(L, own, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

struct client *client_push_closed(lua_State *L) {
  struct client *client = lua_newuserdatauv(L, sizeof *client, CLIENT_VALUES);
  memset(client, 0, sizeof *client);
  client->owner.engine = &runtime_of(L)->engine;
  luaL_setmetatable(L, NAME);
  return client;
}

struct client *client_check(lua_State *L) {
  return luaL_checkudata(L, 1, NAME);
}

struct client *client_of(const struct job *job) {
  return (struct client *)job->owner;
}

int client_is_usable(lua_State *L, struct client *client, int needs_key) {
  enum engine_state state = engine_state(client->owner.engine);
  if (state == ENGINE_OPEN && client->profile && !client->closing &&
      !(needs_key && client->lacks_key))
    return 1;
  lua_pushnil(L);
  if (state == ENGINE_FORKED)
    fault_push(L, NULL, FAULT_CANCELLED,
               "this client belongs to the parent process; minimax.new makes "
               "one for this process");
  else if (state == ENGINE_CLOSED || !client->profile || client->closing)
    fault_push(L, NULL, FAULT_CANCELLED, "the client is closed");
  else
    fault_push(L, NULL, FAULT_AUTH,
               client->key_file_failed
                   ? "there is no API key: the file named by "
                     "MINIMAX_API_KEY_FILE can't be read, holds none, or may "
                     "be read by others (chmod 600)"
                   : "there is no API key: set the environment variable "
                     "MINIMAX_API_KEY (or MINIMAX_API_KEY_FILE), or the "
                     "option api_key");
  return 0;
}

const char *client_push_key(lua_State *L, const struct client *client) {
  return lua_pushstring(L, client->profile->key);
}
