/* The codes of an answer and the kinds of error that they stand for. */
#ifndef MINIMAX_STATUS_CODE_H
#define MINIMAX_STATUS_CODE_H

#include <lua.h>

#include "api/fault.h"

/* What an HTTP status says by itself; FAULT_NONE: nothing is wrong. */
enum fault_kind status_code_kind(long http_status);

/* What an answer's codes say: that in `base_resp`, that in `error`, a gateway's
 * own. */
struct status_code {
  enum fault_kind kind; /* FAULT_NONE: none refuses */
  lua_Integer number;   /* the API's own; 0: none */
};

struct status_code status_code_read(lua_State *L, int object, long http_status);

#endif
