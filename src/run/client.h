/* A client: its settings, its gate, its jobs. */
#ifndef MINIMAX_CLIENT_H
#define MINIMAX_CLIENT_H

#include <lua.h>
#include <stdint.h>

#include "net/gate.h"
#include "net/profile.h"
#include "run/job.h"

/* The Lua values that belong to a client. */
enum {
  CLIENT_ON_EVENT = 1,
  CLIENT_TASK_TABLE,   /* metatable of its tasks */
  CLIENT_STATUS_TABLE, /* metatable of its statuses */
  CLIENT_SUBMITTED,    /* weak: task -> when it was submitted (ms) */
  CLIENT_EVENTS,       /* list of events to be handed over, or nil */
  CLIENT_VALUES = CLIENT_EVENTS
};

enum { CLIENT_NOT_YET = 8 };

struct client {
  struct owner owner;      /* first: a job leads to its client */
  struct profile *profile; /* NULL once it is closed */
  struct gate gate;
  /* Hashes of answers that say "not ended" (wait.c). */
  uint64_t not_yet[CLIENT_NOT_YET];
  uint64_t poll_interval;
  uint64_t wait_timeout;
  uint64_t pause_said; /* the end of one that a warning told of */
  unsigned retries;
  int block;
  int lacks_key;       /* and needs one */
  int key_file_failed; /* it could not be read, or was empty */
  int observed;        /* somebody wants events; 2: whose error was told */
  int prints;          /* MINIMAX_DEBUG: on stderr, too */
  int has_events;      /* in the list CLIENT_EVENTS */
  int closing;         /* it is to be closed once no job moves on */
};

/* Creates the metatable; once for each Lua state. `shared` and `own` become
 * methods of clients. */
struct luaL_Reg;
void client_open(lua_State *L, const struct luaL_Reg *meta,
                 const struct luaL_Reg *shared, const struct luaL_Reg *own);

/* Pushes a closed one: an error while it acquires things leaks nothing. */
struct client *client_push_closed(lua_State *L);

/* The client at index 1, raising for anything else. */
struct client *client_check(lua_State *L);

/* The client of a job that has one. */
struct client *client_of(const struct job *job);

/* Whether it can be used; else pushes nil and an error (return 2 then). */
int client_is_usable(lua_State *L, struct client *client, int needs_key);

/* Pushes the key as a Lua string, which outlives the client; NULL and nil:
 * there is none. */
const char *client_push_key(lua_State *L, const struct client *client);

#endif
