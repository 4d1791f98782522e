/* client:close, and the end of clients that nobody closes. */
#include "calls/close.h"

#include "net/transfer.h"
#include "run/client.h"
#include "run/deferred.h"
#include "run/job_fail.h"

static void cancel_all(lua_State *L, struct client *client, const char *text) {
  while (client->owner.jobs)
    job_cancel(L, client->owner.jobs, text);
}

/* A job that moves on holds pointers into the client's settings. */
void close_client(lua_State *L, struct client *client) {
  if (!client->profile || engine_state(client->owner.engine) != ENGINE_OPEN)
    return;
  client->closing = 1;
  if (client->owner.moving)
    return;
  transfer_drop_idle(client->profile);
  cancel_all(L, client, "the client was closed");
  gate_free(&client->gate);
  profile_release(client->profile);
  client->profile = NULL;
  engine_settle(client->owner.engine);
}

/* __gc: its jobs hold it: when it is collected, they are gone. */
int close_collect(lua_State *L) {
  close_client(L, client_check(L));
  return 0;
}

/*** Cancels what is under way and closes the connections. Idempotent.
@function client:close */
int close_call(lua_State *L) {
  struct client *client = client_check(L);
  if (!runtime_is_finalizing(L)) {
    close_client(L, client);
  } else if (client->profile &&
             engine_state(client->owner.engine) == ENGINE_OPEN) {
    lua_settop(L, 1);
    lua_pushnil(L);
    deferred_send(L, close_call);
    engine_settle(client->owner.engine);
  }
  return 0;
}
