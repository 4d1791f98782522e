/* Puts URLs together and takes them apart. */
#include "url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of a parsed URL as a string of our own, or NULL. */
static char *part_of(CURLU *url, CURLUPart part, unsigned flags) {
  char *text = NULL, *copy = NULL;
  if (curl_url_get(url, part, &text, flags) == CURLUE_OK && text)
    copy = strdup(text);
  curl_free(text);
  return copy;
}

static CURLU *parsed(const char *text) {
  CURLU *url = curl_url();
  if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
    return url;
  curl_url_cleanup(url);
  return NULL;
}

static int has_part(CURLU *url, CURLUPart part) {
  char *text = NULL;
  int has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text && *text;
  curl_free(text);
  return has;
}

static int is_web(const char *scheme) {
  return scheme &&
         (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
}

static const char *base_problem(CURLU *url) {
  char *scheme = part_of(url, CURLUPART_SCHEME, 0);
  const char *problem = NULL;
  if (!is_web(scheme))
    problem = "it must begin with https:// or http://";
  else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
    problem = "it must not hold a user name or password";
  else if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
    problem = "it must not hold a query or fragment (use the option query)";
  free(scheme);
  return problem;
}

/* The path's length without a trailing "/" or "/v1", however many, doubled by
 * hand or by habit. */
static size_t trimmed(const char *path, size_t length) {
  for (;;) {
    if (length > 0 && path[length - 1] == '/')
      length--;
    else if (length >= 3 && memcmp(path + length - 3, "/v1", 3) == 0)
      length -= 3;
    else
      return length;
  }
}

/* The URL ends with its path; a host may be named "v1". */
static int add_trimmed(struct buffer *out, const char *whole,
                       const char *path) {
  size_t path_length = strlen(path);
  size_t origin = strlen(whole) - path_length;
  return buffer_add(out, whole, origin + trimmed(path, path_length));
}

int url_base(const char *text, struct buffer *out, const char **problem) {
  int result = -1;
  char *whole = NULL, *path = NULL;
  CURLU *url = parsed(text);
  *problem = "it is no URL that begins with https:// or http://";
  if (!url)
    return -1;
  *problem = base_problem(url);
  if (*problem)
    goto done;
  *problem = "not enough memory";
  whole = part_of(url, CURLUPART_URL, 0);
  path = part_of(url, CURLUPART_PATH, 0);
  if (whole && path)
    result = add_trimmed(out, whole, path);
done:
  free(whole);
  free(path);
  curl_url_cleanup(url);
  return result;
}

static int is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

int url_add_escaped(struct buffer *out, const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEF";
  if (buffer_reserve(out, length * 3) < 0)
    return -1;
  for (size_t i = 0; i < length;) {
    unsigned char byte = (unsigned char)text[i];
    char escaped[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    size_t run = 0;
    while (i + run < length && is_unreserved(text[i + run]))
      run++;
    buffer_add(out, run ? text + i : escaped, run ? run : 3);
    i += run ? run : 1;
  }
  return 0;
}

/* The value of one query parameter, or NULL. */
static char *parameter(const char *query, const char *name) {
  size_t length = strlen(name);
  while (query && *query) {
    size_t whole = strcspn(query, "&");
    if (strncasecmp(query, name, length) == 0 && query[length] == '=')
      return strndup(query + length + 1, whole - length - 1);
    query += whole;
    query += *query == '&';
  }
  return NULL;
}

int url_take_apart(const char *text, struct url_parts *parts) {
  CURLU *url = parsed(text);
  char *query;
  memset(parts, 0, sizeof *parts);
  if (!url)
    return -1;
  parts->scheme = part_of(url, CURLUPART_SCHEME, 0);
  parts->host = part_of(url, CURLUPART_HOST, 0);
  parts->path = part_of(url, CURLUPART_PATH, 0);
  query = part_of(url, CURLUPART_QUERY, 0);
  parts->expires = parameter(query, "Expires");
  if (!parts->expires)
    parts->expires = parameter(query, "x-oss-expires");
  free(query);
  curl_url_cleanup(url);
  if (is_web(parts->scheme) && parts->host && parts->path)
    return 0;
  url_free(parts);
  return -1;
}

void url_free(struct url_parts *parts) {
  free(parts->scheme);
  free(parts->host);
  free(parts->path);
  free(parts->expires);
  memset(parts, 0, sizeof *parts);
}

int url_add_upgraded(struct buffer *out, const char *text) {
  if (strncasecmp(text, "http://", 7) != 0)
    return buffer_add_text(out, text);
  if (buffer_add_text(out, "https://") < 0)
    return -1;
  return buffer_add_text(out, text + 7);
}

char *url_joined(const char *base, const char *reference) {
  CURLU *url = parsed(base);
  char *joined = NULL;
  if (url &&
      curl_url_set(url, CURLUPART_URL, reference,
                   CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) == CURLUE_OK)
    joined = part_of(url, CURLUPART_URL, 0);
  curl_url_cleanup(url);
  return joined;
}
