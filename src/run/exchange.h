/* One API request until it has its answer: its turn, its attempts, its
 * back-off. Part of a job. */
#ifndef MINIMAX_EXCHANGE_H
#define MINIMAX_EXCHANGE_H

#include <lua.h>

#include "api/reply.h"
#include "base/buffer.h"
#include "net/body.h"
#include "net/gate.h"
#include "net/transfer.h"
#include "run/client.h"

enum exchange_policy {
  EXCHANGE_REPEAT, /* safe to repeat: reads, uploads */
  EXCHANGE_ONCE,   /* may cost money or change something */
  EXCHANGE_POLL    /* of a wait, which repeats by itself */
};

/* What is to be done for the caller. The decoded object, or nil, was pushed
 * where an attempt has ended for good. */
enum exchange_step {
  EXCHANGE_PENDING, /* nothing: the job's alarm is set */
  EXCHANGE_READY,   /* its turn has come: it waits for exchange_allow */
  EXCHANGE_ENDED    /* with an answer or without: the reply tells */
};

/* What the exchange waits for. */
enum exchange_state {
  EXCHANGE_IDLE,    /* to be begun */
  EXCHANGE_WAITING, /* its turn, or the end of a back-off */
  EXCHANGE_ASKING,  /* its turn has come, and its owner was asked */
  EXCHANGE_ALLOWED, /* no more: without memory to send it, it is sent again */
  EXCHANGE_SENT     /* the attempt's end, or that somebody looks at it */
};

/* All zero is an idle exchange. It owns its url, type and body. */
struct exchange {
  struct pass pass;
  struct transfer *transfer; /* the attempt under way or just ended */
  struct body body;          /* between attempts */
  const char *method;
  char *url;
  char *content_type;     /* NULL: JSON */
  uint64_t resume_at;     /* of the next attempt, after a back-off */
  uint64_t told;          /* bytes of the attempt's body, in an event */
  uint64_t patience;      /* ms: the longest back-off of a poll's lane */
  unsigned attempts;      /* requests that left or failed to */
  unsigned failures;      /* each with its back-off */
  unsigned limits;        /* answered in a row, the last attempt's too */
  lua_Integer limit_code; /* of the last rate limit that was answered */
  long limit_status;
  unsigned char state;  /* enum exchange_state */
  unsigned char policy; /* enum exchange_policy */
  unsigned char single; /* one attempt */
  unsigned char asks;   /* its owner, before each attempt leaves */
  uint64_t leave_by;    /* ms; of the attempt allowed last */
};

/* Begins one; takes `url` over (malloc'd; NULL raises that memory ends). */
void exchange_begin(lua_State *L, struct exchange *exchange, struct job *job,
                    const char *method, char *url, enum lane_name lane,
                    enum exchange_policy policy);

/* Moves on. Once it is answered or lost, the transfer stays to be looked at
 * until exchange_clear. */
enum exchange_step exchange_advance(lua_State *L, struct job *job, int self,
                                    struct exchange *exchange,
                                    struct reply *reply);

/* Its owner, who was asked, lets the attempt leave: until `leave_by` (ms;
 * POLLER_NEVER), or else it asks again. */
void exchange_allow(struct exchange *exchange, struct client *client,
                    uint64_t leave_by);

/* The call's deadline is there: ends the attempt under way with what arrived
 * of its answer. Returns whether there is one. */
int exchange_expire(lua_State *L, struct job *job, int self,
                    struct exchange *exchange, struct reply *reply);

/* Whether the request may have had its effect at the server. */
int exchange_may_have_arrived(const struct exchange *exchange);

/* Milliseconds that the answer asks to wait, 0: it names none. */
uint64_t exchange_named_time(const struct exchange *exchange);

/* Tells of a pause of `delay` ms, as an event of that type; of a long one that
 * the server asked for, by a warning, too. */
void exchange_tell_pause(lua_State *L, struct job *job, int self,
                         const struct exchange *exchange, const char *type,
                         uint64_t delay);

/* Gives everything back. Idempotent. */
void exchange_clear(struct exchange *exchange, struct client *client);

/* Adds `attempts` to the error on top. */
void exchange_count(lua_State *L, const struct exchange *exchange);

/* Pushes the error of a call whose deadline came first: its turn did not come,
 * or its answer did not. */
void exchange_push_expiry(lua_State *L, const struct exchange *exchange);

/* "base/path" with the id as ?task_id= (or in the path) and the client's extra
 * query; malloc'd, or NULL when memory ends. `name` NULL: no parameter. */
char *exchange_url(const struct client *client, const char *path,
                   const char *name, const char *value);

/* Pushes the URL of such a path. */
void exchange_push_url(lua_State *L, const struct client *client,
                       const char *path);

#endif
