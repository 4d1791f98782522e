/* Waiting inside cqueues. */
#include "run/cqueues.h"

#include <lauxlib.h>
#include <string.h>

#include "run/deferred.h"
#include "run/step.h"

enum { BUDGET = 2 }; /* ms of work in one round */

/* Of a controller: its pump and who waits in it. */
struct record {
  const struct engine *engine; /* a forked child has its own */
  int waiters;
  int starting; /* the pump was wrapped, and has not run yet */
};

/* Its Lua values: the pump's thread; a condition: nobody waits any longer. (The
 * descriptor can't say it: another controller's pump may look at that first.)
 */
enum { RECORD_THREAD = 1, RECORD_DONE, RECORD_VALUES = RECORD_DONE };

/* The token of a waiter is a table of these: what it sleeps on, and the record
 * that counts it. */
enum { TOKEN_CONDITION = 1, TOKEN_RECORD };

/* The registry key of the records: controller -> record, weakly. */
static const char records_key = 0;

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
  runtime_push_weak(L, "k");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &records_key);
}

static int is_of_engine(lua_State *L, const struct record *record) {
  const struct engine *engine = &runtime_of(L)->engine;
  return record->engine == engine && engine_state(engine) == ENGINE_OPEN;
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
  const struct record *record = lua_touserdata(L, lua_upvalueindex(1));
  (void)status, (void)context;
  lua_settop(L, 0);
  step_for(L, &runtime_of(L)->engine, BUDGET);
  if (record->waiters == 0 || !is_of_engine(L, record)) {
    lua_pushnil(L);
    lua_setiuservalue(L, lua_upvalueindex(1), RECORD_THREAD);
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
  struct record *record = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushthread(L);
  lua_setiuservalue(L, lua_upvalueindex(1), RECORD_THREAD);
  record->starting = 0;
  return cqueues_round(L, LUA_OK, 0);
}

static int is_alive(lua_State *L, int record) {
  const struct record *of = lua_touserdata(L, record);
  lua_State *thread;
  lua_getiuservalue(L, record, RECORD_THREAD);
  thread = lua_tothread(L, -1);
  lua_pop(L, 1);
  /* The running one is not yielded, and not dead either. */
  return of->starting ||
         (thread && (lua_status(thread) == LUA_YIELD || thread == L));
}

/* Has the controller wrap a new pump. */
static void start_pump(lua_State *L, int controller, int record) {
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
  lua_getiuservalue(L, record, RECORD_DONE);
  lua_pushcclosure(L, cqueues_start, 4);
  lua_call(L, 2, 0);
  ((struct record *)lua_touserdata(L, record))->starting = 1;
}

/* Pushes the record of the controller at `controller`. */
static void push_record(lua_State *L, int controller) {
  struct record *record;
  push_records(L);
  lua_pushvalue(L, controller);
  if (lua_rawget(L, -2) != LUA_TUSERDATA ||
      !is_of_engine(L, lua_touserdata(L, -1))) {
    lua_pop(L, 1);
    record = lua_newuserdatauv(L, sizeof *record, RECORD_VALUES);
    memset(record, 0, sizeof *record);
    record->engine = &runtime_of(L)->engine;
    push_condition(L);
    lua_setiuservalue(L, -2, RECORD_DONE);
    lua_pushvalue(L, controller);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_remove(L, -2);
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
  ((struct record *)lua_touserdata(L, RECORD))->waiters++;
  lua_remove(L, RECORD);
}

/* Its token is at index 1. Signals may want memory, and are given again then:
 * it counts, and so the pump goes on, until the last of them was. */
static int signal_waiter(lua_State *L) {
  struct record *record;
  lua_settop(L, 1);
  lua_rawgeti(L, 1, TOKEN_CONDITION);
  signal_condition(L, 2);
  lua_rawgeti(L, 1, TOKEN_RECORD);
  record = lua_touserdata(L, 3);
  if (!record)
    return 0;
  if (record->waiters == 1) {
    lua_getiuservalue(L, 3, RECORD_DONE);
    signal_condition(L, -1);
  }
  record->waiters--;
  lua_pushboolean(L, 0);
  lua_rawseti(L, 1, TOKEN_RECORD);
  return 0;
}

static int cqueues_wake(lua_State *L, enum wake_reason reason) {
  (void)reason;
  lua_pushnil(L);
  return deferred_wake(L, signal_waiter);
}

const struct waker cqueues_waker = {cqueues_wake};
