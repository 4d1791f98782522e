/* Waiting inside cqueues. */
#include "run/cqueues.h"

#include <lauxlib.h>

#include "run/deferred.h"
#include "run/step.h"

enum { BUDGET = 2 }; /* ms of work in one round */

/*
 * A registry key: the record of each controller, weakly. A record is a table:
 * `count` of the waiters, `thread` of its pump, `starting` until that first
 * runs, the `engine` (a forked child has its own), `done`, a condition: nobody
 * waits any longer. (The descriptor can't say it: another controller's pump may
 * look at that first.)
 */
static const char records_key = 0;

/* The token of a waiter is a table of these: what it sleeps on, and the record
 * that counts it. */
enum { TOKEN_CONDITION = 1, TOKEN_RECORD };

/* Pushes package.loaded.cqueues; it is never required by us. */
static int push_cqueues(lua_State *L) {
  int type;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  type = lua_getfield(L, -1, "cqueues");
  lua_remove(L, -2);
  return type == LUA_TTABLE;
}

/* Pushes the running controller, or nil, and whether it resumed us. */
static int push_controller(lua_State *L) {
  int here;
  if (!push_cqueues(L))
    return 0;
  if (lua_getfield(L, -1, "running") != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return 0;
  }
  lua_call(L, 0, 2);
  here = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_remove(L, -2);
  return here;
}

enum cqueues_place cqueues_running(lua_State *L) {
  int top = lua_gettop(L);
  int here = push_controller(L);
  int found = !lua_isnil(L, -1) && lua_gettop(L) > top;
  lua_settop(L, top);
  if (!found)
    return CQUEUES_NOWHERE;
  return here ? CQUEUES_HERE : CQUEUES_ABOVE;
}

/* Pushes the table of records, made when first needed. */
static void push_records(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &records_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &records_key);
}

static int is_of_engine(lua_State *L, int record) {
  const struct engine *engine = &runtime_of(L)->engine;
  int is;
  lua_getfield(L, record, "engine");
  is = lua_touserdata(L, -1) == engine && engine_state(engine) == ENGINE_OPEN;
  lua_pop(L, 1);
  return is;
}

static void push_condition(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cqueues.condition");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  lua_remove(L, -2);
  lua_call(L, 0, 1);
}

static void signal_condition(lua_State *L, int condition) {
  condition = lua_absindex(L, condition);
  lua_getfield(L, condition, "signal");
  lua_pushvalue(L, condition);
  lua_call(L, 1, 0);
}

static lua_Integer count_of(lua_State *L, int record) {
  lua_Integer count;
  lua_getfield(L, record, "count");
  count = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return count;
}

static void set_count(lua_State *L, int record, lua_Integer count) {
  lua_pushinteger(L, count);
  lua_setfield(L, record, "count");
}

/* ---- the pump ---- */

/* Where no descriptor tells when to step, the object's timeout does. */
static void set_timeout(lua_State *L, int object) {
  const struct engine *engine = &runtime_of(L)->engine;
  if (engine->poller.fd >= 0)
    return;
  runtime_push_timeout(L, engine);
  lua_setfield(L, object, "timeout");
}

/* Upvalues: the record, _POLL, an object that stands for the engine, and the
 * record's condition. */
static int cqueues_round(lua_State *L, int status, lua_KContext context) {
  int record = lua_upvalueindex(1);
  (void)status, (void)context;
  lua_settop(L, 0);
  step_for(L, &runtime_of(L)->engine, BUDGET);
  if (count_of(L, record) == 0 || !is_of_engine(L, record)) {
    lua_pushnil(L);
    lua_setfield(L, record, "thread");
    return 0;
  }
  lua_settop(L, 0);
  set_timeout(L, lua_upvalueindex(3));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_pushvalue(L, lua_upvalueindex(4));
  return lua_yieldk(L, 3, 0, cqueues_round);
}

static int cqueues_start(lua_State *L) {
  lua_pushthread(L);
  lua_setfield(L, lua_upvalueindex(1), "thread");
  lua_pushnil(L);
  lua_setfield(L, lua_upvalueindex(1), "starting");
  return cqueues_round(L, LUA_OK, 0);
}

static int is_alive(lua_State *L, int record) {
  lua_State *thread;
  int alive = lua_getfield(L, record, "starting") == LUA_TBOOLEAN;
  lua_getfield(L, record, "thread");
  thread = lua_tothread(L, -1);
  /* The running one is not yielded, and not dead either. */
  alive |= thread && (lua_status(thread) == LUA_YIELD || thread == L);
  lua_pop(L, 2);
  return alive;
}

/* Has the controller wrap a new pump. */
static void start_pump(lua_State *L, int controller, int record) {
  lua_pushboolean(L, 1);
  lua_setfield(L, record, "starting");
  lua_getfield(L, controller, "wrap");
  lua_pushvalue(L, controller);
  lua_pushvalue(L, record);
  push_cqueues(L);
  lua_getfield(L, -1, "_POLL");
  lua_remove(L, -2);
  lua_createtable(L, 0, 2);
  runtime_push_pollfd(L, &runtime_of(L)->engine);
  lua_setfield(L, -2, "pollfd");
  lua_pushliteral(L, "r");
  lua_setfield(L, -2, "events");
  lua_getfield(L, record, "done");
  lua_pushcclosure(L, cqueues_start, 4);
  lua_call(L, 2, 0);
}

/* Pushes the record of the controller at `controller`. */
static int push_record(lua_State *L, int controller) {
  push_records(L);
  lua_pushvalue(L, controller);
  if (lua_rawget(L, -2) != LUA_TTABLE || !is_of_engine(L, lua_gettop(L))) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushlightuserdata(L, &runtime_of(L)->engine);
    lua_setfield(L, -2, "engine");
    push_condition(L);
    lua_setfield(L, -2, "done");
    lua_pushvalue(L, controller);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_remove(L, -2);
  return lua_gettop(L);
}

/* ---- waiters ---- */

void cqueues_push_yield(lua_State *L) {
  enum { CONTROLLER = 1, RECORD, CONDITION, TOKEN };
  push_controller(L);
  push_record(L, CONTROLLER);
  if (!is_alive(L, RECORD))
    start_pump(L, CONTROLLER, RECORD);
  push_condition(L);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, CONDITION);
  lua_rawseti(L, TOKEN, TOKEN_CONDITION);
  lua_pushvalue(L, RECORD);
  lua_rawseti(L, TOKEN, TOKEN_RECORD);
  push_cqueues(L);
  lua_getfield(L, -1, "_POLL");
  lua_replace(L, CONTROLLER);
  lua_settop(L, TOKEN);
  set_count(L, RECORD, count_of(L, RECORD) + 1);
  lua_remove(L, RECORD);
}

/* Its token is at index 1. It is counted once, though memory may end before it
 * was told. */
static int signal_waiter(lua_State *L) {
  if (lua_rawgeti(L, 1, TOKEN_RECORD) == LUA_TTABLE) {
    int record = lua_gettop(L);
    lua_Integer count = count_of(L, record) - 1;
    set_count(L, record, count);
    lua_pushboolean(L, 0);
    lua_rawseti(L, 1, TOKEN_RECORD);
    if (count == 0) {
      lua_getfield(L, record, "done");
      signal_condition(L, -1);
    }
  }
  lua_rawgeti(L, 1, TOKEN_CONDITION);
  signal_condition(L, -1);
  return 0;
}

static int cqueues_wake(lua_State *L, enum wake_reason reason) {
  (void)reason;
  lua_pushnil(L);
  return deferred_wake(L, signal_waiter);
}

const struct waker cqueues_waker = {cqueues_wake};
