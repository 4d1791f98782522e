/* A job: one asynchronous operation of a client, from its call to its result.
 * A small state machine that is moved on by the engine's Lua half. */
#ifndef MINIMAX_JOB_H
#define MINIMAX_JOB_H

#include <lua.h>
#include <stdint.h>

#include "run/runtime.h"

struct job;
struct transfer;

/* The Lua values that belong to a job. */
enum {
  JOB_CLIENT = 1, /* the userdata of its client, which it keeps alive */
  JOB_RESULT,     /* what it ended with */
  JOB_SUBJECT,    /* the id of the task that it is about, a string; or nil */
  JOB_TASK,       /* that task's table, to be handed back, never read; or nil */
  JOB_TOKEN,      /* what its waker knows the sleeping coroutine by */
  JOB_CALLBACK,   /* the user's function, or a Lua file */
  JOB_EXTRA,      /* the type's own */
  JOB_BALLAST,    /* memory that it gives up where there is no other */
  JOB_LAST_WORD,  /* what it ends with where that did not help; or nil */
  JOB_VALUES = JOB_LAST_WORD
};

/* What a kind of job does, begun with JOB_TYPE. `self` is the stack index of
 * its userdata. */
struct job_type {
  const char *stage; /* as errors name it */
  /* Moves on as far as it can; ends the job, or sets its alarm. Once its
   * deadline has passed it begins nothing any more. */
  void (*advance)(lua_State *L, struct job *job, int self);
  /* Its deadline passed, and there was no answer: ends it. */
  void (*expire)(lua_State *L, struct job *job, int self);
  /* Gives back what it holds outside Lua. Idempotent. */
  void (*release)(struct job *job);
  /* It is closed before it ended, and Lua may be called. May be NULL. */
  void (*close)(lua_State *L, struct job *job, int self);
  /* Where there is news for its coroutine: pushes the user's function
   * and its arguments, and returns their number. May be NULL. */
  int (*deliver)(lua_State *L, struct job *job, int self);
  /* Pushes the results and returns their number; NULL: the usual one or two. */
  int (*push_results)(lua_State *L, struct job *job, int self);
  /* The function returned: its two results are at `results`. */
  void (*delivered)(lua_State *L, struct job *job, int self, int results);
  /* One of its children has something to deliver, or has ended. May be NULL
   * where it has none. */
  void (*child_has_news)(struct job *job, struct job *child);
};

/* The members that none may lack: without one of them, or with NULL for it, it
 * does not compile. */
#define JOB_TYPE(its_stage, its_advance, its_expire, its_release)              \
  .stage = "" its_stage, .advance = *(its_advance), .expire = *(its_expire),   \
  .release = *(its_release)

enum wake_reason {
  WAKE_NEWS,     /* there is something to look at */
  WAKE_CLOSED,   /* the job was closed: no more than that is to be told */
  WAKE_COLLECTED /* it is gone, and so may be what was slept on */
};

/* Of each way in which a coroutine sleeps until there is news. */
struct waker {
  /* Wakes the one whose token is on top. -1: there was no memory for that. */
  int (*wake)(lua_State *L, enum wake_reason reason);
};

struct job {
  struct waiter waiter; /* first: the engine hands out its address */
  const struct job_type *type;
  struct owner *owner;
  const struct waker *waker;  /* its coroutine sleeps; or NULL */
  lua_Integer slot;           /* in the list of jobs, from 1 */
  struct job *next, **back;   /* in the owner's list while it runs */
  struct job *parent;         /* told when there is news; or NULL */
  struct job *next_with_news; /* in the parent's list */
  unsigned number;            /* which child it is, from 1 */
  uint64_t deadline;          /* ms; POLLER_NEVER: none */
  const char *cancelled;      /* while it was moved: why; or NULL */
  int kind;                   /* enum kind of its task, or -1 */
  unsigned char ended;
  unsigned char failed;  /* with an error object */
  unsigned char raises;  /* with an error to be raised */
  unsigned char news;    /* something to deliver */
  unsigned char block;   /* even where a yield is possible */
  unsigned char in_news; /* in the parent's list */
  unsigned char moving;  /* moved on right now: not to be released */
  unsigned char again;   /* it was ready meanwhile */
  unsigned char dropped; /* it was closed meanwhile */
  unsigned char starved; /* how often in a row there was no memory to move on */
};

/* Creates the metatable; once for each Lua state. */
void job_open(lua_State *L);

/* Pushes a new job of `size` bytes for the client at stack index `client`. */
struct job *job_new(lua_State *L, size_t size, const struct job_type *type,
                    int client);

/* The same for none: of a job that needs no more than the engine. */
struct job *job_new_bare(lua_State *L, size_t size,
                         const struct job_type *type);

/* Sets its deadline, counted from now; POLLER_NEVER: none. */
void job_set_timeout(struct job *job, uint64_t timeout);

/* What it is about: the id at `id`, a string, which is kept: what the program
 * does to its table at `task` from here on changes nothing. */
void job_set_subject(lua_State *L, int self, int task, int id);

/* Whether that is the id at `id`. */
int job_is_about(lua_State *L, const struct job *job, int id);

/* It is complete: the engine moves it on from here, unless it has ended. */
void job_start(struct job *job);

/* Ends it with the value on top, which it pops. An end is for good: what comes
 * after it is popped only. */
void job_end(lua_State *L, struct job *job, int self);

/* There is something to deliver. */
void job_tell(lua_State *L, struct job *job, int self);

/* Takes its news: pushes as the type's `deliver` does. */
int job_deliver(lua_State *L, struct job *job, int self);

/* The call that awaits it is to return what push_results pushes, as if it had
 * ended, which it has not: from job_go_on on it does not count as ended. */
void job_return(struct job *job);
void job_go_on(struct job *job);

/* Its coroutine, the one that awaits it, is about to sleep, to be woken once
 * with the token on top, which it pops. */
void job_park(lua_State *L, struct job *job, int self,
              const struct waker *waker);

/* Wakes that coroutine, if it sleeps. */
void job_wake(lua_State *L, struct job *job, int self, enum wake_reason reason);

/* Pushes what the job ended with, or raises it; returns the number. */
int job_push_results(lua_State *L, struct job *job, int self);

/* The usual results, for job types that have others besides. */
int job_push_outcome(lua_State *L, struct job *job, int self);

/* From here on it can tell how it ends, come what may: keeps memory aside that
 * moving it on may use where there is no other, and the error object on top,
 * which it pops. */
void job_provide(lua_State *L, int self);

/* Asks to be moved on at `due`, or at the deadline. */
void job_sleep(struct job *job, uint64_t due);

/* Tells the collector what it weighs with this transfer. */
void job_weigh(lua_State *L, const struct transfer *transfer);

/* The `release` of what holds nothing outside Lua. */
void job_holds_nothing(struct job *job);

/* Gives back all that is not Lua's, before its time; of one that moves on right
 * now, after that. Idempotent. */
void job_release(struct job *job);

/* Pushes the userdata of a job; 0 and nothing if it is being collected. */
int job_push(lua_State *L, const struct job *job);

/* The job at `index`, or NULL. */
struct job *job_at(lua_State *L, int index);

#endif
