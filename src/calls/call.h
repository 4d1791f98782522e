/* Calls of one request and one answer: client:call and client:list; submit,
 * query, retrieve and upload are made of the same. */
#ifndef MINIMAX_CALL_H
#define MINIMAX_CALL_H

#include <lua.h>
#include <stdint.h>

#include "api/options.h"
#include "run/exchange.h"

/* A job that ends with what `finish` makes of the answer. */
struct call {
  struct job job;
  struct exchange exchange;
  /* The decoded object is at `object`: pushes the result. NULL: the object is
   * the result. Returns 0, or -1 with an error pushed. */
  int (*finish)(lua_State *L, struct call *call, int self,
                const struct reply *reply, int object);
  /* It failed with the error on top, and may have changed something unheard:
   * then that becomes one of kind "unknown". NULL: it changes nothing. */
  void (*cast_unknown)(lua_State *L, struct call *call, int self,
                       const struct reply *reply);
};

/* The options that every call takes. Where there are others besides, they stand
 * in a struct that begins with this one. */
struct call_options {
  uint64_t timeout;
  int block;
};

#define CALL_OPTIONS                                                           \
  {"timeout", OPTION_DEADLINE, offsetof(struct call_options, timeout)}, {      \
    "block", OPTION_BOOLEAN, offsetof(struct call_options, block)              \
  }

/* Those of a call that is about one task: kind, timeout, block. */
extern const struct option call_task_options[];

/* Pushes a new job, a struct of `size` bytes that begins with one, for the
 * client at `client`; returns its address. */
void *call_new(lua_State *L, size_t size, const struct job_type *type,
               int client, const struct call_options *options);

/* Starts the call on top of the stack and waits for it. */
int call_await(lua_State *L, struct call *call);

/* What the job types of such calls are made of. */
void call_advance(lua_State *L, struct job *job, int self);
void call_expire(lua_State *L, struct job *job, int self);
void call_release(struct job *job);

/* client:call(method, path [, options]) */
int call_call(lua_State *L);

/* client:list([options]) */
int call_list(lua_State *L);

#endif
