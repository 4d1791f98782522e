/* minimax.new: makes a client. */
#include "calls/new.h"

#include "api/box.h"
#include "api/fault.h"
#include "api/table.h"
#include "calls/close.h"
#include "run/event.h"
#include "run/settings.h"
#include "run/task.h"

/* Puts a copy in the place of the options: their texts are used where
 * finalizers may run, and one of those may change the program's table. */
static void copy_options(lua_State *L) {
  if (!lua_istable(L, 1) || fault_is(L, 1))
    return;
  table_push_copy(L, 1);
  lua_replace(L, 1);
}

/* What waited until no job moves on, and the listener. */
static void after_move(lua_State *L, struct owner *owner, int self) {
  struct client *client = (struct client *)owner;
  if (client->closing && owner->moving == 0)
    close_client(L, client);
  lua_settop(L, self);
  event_flush(L, client, self);
}

/*** Makes a client.
@function new
@tparam[opt] table options see the README's table of options
@treturn minimax.client */
int new_client(lua_State *L) {
  struct client *client;
  int self;
  lua_settop(L, 1);
  copy_options(L);
  runtime_ensure(L);
  client = client_push_closed(L);
  self = lua_gettop(L);
  /* While the state is closed nobody would free it any more. */
  if (engine_state(client->owner.engine) == ENGINE_CLOSED)
    return 1;
  client->owner.moved = after_move;
  client->profile = profile_new();
  if (!client->profile)
    box_no_memory(L);
  settings_read(L, client, self);
  runtime_push_weak(L, "k");
  lua_setiuservalue(L, self, CLIENT_SUBMITTED);
  task_make_metatables(L);
  return 1;
}
