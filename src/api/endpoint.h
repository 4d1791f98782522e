/* What is known of the API's kinds of task, as data: paths, names, words. */
#ifndef MINIMAX_ENDPOINT_H
#define MINIMAX_ENDPOINT_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

enum kind { KIND_TEMPLATE, KIND_VIDEO, KIND_VIDEO2, KINDS };

struct endpoint {
  const char *name;    /* "template" */
  const char *told_by; /* the request field that tells the kind */
  const char *submit_path;
  const char *query_path;
  int id_in_path;     /* of the query; else it is ?task_id= */
  uint64_t link_life; /* seconds a result's link serves, if it is silent */
};

extern const struct endpoint endpoints[KINDS];

enum state {
  STATE_NONE, /* no status word at all */
  STATE_QUEUED,
  STATE_RUNNING,
  STATE_SUCCEEDED,
  STATE_FAILED,
  STATE_CANCELLED
};

extern const char *const state_names[];

/* A status word in any case; unknown ones are STATE_RUNNING. */
enum state state_of(const char *word);

/* succeeded, failed or cancelled */
int state_is_final(enum state state);

/* The kind of the tasks that a POST to this path makes. */
enum kind kind_of_path(const char *path);

/* The kind with that name, or -1. */
int kind_named(const char *name);

/* The kind a bare id belongs to: "video_…" is a gateway's video id. */
enum kind kind_of_id(const char *id);

/* Raises unless the value at `index` names a kind; `argument` is the number of
 * the argument it came with. */
enum kind kind_check(lua_State *L, int index, int argument);

/* Whether a call to this path takes ids as bare numbers. */
int endpoint_takes_bare_ids(const char *path);

#endif
