/* What all parts of a download do with it. */
#include "calls/download_job.h"

#include "run/job_fail.h"

/* The host may know plain HTTP alone: the program's own link, or the API's. */
static void name_upgrade(lua_State *L, int fault) {
  lua_getfield(L, fault, "message");
  lua_pushliteral(L, "; the link begins with http:// and was asked for over "
                     "https://, as downloads are");
  lua_concat(L, 2);
  lua_setfield(L, fault, "message");
}

void download_fail(lua_State *L, struct download *download, int self) {
  if (download->link.upgraded)
    name_upgrade(L, lua_gettop(L));
  if (download->sink.handed > 0) {
    lua_pushinteger(L, (lua_Integer)download->sink.handed);
    lua_setfield(L, -2, "received");
  }
  if (lua_getfield(L, -1, "attempts") == LUA_TNIL) {
    lua_pushinteger(L, (lua_Integer)download->fetch.attempts);
    lua_setfield(L, -3, "attempts");
  }
  lua_pop(L, 1);
  job_fail(L, &download->job, self);
}

void download_go_to(struct download *download, enum download_step step) {
  download->step = (unsigned char)step;
  engine_wake(download->job.owner->engine, &download->job.waiter);
}
