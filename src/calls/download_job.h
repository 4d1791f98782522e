/* A download, as its parts know each other. Each part is written by the file of
 * its name alone; the others read it. */
#ifndef MINIMAX_DOWNLOAD_JOB_H
#define MINIMAX_DOWNLOAD_JOB_H

#include <lua.h>
#include <stdint.h>

#include "net/sink.h"
#include "run/exchange.h"
#include "run/job.h"

/* What to do once there is something to do; download.c knows who does it. */
enum download_step { DOWNLOAD_TASK_LINK, DOWNLOAD_FILE_LINK, DOWNLOAD_BYTES };

struct download_link {
  char *url;              /* NULL: not known */
  char *asked;            /* the one that redirected to it; NULL: none did */
  char *file_id;          /* NULL: none */
  unsigned redirects;     /* from `asked` to `url` */
  unsigned char from_api; /* it is files/retrieve_content */
  unsigned char has_task; /* a task is known: the link can be renewed */
  unsigned char upgraded; /* it said http:// */
};

struct download_fetch {
  struct pass pass;
  struct transfer *transfer; /* the attempt under way or just ended */
  char *content_type;
  uint64_t resume_at; /* of the next attempt, after a back-off */
  uint64_t best;      /* the most bytes so far: attempts count without more */
  unsigned failures, renewals, attempts;
  unsigned char allow_private;
  unsigned char arrived;    /* all bytes are in the sink */
  unsigned char restarted;  /* what was here proved of no use */
  unsigned char complained; /* of a long pause */
};

struct download_deliver {
  uint64_t told;            /* bytes at the last call of on_progress */
  uint64_t progress_at;     /* when the last progress event was sent */
  unsigned char watched;    /* there is an on_progress */
  unsigned char has_word;   /* there is an on_whole that was not asked yet */
  unsigned char delivering; /* enum delivery */
};

struct download {
  struct job job;
  struct exchange exchange; /* of a query or retrieve on the way to the link */
  struct sink sink;
  unsigned char to_lua_file; /* set by download_target.c, as the sink's end */
  unsigned char step;        /* enum download_step */
  struct download_link link;
  struct download_fetch fetch;
  struct download_deliver deliver;
};

/* Goes on with that step at once. */
void download_go_to(struct download *download, enum download_step step);

/* Ends the job with the error on top, to which it adds what was received. */
void download_fail(lua_State *L, struct download *download, int self);

#endif
