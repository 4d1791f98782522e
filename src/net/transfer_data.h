/* One HTTP exchange as data: what is sent, what libcurl's callbacks note of the
 * answer. All that libcurl points at is owned here. Its life is in transfer.h.
 */
#ifndef MINIMAX_TRANSFER_DATA_H
#define MINIMAX_TRANSFER_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "net/body.h"

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

/* A host that libcurl must know the addresses of to make a transfer: the one of
 * its URL, or its proxy, or both. */
enum { TRANSFER_HOSTS = 2 };
struct transfer_host {
  char *name; /* NULL: none is needed, an address was given */
  unsigned port;
};

struct transfer {
  struct transfer *next, **back;   /* in the engine's list, or the idle one */
  struct transfer *next_unwatched; /* see driver.c */
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
  int in_head;     /* a head's first line came, not its last (paid) */
  int headed;      /* the response's head came whole (paid) */
  int begun;       /* the first byte of the response body came */
  int packed;      /* it names a coding (paid) */
  int cut;         /* it is answered, but not to its last byte */
  int to_sink;     /* and the body goes to the sink */
  int paused;      /* the sink was full */
  int wants_bytes; /* wake the waiter as bytes arrive */
  int allow_private;
  uint64_t resume_from;             /* the range asked for begins here */
  uint64_t started;                 /* ms */
  uint64_t leave_by;                /* ms: see the order */
  uint64_t waiting_since;           /* ms; the answer is due from here on */
  uint64_t marked_at, marked_bytes; /* start of the stall clock's window */
  uint64_t moved;                   /* bytes of either body so far */
  uint64_t heads;                   /* bytes of header lines and trailers */
  uint64_t moved_at;                /* ms; when the last of them did */
  int64_t announced;                /* bytes of the response body; -1: unsaid */
  long status;                      /* of the response; 0: none was read */
  char problem[256];                /* libcurl's words */
  /* From here on, what stays when it serves again. */
  struct engine *engine;
  struct profile *profile; /* a reference is held */
  void *easy;              /* CURL */
  struct transfer_host hosts[TRANSFER_HOSTS];
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

/* Ends a transfer with that outcome (transfer_stop). */
typedef void transfer_stopper(struct transfer *transfer,
                              enum transfer_outcome outcome);

/* For callbacks: what it is to end with; libcurl's code for it says less. */
void transfer_decide(struct transfer *transfer, enum transfer_outcome outcome);

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

/* The time that its connect may take from now on; 0: as long as libcurl
 * lets it. */
void transfer_limit_connect(const struct transfer *transfer, uint64_t ms);

/* Whether the lines of the head come to the write callback, too, each before
 * libcurl keeps it. */
void transfer_show_head(const struct transfer *transfer, int is_shown);

#endif
