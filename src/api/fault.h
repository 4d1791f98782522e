/* Error objects: what the world did, as a Lua table with one readable line. */
#ifndef MINIMAX_FAULT_H
#define MINIMAX_FAULT_H

#include <lua.h>

enum fault_kind {
  FAULT_NONE,
  FAULT_AUTH,
  FAULT_BALANCE,
  FAULT_QUOTA,
  FAULT_RATE_LIMIT,
  FAULT_CONTENT,
  FAULT_INVALID,
  FAULT_SERVER,
  FAULT_TIMEOUT,
  FAULT_NETWORK,
  FAULT_TLS,
  FAULT_PROTOCOL,
  FAULT_FAILED,
  FAULT_UNKNOWN,
  FAULT_CANCELLED,
  FAULT_EXPIRED,
  FAULT_IO
};

/* Creates the metatable; once for each Lua state. */
void fault_open(lua_State *L);

/* Pushes an error object with `kind`, `message` (as lua_pushfstring formats
 * it, then redacted: `secret` may be NULL) and `retryable` as it is for the
 * kind. The caller may set further fields of the contract. */
void fault_push(lua_State *L, const char *secret, enum fault_kind kind,
                const char *format, ...);

/* `minimax._error`: an error object of a kind and a text. */
int fault_call(lua_State *L);

/* Replaces the text on top by one that people may see. */
void fault_redact(lua_State *L, const char *secret);

/* Whether that is an error object made here. */
int fault_is(lua_State *L, int index);

/* The kind of an error object made here, FAULT_NONE for anything else. */
enum fault_kind fault_kind_at(lua_State *L, int index);

/* Pushes an error object like the one at `index`. */
void fault_push_copy(lua_State *L, int index);

/* What a call returns that failed before it had a job: nil and the error on
 * top. NULL: it names its stage already, or has none. */
int fault_return(lua_State *L, const char *stage);

/* Whether repeating the same call may help. */
void fault_set_retryable(lua_State *L, int index, int retryable);

#endif
