/* Puts URLs together and takes them apart. Hosts are found with libcurl's own
 * parser, so that what is checked is what is used; paths stay as they were
 * written. */
#ifndef MINIMAX_URL_H
#define MINIMAX_URL_H

#include <stddef.h>

#include "base/buffer.h"

/* Brings a base URL into the form "https://host[:port][/prefix]": a trailing
 * "/" or "/v1" is dropped, user information, query and fragment are refused.
 * 0, or -1: `*problem` says why (a static text). */
int url_base(const char *text, struct buffer *out, const char **problem);

/* Appends text with everything but unreserved characters percent-encoded. */
int url_add_escaped(struct buffer *out, const char *text, size_t length);

/* Appends to a URL, or to what begins with its path, one parameter more, or a
 * query that is escaped already; -1: no memory. */
int url_add_parameter(struct buffer *out, const char *name, const char *value,
                      size_t length);
int url_add_query(struct buffer *out, const char *query);

/* Parts of a URL; each is owned by the struct, freed by url_free. */
struct url_parts {
  char *scheme, *host;
  unsigned port; /* the scheme's own where the URL names none */
};

/* 0, or -1 if it is no http(s) URL or memory ends. */
int url_take_apart(const char *text, struct url_parts *parts);
void url_free(struct url_parts *parts);

/* When a signed link ends, as its Expires or x-oss-expires parameter says: Unix
 * seconds, or with some the seconds from now; 0: it does not say. */
long long url_expires(const char *text);

/* The same as url_take_apart for a proxy as libcurl reads it. */
int url_take_proxy_apart(const char *text, struct url_parts *parts);

/* A link as an answer or a program names it, made absolute and fit to be sent:
 * blanks at its ends are dropped, within it they are encoded, a relative one
 * leads on from `base`, as in a redirect. Otherwise it stays as it stands.
 * Malloc'd; NULL: no memory. */
char *url_link(const char *base, const char *text);

/* An http:// URL as https://, appended to `out`. */
int url_add_upgraded(struct buffer *out, const char *text);

/* What a request for the URL asks for, appended to `out`: path and query as
 * they stand, `absolute` with scheme and host, as a proxy wants it. -1: no
 * memory. */
int url_add_target(struct buffer *out, const char *url, int absolute);

/* Where a reference in `base`, an absolute URL, leads to: one with a host of
 * its own as it stands, a path with its dots resolved; what no request can hold
 * is escaped. malloc'd; NULL: nowhere, or no memory. */
char *url_joined(const char *base, const char *reference);

#endif
