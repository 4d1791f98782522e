/* How the transfers of one client are made: its host, headers, limits, proxy
 * and trust. Written once by the client, then shared by its transfers, which
 * may outlive it. */
#ifndef MINIMAX_PROFILE_H
#define MINIMAX_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "net/url.h"

struct curl_slist;
struct transfer;

/* What the API's host speaks over TLS; alpn.c finds out. */
enum alpn {
  ALPN_UNKNOWN,
  ALPN_FAILED,  /* who asked got no connection: the others try by themselves */
  ALPN_SETTLED, /* libcurl knows */
  ALPN_HTTP1,   /* and so do we, since the last answer */
  ALPN_HTTP2
};

struct profile {
  unsigned references;
  char *base;                      /* "https://host[:port][/prefix]" */
  struct url_parts parts;          /* of the base, once it was needed */
  char *key;                       /* for the redactor only; NULL: none */
  char *query;                     /* "GroupId=1&…", escaped; NULL: none */
  struct curl_slist *headers;      /* of each API call */
  struct curl_slist *json_headers; /* the same with a JSON body */
  uint64_t connect_timeout, request_timeout, stall_timeout; /* ms */
  uint64_t max_response;                                    /* bytes */
  char *ca_file, *ca_path; /* NULL: libcurl's own */
  int insecure;
  char *proxy;      /* for https; NULL: none */
  char *http_proxy; /* for http */
  char *no_proxy;   /* hosts that are reached directly */
  void *share; /* CURLSH: its connections and TLS sessions, nobody else's */
  struct transfer *idle; /* easy handles ready for the next read */
  unsigned idle_count, idle_limit;
  int is_head_watched; /* of what they read: see response_watch_head */
  unsigned handles, most_handles; /* that there are, and ever were at once */
  enum alpn alpn;                 /* of the API's host */
  const struct transfer *asking;  /* its handshake will tell */
};

/* With one reference; NULL when memory ends. The last release closes the
 * connections; whoever made it has freed the idle handles
 * (transfer_drop_idle). */
struct profile *profile_new(void);
struct profile *profile_retain(struct profile *profile);
void profile_release(struct profile *profile);

/* Sets a text field to a copy. -1: no memory. */
int profile_set(char **field, const char *text);

/* Adds a header to API calls ("Name: value"). -1: no memory. */
int profile_add_header(struct profile *profile, const char *line);

/* Once all headers are there. -1: no memory. */
int profile_seal(struct profile *profile);

/* Whether the base URL is http://, or a private address by name. */
int profile_is_plain(const struct profile *profile);
int profile_is_private(const struct profile *profile);

/* The proxy for a URL, or NULL when it is reached directly. */
const char *profile_proxy(const struct profile *profile, const char *scheme,
                          const char *host);

#endif
