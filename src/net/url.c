/* Puts URLs together and takes them apart. */
#include "net/url.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

#ifndef CURLU_PUNYCODE /* from 7.88 on; before that it is ignored */
#define CURLU_PUNYCODE (1u << 12)
#endif

enum { PROXY_PORT = 1080, SECURE_PROXY_PORT = 443 }; /* libcurl's defaults */

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

static char *trimmed_copy(const char *text) {
  static const char blanks[] = " \t\r\n\v\f";
  size_t length;
  text += strspn(text, blanks);
  length = strlen(text);
  while (length > 0 && strchr(blanks, text[length - 1]))
    length--;
  return strndup(text, length);
}

/* Whether the path goes on behind a version with what only an endpoint of the
 * API has; a gateway's own prefix may hold a version, too. */
static int names_endpoint(const char *path) {
  static const char *const names[] = {"video_", "query/", "files/", "text/",
                                      "chat/"};
  const char *version = path;
  while ((version = strstr(version, "/v")) != NULL) {
    version += 2;
    if ((*version != '1' && *version != '2') || version[1] != '/')
      continue;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (strncmp(version + 2, names[i], strlen(names[i])) == 0)
        return 1;
  }
  return 0;
}

/* Whether it ends with the version of the second API, slashes aside. */
static int ends_with_v2(const char *path) {
  size_t length = strlen(path);
  while (length > 0 && path[length - 1] == '/')
    length--;
  return length >= 3 && memcmp(path + length - 3, "/v2", 3) == 0;
}

