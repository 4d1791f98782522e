/* client:download: its arguments, its destination, its life. The way to the
 * link is in download_link.c, the way to the bytes in download_fetch.c, their
 * handing over in download_deliver.c. */
#ifndef MINIMAX_DOWNLOAD_H
#define MINIMAX_DOWNLOAD_H

#include <lua.h>
#include <stdint.h>

#include "run/exchange.h"
#include "run/job.h"
#include "net/sink.h"

struct download {
  struct job job;
  struct exchange exchange; /* of a query or retrieve on the way */
  struct sink sink;
  struct pass pass;          /* the place of the fetch */
  struct transfer *transfer; /* the fetch under way or just ended */
  /* What to do once there is something to do. */
  void (*step)(lua_State *L, struct download *download, int self);
  char *url;     /* the link; NULL: not known */
  char *asked;   /* the one that redirected to it; NULL: none did */
  char *file_id; /* NULL: none */
  char *content_type;
  uint64_t resume_at;   /* of the next attempt, after a back-off */
  uint64_t told;        /* bytes at the last call of on_progress */
  uint64_t progress_at; /* when the last progress event was sent */
  uint64_t best;        /* the most bytes so far: attempts count without more */
  unsigned redirects, failures, renewals, attempts;
  unsigned char from_api; /* the link is files/retrieve_content */
  unsigned char has_task; /* a task is known: the link can be renewed */
  unsigned char allow_private;
  unsigned char watched;  /* there is an on_progress */
  unsigned char has_word; /* there is an on_whole that was not asked yet */
  unsigned char to_lua_file;
  unsigned char delivering; /* enum delivery */
  unsigned char arrived;    /* all bytes are in the sink */
  unsigned char restarted;  /* what was here proved of no use */
  unsigned char complained; /* of a long pause */
  unsigned char upgraded;   /* the link said http:// */
};

/* client:download(what, destination [, options]) */
int download_call(lua_State *L);

/* Goes on with that step at once. */
void download_go_to(struct download *download,
                    void (*step)(lua_State *, struct download *, int));

/* Ends the job with the error on top, to which it adds what was received. */
void download_fail(lua_State *L, struct download *download, int self);

#endif
