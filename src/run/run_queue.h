/* The coroutines of a run, and which of them are ready. Once a coroutine is
 * added, nothing here needs memory, and so nothing raises. */
#ifndef MINIMAX_RUN_QUEUE_H
#define MINIMAX_RUN_QUEUE_H

#include <lua.h>

/* Beside a table of Lua's, which is given by its index; all zero at first. */
struct run_queue {
  lua_Integer alive, ready;
};

/* Pushes the table of an empty queue. */
void run_queue_push(lua_State *L);

/* The coroutine at `thread` becomes one of them; it waits. The one function
 * that may raise. */
void run_queue_add(lua_State *L, struct run_queue *queue, int table,
                   int thread);

/* It is none of them any more; it must not be ready. */
void run_queue_remove(lua_State *L, struct run_queue *queue, int table,
                      int thread);

/* Puts it behind the ready ones, if it is one of them and waits. */
void run_queue_make_ready(lua_State *L, struct run_queue *queue, int table,
                          int thread);

void run_queue_make_all_ready(lua_State *L, struct run_queue *queue, int table);

/* Pushes the first of the ready ones, of which there must be one; it waits
 * then. */
void run_queue_push_next(lua_State *L, struct run_queue *queue, int table);

#endif
