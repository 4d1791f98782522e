/* What is known of the API's kinds of task, as data: paths, names, words. */
#ifndef MINIMAX_ENDPOINT_H
#define MINIMAX_ENDPOINT_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

enum kind { KIND_TEMPLATE, KIND_VIDEO, KIND_VIDEO2, KINDS };

struct image_rule {
  uint64_t below;         /* bytes: the size must be below (v1) … */
  uint64_t most;          /* … or at most (v2) */
  uint32_t shorter_over;  /* pixels: the shorter side must exceed */
  uint32_t least, widest; /* pixels: each side must lie between */
  int any_format;         /* also those of which nothing but the size is read */
};

/* All that is known of a kind; what is not there is zero. */
struct endpoint {
  const char *name;      /* "template" */
  const char *told_by;   /* the request field that tells the kind */
  const char *id_prefix; /* of ids that tell it */
  const char *submit_path;
  const char *query_path;
  int id_in_path;          /* of the query; else it is ?task_id= */
  int can_list;            /* by a GET of query_path */
  int can_cancel;          /* by a DELETE of submit_path and the id */
  uint64_t link_life;      /* s; where the link is silent */
  uint64_t largest_body;   /* bytes; 0: no limit */
  struct image_rule image; /* what media may be sent */
  uint64_t largest_video, largest_audio; /* bytes; 0: not at all */
};

extern const struct endpoint endpoints[];

/* The kinds in the order in which a request is asked for their fields: one may
 * have a field of another's besides its own. */
extern const enum kind kinds_by_field[];

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

/* The kind whose tasks can be listed, or cancelled. */
enum kind kind_to_list(void);
enum kind kind_to_cancel(void);

/* The kind a bare id belongs to: "video_…" is a gateway's video id. */
enum kind kind_of_id(const char *id);

/* Raises unless the value at `index` names a kind; `argument` is the number of
 * the argument it came with. */
enum kind kind_check(lua_State *L, int index, int argument);

/* Whether a call to this path takes ids as bare numbers. */
int endpoint_takes_bare_ids(const char *path);

#endif
