/* The Lua module `minimax`: puts its parts together. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>

#include "api/box.h"
#include "api/fault.h"
#include "api/file_identity.h"
#include "api/json.h"
#include "api/media.h"
#include "api/options.h"
#include "calls/abort.h"
#include "calls/call.h"
#include "calls/callback.h"
#include "calls/cancel.h"
#include "calls/close.h"
#include "calls/download.h"
#include "calls/download_target.h"
#include "calls/each.h"
#include "calls/files.h"
#include "calls/generate.h"
#include "calls/new.h"
#include "calls/query.h"
#include "calls/sleep.h"
#include "calls/submit.h"
#include "calls/wait.h"
#include "net/header.h"
#include "run/adapter.h"
#include "run/await.h"
#include "run/client.h"
#include "run/job.h"
#include "run/loop.h"
#include "run/runtime.h"
#include "run/step.h"
#include "run/task.h"

#define VERSION "0.1.0"

#if LUA_VERSION_RELEASE_NUM < 50404
#error "minimax needs Lua 5.4.4 or later"
#endif

LUAMOD_API int luaopen_minimax(lua_State *L);

/* The methods of a client that are functions of the module as well. */
static const luaL_Reg methods[] = {
    {"submit", submit_call},
    {"query", query_call},
    {"wait", wait_call},
    {"download", download_call},
    {"generate", generate_call},
    {"each", each_call},
    {"cancel", cancel_call},
    {"abort", abort_call},
    {"list", call_list},
    {"retrieve", files_retrieve},
    {"upload", files_upload},
    {"call", call_call},
    {"callback", callback_call},
    {"notify", wait_notify},
    {NULL, NULL},
};

static const luaL_Reg client_methods[] = {
    {"close", close_call},
    {NULL, NULL},
};

static const luaL_Reg client_meta[] = {
    {"__gc", close_collect},
    {"__close", close_call},
    {NULL, NULL},
};

/* Those that its tasks and statuses have, too. */
static const luaL_Reg task_methods[] = {
    {"query", query_call},       {"wait", wait_call},
    {"download", download_call}, {"cancel", cancel_call},
    {"failure", task_failure},   {NULL, NULL},
};

/* The registry key of the default client. */
static const char default_key = 0;

/*** Makes the default client, which the functions of the module use.
@function configure
@tparam table options as for `minimax.new`
@treturn minimax.client */
static int configure(lua_State *L) {
  new_client(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &default_key);
  return 1;
}

/* Pushes the default client; the first use makes it from the environment. */
static void push_default(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &default_key) == LUA_TUSERDATA)
    return;
  lua_pop(L, 1);
  lua_pushcfunction(L, configure);
  lua_call(L, 0, 1);
}

/* A function of the module: the client's method, its upvalue, with the default
 * client before the arguments. */
static int call_default(lua_State *L) {
  lua_CFunction method = lua_tocfunction(L, lua_upvalueindex(1));
  push_default(L);
  lua_insert(L, 1);
  return method(L);
}

/*** Runs all spawned coroutines until they have ended.
@function run
@tparam[opt] function fn run as one of them
@param ... its arguments
@return what `fn` returned; raises the first uncaught error */
static int run(lua_State *L) {
  loop_push_run(L);
  return await_job(L);
}

/*** The descriptor that any event loop can watch for reading.
@function pollfd
@treturn integer|nil nil on a system without epoll */
static int pollfd(lua_State *L) {
  return runtime_push_pollfd(L, &runtime_of(L)->engine);
}

/*** A date as HTTP writes it.
@function _date
@tparam string text
@treturn integer|nil Unix seconds; nil where it is none */
static int date(lua_State *L) {
  int64_t seconds = header_date(luaL_checkstring(L, 1));
  if (seconds < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, (lua_Integer)seconds);
  return 1;
}

/*** What to watch the descriptor for.
@function events
@treturn string "r" */
static int events(lua_State *L) {
  lua_pushliteral(L, "r");
  return 1;
}

/*** When the next work is due.
@function timeout
@treturn number|nil seconds; nil: nothing is under way */
static int timeout(lua_State *L) {
  return runtime_push_timeout(L, &runtime_of(L)->engine);
}

/*** Does what there is to do, without waiting.
@function step
@tparam[opt=0.002] number seconds at most
@treturn integer how many operations ended */
static int step(lua_State *L) {
  lua_Number seconds = luaL_optnumber(L, 1, 0.002);
  struct engine *engine = &runtime_of(L)->engine;
  luaL_argcheck(L, seconds >= 0, 1, "a number of seconds is expected");
  if (engine_state(engine) != ENGINE_OPEN)
    lua_pushinteger(L, 0);
  else
    lua_pushinteger(
        L,
        step_for(L, engine, seconds < 3600 ? (int)(seconds * 1000) : 3600000));
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", new_client},
    {"configure", configure},
    {"file", media_file},
    {"spawn", loop_spawn},
    {"run", run},
    {"sleep", sleep_call},
    {"pollfd", pollfd},
    {"events", events},
    {"timeout", timeout},
    {"step", step},
    {"adapter", adapter_set},
    {"_date", date},
    {"_error", fault_call},
    {"_nearest", options_nearest},
    {"_place", file_identity_call},
    {NULL, NULL},
};

static void add_methods(lua_State *L) {
  for (const luaL_Reg *method = methods; method->name; method++) {
    lua_pushcfunction(L, method->func);
    lua_pushcclosure(L, call_default, 1);
    lua_setfield(L, -2, method->name);
  }
}

/* A name lookup that was cancelled goes on in a thread of libcurl's: the code
 * it runs must not be unloaded with the Lua state. */
static void pin(void) {
#ifdef RTLD_NODELETE
  Dl_info info;
  union { /* ISO C knows no way from a function to an address */
    int (*function)(lua_State *L);
    void *address;
  } here = {luaopen_minimax};
  if (dladdr(here.address, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/* The registry key that says it is all there. */
static const char opened_key = 0;

/* Once for each Lua state: a second require finds the same engine and jobs. */
static void open_parts(lua_State *L) {
  int opened = lua_rawgetp(L, LUA_REGISTRYINDEX, &opened_key) != LUA_TNIL;
  lua_pop(L, 1);
  if (opened)
    return;
  if (!runtime_knows_finalizers())
    luaL_error(L, "minimax needs Lua 5.4.4 or later: in this one nothing tells "
                  "a finalizer, which must not wait, from other code");
  runtime_open(L);
  json_open(L);
  box_open(L);
  fault_open(L);
  media_open(L);
  job_open(L);
  download_target_install(L);
  loop_open(L);
  task_open(L, task_methods);
  client_open(L, client_meta, methods, client_methods);
  lua_pushboolean(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &opened_key);
}

static void push_libcurl(lua_State *L) {
  const char *tls;
  const char *version = engine_libcurl(&tls);
  lua_pushfstring(L, "libcurl/%s %s", version, tls ? tls : "(no TLS)");
}

LUAMOD_API int luaopen_minimax(lua_State *L) {
  luaL_checkversion(L);
  pin();
  open_parts(L);
  luaL_newlib(L, functions);
  add_methods(L);
  lua_pushliteral(L, VERSION);
  lua_setfield(L, -2, "_VERSION");
  push_libcurl(L);
  lua_setfield(L, -2, "_LIBCURL");
  return 1;
}
