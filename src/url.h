/* Puts URLs together and takes them apart, with libcurl's own parser, so that
 * what is checked is what is used. Floor 2. */
#ifndef MINIMAX_URL_H
#define MINIMAX_URL_H

#include <stddef.h>

#include "buffer.h"

/* Brings a base URL into the form "https://host[:port][/prefix]": a trailing
 * "/" or "/v1" is dropped, user information, query and fragment are refused.
 * 0, or -1: `*problem` says why (a static text). */
int url_base(const char *text, struct buffer *out, const char **problem);

/* Appends text with everything but unreserved characters percent-encoded. */
int url_add_escaped(struct buffer *out, const char *text, size_t length);

/* Parts of a URL; each is owned by the struct, freed by url_free. */
struct url_parts {
  char *scheme, *host, *path;
  char *expires; /* the value of an Expires or x-oss-expires parameter */
};

/* 0, or -1 if it is no http(s) URL or memory ends. */
int url_take_apart(const char *text, struct url_parts *parts);
void url_free(struct url_parts *parts);

/* An http:// URL as https://, appended to `out`. */
int url_add_upgraded(struct buffer *out, const char *text);

/* Where a reference in `base` leads to, absolute; malloc'd. NULL: nowhere. */
char *url_joined(const char *base, const char *reference);

#endif