static const char *path_problem(CURLU *url) {
  char *path = part_of(url, CURLUPART_PATH, 0);
  const char *problem = NULL;
  if (path && names_endpoint(path))
    problem = "it names an endpoint; leave out what begins with /v1 or /v2";
  else if (path && ends_with_v2(path))
    problem = "it must not end with /v2: each call adds its own version";
  free(path);
  return problem;
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
  else
    problem = path_problem(url);
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

/* libcurl's parser rewrites paths, and more so from version to version: "//"
 * and dots, the case of escapes. Where one counts to the byte, as in a signed
 * link, it is taken from the text itself. */

static const char *authority_of(const char *url) {
  const char *scheme_end = strchr(url, ':');
  return scheme_end ? scheme_end + 1 + strspn(scheme_end + 1, "/") : url;
}

/* Path, query and fragment: all that follows the authority. */
static const char *rest_of(const char *url) {
  const char *authority = authority_of(url);
  return authority + strcspn(authority, "/?#");
}

/* The origin of `whole`, of which the parser made `path`, and of the text's own
 * path what is not trimmed; a host may be named "v1". */
static int add_base(struct buffer *out, const char *whole, const char *path,
                    const char *text) {
  const char *own = rest_of(text);
  if (buffer_add(out, whole, strlen(whole) - strlen(path)) < 0)
    return -1;
  return buffer_add(out, own, trimmed(own, strcspn(own, "?#")));
}

static int add_parsed_base(struct buffer *out, CURLU *url, const char *text) {
  char *whole = part_of(url, CURLUPART_URL, 0);
  char *path = part_of(url, CURLUPART_PATH, 0);
  int result = whole && path ? add_base(out, whole, path, text) : -1;
  free(whole);
  free(path);
  return result;
}

/* Blanks, marks that are not seen and curly quotes, as they are copied along
 * from pages; a host may have other letters than ASCII's. */
static int holds_unseen(const char *text) {
  static const char *const unseen[] = {"\xC2\xA0", "\xC2\xAD", "\xE2\x80",
                                       "\xE2\x81", "\xEF\xBB\xBF"};
  for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
    if (strstr(text, unseen[i]))
      return 1;
  return 0;
}

int url_base(const char *text, struct buffer *out, const char **problem) {
  char *bare = trimmed_copy(text);
  CURLU *url = bare ? parsed(bare) : NULL;
  int result = -1;
  *problem = "not enough memory";
  if (!bare)
    return -1;
  if (holds_unseen(bare))
    *problem = "it holds a character that is not seen, or a curly quote";
  else if (!url)
    *problem = "it is no URL that begins with https:// or http://";
  else if ((*problem = base_problem(url)) == NULL) {
    *problem = "not enough memory";
    result = add_parsed_base(out, url, bare);
  }
  free(bare);
  curl_url_cleanup(url);
  return result;
}

static int is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

int url_add_escaped(struct buffer *out, const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEF";
  if (length > SIZE_MAX / 3 || buffer_reserve(out, length * 3) < 0)
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

int url_add_query(struct buffer *out, const char *query) {
  const char *mark = out->length && strchr(out->bytes, '?') ? "&" : "?";
  if (buffer_add(out, mark, 1) < 0)
    return -1;
  return buffer_add_text(out, query);
}

int url_add_parameter(struct buffer *out, const char *name, const char *value,
                      size_t length) {
  if (url_add_query(out, "") < 0 ||
      url_add_escaped(out, name, strlen(name)) < 0 ||
      buffer_add(out, "=", 1) < 0)
    return -1;
  return url_add_escaped(out, value, length);
}

/* The number in the query under one of the names, 0: there is none. */
static long long number_in(const char *query, const char *const *names) {
  for (; *names; names++) {
    size_t length = strlen(*names);
    for (const char *at = query; *at; at += *at == '&') {
      if (ascii_equal_up_to(at, *names, length) && at[length] == '=')
        return strtoll(at + length + 1, NULL, 10);
      at += strcspn(at, "&");
    }
  }
  return 0;
}

long long url_expires(const char *text) {
  static const char *const names[] = {"Expires", "x-oss-expires", NULL};
  CURLU *url = parsed(text);
  char *query = url ? part_of(url, CURLUPART_QUERY, 0) : NULL;
  long long expires = query ? number_in(query, names) : 0;
  free(query);
  curl_url_cleanup(url);
  return expires;
}

/* As it is asked of name servers; libcurl may lack what converts it. */
static char *host_of(CURLU *url) {
  char *host = part_of(url, CURLUPART_HOST, CURLU_PUNYCODE);
  return host ? host : part_of(url, CURLUPART_HOST, 0);
}

static unsigned port_of(CURLU *url, unsigned flags, unsigned usual) {
  char *text = part_of(url, CURLUPART_PORT, flags);
  unsigned port = text ? (unsigned)strtoul(text, NULL, 10) : usual;
  free(text);
  return port;
}

int url_take_proxy_apart(const char *text, struct url_parts *parts) {
  CURLU *url = curl_url();
  memset(parts, 0, sizeof *parts);
  if (!url ||
      curl_url_set(url, CURLUPART_URL, text,
                   CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) != CURLUE_OK)
    goto done;
  parts->scheme = part_of(url, CURLUPART_SCHEME, 0);
  parts->host = host_of(url);
done:
  if (parts->scheme)
    parts->port = port_of(
        url, 0,
        strcmp(parts->scheme, "https") == 0 ? SECURE_PROXY_PORT : PROXY_PORT);
  curl_url_cleanup(url);
  if (parts->scheme && parts->host)
    return 0;
  url_free(parts);
  return -1;
}

int url_take_apart(const char *text, struct url_parts *parts) {
  CURLU *url = parsed(text);
  memset(parts, 0, sizeof *parts);
  if (!url)
    return -1;
  parts->scheme = part_of(url, CURLUPART_SCHEME, 0);
  parts->host = host_of(url);
  parts->port = port_of(url, CURLU_DEFAULT_PORT, 0);
  curl_url_cleanup(url);
  if (is_web(parts->scheme) && parts->host)
    return 0;
  url_free(parts);
  return -1;
}

void url_free(struct url_parts *parts) {
  free(parts->scheme);
  free(parts->host);
  memset(parts, 0, sizeof *parts);
}

int url_add_upgraded(struct buffer *out, const char *text) {
  if (!ascii_equal_up_to(text, "http://", 7))
    return buffer_add_text(out, text);
  if (buffer_add_text(out, "https://") < 0)
    return -1;
  return buffer_add_text(out, text + 7);
}

/* "https://host:port", without user information. */
static int add_origin(struct buffer *out, const char *url) {
  const char *authority = authority_of(url);
  size_t length = strcspn(authority, "/?#");
  const char *at = memchr(authority, '@', length);
  if (buffer_add(out, url, (size_t)(authority - url)) < 0)
    return -1;
  if (at) {
    length -= (size_t)(at + 1 - authority);
    authority = at + 1;
  }
  return buffer_add(out, authority, length);
}

int url_add_target(struct buffer *out, const char *url, int absolute) {
  const char *rest = rest_of(url);
  if (buffer_reserve(out, strlen(url) + 1) < 0)
    return -1;
  if (absolute && add_origin(out, url) < 0)
    return -1;
  if (*rest != '/' && buffer_add(out, "/", 1) < 0)
    return -1;
  return buffer_add(out, rest, strcspn(rest, "#"));
}

static int has_scheme(const char *text) {
  size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
  return length > 0 && text[length] == ':';
}

/* How many bytes of the base stay before the reference. */
static size_t base_kept(const char *base, const char *reference) {
  const char *rest = rest_of(base);
  size_t path = strcspn(rest, "?#");
  if (has_scheme(reference))
    return 0;
  if (strncmp(reference, "//", 2) == 0)
    return strcspn(base, ":") + 1;
  if (*reference == '#')
    path = strcspn(rest, "#");
  else if (*reference == '/')
    path = 0;
  else if (*reference != '?')
    while (path > 0 && rest[path - 1] != '/')
      path--;
  return (size_t)(rest - base) + path;
}

/* Whether the reference is a way within the base's host, which is resolved; a
 * whole link is not touched. */
static int is_path(const char *reference) {
  return !has_scheme(reference) && !strchr("?#", *reference) &&
         strncmp(reference, "//", 2) != 0;
}

/* Resolves "/./" and "/../" in place (RFC 3986, 5.2.4). */
static void resolve_dots(char *path) {
  char *in = path, *out = path;
  while (*in == '/') {
    size_t length = 1 + strcspn(in + 1, "/?#");
    size_t dots = strspn(in + 1, ".");
    int is_dots = dots + 1 == length && (dots == 1 || dots == 2);
    for (int up = is_dots && dots == 2; up && out > path; up = *out != '/')
      out--;
    if (!is_dots) {
      memmove(out, in, length);
      out += length;
    } else if (in[length] != '/') {
      *out++ = '/';
    }
    in += length;
  }
  memmove(out, in, strlen(in) + 1);
}

/* What can stand in no request line, escaped; the rest as it is. */
static int add_visible(struct buffer *out, const char *text) {
  while (*text) {
    size_t run = 0;
    while (text[run] > ' ' && text[run] < 127)
      run++;
    if (run > 0 ? buffer_add(out, text, run) < 0
                : url_add_escaped(out, text, 1) < 0)
      return -1;
    text += run > 0 ? run : 1;
  }
  return 0;
}

static int add_joined(struct buffer *out, const char *base,
                      const char *reference) {
  size_t origin = (size_t)(rest_of(base) - base);
  size_t kept = base_kept(base, reference);
  int is_within = is_path(reference);
  if (buffer_add(out, base, kept) < 0)
    return -1;
  if (is_within && kept == origin && *reference != '/' &&
      buffer_add(out, "/", 1) < 0)
    return -1;
  if (add_visible(out, reference) < 0)
    return -1;
  if (is_within)
    resolve_dots(out->bytes + origin);
  return 0;
}

char *url_joined(const char *base, const char *reference) {
  struct buffer joined = {0};
  if (*reference && add_joined(&joined, base, reference) == 0)
    return joined.bytes;
  buffer_free(&joined);
  return NULL;
}

char *url_link(const char *base, const char *text) {
  struct buffer folder = {0};
  char *reference = trimmed_copy(text);
  char *link = NULL;
  if (!reference || !*reference)
    return reference;
  if (buffer_add_text(&folder, base) == 0 && buffer_add_text(&folder, "/") == 0)
    link = url_joined(folder.bytes, reference);
  buffer_free(&folder);
  free(reference);
  return link;
}
