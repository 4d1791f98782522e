/* How the transfers of one client are made. */
#include "net/profile.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/noproxy.h"
#include "net/sigpipe.h"
#include "net/url.h"

struct profile *profile_new(void) {
  struct profile *profile = calloc(1, sizeof *profile);
  if (!profile)
    return NULL;
  profile->references = 1;
  profile->is_head_watched =
      curl_version_info(CURLVERSION_NOW)->version_num < 0x080100;
  profile->share = curl_share_init();
  if (!profile->share)
    goto fail;
  if (curl_share_setopt(profile->share, CURLSHOPT_SHARE,
                        CURL_LOCK_DATA_CONNECT) == CURLSHE_OK &&
      curl_share_setopt(profile->share, CURLSHOPT_SHARE,
                        CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
    return profile;
fail:
  profile_release(profile);
  return NULL;
}

struct profile *profile_retain(struct profile *profile) {
  profile->references++;
  return profile;
}

static void free_texts(struct profile *profile) {
  free(profile->base);
  url_free(&profile->parts);
  free(profile->key);
  free(profile->query);
  free(profile->ca_file);
  free(profile->ca_path);
  free(profile->proxy);
  free(profile->http_proxy);
  free(profile->no_proxy);
}

static void close_connections(struct profile *profile) {
  struct sigpipe guard;
  sigpipe_enter_alone(&guard);
  curl_share_cleanup(profile->share);
  sigpipe_leave_alone(&guard);
}

void profile_release(struct profile *profile) {
  if (!profile || --profile->references > 0)
    return;
  close_connections(profile);
  curl_slist_free_all(profile->headers);
  curl_slist_free_all(profile->json_headers);
  free_texts(profile);
  free(profile);
}

int profile_set(char **field, const char *text) {
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy)
    return -1;
  free(*field);
  *field = copy;
  return 0;
}

static int append(struct curl_slist **list, const char *line) {
  struct curl_slist *grown = curl_slist_append(*list, line);
  if (!grown)
    return -1;
  *list = grown;
  return 0;
}

int profile_add_header(struct profile *profile, const char *line) {
  return append(&profile->headers, line);
}

int profile_seal(struct profile *profile) {
  for (struct curl_slist *each = profile->headers; each; each = each->next)
    if (append(&profile->json_headers, each->data) < 0)
      return -1;
  /* Without a charset: the API's schema allows exactly this. And a body is
   * never held back for a 100 Continue that may get lost. */
  if (append(&profile->json_headers, "Content-Type: application/json") < 0)
    return -1;
  return append(&profile->json_headers, "Expect:");
}

int profile_is_plain(const struct profile *profile) {
  return strncmp(profile->base, "http://", 7) == 0;
}

int profile_is_private(const struct profile *profile) {
  struct url_parts parts;
  int is_private;
  if (url_take_apart(profile->base, &parts) < 0)
    return 0;
  is_private = address_name_is_private(parts.host);
  url_free(&parts);
  return is_private;
}

const char *profile_proxy(const struct profile *profile, const char *scheme,
                          const char *host) {
  const char *proxy =
      strcmp(scheme, "http") == 0 ? profile->http_proxy : profile->proxy;
  if (!proxy || !*proxy || noproxy_names(profile->no_proxy, host))
    return NULL;
  return proxy;
}
