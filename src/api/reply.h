/* Reads the API's answers: the envelopes of both generations and of gateways,
 * and what they amount to. */
#ifndef MINIMAX_REPLY_H
#define MINIMAX_REPLY_H

#include <lua.h>

#include "api/fault.h"
#include "net/transfer.h"

struct reply {
  enum fault_kind kind; /* FAULT_NONE: nothing is wrong with it */
  lua_Integer code;     /* the API's own code; 0: none */
  long http_status;
  int readable; /* it was a JSON object */
  int too_many; /* it was not read: it holds more than JSON_MOST values */
  int is_page;  /* it was HTML: it comes from something in between */
};

/* Pushes the id of the task that the answer names, or of what arrived of it; 0
 * and nothing where it names none. */
int reply_push_task_id(lua_State *L, const struct transfer *transfer,
                       const struct reply *reply);

/* Whether it names one. */
int reply_names_task(const struct transfer *transfer,
                     const struct reply *reply);

/* Pushes the decoded object of a transfer that has ended, or nil: there is
 * none. Of one without an answer the reply is all zero. */
void reply_read(lua_State *L, const struct transfer *transfer,
                struct reply *reply);

/* Whether it ended without an answer, or with one that is an error. */
int reply_is_failure(const struct transfer *transfer,
                     const struct reply *reply);

/* Pushes that error; `object` is the index of what reply_read pushed. */
void reply_push_fault(lua_State *L, const struct transfer *transfer,
                      const struct reply *reply, int object);

/* Pushes the error of an answer that makes no sense, in these words. */
void reply_push_nonsense(lua_State *L, const struct transfer *transfer,
                         const char *text);

/* Pushes the server's id for this exchange, or nil. */
void reply_push_trace(lua_State *L, const struct transfer *transfer,
                      int object);

/* Pushes the error of a transfer that ended without an answer. */
void reply_push_loss(lua_State *L, const struct transfer *transfer);

/* Whether another attempt may mend that; and whether it would end the same. */
int reply_loss_is_passing(const struct transfer *transfer);
int reply_loss_is_definite(const struct transfer *transfer);

/* The same of an attempt that has ended, be it with an answer or without. */
int reply_is_passing(const struct transfer *transfer,
                     const struct reply *reply);
int reply_is_definite(const struct transfer *transfer,
                      const struct reply *reply);

/* Milliseconds that the answer asks to wait, 0: it names none. */
uint64_t reply_retry_after(const struct transfer *transfer);

#endif
