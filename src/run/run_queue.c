/* The coroutines of a run, and which of them are ready: a list that is linked
 * through the values of a table. */
#include "run/run_queue.h"

/* Each coroutine is a key. Its value is false while it waits, else the next
 * ready one; true: it is the last. Here the list begins and ends. */
enum { FIRST = 1, LAST = 2 };

static void set_place(lua_State *L, int table, int place, int value) {
  lua_pushvalue(L, value);
  lua_rawseti(L, table, place);
}

/* Nothing holds any longer who was the last of all. */
static void clear_places(lua_State *L, int table) {
  for (int place = FIRST; place <= LAST; place++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, table, place);
  }
}

/* Sets the value of a coroutine to what is on top, which it pops. */
static void set_value(lua_State *L, int table, int thread) {
  lua_pushvalue(L, thread);
  lua_insert(L, -2);
  lua_rawset(L, table);
}

static void set_flag(lua_State *L, int table, int thread, int flag) {
  lua_pushboolean(L, flag);
  set_value(L, table, thread);
}

static int waits(lua_State *L, int table, int thread) {
  int is_false;
  lua_pushvalue(L, thread);
  is_false = lua_rawget(L, table) == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is_false;
}

void run_queue_push(lua_State *L) {
  lua_createtable(L, LAST, 0);
  clear_places(L, lua_gettop(L));
}

void run_queue_add(lua_State *L, struct run_queue *queue, int table,
                   int thread) {
  set_flag(L, table, thread, 0);
  queue->alive++;
}

void run_queue_remove(lua_State *L, struct run_queue *queue, int table,
                      int thread) {
  lua_pushnil(L);
  set_value(L, table, thread);
  queue->alive--;
}

void run_queue_make_ready(lua_State *L, struct run_queue *queue, int table,
                          int thread) {
  if (!waits(L, table, thread))
    return;
  if (queue->ready++ == 0) {
    set_place(L, table, FIRST, thread);
  } else {
    lua_rawgeti(L, table, LAST);
    lua_pushvalue(L, thread);
    lua_rawset(L, table);
  }
  set_place(L, table, LAST, thread);
  set_flag(L, table, thread, 1);
}

void run_queue_make_all_ready(lua_State *L, struct run_queue *queue,
                              int table) {
  int key = lua_gettop(L) + 1;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (lua_isthread(L, key))
      run_queue_make_ready(L, queue, table, key);
  }
}

void run_queue_push_next(lua_State *L, struct run_queue *queue, int table) {
  int thread = lua_gettop(L) + 1;
  lua_rawgeti(L, table, FIRST);
  lua_pushvalue(L, thread);
  lua_rawget(L, table);
  if (--queue->ready > 0) {
    lua_rawseti(L, table, FIRST);
  } else {
    lua_pop(L, 1);
    clear_places(L, table);
  }
  set_flag(L, table, thread, 0);
}
