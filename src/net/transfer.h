/* One HTTP exchange: a request, and its answer or how it was lost. All that
 * libcurl points at is owned here. Callbacks are plain C. */
#ifndef MINIMAX_TRANSFER_H
#define MINIMAX_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "net/body.h"
#include "base/buffer.h"
#include "net/lookup.h"

struct curl_slist;
struct engine;
struct profile;
struct sink;
struct waiter;

enum transfer_purpose {
  TRANSFER_READ, /* an API call that may be repeated */
  TRANSFER_PAID, /* an API call that may cost money: sent at most once */
  TRANSFER_FETCH /* a download: a bare request, no key, other hosts */
};

enum transfer_outcome {
  TRANSFER_UNDER_WAY,
  TRANSFER_ANSWERED,        /* a response was read: whole, or it refuses */
  TRANSFER_NO_HOST,         /* the name does not resolve */
  TRANSFER_NO_CONNECTION,   /* refused, unreachable */
  TRANSFER_NO_CREDENTIALS,  /* the proxy wants some, or others */
  TRANSFER_NO_TLS,          /* the handshake broke */
  TRANSFER_BAD_CERTIFICATE, /* or a bad CA file */
  TRANSFER_TIMED_OUT,
  TRANSFER_LOST,        /* reset, closed, garbled */
  TRANSFER_CUT,         /* the body ended before its announced length */
  TRANSFER_TOO_LARGE,   /* the reply exceeds its limit */
  TRANSFER_BODY_FAILED, /* a file of the request changed or vanished */
  TRANSFER_FORBIDDEN,   /* a private address */
  TRANSFER_BAD_URL,
  TRANSFER_PACKED,    /* in a coding that can't be undone */
  TRANSFER_BAD_RANGE, /* Content-Range is not what was asked for */
  TRANSFER_CHANGED,   /* the remote file changed and can't be restarted */
  TRANSFER_SINK_NOT_VIDEO,
  TRANSFER_SINK_TOO_LARGE,
  TRANSFER_SINK_FAILED, /* the sink's `error` says why */
  TRANSFER_NO_MEMORY
};

/* What comes next of a head whose beginning is watched: see
 * response_watch_head. */
enum transfer_head {
  HEAD_PASSED, /* nothing that matters; or it is not watched */
  HEAD_STATUS, /* the status line, or the rest of it */
  HEAD_FIRST,  /* the line behind it */
  HEAD_REST    /* the rest of that */
};

struct transfer {
  struct transfer *next, **back;   /* in the engine's list, or the idle one */
  struct transfer *next_unwatched; /* see engine.c */
  int unwatched, listed;
  struct transfer *next_waiting; /* see lookup.c */
  int waits_for_names;
  int is_held;           /* see alpn.c */
  struct waiter *waiter; /* woken at the end, and as bytes arrive */
  int attached;          /* to the multi handle */
  int heard;             /* a socket of it is watched */
  int opened;            /* the last socket opened for it; 0: none */
  int reusable;          /* a plain GET leaves nothing behind in it */
  int made;              /* its handle is one more than there ever were */
  int connected;         /* a socket was opened for it */
  int is_stale;          /* the connection it was given was spoken on before */
  enum transfer_purpose purpose;
  enum transfer_outcome outcome;
  enum transfer_outcome stopped; /* what a callback decided */
  enum transfer_head head;
  unsigned departures;        /* requests that began to leave */
  struct body body;           /* of the request */
  struct buffer reply;        /* of the response, but for a download's bytes */
  struct sink *sink;          /* a download's; the download outlives us */
  struct curl_slist *headers; /* of this request alone */
  int headed;                 /* the response's head came whole (paid) */
  int begun;                  /* the first byte of the response body came */
  int packed;                 /* it names a coding (paid) */
  int cut;                    /* it is answered, but not to its last byte */
  int to_sink;                /* and the body goes to the sink */
  int paused;                 /* the sink was full */
  int wants_bytes;            /* wake the waiter as bytes arrive */
  int allow_private;
  uint64_t resume_from;             /* the range asked for begins here */
  uint64_t started;                 /* ms */
  uint64_t leave_by;                /* ms: see the order */
  uint64_t waiting_since;           /* ms; the answer is due from here on */
  uint64_t marked_at, marked_bytes; /* start of the stall clock's window */
  uint64_t moved;                   /* bytes of either body so far */
  uint64_t moved_at;                /* ms; when the last of them did */
  int64_t announced;                /* bytes of the response body; -1: unsaid */
  long status;                      /* of the response; 0: none was read */
  char problem[256];                /* libcurl's words */
  /* From here on, what stays when it serves again. */
  struct engine *engine;
  struct profile *profile; /* a reference is held */
  void *easy;              /* CURL */
  struct lookup_host hosts[LOOKUP_HOSTS];
  struct curl_slist *addresses; /* theirs, as libcurl was told them */
  int proxied;
  int is_relayed;    /* by the proxy, which reads the request: no tunnel */
  int names_private; /* a link itself names a private address */
};

/* What to send; nothing is kept of it. */
struct transfer_order {
  enum transfer_purpose purpose;
  const char *method;
  const char *url;
  const char *content_type; /* of a body that is not JSON; NULL: JSON */
  int with_key;             /* a download from the API's own origin */
  uint64_t leave_by;        /* ms: after that it does not leave any more */
};

/* One with an empty body; NULL when memory ends. */
struct transfer *transfer_new(struct engine *engine, struct profile *profile,
                              enum transfer_purpose purpose);

/* Sends it. `waiter` is woken when it ends, be it at once. */
void transfer_start(struct transfer *transfer, struct waiter *waiter,
                    const struct transfer_order *order);

/* For callbacks: what it is to end with; libcurl's code for it says less. */
void transfer_decide(struct transfer *transfer, enum transfer_outcome outcome);

/* Ends it at once with that outcome. */
void transfer_stop(struct transfer *transfer, enum transfer_outcome outcome);

/* The next instant at which to look again; 0 if it has ended, be it now: no
 * answer came in time, or a body stalls, and what has arrived is read. */
uint64_t transfer_due(struct transfer *transfer, uint64_t now);

/* The owner made room in the sink. */
void transfer_resume(struct transfer *transfer);

/* A response header's value or NULL; valid until the transfer is released. */
const char *transfer_header(const struct transfer *transfer, const char *name);

/* Where a redirect of `url`, which was asked for, leads to: absolute; malloc'd.
 * NULL: nowhere. */
char *transfer_redirect(const struct transfer *transfer, const char *url);

/* HTTP major version of the answer, 0 if unknown. */
int transfer_http_version(const struct transfer *transfer);

/* Whether the request may have had its effect. The answer may come, and accept
 * it, before its body's end. */
int transfer_may_have_arrived(const struct transfer *transfer);

/* Cancels it if need be; its handle may serve again. */
void transfer_release(struct transfer *transfer);

/* For the engine: libcurl ended it with this CURLcode. */
void transfer_ended(struct transfer *transfer, int code);

/* For the engine: frees it for good. */
void transfer_destroy(struct transfer *transfer);

/* For the profile: frees the handles it keeps. */
void transfer_free_idle(struct profile *profile);

#endif
