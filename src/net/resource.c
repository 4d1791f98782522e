/* What a link leads to, whatever signs it. */
#include "net/resource.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/hash.h"

/* Parameters that sign a link, or say until when and for whom it is signed.
 * A renewed link has others, and leads to the same. What is not listed counts
 * as a part of the resource: then a renewed link is fetched from its start. */
static const char *const signing[] = {
    "AccessKeyId", "AWSAccessKeyId", "auth_key",  "Expires",
    "expires_at",  "expiry",         "hdnea",     "hdnts",
    "Key-Pair-Id", "OSSAccessKeyId", "Policy",    "security-token",
    "sig",         "sign",           "Signature", "GoogleAccessId",
    "token",
};

/* The same after "x-amz-", "x-oss-", "x-goog-", "x-cos-", … */
static const char *const vendor_signing[] = {
    "additional-headers", "algorithm", "content-sha256",
    "credential",         "date",      "expires",
    "security-token",     "signature", "signature-version",
    "signedheaders",
};

/* Tencent's. */
static const char *const tencent_signing[] = {
    "ak",        "header-list", "key-time",       "sign-algorithm",
    "sign-time", "signature",   "url-param-list",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static int is_listed(const char *name, size_t length, const char *const *list,
                     size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strlen(list[i]) == length && ascii_equal_up_to(name, list[i], length))
      return 1;
  return 0;
}

static int is_signing(const char *name, size_t length) {
  const char *dash;
  if (is_listed(name, length, signing, COUNT(signing)))
    return 1;
  if (length > 2 && ascii_equal_up_to(name, "q-", 2))
    return is_listed(name + 2, length - 2, tencent_signing,
                     COUNT(tencent_signing));
  if (length <= 2 || !ascii_equal_up_to(name, "x-", 2))
    return 0;
  dash = memchr(name + 2, '-', length - 2);
  return dash && is_listed(dash + 1, length - (size_t)(dash + 1 - name),
                           vendor_signing, COUNT(vendor_signing));
}

/* "?" and the hash of what of the query belongs to the resource, if any. */
static int add_query(struct buffer *out, const char *query) {
  uint64_t hash = HASH_EMPTY;
  char text[24];
  while (*query && *query != '#') {
    size_t whole = strcspn(query, "&#");
    size_t name = strcspn(query, "=&#");
    if (whole > 0 && !is_signing(query, name))
      hash = hash_add(hash_add(hash, query, whole), "&", 1);
    query += whole;
    query += *query == '&';
  }
  if (hash == HASH_EMPTY)
    return 0;
  snprintf(text, sizeof text, "?%016llx", (unsigned long long)hash);
  return buffer_add_text(out, text);
}

/* Host and port; names are alike in any case, and the scheme has its port. */
static int add_authority(struct buffer *out, const char *text, size_t length,
                         const char *port) {
  const char *at = memchr(text, '@', length);
  size_t digits = strlen(port);
  size_t from = out->length;
  if (at) {
    length -= (size_t)(at + 1 - text);
    text = at + 1;
  }
  if (length > digits && strncmp(text + length - digits, port, digits) == 0)
    length -= digits;
  if (buffer_add(out, text, length) < 0)
    return -1;
  for (; from < out->length; from++)
    if (out->bytes[from] >= 'A' && out->bytes[from] <= 'Z')
      out->bytes[from] += 'a' - 'A';
  return 0;
}

char *resource_of(const char *url) {
  struct buffer out = {0};
  int is_plain = ascii_equal_up_to(url, "http:", 5);
  const char *mark = strstr(url, "://");
  const char *rest = mark ? mark + 3 : url;
  size_t authority = strcspn(rest, "/?#");
  size_t path = strcspn(rest + authority, "?#");
  const char *end = rest + authority + path;
  if (buffer_add_text(&out, is_plain ? "http://" : "https://") < 0 ||
      add_authority(&out, rest, authority, is_plain ? ":80" : ":443") < 0 ||
      buffer_add(&out, path ? rest + authority : "/", path ? path : 1) < 0 ||
      (*end == '?' && add_query(&out, end + 1) < 0)) {
    buffer_free(&out);
    return NULL;
  }
  return out.bytes;
}
